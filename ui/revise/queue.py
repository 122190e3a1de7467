"""Revise: the review queue, one revision at a time, decided by keyboard."""

from collections.abc import Sequence

import streamlit as st

from arf_core.errors import ArfError, InputError
from arf_core.jobs import queue as jobs
from arf_core.jobs.kinds import ReviewJob
from arf_core.project import Project
from arf_core.records import Step, System
from arf_core.review.card import Card, card
from arf_core.review.counts import Tally, Wanted
from arf_core.review.decisions import Word, accept_verified, decide, first_of, last_step, undo
from arf_core.review.queue import Queued, find, queue, queued
from ui import widgets
from ui.revise import card as revise_card
from ui.revise.filters import name_of, progress, reviewer
from ui.revise.filters import wanted as filters
from ui.revise.page import STANDS, tallied
from ui.state import ReviseState, state

SAID = {"accept": "Accepted", "reject": "Rejected", "reword": "Reworded"}
AT_ONCE = 2_000
"""A step on more summaries than this is a job."""
LISTED = 50
"""Revisions that the list below shows, from the present one on."""


def draw(project: Project, system: System) -> None:
    """The queue of a round. A key press draws this part of the page alone."""
    _review(project, system)


@st.fragment
def _review(project: Project, system: System) -> None:
    remembered = state().revise
    if remembered.whole_page:
        remembered.whole_page = False
        st.rerun()
    counts = tallied(project, system.name)
    progress(project, system, counts, _accept_verified)
    wanted = filters(project, counts)
    now = _present(project, system, wanted)
    if remembered.fault is not None:
        widgets.error(remembered.fault)
        remembered.fault = None
    if now is None:
        _nothing(counts, wanted)
        _undo_button(project, system)
        return
    shown = card(project.store, system.name, now.summary_id)
    _buttons(project, system, wanted, now)
    words, talk = st.columns([3, 2], gap="medium")
    with words:
        _words(project, system, wanted, shown)
    with talk:
        st.caption("Conversation")
        widgets.conversation(shown.item.conversation, revise_card.evidence(shown), height=620)
    _list(project, system, wanted, now)


# -- which one is shown ---------------------------------------------------------------------------


def _present(project: Project, system: System, wanted: Wanted) -> Queued | None:
    """The revision that the address asks for, else the one that was shown, else the first."""
    remembered, name = state().revise, system.name
    _begin_anew_with_other_filters(remembered, name, wanted)
    asked = st.query_params.get("conversation", "")
    if asked and asked != remembered.address:
        try:
            remembered.at[name] = find(project.store, name, asked)
            remembered.rewording = False
        except InputError as fault:
            remembered.fault = fault
    found = _still_there(project, name, remembered.at.get(name))
    if found is None:
        found = next(iter(queue(project.store, name, wanted, size=1)), None)
    _show(remembered, name, found)
    return found


def _begin_anew_with_other_filters(remembered: ReviseState, name: str, wanted: Wanted) -> None:
    filters = wanted.model_dump_json()
    if remembered.filters.setdefault(name, filters) != filters:
        remembered.filters[name] = filters
        remembered.at.pop(name, None)
        st.query_params.pop("conversation", None)


def _still_there(project: Project, name: str, summary_id: str | None) -> Queued | None:
    """None where it was revised anew since."""
    if summary_id is None:
        return None
    try:
        return queued(project.store, name, summary_id)
    except InputError:
        return None


def _show(remembered: ReviseState, name: str, found: Queued | None) -> None:
    """Remember what is shown, and write it into the address, to be sent to somebody."""
    if found is None:
        remembered.at.pop(name, None)
        st.query_params.pop("conversation", None)
        remembered.address = ""
        return
    remembered.at[name] = found.summary_id
    remembered.address = found.external_id
    if st.query_params.get("conversation") != found.external_id:
        st.query_params["conversation"] = found.external_id


def _nothing(counts: Sequence[Tally], wanted: Wanted) -> None:
    if not any(t.fitting(Wanted()) for t in counts) and wanted == Wanted():
        widgets.empty(
            "Everything is decided",
            "Export what you decided, or look at it again under Accepted, Rejected and Reworded.",
        )
    else:
        widgets.empty("Nothing fits these filters", "Take one of them off to see more.")


# -- deciding -------------------------------------------------------------------------------------


def _buttons(project: Project, system: System, wanted: Wanted, now: Queued) -> None:
    here = (project, system, wanted, now)
    with st.container(horizontal=True, key="decide", vertical_alignment="center"):
        st.button(
            "Accept",
            key="accept",
            shortcut="a",
            type="primary",
            icon=":material/check:",
            on_click=_decide,
            args=(*here, "accept"),
        )
        st.button(
            "Reject",
            key="reject",
            shortcut="x",
            icon=":material/close:",
            help="The text before the revision stands.",
            on_click=_decide,
            args=(*here, "reject"),
        )
        st.button("Reword", key="reword", shortcut="w", icon=":material/edit:", on_click=_reword)
        st.button(
            "Previous",
            key="previous",
            shortcut="k",
            icon=":material/arrow_upward:",
            type="tertiary",
            on_click=_move,
            args=(*here, True),
        )
        st.button(
            "Next",
            key="next",
            shortcut="j",
            icon=":material/arrow_downward:",
            type="tertiary",
            on_click=_move,
            args=(*here, False),
        )
        _undo_button(project, system)
        if said := state().revise.said:
            st.caption(widgets.label(said))


def _undo_button(project: Project, system: System) -> None:
    step = last_step(project.store, system.name, reviewer())
    what = step and _in_words(step)
    st.button(
        "Undo",
        key="undo",
        shortcut="u",
        icon=":material/undo:",
        type="tertiary",
        disabled=step is None,
        help=f"Takes back: {what}" if what else None,
        on_click=_undo,
        args=(project, system),
    )


def _decide(project: Project, system: System, wanted: Wanted, now: Queued, word: Word) -> None:
    """Enter the word, and go on to the next one that waits."""
    remembered = state().revise
    text = st.session_state.get(_text_key(now)) if word == "reword" else None
    try:
        step = decide(project.store, system.name, now.summary_id, word, reviewer(), text)
    except ArfError as fault:
        remembered.fault = fault
        return
    remembered.rewording = False
    remembered.said = f"{SAID[step.kind]} {now.external_id}"
    after = queue(project.store, system.name, wanted, after=now.place, size=1)
    _go(system, next(iter(after or queue(project.store, system.name, wanted, size=1)), None))


def _go(system: System, to: Queued | None) -> None:
    remembered = state().revise
    remembered.rewording = False
    if to is None:
        remembered.at.pop(system.name, None)
    else:
        remembered.at[system.name] = to.summary_id


def _move(project: Project, system: System, wanted: Wanted, now: Queued, back: bool) -> None:
    edge = {"before": now.place} if back else {"after": now.place}
    found = queue(project.store, system.name, wanted, size=1, **edge)
    state().revise.said = "" if found else f"This is the {'first' if back else 'last'} one."
    if found:
        _go(system, found[0])


def _reword() -> None:
    state().revise.rewording = not state().revise.rewording


def _undo(project: Project, system: System) -> None:
    """Take back the last step, and show what it was about."""
    last = last_step(project.store, system.name, reviewer())
    if last is not None and last.summaries > AT_ONCE:
        _in_background(project, ReviewJob(system=system.name, by=reviewer(), step="undo"))
        return
    step = undo(project.store, system.name, reviewer())
    remembered = state().revise
    remembered.rewording = False
    if step is None:
        remembered.said = "There is nothing to take back."
        return
    remembered.said = f"Taken back: {_in_words(step)}"
    first = first_of(project.store, step)
    if first is not None:
        remembered.at[system.name] = first


def _in_words(step: Step) -> str:
    """What a step did."""
    if step.kind == "accept_verified":
        return f"accepted {step.summaries:,} verified ones"
    return SAID[step.kind].lower()


def _accept_verified(project: Project, system: System, ready: int) -> None:
    if ready > AT_ONCE:
        work = ReviewJob(system=system.name, by=reviewer(), step="accept_verified")
        _in_background(project, work)
        return
    step = accept_verified(project.store, system.name, reviewer())
    state().revise.said = f"Accepted {step.summaries if step else 0:,} verified ones"


def _in_background(project: Project, work: ReviewJob) -> None:
    """Start a job; the strip shows it, once the whole page is drawn."""
    remembered = state().revise
    try:
        state().seen_open.add(jobs.start(project, work).id)
        remembered.whole_page = True
    except ArfError as fault:
        remembered.fault = fault


# -- what is shown of it --------------------------------------------------------------------------


def _words(project: Project, system: System, wanted: Wanted, shown: Card) -> None:
    revise_card.heading(shown)
    revise_card.decided(shown)
    if state().revise.rewording:
        _editor(project, system, wanted, shown)
    side_by_side = st.toggle("Side by side", key="sides", bind="query-params")
    revise_card.difference(shown, side_by_side)
    st.caption("Each edit beside its finding and its check")
    revise_card.reasons(shown, project.taxonomy)


def _text_key(now: Queued) -> str:
    return f"text-{now.summary_id}"


def _editor(project: Project, system: System, wanted: Wanted, shown: Card) -> None:
    now = shown.queued
    with st.container(key="rewording-box"), st.form("rewording", border=False):
        st.text_area("The new text", value=shown.stands, key=_text_key(now), height="content")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save",
                key="save",
                type="primary",
                help="Ctrl+Enter in the text saves, too.",
                on_click=_decide,
                args=(project, system, wanted, now, "reword"),
            )
            st.form_submit_button("Cancel", key="cancel", on_click=_reword)
    widgets.focus("rewording-box")


def _list(project: Project, system: System, wanted: Wanted, now: Queued) -> None:
    """What comes next, to choose from."""
    with st.expander("What comes next", key="queue-list", on_change="rerun") as listed:
        if not listed.open:
            return
        rows = queue(project.store, system.name, wanted, after=now.place, size=LISTED)
        if not rows:
            st.caption("This is the last one.")
            return
        key = f"next-{now.summary_id}"
        st.dataframe(
            [_listed(project, q) for q in rows],
            key=key,
            on_select=lambda: _chosen(system, key, rows),
            selection_mode=("single-row", "single-cell"),
            hide_index=True,
        )


def _chosen(system: System, key: str, rows: Sequence[Queued]) -> None:
    """A click on any cell goes to its revision."""
    selection = st.session_state[key]["selection"]
    places = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if places:
        _go(system, rows[places[0]])


def _listed(project: Project, q: Queued) -> dict[str, object]:
    errors = ", ".join(f"{name_of(project, c)}: {r.replace('_', ' ')}" for c, r in q.results)
    return {
        "Conversation": widgets.seen(q.external_id),
        "Stands": STANDS[q.standing],
        "Errors": errors,
        "Words changed": f"{100 * q.change:.0f} %",
        "Split": q.split,
    }
