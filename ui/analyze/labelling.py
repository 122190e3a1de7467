"""Analyze, Label: a person reads summaries; the detectors are then measured against them."""

import getpass
from collections.abc import Sequence

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
from ui.analyze.labelling_notes import cited, draft, summary
from ui.analyze.page import Looked
from ui.state import state

SHOWN_SPLITS: tuple[Split, ...] = ("train", "dev")


def draw(project: Project, looked: Looked) -> None:
    """The queue for a system's summaries. A key press draws this part of the page alone."""
    _label(project, looked.system)


@st.fragment
def _label(project: Project, system: str) -> None:
    by, splits = _who(project, system)
    remembered = state().labels
    if remembered.whole_page:
        remembered.whole_page = False
        st.rerun()
    if remembered.fault is not None:
        widgets.error(remembered.fault)
        remembered.fault = None
    item = _present(project, system, by, splits)
    if item is None:
        widgets.empty(
            "Everything here is read", "Choose another system, or take in the test split."
        )
    else:
        _buttons(project, system, by, splits, item)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            summary(project, item)
        with right:
            st.caption("Conversation")
            widgets.conversation(item.conversation, cited(item), height=560)


def _who(project: Project, system: str) -> tuple[str, tuple[Split, ...]]:
    """Who reads, how much of it they have read, and whether the test split is among it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.text_input(
            "Reader",
            value=getpass.getuser(),
            key="label-by",
            persist_state="session",
            max_chars=60,
            width=200,
        )
        with_test = st.toggle(
            "With the test split",
            key="label-test",
            help="Hidden unless asked for: what you see there should not steer the work.",
        )
    by = (by or "").strip() or getpass.getuser()
    n = count_read(project.store, system, by)
    st.caption(
        f"{widgets.label(by)} has read {n:,} of {loaders.summaries(project, system):,} summaries. "
        "They come in no order, so those that you have read are a fair sample wherever you stop. "
        "As soon as there is one, the detectors are measured under Against people."
    )
    return by, (SPLITS if with_test else SHOWN_SPLITS)


# -- which one is read ----------------------------------------------------------------------------


def _present(project: Project, system: str, by: str, splits: Sequence[Split]) -> Item | None:
    """The summary that is being read, else the next one."""
    remembered = state().labels
    place = _place(system, by)
    now = remembered.reading.get(place)
    if now is not None:
        try:
            return item_of(project.store, system, now)
        except InputError:
            remembered.reading.pop(place)
    found = next_unread(project.store, system, by, splits)
    if found is not None:
        remembered.reading[place] = found.summary.id
    return found


def _place(system: str, by: str) -> str:
    return f"{system}\x1f{by}"


# -- reading --------------------------------------------------------------------------------------


def _buttons(project: Project, system: str, by: str, splits: Sequence[Split], item: Item) -> None:
    noted = len(draft(item))
    here = (project, system, by, splits, item)
    with st.container(horizontal=True, vertical_alignment="center", key="label-buttons"):
        st.button(
            "Clean",
            key="label-clean",
            shortcut="0",
            type="secondary" if noted else "primary",
            icon=":material/check:",
            disabled=bool(noted),
            help="There is no error in it.",
            on_click=_store,
            args=here,
        )
        st.button(
            f"Store {noted} finding{'' if noted == 1 else 's'}",
            key="label-store",
            shortcut="s",
            type="primary" if noted else "secondary",
            icon=":material/save:",
            disabled=not noted,
            help="These are all the errors in it.",
            on_click=_store,
            args=here,
        )
        st.button(
            "Later",
            key="label-later",
            shortcut="j",
            icon=":material/skip_next:",
            type="tertiary",
            on_click=_later,
            args=here,
        )
        st.button(
            "Back to the last one",
            key="label-back",
            shortcut="k",
            icon=":material/undo:",
            type="tertiary",
            on_click=_back,
            args=(project, system, by),
        )
        if said := state().labels.said:
            st.caption(widgets.label(said))


def _store(project: Project, system: str, by: str, splits: Sequence[Split], item: Item) -> None:
    remembered, found = state().labels, draft(item)
    is_first = not count_read(project.store, system, by)
    try:
        record(project, item, by, found)
    except ArfError as fault:
        remembered.fault = fault
        return
    remembered.drafts.pop(item.summary.id, None)
    remembered.whole_page = is_first  # now there is somebody to measure detectors against
    what = f"{len(found)} found in" if found else "clean:"
    remembered.said = f"{what} {item.conversation.external_id}"
    _later(project, system, by, splits, item)


def _later(project: Project, system: str, by: str, splits: Sequence[Split], item: Item) -> None:
    remembered = state().labels
    found = next_unread(project.store, system, by, splits, after=item.summary.id)
    remembered.reading.pop(_place(system, by), None)
    if found is not None:
        remembered.reading[_place(system, by)] = found.summary.id


def _back(project: Project, system: str, by: str) -> None:
    """Look again at what was read last, with the findings as they were."""
    remembered = state().labels
    last = last_read(project.store, system, by)
    if last is None:
        remembered.said = "Nothing was read yet."
        return
    stored = findings_of(project.store, [last.summary.id], [PERSON + by])
    remembered.drafts[last.summary.id] = [label_of(f) for f in stored.get(last.summary.id, [])]
    remembered.reading[_place(system, by)] = last.summary.id
    remembered.said = f"Read again: {last.conversation.external_id}"
