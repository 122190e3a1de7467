"""What one browser session remembers, in one place.

Filters live in the address instead (`bind="query-params"` on the widget), so that a view can be
sent to somebody else. A page's own fields stand in a block of their own below.
"""

from dataclasses import dataclass, field

import streamlit as st


@dataclass
class State:
    """One browser session."""

    project: str | None = None
    """The folder of the open project."""
    dismissed: set[str] = field(default_factory=set)
    """Jobs that ended badly, and that the user has put away."""
    seen_open: set[str] = field(default_factory=set)
    """Jobs that the strip has shown at work: when one ends, the page is drawn anew."""


def state() -> State:
    """The session's state; made at the first asking."""
    if "arf" not in st.session_state:
        st.session_state["arf"] = State()
    found: State = st.session_state["arf"]
    return found
