"""Revise, Review: the progress of a review, and the filters of its queue."""

import getpass
from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from arf_core.project import Project
from arf_core.records import SPLITS, Action, Split, System
from arf_core.review.queue import WAITING, QueueFilter
from arf_core.store.review_status import REVIEW_STATUSES, ReviewStatus
from arf_core.store.round_counts import ReviewCounts
from ui import widgets
from ui.names import category_name
from ui.query_params import from_address, to_address
from ui.revise.rounds import STATUS

DECISIONS: dict[Action, str] = {
    "open": "To decide",
    "accept": "Accepted",
    "reject": "Rejected",
    "reword": "Reworded",
}
"""What people call the parts of the queue."""


def reviewer() -> str:
    """Who decides: the name entered, otherwise the user logged in."""
    return str(st.session_state.get("reviewer") or getpass.getuser())


def progress(
    project: Project,
    system: System,
    counts: Sequence[ReviewCounts],
    on_accept: Callable[[Project, System, int], None],
) -> None:
    """How many revisions are decided; accept the verified ones; name the reviewer."""
    asked = [t for t in counts if t.status in WAITING]
    total = sum(t.summaries for t in asked)
    done = sum(t.summaries for t in asked if t.decision != "open")
    ready = sum(t.summaries for t in asked if t.decision == "open" and t.status == "verified")
    bar, actions = st.columns([3, 2], vertical_alignment="center")
    bar.progress(done / total if total else 1.0, text=f"{done:,} of {total:,} decided")
    with actions, st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            f"Accept all verified ({ready:,})",
            key="accept_verified",
            icon=":material/done_all:",
            disabled=not ready,
            help="Every finding in them is verified as fixed. One undo reverts them all.",
            on_click=on_accept,
            args=(project, system, ready),
        )
        with st.popover("Reviewer", icon=":material/person:", type="tertiary"):
            st.text_input(
                "Name stored with your decisions",
                value=getpass.getuser(),
                key="reviewer",
                persist_state="session",
                max_chars=60,
            )


def choose(project: Project, counts: Sequence[ReviewCounts]) -> QueueFilter:
    """The filters, each option with its count."""
    with st.container(horizontal=True, vertical_alignment="center"):
        decision = _decision_menu(counts)
        more = st.popover(_more(project), icon=":material/filter_list:", type="tertiary")
        st.text_input(
            "Go to conversation",
            key="jump",
            placeholder="Go to conversation",
            on_change=_jump,
            label_visibility="collapsed",
            width=180,
        )
    here = [t for t in counts if t.decision == decision]
    status = tuple(_status_pills(here)) or WAITING
    with more:
        category = _category_menu(project, [t for t in here if t.status in status])
        split = _split_menu()
    return QueueFilter(decision=decision, statuses=status, category=category, split=split)


def _more(project: Project) -> str:
    """The label of the menu: the filters in use."""
    category, split = st.session_state.get("error"), st.session_state.get("part")
    name = widgets.label(category_name(category, project.taxonomy), 24) if category else ""
    return ", ".join(filter(None, (name, split))) or "More filters"


def _split_menu() -> Split | None:
    split: Split | None = st.selectbox(
        "Split",
        [None, *SPLITS],
        key="part",
        bind="query-params",
        format_func=lambda s: s or "all",
    )
    return split


def _jump() -> None:
    """Treat a typed id like a link to it."""
    asked = st.session_state["jump"].strip()
    st.session_state["jump"] = ""
    if asked:
        st.query_params["conversation"] = asked


def _decision_menu(counts: Sequence[ReviewCounts]) -> Action:
    n: Counter[Action] = Counter()
    for tally in counts:
        if tally.status in WAITING or tally.decision != "open":
            n[tally.decision] += tally.summaries
    from_address("decision", list(DECISIONS))
    chosen: Action | None = st.segmented_control(
        "Decision",
        list(DECISIONS),
        default="open",
        required=True,
        key="decision",
        format_func=lambda d: f"{DECISIONS[d]} {n[d]:,}",
        label_visibility="collapsed",
    )
    to_address("decision", chosen, "open")
    return chosen or "open"


def _status_pills(here: Sequence[ReviewCounts]) -> list[ReviewStatus]:
    n: Counter[ReviewStatus] = Counter()
    for tally in here:
        n[tally.status] += tally.summaries
    from_address("stands", REVIEW_STATUSES, many=True)
    on = st.session_state.get("stands", ())
    chosen: list[ReviewStatus] = st.pills(
        "Status, riskiest first",
        [s for s in REVIEW_STATUSES if n[s] or s in on],
        selection_mode="multi",
        key="stands",
        format_func=lambda s: f"{STATUS[s]} {n[s]:,}",
        label_visibility="collapsed",
    )
    to_address("stands", chosen)
    return chosen


def _category_menu(project: Project, here: Sequence[ReviewCounts]) -> str | None:
    n: Counter[str] = Counter()
    for tally in here:
        n.update(tally.categories)
    order = [c for c in project.taxonomy.by_id if n[c]] + sorted(
        set(n) - set(project.taxonomy.by_id)
    )
    from_address("error", order)
    on = st.session_state.get("error")
    chosen: str | None = st.selectbox(
        "Category",
        [None, *order, *([on] if on and on not in order else [])],
        key="error",
        format_func=lambda c: f"{category_name(c, project.taxonomy)} {n[c]:,}" if c else "all",
    )
    to_address("error", chosen)
    return chosen
