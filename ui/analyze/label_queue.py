"""Analyze, Label: a person annotates summaries; detectors are then measured against them."""

import getpass
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from arf_core.analysis.annotations import (
    PERSON,
    count_read,
    item_of,
    label_of,
    last_read,
    next_unread,
    record,
)
from arf_core.errors import ArfError, InputError
from arf_core.project import Project
from arf_core.records import SPLITS, Item, Split
from arf_core.store.queries import findings_of
from ui import loaders, widgets
from ui.analyze import label_form
from ui.analyze.selection import HIDDEN, Selection
from ui.state import state

VISIBLE: tuple[Split, ...] = tuple(s for s in SPLITS if s != HIDDEN)


class LabelTask(NamedTuple):
    """Whose summaries are annotated, by whom, on which splits."""

    project: Project
    system: str
    annotator: str
    splits: Sequence[Split]

    @property
    def key(self) -> str:
        """Under which the session remembers the summary being read."""
        return f"{self.system}\x1f{self.annotator}"


def draw(project: Project, selection: Selection) -> None:
    """The queue for a system's summaries. A key press redraws only this part of the page."""
    _queue(project, selection.system)


@st.fragment
def _queue(project: Project, system: str) -> None:
    session = state().labels
    task = _task(project, system)
    if session.whole_page:
        session.whole_page = False
        st.rerun()
    if session.fault is not None:
        widgets.error(session.fault)
        session.fault = None
    item = _current(task)
    if item is None:
        widgets.empty(
            "All summaries are annotated", "Choose another system, or include the test split."
        )
        return
    _buttons(task, item)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        label_form.draw(project, item)
    with right:
        st.caption("Conversation")
        widgets.conversation(item.conversation, label_form.cited(item), height=560)


def _task(project: Project, system: str) -> LabelTask:
    """Choose the annotator and the splits; show how much is done."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Annotator",
            value=getpass.getuser(),
            key="label-by",
            persist_state="session",
            max_chars=60,
            width=200,
        )
        with_test = st.toggle(
            "Include the test split",
            key="label-test",
            help="Off by default: what you see there should not steer your work.",
        )
    annotator = (name or "").strip() or getpass.getuser()
    n = count_read(project.store, system, annotator)
    st.caption(
        f"{widgets.label(annotator)} has read {n:,} of {loaders.summaries(project, system):,} "
        "summaries. The order is random, so what you have read is a fair sample whenever you stop. "
        "After the first one, the Agreement tab measures the detectors against you."
    )
    return LabelTask(project, system, annotator, SPLITS if with_test else VISIBLE)


def _current(task: LabelTask) -> Item | None:
    """The summary being read, otherwise the next one."""
    reading = state().labels.reading
    current = reading.get(task.key)
    if current is not None:
        try:
            return item_of(task.project.store, task.system, current)
        except InputError:
            reading.pop(task.key)
    found = next_unread(task.project.store, task.system, task.annotator, task.splits)
    if found is not None:
        reading[task.key] = found.summary.id
    return found


# -- buttons -------------------------------------------------------------------------------------


def _buttons(task: LabelTask, item: Item) -> None:
    n = len(label_form.draft(item))
    with st.container(horizontal=True, vertical_alignment="center", key="label-buttons"):
        st.button(
            "Mark clean",
            key="label-clean",
            shortcut="0",
            type="secondary" if n else "primary",
            icon=":material/check:",
            disabled=bool(n),
            help="The summary has no errors.",
            on_click=_save,
            args=(task, item),
        )
        st.button(
            f"Save {n} finding{'' if n == 1 else 's'}",
            key="label-store",
            shortcut="s",
            type="primary" if n else "secondary",
            icon=":material/save:",
            disabled=not n,
            help="The summary has these errors and no others.",
            on_click=_save,
            args=(task, item),
        )
        st.button(
            "Skip",
            key="label-later",
            shortcut="j",
            icon=":material/skip_next:",
            type="tertiary",
            on_click=_next,
            args=(task, item),
        )
        st.button(
            "Reopen last",
            key="label-back",
            shortcut="k",
            icon=":material/undo:",
            type="tertiary",
            on_click=_reopen,
            args=(task,),
        )
        if message := state().labels.notice:
            st.caption(widgets.label(message))


def _save(task: LabelTask, item: Item) -> None:
    session, findings = state().labels, label_form.draft(item)
    is_first = not count_read(task.project.store, task.system, task.annotator)
    try:
        record(task.project, item, task.annotator, findings)
    except ArfError as fault:
        session.fault = fault
        return
    session.drafts.pop(item.summary.id, None)
    session.whole_page = is_first  # the tab Agreement appears
    n, name = len(findings), item.conversation.external_id
    session.notice = (
        f"Saved {n} finding{'' if n == 1 else 's'} in {name}" if n else f"Marked {name} clean"
    )
    _next(task, item)


def _next(task: LabelTask, item: Item) -> None:
    """Go on to the next unread summary."""
    reading = state().labels.reading
    found = next_unread(
        task.project.store, task.system, task.annotator, task.splits, after=item.summary.id
    )
    reading.pop(task.key, None)
    if found is not None:
        reading[task.key] = found.summary.id


def _reopen(task: LabelTask) -> None:
    """Show the summary annotated last, with its findings."""
    session = state().labels
    last = last_read(task.project.store, task.system, task.annotator)
    if last is None:
        session.notice = "You have not annotated a summary yet."
        return
    stored = findings_of(task.project.store, [last.summary.id], [PERSON + task.annotator])
    session.drafts[last.summary.id] = [label_of(f) for f in stored.get(last.summary.id, [])]
    session.reading[task.key] = last.summary.id
    session.notice = f"Reopened {last.conversation.external_id}"
