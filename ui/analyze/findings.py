"""Analyze, Findings: the list, and the finding that is open."""

from functools import partial
from typing import get_args

import pandas as pd
import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.store import finding_list
from arf_core.store.arrays import Numbers
from arf_core.store.finding_list import PAGE, FindingListItem, FindingOrder
from ui import widgets
from ui.analyze import finding, queries
from ui.analyze.selection import Selection
from ui.names import category_name

ORDERS: dict[FindingOrder, str] = {
    "file": "Conversation order",
    "sure": "Most confident first",
    "unsure": "Least confident first",
}
DOWNLOADED = 100_000
"""Findings in one download at most."""
SELECTED = 4 * PAGE
"""Findings listed below a chart at most."""
ROW = 35
LIST_HEIGHT = 15 * ROW + 3
COLUMNS = {
    "Category": st.column_config.TextColumn(width=150),
    "Explanation": st.column_config.TextColumn(width=290),
    "Quote": st.column_config.TextColumn(width=160),
    "Conversation": st.column_config.TextColumn(width=100),
    "Confidence": st.column_config.NumberColumn(format="%.2f", width=80),
}


def draw(project: Project, selection: Selection) -> None:
    """The list, or the finding that the address names."""
    seqs = queries.matching(
        project,
        selection.system,
        selection.detector,
        selection.scope,
        selection.categories,
        selection.words,
        _order(),
    )
    number = finding.opened()
    if number is None:
        _list(project, selection, seqs)
        return
    try:
        card = finding_list.finding_card(project.store, number)
    except ArfError as fault:
        widgets.error(fault)
        st.button("Back to list", key="back", on_click=finding.close)
        return
    finding.draw(project, selection, card, finding_list.neighbours(seqs, number))


def selected(project: Project, seqs: Numbers, key: str) -> None:
    """The findings selected in a chart."""
    widgets.text(f"{len(seqs):,} findings selected")
    _rows(project, finding_list.rows(project.store, seqs[:SELECTED]), key)
    _hint()


def _order() -> FindingOrder:
    asked = st.session_state.get("order", "file")
    return asked if asked in get_args(FindingOrder) else "file"


def _list(project: Project, selection: Selection, seqs: Numbers) -> None:
    if not len(seqs):
        widgets.empty("No matching findings", "Remove a filter, or choose another detector.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="list-head"):
        widgets.text(_count(seqs, selection))
        st.selectbox(
            "Order",
            list(ORDERS),
            key="order",
            bind="query-params",
            format_func=ORDERS.__getitem__,
            label_visibility="collapsed",
            width=240,
        )
        page = _pager(-(-len(seqs) // PAGE))
    _rows(project, finding_list.page(project.store, seqs, page), f"findings-{page}")
    with st.container(horizontal=True, vertical_alignment="center"):
        _hint()
        widgets.download(
            "Download findings as CSV",
            lambda: widgets.csv_of(finding_list.rows(project.store, seqs[:DOWNLOADED])),
            "findings.csv",
            key="findings-csv",
        )


def _hint() -> None:
    st.caption("Click a finding to read it next to its conversation.")


def _count(seqs: Numbers, selection: Selection) -> str:
    n = len(seqs)
    if selection.words and n >= finding_list.MOST_HITS:
        return f"First {n:,} findings with these words"
    return f"{n:,} finding{'' if n == 1 else 's'}"


def _pager(pages: int) -> int:
    """The page, from 0; people count from 1."""
    if pages <= 1:
        return 0
    chosen = st.number_input(
        f"Page (of {pages:,})",
        1,
        max(pages, int(st.session_state.get("page", 1) or 1)),
        key="page",
        bind="query-params",
        width=150,
    )
    return min(int(chosen), pages) - 1


def _rows(project: Project, listed: list[FindingListItem], key: str) -> None:
    """A table of findings; a click opens one."""
    st.dataframe(
        _table(project, listed),
        key=key,
        hide_index=True,
        height=min(LIST_HEIGHT, (len(listed) + 1) * ROW + 3),
        row_height=ROW,
        on_select=partial(_open_row, key, tuple(row.seq for row in listed)),
        selection_mode=("single-row", "single-cell"),
        column_config=COLUMNS,
    )


def _table(project: Project, rows: list[FindingListItem]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Category": [category_name(r.category, project.taxonomy) for r in rows],
            "Explanation": [widgets.seen(r.explanation) for r in rows],
            "Quote": [widgets.seen(r.quote) if r.quote else "" for r in rows],
            "Conversation": [widgets.seen(r.external_id) for r in rows],
            "Confidence": [r.confidence for r in rows],
        }
    )
    # a detector that gives no confidence needs no column for it
    return table if table["Confidence"].notna().any() else table.drop(columns="Confidence")


def _open_row(key: str, seqs: tuple[int, ...]) -> None:
    """Open the finding of the row that was clicked, whichever its cell."""
    selection = st.session_state[key]["selection"]
    rows = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if rows:
        finding.open_finding(seqs[rows[0]])
        st.session_state["show"] = "Findings"
