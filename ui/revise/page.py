"""Revise: the round that is looked at, and what it did."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from arf_core.evaluate.rates import ErrorRates, error_rates
from arf_core.project import Project
from arf_core.records import System
from arf_core.report import charts
from arf_core.review.status import ROUNDS
from arf_core.revision.rounds import settings_of
from arf_core.store.review_status import ReviewStatus
from arf_core.store.round_counts import (
    CategoryOutcome,
    ReviewCounts,
    category_outcomes,
    review_counts,
)
from ui import loaders, widgets
from ui.query_params import from_address, to_address

STANDS: dict[ReviewStatus, str] = {
    "new_error": "new error",
    "not_fixed": "not fixed",
    "failed": "editor failed",
    "flagged": "changed too much",
    "unchecked": "unchecked",
    "large_change": "large change",
    "verified": "verified",
    "clean": "nothing to change",
}
"""Where a revision stands, for people."""


@loaders.reads
def tallied(project: Project, system: str) -> list[ReviewCounts]:
    """A round's counts."""
    return review_counts(project.store, system)


@loaders.reads
def rates(project: Project, system: str, detector: str) -> ErrorRates:
    """How often a system errs, as a detector sees it."""
    return error_rates(project.store, system, detector)


def rounds(project: Project) -> list[System]:
    """The systems that a revision made, the newest first."""
    return [s for s in loaders.systems(project) if s.kind in ROUNDS][::-1]


def chosen(project: Project, found: Sequence[System]) -> System:
    """The round of the address; the newest where it names none."""
    names = loaders.names(project)
    by_name = {s.name: s for s in found}
    words, menu = st.columns([3, 1], vertical_alignment="center")
    with menu:
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
    with words:
        widgets.text(_sentence(project, system, tallied(project, name)))
    return system


def _sentence(project: Project, system: System, counts: Sequence[ReviewCounts]) -> str:
    """What the round did, in a line."""
    names = loaders.names(project)
    edited = sum(t.edited for t in counts)
    of_all = sum(t.summaries for t in counts)
    found = category_outcomes(system.name, counts)
    asked, fixed = sum(o.asked for o in found), sum(o.fixed for o in found)
    new = sum(o.new_errors for o in found)
    parent = names.get(system.parent or "", system.parent or "")
    said = f"{names[system.name]}: {edited:,} of {of_all:,} summaries of {parent} edited"
    said += f" by {charts.reader_name(system.model)}" if system.model else ""
    if asked:
        said += f"; {fixed:,} of {asked:,} findings verified as fixed, {_new(new)}"
    return said + "."


def _new(n: int) -> str:
    return {0: "no new error", 1: "1 new error"}.get(n, f"{n:,} new errors")


def outcome(project: Project, system: System) -> None:
    """What became of the findings by category, and how often it errs now and did before."""
    found = category_outcomes(system.name, tallied(project, system.name))
    widgets.figure(
        charts.round_outcome(found, project.taxonomy),
        "round-outcome",
        data=pd.DataFrame([_row(o) for o in found]),
    )
    both = _readers_of_both(project, system)
    if not both:
        st.caption(
            "To see how often it errs now, let one and the same detector read both systems on "
            "the page Analyze; best one that took no part in this round."
        )
        return
    detector = st.selectbox(
        "Counted by",
        both,
        key="counted_by",
        bind="query-params",
        format_func=widgets.seen,
        help="Best a reader that took no part in this round.",
    )
    pair = [rates(project, name, detector) for name in (system.parent or "", system.name)]
    chart = charts.error_rates(pair, project.taxonomy, loaders.names(project))
    widgets.figure(chart, "round-rates", data=_rates_table(pair))


def _row(o: CategoryOutcome) -> dict[str, object]:
    return o.model_dump() | {"asked": o.asked}


def _readers_of_both(project: Project, system: System) -> list[str]:
    """Detectors that have read the round and its parent; those that took no part in it first."""
    before = loaders.detectors(project, system.parent or "")
    after = loaders.detectors(project, system.name)
    settings = settings_of(project.store, system)
    took_part = settings.detectors if settings else ()
    both = [d for d in after if d in before]
    return sorted(both, key=lambda d: (d in took_part, d == "rules", d))


def _rates_table(pair: Sequence[ErrorRates]) -> pd.DataFrame:
    rows = [
        {
            "system": r.system,
            "detector": r.detector,
            "category": category or "any error",
            "summaries": rate.count,
            "of": rate.total,
            "share": rate.share,
            "low": rate.interval and rate.interval[0],
            "high": rate.interval and rate.interval[1],
        }
        for r in pair
        for category, rate in {"": r.any_error, **r.by_category}.items()
    ]
    return pd.DataFrame(rows)
