"""Analyze, Label: a person reads summaries, and detectors are measured against what they find."""

import getpass
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from arf_core import charts
from arf_core.errors import ArfError, InputError
from arf_core.evaluate.agreement import Agreement, agreement
from arf_core.labelling import count_read, item_of, label_of, last_read, next_unread, record
from arf_core.labels import PERSON
from arf_core.project import Project
from arf_core.queries import findings_of
from arf_core.records import SPLITS, Item, Split
from ui import loaders, widgets
from ui.labelling_notes import cited, draft, summary
from ui.state import state

SHOWN_SPLITS: tuple[Split, ...] = ("train", "dev")


@loaders.reads
def against(project: Project, system: str, detector: str, person: str) -> Agreement:
    """How far a detector agrees with a person."""
    return agreement(project.store, system, detector, person)


def draw(project: Project, system: str) -> None:
    """The queue for a system's summaries. A key press draws this part of the page alone."""
    _label(project, system)


@st.fragment
def _label(project: Project, system: str) -> None:
    by, splits = _who(project, system)
    remembered = state().labels
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
    _measured(project, system, by)


def _who(project: Project, system: str) -> tuple[str, tuple[Split, ...]]:
    """Who reads, how much of it they have read, and whether the test split is among it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.text_input(
            "Read by",
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
        "They come in no order, so those that you have read are a fair sample wherever you stop."
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
    try:
        record(project, item, by, found)
    except ArfError as fault:
        remembered.fault = fault
        return
    remembered.drafts.pop(item.summary.id, None)
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


# -- what the detectors are worth -----------------------------------------------------------------


def _measured(project: Project, system: str, by: str) -> None:
    """Precision and recall of each detector against the person, as soon as there is a reading."""
    people = [d for d in loaders.detectors(project, system) if d.startswith(PERSON)]
    others = [d for d in loaders.detectors(project, system) if not d.startswith(PERSON)]
    if not people or not others:
        st.caption("Once you have read a summary, the detectors are measured against you here.")
        return
    mine = PERSON + by
    with st.expander(
        "How far the detectors are right", key="label-measured", on_change="rerun"
    ) as shown:
        if not shown.open:
            return
        person = st.selectbox(
            "Measured against",
            people,
            index=people.index(mine) if mine in people else 0,
            key="label-against",
            format_func=lambda d: widgets.seen(d.removeprefix(PERSON)),
        )
        found = [against(project, system, d, person) for d in others]
        widgets.figure(charts.against_reference(found), "label-agreement", data=_table(found))


def _table(found: Sequence[Agreement]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "detector": a.detector,
                "person": a.reference,
                "summaries": a.summaries,
                "right": a.findings.hits,
                "false alarms": a.findings.false_alarms,
                "missed": a.findings.misses,
                "precision": a.findings.precision,
                "recall": a.findings.recall,
            }
            for a in found
        ]
    )
