"""What every page needs: empty states, errors, links, the command beside an action."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from arf_core.errors import ArfError
from ui.escape import escaped, label, seen
from ui.state import state
from ui.widgets.texts import html


def empty(title: str, words: str, page: str | None = None, to: str = "Open", **query: str) -> None:
    """Say why nothing is here and what to do; `page` is the file of the page to do it on."""
    html(f'<div class="arf-empty"><h3>{escaped(title)}</h3><p>{escaped(words)}</p></div>')
    if page:
        with st.container(horizontal=True, horizontal_alignment="center"):
            page_link(page, to, icon=":material/arrow_forward:", **query)


def page_link(page: str, words: str, *, icon: str | None = None, **query: str) -> None:
    """A link to another page of the same project."""
    project = state().project
    kept = ({"project": project} if project else {}) | query
    st.page_link(page, label=words, icon=icon, query_params=kept)


def error(fault: ArfError) -> None:
    """Show an error that the user can fix: what happened, and what to do."""
    st.error(f"{label(fault.message, 1000)}  \n{label(fault.hint, 1000)}", icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an ArfError raised inside, instead of failing the page."""
    try:
        yield
    except ArfError as fault:
        error(fault)


def command(line: str) -> None:
    """A popover with the shell command that does the same as the action beside it."""
    with st.popover("Show command", icon=":material/terminal:", type="tertiary"):
        st.code(seen(line), language=None, wrap_lines=True)
