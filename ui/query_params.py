"""Choices that live in the address, where the words on a widget change and its values do not.

Streamlit's own `bind="query-params"` writes the words, so a link would break with every new count:

    from_address("stands", STANDINGS, many=True)
    chosen = st.pills("Stands", STANDINGS, key="stands", format_func=with_counts)
    to_address("stands", chosen)
"""

from collections.abc import Sequence

import streamlit as st


def from_address(key: str, options: Sequence[str | None], many: bool = False) -> None:
    """Give the widget of this key, before it is first drawn, the value that the address holds.
    What is no option is passed over."""
    asked = [o for o in st.query_params.get_all(key) if o in options]
    if asked and key not in st.session_state:
        st.session_state[key] = asked if many else asked[0]


def to_address(key: str, value: str | Sequence[str] | None, default: str | None = None) -> None:
    """Write the widget's value into the address; the default is left out."""
    values = [value] if isinstance(value, str) else list(value or ())
    if values in ([], [default]):
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != values:
        st.query_params[key] = values
