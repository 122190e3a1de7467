"""Revise: the rounds, and the one that the page shows."""

from collections.abc import Sequence

import streamlit as st

from arf_core.project import Project
from arf_core.records import System
from arf_core.report import charts
from arf_core.review.status import ROUNDS
from arf_core.store.review_status import ReviewStatus
from arf_core.store.round_counts import ReviewCounts, category_outcomes, review_counts
from ui import loaders, widgets
from ui.query_params import from_address, to_address

STATUS: dict[ReviewStatus, str] = {
    "new_error": "new error",
    "not_fixed": "not fixed",
    "failed": "editor failed",
    "flagged": "changed too much",
    "unchecked": "unchecked",
    "large_change": "large change",
    "verified": "verified",
    "clean": "unchanged",
}
"""What people call the status of a revision."""


@loaders.reads
def counts(project: Project, system: str) -> list[ReviewCounts]:
    """A round's summaries, counted by status, decision and split."""
    return review_counts(project.store, system)


def rounds(project: Project) -> list[System]:
    """The systems that revisions made, newest first."""
    return [s for s in loaders.systems(project) if s.kind in ROUNDS][::-1]


def choose(project: Project, found: Sequence[System]) -> System:
    """Choose a round, the newest by default, and say what it did."""
    names = loaders.names(project)
    by_name = {s.name: s for s in found}
    left, right = st.columns([3, 1], vertical_alignment="center")
    with right:
        from_address("round", list(by_name))
        name = st.selectbox(
            "Round",
            list(by_name),
            key="round",
            format_func=lambda n: widgets.seen(names[n]),
            label_visibility="collapsed",
        )
        to_address("round", name, next(iter(by_name)))
    system = by_name[name]
    with left:
        widgets.text(_sentence(project, system, counts(project, name)))
    return system


def _sentence(project: Project, system: System, tallied: Sequence[ReviewCounts]) -> str:
    """What the round did: "Corrected (r1): 52 of 120 Teacher summaries edited by big; …" """
    names = loaders.names(project)
    edited = sum(t.edited for t in tallied)
    total = sum(t.summaries for t in tallied)
    parent = names.get(system.parent or "", system.parent or "")
    words = f"{names[system.name]}: {edited:,} of {total:,} {parent} summaries edited"
    if system.model:
        words += f" by {charts.reader_name(system.model)}"
    found = category_outcomes(system.name, tallied)
    asked, fixed = sum(o.asked for o in found), sum(o.fixed for o in found)
    if asked:
        new = sum(o.new_errors for o in found)
        words += f"; {fixed:,} of {asked:,} findings verified as fixed, {_new_errors(new)}"
    return words + "."


def _new_errors(n: int) -> str:
    return {0: "no new errors", 1: "1 new error"}.get(n, f"{n:,} new errors")
