"""Choices kept in the address by value, for widgets whose labels change.

Streamlit's own `bind="query-params"` writes the labels, so a link would break with every new count:

    from_address("error", categories)
    chosen = st.selectbox("Error", categories, key="error", format_func=with_counts)
    to_address("error", chosen)
"""

from collections.abc import Sequence

import streamlit as st


def from_address(key: str, options: Sequence[str | None], many: bool = False) -> None:
    """Set the widget with this key, before it is first drawn, to the address's value. Values that
    are no option are ignored."""
    chosen = [o for o in st.query_params.get_all(key) if o in options]
    if chosen and key not in st.session_state:
        st.session_state[key] = chosen if many else chosen[0]


def to_address(key: str, value: str | Sequence[str] | None, default: str | None = None) -> None:
    """Write the widget's value into the address, unless it is the default."""
    values = [value] if isinstance(value, str) else list(value or ())
    if values in ([], [default]):
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != values:
        st.query_params[key] = values
