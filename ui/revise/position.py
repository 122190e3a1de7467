"""Revise: which revision of the queue is shown, and moving to another."""

from typing import Any, NamedTuple

import streamlit as st

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import System
from arf_core.review.queue import QueueFilter, QueueItem, find, queue, queue_item
from ui.state import state


class QueueView(NamedTuple):
    """The part of a round's queue that is shown."""

    project: Project
    system: System
    filters: QueueFilter

    def page(self, size: int, **edge: Any) -> list[QueueItem]:
        """Revisions of the queue: the first ones, or those `after` or `before` a position."""
        return queue(self.project.store, self.system.name, self.filters, size=size, **edge)

    def first(self) -> QueueItem | None:
        return next(iter(self.page(1)), None)


def current(view: QueueView) -> QueueItem | None:
    """The revision that a link asks for, otherwise the one shown last, otherwise the first."""
    session, name = state().revise, view.system.name
    _start_over_with_new_filters(view)
    asked = st.query_params.get("conversation", "")
    if asked and asked != session.address:
        try:
            session.at[name] = find(view.project.store, name, asked)
            session.rewording = False
        except InputError as fault:
            session.fault = fault
    found = _shown_last(view) or view.first()
    _remember(name, found)
    return found


def _start_over_with_new_filters(view: QueueView) -> None:
    session, name = state().revise, view.system.name
    filters = view.filters.model_dump_json()
    if session.filters.setdefault(name, filters) != filters:
        session.filters[name] = filters
        session.at.pop(name, None)
        st.query_params.pop("conversation", None)


def _shown_last(view: QueueView) -> QueueItem | None:
    """None also if it has been revised again since."""
    name = view.system.name
    summary_id = state().revise.at.get(name)
    if summary_id is None:
        return None
    try:
        return queue_item(view.project.store, name, summary_id)
    except InputError:
        return None


def _remember(name: str, found: QueueItem | None) -> None:
    """In the session, and in the address, so that it can be shared as a link."""
    session = state().revise
    if found is None:
        session.at.pop(name, None)
        st.query_params.pop("conversation", None)
        session.address = ""
        return
    session.at[name] = found.summary_id
    session.address = found.external_id
    if st.query_params.get("conversation") != found.external_id:
        st.query_params["conversation"] = found.external_id


def go(system: System, to: QueueItem | None) -> None:
    """Show a revision; the first one for None."""
    session = state().revise
    session.rewording = False
    if to is None:
        session.at.pop(system.name, None)
    else:
        session.at[system.name] = to.summary_id


def go_back(view: QueueView, now: QueueItem) -> None:
    """Show the revision before."""
    _move(view, view.page(1, before=now.position), "first")


def go_on(view: QueueView, now: QueueItem) -> None:
    """Show the next revision."""
    _move(view, view.page(1, after=now.position), "last")


def _move(view: QueueView, found: list[QueueItem], end: str) -> None:
    state().revise.notice = "" if found else f"This is the {end} revision."
    if found:
        go(view.system, found[0])
