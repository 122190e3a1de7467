"""Analyze: the findings themselves, as a list and one by one."""

from functools import partial
from typing import get_args

import pandas as pd
import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.records import Finding
from arf_core.store import finding_list
from arf_core.store.arrays import Numbers
from arf_core.store.finding_list import PAGE, FindingCard, FindingListItem, FindingOrder, Neighbours
from arf_core.store.search import summaries_of
from ui import loaders, widgets
from ui.analyze import readings as reads
from ui.analyze.page import Looked, detector_name
from ui.widgets import escaped

ORDERS: dict[FindingOrder, str] = {
    "file": "in order of the conversations",
    "sure": "most certain first",
    "unsure": "least certain first",
}
SAVED = 100_000
"""Findings of one download."""
ROW = 35
COLUMNS = {
    "Category": st.column_config.TextColumn(width=150),
    "Says": st.column_config.TextColumn(width=350),
    "Quote": st.column_config.TextColumn(width=170),
    "Conversation": st.column_config.TextColumn(width=100),
    "Confidence": st.column_config.NumberColumn(format="%.2f", width=60),
}
LIST_HEIGHT = 15 * ROW + 3


def draw(project: Project, looked: Looked) -> None:
    """The list, or the finding of the address."""
    order = _order()
    seqs = reads.matching(
        project, looked.system, looked.detector, looked.view, looked.categories, looked.words, order
    )
    number = opened()
    if number is None:
        _list(project, looked, seqs)
        return
    try:
        card = finding_list.finding_card(project.store, number)
    except ArfError as fault:
        widgets.error(fault)
        st.button("Back to the list", key="back", on_click=close)
        return
    _steps(finding_list.neighbours(seqs, number))
    _reader(project, looked, card)


def _order() -> FindingOrder:
    asked = st.session_state.get("order", "file")
    return asked if asked in get_args(FindingOrder) else "file"


# -- which finding is open: in the address, so that it can be sent --------------------------------


def opened() -> int | None:
    """The number of the finding that is open."""
    asked = st.query_params.get("finding", "")
    return int(asked) if asked.isascii() and asked.isdigit() else None


def open_finding(seq: int) -> None:
    """Open a finding."""
    st.query_params["finding"] = str(seq)


def close() -> None:
    """Go back to the list."""
    st.query_params.pop("finding", None)


# -- the list -------------------------------------------------------------------------------------


def _list(project: Project, looked: Looked, seqs: Numbers) -> None:
    if not len(seqs):
        widgets.empty(
            "No finding fits", "Take a filter away, or choose another detector or system."
        )
        return
    pages = -(-len(seqs) // PAGE)
    with st.container(horizontal=True, vertical_alignment="bottom", key="list-head"):
        widgets.html(f'<div class="arf-text">{escaped(_count(seqs, looked))}</div>')
        st.selectbox(
            "FindingOrder",
            list(ORDERS),
            key="order",
            bind="query-params",
            format_func=ORDERS.__getitem__,
            label_visibility="collapsed",
            width=240,
        )
        page = _pager(pages)
    shown = finding_list.page(project.store, seqs, page)
    _rows(project, shown, f"findings-{page}")
    with st.container(horizontal=True):
        st.caption("Click on a finding to read it beside its conversation.")
        widgets.download(
            "Findings as CSV",
            lambda: widgets.csv_of(finding_list.rows(project.store, seqs[:SAVED])),
            "findings.csv",
            key="findings-csv",
        )


def few(project: Project, seqs: Numbers, key: str) -> None:
    """Some findings that were chosen in a chart."""
    widgets.html(f'<div class="arf-text">{len(seqs):,} findings chosen</div>')
    _rows(project, finding_list.rows(project.store, seqs[: 4 * PAGE]), key)
    st.caption("Click on a finding to read it beside its conversation.")


def _rows(project: Project, shown: list[FindingListItem], key: str) -> None:
    """Rows of findings, of which one can be opened."""
    st.dataframe(
        _table(project, shown),
        key=key,
        hide_index=True,
        height=min(LIST_HEIGHT, (len(shown) + 1) * ROW + 3),
        row_height=ROW,
        on_select=partial(_row_chosen, key, tuple(row.seq for row in shown)),
        selection_mode=("single-row", "single-cell"),
        column_config=COLUMNS,
    )


def _count(seqs: Numbers, looked: Looked) -> str:
    n = len(seqs)
    if looked.words and n >= finding_list.MOST_HITS:
        return f"The first {n:,} findings with these words"
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


def _table(project: Project, rows: list[FindingListItem]) -> pd.DataFrame:
    known = project.taxonomy.by_id
    names = [known[r.category].name if r.category in known else r.category for r in rows]
    table = pd.DataFrame(
        {
            "Category": [widgets.seen(name) for name in names],
            "Says": [widgets.seen(r.explanation) for r in rows],
            "Quote": [widgets.seen(r.quote) if r.quote else "" for r in rows],
            "Conversation": [widgets.seen(r.external_id) for r in rows],
            "Confidence": [r.confidence for r in rows],
        }
    )
    # a detector that gives no confidence needs no column for it
    return table if table["Confidence"].notna().any() else table.drop(columns="Confidence")


def _row_chosen(key: str, seqs: tuple[int, ...]) -> None:
    """A click on any cell of a row opens its finding."""
    selection = st.session_state[key]["selection"]
    rows = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if rows:
        open_finding(seqs[rows[0]])
        st.session_state["show"] = "Findings"


# -- one finding ----------------------------------------------------------------------------------


def _steps(at: Neighbours) -> None:
    """To the list, to the finding before and after."""
    with st.container(horizontal=True, vertical_alignment="center", key="reader-steps"):
        st.button("List", key="back", icon=":material/list:", on_click=close, shortcut="Escape")
        for name, seq, key, icon in (
            ("Previous", at.before, "k", "chevron_left"),
            ("Next", at.after, "j", "chevron_right"),
        ):
            st.button(
                name,
                key=name.lower(),
                icon=f":material/{icon}:",
                disabled=seq is None,
                on_click=open_finding,
                args=(seq,),
                shortcut=key,
            )
        place = "" if at.index is None else f"{at.index + 1:,} of {at.total:,}"
        widgets.text(place or "not in this list", muted=True)


def _reader(project: Project, looked: Looked, card: FindingCard) -> None:
    """Summary and findings on the left, the conversation on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        name = loaders.names(project).get(card.system, card.system)
        widgets.text(f"{name}, conversation {card.item.conversation.external_id}", muted=True)
        if not card.current:
            st.info("This reading has been replaced by a newer one.", icon=":material/history:")
        shown = card.findings if card.current else (card.finding,)
        marks = widgets.marks(shown, project.taxonomy, card.finding.id)
        widgets.summary(card.item.summary.text, marks)
        numbered = sorted(enumerate(shown, start=1), key=lambda nf: nf[1].id != card.finding.id)
        for n, finding in numbered:  # the one that was opened first, whatever its place in the text
            _finding(project, finding, n, chosen=finding.id == card.finding.id)
        widgets.text(f"Read by {detector_name(card.detector)}", muted=True)
        _other_version(project, looked, card)
        _elsewhere(card)
    with right:
        widgets.conversation(card.item.conversation, card.finding.evidence, height=620)


def _finding(project: Project, finding: Finding, number: int, chosen: bool) -> None:
    turns = ", ".join(str(n) for n in finding.evidence)
    said = [f"<div>{widgets.chip_html(finding.category, project.taxonomy)} <b>{number}</b></div>"]
    said.append(f'<div class="arf-text">{escaped(finding.explanation)}</div>')
    details = [f"“{finding.quote}”" if finding.quote else "an omission"]
    details += [f"evidence: turn {turns}"] if turns else []
    if finding.confidence is not None:
        details.append(f"confidence {finding.confidence:.2f}")
    said.append(f'<div class="arf-text arf-muted">{escaped(" · ".join(details))}</div>')
    style = "arf-finding arf-chosen" if chosen else "arf-finding"
    widgets.html(f'<div class="{style}">{"".join(said)}</div>')


def _other_version(project: Project, looked: Looked, card: FindingCard) -> None:
    """What the system beside it wrote of the same conversation."""
    other = next((s for s in looked.systems if s != card.system), None)
    if other is None:
        return
    written = summaries_of(project.store, card.item.conversation.id)
    summary = next((s for s in written if s.system == other), None)
    if summary is None:
        return
    name = widgets.label(loaders.names(project)[other])
    with st.expander(f"{name}: what differs", key="other-version"):
        widgets.diff(card.item.summary.text, summary.text)


def _elsewhere(card: FindingCard) -> None:
    id_ = card.item.conversation.id
    with st.container(horizontal=True):
        widgets.page_link(
            "pages/1_Data.py", "The conversation in Data", icon=":material/forum:", conversation=id_
        )
        if card.corrected is None:
            return
        widgets.page_link(
            "pages/3_Revise.py",
            "Its correction in Revise",
            icon=":material/edit_note:",
            round=card.corrected,
            conversation=card.item.conversation.external_id,
        )
