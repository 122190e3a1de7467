"""Revise, Review: one revision at a time, decided by keyboard."""

from collections.abc import Sequence

import streamlit as st

from arf_core.project import Project
from arf_core.records import System
from arf_core.review.card import ReviewCard, review_card
from arf_core.review.queue import QueueFilter, QueueItem
from arf_core.store.round_counts import ReviewCounts
from ui import widgets
from ui.names import category_name
from ui.revise import card as revision
from ui.revise import decisions, filters, position
from ui.revise.position import QueueView
from ui.revise.rounds import STATUS, counts
from ui.state import state

LISTED = 50
"""Revisions in the list of what is next."""


def draw(project: Project, system: System) -> None:
    """The queue of a round. A key press redraws only this part of the page."""
    _review(project, system)


@st.fragment
def _review(project: Project, system: System) -> None:
    session = state().revise
    if session.whole_page:
        session.whole_page = False
        st.rerun()
    tallied = counts(project, system.name)
    filters.progress(project, system, tallied, decisions.accept_verified)
    view = QueueView(project, system, filters.choose(project, tallied))
    now = position.current(view)
    if session.fault is not None:
        widgets.error(session.fault)
        session.fault = None
    if now is None:
        _nothing(tallied, view.filters)
        decisions.undo_button(project, system)
        return
    decisions.buttons(view, now)
    shown = review_card(project.store, system.name, now.summary_id)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _revision(view, shown)
    with right:
        st.caption("Conversation")
        widgets.conversation(shown.item.conversation, revision.evidence(shown), height=620)
    _next(view, now)


def _nothing(tallied: Sequence[ReviewCounts], chosen: QueueFilter) -> None:
    if chosen == QueueFilter() and not chosen.count(tallied):
        widgets.empty(
            "Every revision is decided",
            "Export the result, or look again at what you accepted, rejected and reworded.",
        )
    else:
        widgets.empty("No matching revisions", "Remove a filter to see more.")


def _revision(view: QueueView, shown: ReviewCard) -> None:
    revision.heading(shown)
    revision.decision(shown)
    if state().revise.rewording:
        decisions.reword_form(view, shown)
    side_by_side = st.toggle("Side by side", key="sides", bind="query-params")
    revision.difference(shown, side_by_side)
    st.caption("Findings, edits and checks")
    revision.reasons(shown, view.project.taxonomy)


def _next(view: QueueView, now: QueueItem) -> None:
    """The revisions after this one; a click opens one."""
    with st.expander("Up next", key="queue-list", on_change="rerun") as opened:
        if not opened.open:
            return
        rows = view.page(LISTED, after=now.position)
        if not rows:
            st.caption("This is the last revision.")
            return
        key = f"next-{now.summary_id}"
        st.dataframe(
            [_row(view.project, q) for q in rows],
            key=key,
            on_select=lambda: _open_row(view.system, key, rows),
            selection_mode=("single-row", "single-cell"),
            hide_index=True,
        )


def _open_row(system: System, key: str, rows: Sequence[QueueItem]) -> None:
    """Open the revision of the row that was clicked, whichever its cell."""
    selection = st.session_state[key]["selection"]
    clicked = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if clicked:
        position.go(system, rows[clicked[0]])


def _row(project: Project, q: QueueItem) -> dict[str, object]:
    errors = (
        f"{category_name(c, project.taxonomy)}: {result.replace('_', ' ')}"
        for c, result in q.results
    )
    return {
        "Conversation": widgets.seen(q.external_id),
        "Status": STATUS[q.status],
        "Errors": ", ".join(errors),
        "Words changed": f"{100 * q.change:.0f} %",
        "Split": q.split,
    }
