"""Revise: the buttons and keys that decide on a revision, and undo."""

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs import queue as jobs
from arf_core.jobs.kinds import ReviewJob
from arf_core.project import Project
from arf_core.records import Step, System
from arf_core.review import decisions
from arf_core.review.card import ReviewCard
from arf_core.review.queue import QueueItem
from ui import widgets
from ui.revise import position
from ui.revise.filters import reviewer
from ui.revise.position import QueueView
from ui.state import state

DONE = {"accept": "Accepted", "reject": "Rejected", "reword": "Reworded"}
AT_ONCE = 2_000
"""A step on more summaries than this is a job."""


def buttons(view: QueueView, now: QueueItem) -> None:
    """Decide, move, undo; each with its key."""
    with st.container(horizontal=True, key="decide", vertical_alignment="center"):
        st.button(
            "Accept",
            key="accept",
            shortcut="a",
            type="primary",
            icon=":material/check:",
            on_click=_decide,
            args=(view, now, "accept"),
        )
        st.button(
            "Reject",
            key="reject",
            shortcut="x",
            icon=":material/close:",
            help="Keeps the text from before the revision.",
            on_click=_decide,
            args=(view, now, "reject"),
        )
        st.button(
            "Reword", key="reword", shortcut="w", icon=":material/edit:", on_click=_toggle_reword
        )
        for name, shortcut, icon, move in (
            ("Previous", "k", "arrow_upward", position.go_back),
            ("Next", "j", "arrow_downward", position.go_on),
        ):
            st.button(
                name,
                key=name.lower(),
                shortcut=shortcut,
                icon=f":material/{icon}:",
                type="tertiary",
                on_click=move,
                args=(view, now),
            )
        undo_button(view.project, view.system)
        if message := state().revise.notice:
            st.caption(widgets.label(message))


def undo_button(project: Project, system: System) -> None:
    """Undo the reviewer's last step."""
    step = decisions.last_step(project.store, system.name, reviewer())
    st.button(
        "Undo",
        key="undo",
        shortcut="u",
        icon=":material/undo:",
        type="tertiary",
        disabled=step is None,
        help=f"Last step: {_in_words(step)}" if step else None,
        on_click=_undo,
        args=(project, system),
    )


def reword_form(view: QueueView, shown: ReviewCard) -> None:
    """A text area for a new text; Ctrl+Enter saves."""
    now = shown.queued
    with st.container(key="rewording-box"), st.form("rewording", border=False):
        st.text_area("New text", value=shown.final_text, key=_text_key(now), height="content")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save text",
                key="save",
                type="primary",
                help="Or press Ctrl+Enter in the text.",
                on_click=_decide,
                args=(view, now, "reword"),
            )
            st.form_submit_button("Cancel", key="cancel", on_click=_toggle_reword)
    widgets.focus("rewording-box")


def accept_verified(project: Project, system: System, ready: int) -> None:
    """Accept all verified revisions in one step, as a job if there are many."""
    if ready > AT_ONCE:
        _start_job(project, ReviewJob(system=system.name, by=reviewer(), step="accept_verified"))
        return
    step = decisions.accept_verified(project.store, system.name, reviewer())
    state().revise.notice = f"Accepted {step.summaries if step else 0:,} verified revisions"


# -- callbacks -----------------------------------------------------------------------------------


def _text_key(now: QueueItem) -> str:
    return f"text-{now.summary_id}"


def _toggle_reword() -> None:
    state().revise.rewording = not state().revise.rewording


def _decide(view: QueueView, now: QueueItem, word: decisions.Word) -> None:
    """Store the decision, and go on to the next open revision."""
    session = state().revise
    store, name = view.project.store, view.system.name
    text = st.session_state.get(_text_key(now)) if word == "reword" else None
    try:
        step = decisions.decide(store, name, now.summary_id, word, reviewer(), text)
    except ArfError as fault:
        session.fault = fault
        return
    session.notice = f"{DONE[step.kind]} {now.external_id}"
    position.go(view.system, next(iter(view.page(1, after=now.position)), None) or view.first())


def _undo(project: Project, system: System) -> None:
    """Undo the last step, and show what it was about."""
    session = state().revise
    last = decisions.last_step(project.store, system.name, reviewer())
    if last is not None and last.summaries > AT_ONCE:
        _start_job(project, ReviewJob(system=system.name, by=reviewer(), step="undo"))
        return
    step = decisions.undo(project.store, system.name, reviewer())
    session.rewording = False
    if step is None:
        session.notice = "There is nothing to undo."
        return
    session.notice = f"Undone: {_in_words(step)}"
    first = decisions.first_of(project.store, step)
    if first is not None:
        session.at[system.name] = first


def _in_words(step: Step) -> str:
    """ "accepted", "accepted 40 verified revisions" """
    if step.kind == "accept_verified":
        return f"accepted {step.summaries:,} verified revisions"
    return DONE[step.kind].lower()


def _start_job(project: Project, work: ReviewJob) -> None:
    """The job appears once the whole page is drawn again."""
    session = state().revise
    try:
        state().seen_open.add(jobs.start(project, work).id)
        session.whole_page = True
    except ArfError as fault:
        session.fault = fault
