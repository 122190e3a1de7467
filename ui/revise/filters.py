"""Revise: how far the review is, and which part of the queue is shown."""

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
from ui.query_params import from_address, to_address
from ui.revise.page import STANDS

DECISIONS: dict[Action, str] = {
    "open": "To decide",
    "accept": "Accepted",
    "reject": "Rejected",
    "reword": "Reworded",
}
"""Parts of the queue, for people."""


def reviewer() -> str:
    """Who decides: the name that was given, else who is logged in."""
    return str(st.session_state.get("reviewer") or getpass.getuser())


def progress(
    project: Project,
    system: System,
    counts: Sequence[ReviewCounts],
    on_accept: Callable[[Project, System, int], None],
) -> None:
    """How many are decided, the verified ones to be taken at once, and who it is."""
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
            help="Those whose every finding a verifier found fixed. One undo takes it back.",
            on_click=on_accept,
            args=(project, system, ready),
        )
        with st.popover("Reviewer", icon=":material/person:", type="tertiary"):
            st.text_input(
                "Decisions are kept under this name",
                value=getpass.getuser(),
                key="reviewer",
                persist_state="session",
                max_chars=60,
            )


def wanted(project: Project, counts: Sequence[ReviewCounts]) -> QueueFilter:
    """The filters, with how many there are of each."""
    with st.container(horizontal=True, vertical_alignment="center"):
        decision = _decision_menu(counts)
        more = st.popover(_more(project), icon=":material/filter_list:", type="tertiary")
        st.text_input(
            "Go to a conversation",
            key="jump",
            placeholder="Go to an id",
            on_change=_jump,
            label_visibility="collapsed",
            width=180,
        )
    here = [t for t in counts if t.decision == decision]
    chosen = _standing_pills(here)
    standings = tuple(chosen) or WAITING
    with more:
        category = _category_menu(project, [t for t in here if t.status in standings])
        split = _split_menu()
    return QueueFilter(decision=decision, statuses=standings, category=category, split=split)


def _more(project: Project) -> str:
    """The label of the further filters: those that are on."""
    category, split = st.session_state.get("error"), st.session_state.get("part")
    on = ([widgets.label(name_of(project, category), 24)] if category else []) + [split or ""]
    return ", ".join(filter(None, on)) or "More filters"


def _split_menu() -> Split | None:
    found: Split | None = st.selectbox(
        "Split",
        [None, *SPLITS],
        key="part",
        bind="query-params",
        format_func=lambda s: s or "all",
    )
    return found


def _jump() -> None:
    """An id that was typed goes the way of a link."""
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
    found: Action | None = st.segmented_control(
        "Decision",
        list(DECISIONS),
        default="open",
        required=True,
        key="decision",
        format_func=lambda d: f"{DECISIONS[d]} {n[d]:,}",
        label_visibility="collapsed",
    )
    to_address("decision", found, "open")
    return found or "open"


def _standing_pills(here: Sequence[ReviewCounts]) -> list[ReviewStatus]:
    n: Counter[ReviewStatus] = Counter()
    for tally in here:
        n[tally.status] += tally.summaries
    from_address("stands", REVIEW_STATUSES, many=True)
    on = st.session_state.get("stands", ())
    found: list[ReviewStatus] = st.pills(
        "Where they stand, riskiest first",
        [s for s in REVIEW_STATUSES if n[s] or s in on],
        selection_mode="multi",
        key="stands",
        format_func=lambda s: f"{STANDS[s]} {n[s]:,}",
        label_visibility="collapsed",
    )
    to_address("stands", found)
    return found


def _category_menu(project: Project, here: Sequence[ReviewCounts]) -> str | None:
    n: Counter[str] = Counter()
    for tally in here:
        n.update(tally.categories)
    order = [c for c in project.taxonomy.by_id if n[c]] + sorted(
        set(n) - set(project.taxonomy.by_id)
    )
    from_address("error", order)
    on = st.session_state.get("error")
    found: str | None = st.selectbox(
        "Error",
        [None, *order, *([on] if on and on not in order else [])],
        key="error",
        format_func=lambda c: f"{name_of(project, c)} {n[c]:,}" if c else "any",
    )
    to_address("error", found)
    return found


def name_of(project: Project, category: str) -> str:
    """A category as people read it."""
    known = project.taxonomy.by_id.get(category)
    return widgets.seen(known.name if known else category)
