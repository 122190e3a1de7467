"""Revise, Outcome: what became of the findings, and the error rates before and after."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.rates import ErrorRates, error_rates
from arf_core.project import Project
from arf_core.records import System
from arf_core.report import charts
from arf_core.revision.rounds import settings_of
from arf_core.store.round_counts import category_outcomes
from ui import loaders, rates_chart, widgets
from ui.names import detector_name
from ui.revise.rounds import counts


@loaders.reads
def _rates(project: Project, system: str, detector: str) -> ErrorRates:
    return error_rates(project.store, system, detector)


def draw(project: Project, system: System) -> None:
    """Findings by category and outcome; error rates of the round and its parent."""
    found = category_outcomes(system.name, counts(project, system.name))
    widgets.figure(
        charts.round_outcome(found, project.taxonomy),
        "round-outcome",
        data=pd.DataFrame([o.model_dump() | {"asked": o.asked} for o in found]),
    )
    readers = _readers_of_both(project, system)
    if not readers:
        st.caption(
            "To compare error rates before and after, run one detector on both systems in Analyze, "
            "best one that took no part in this round."
        )
        return
    detector = st.selectbox(
        "Detector",
        readers,
        key="counted_by",
        bind="query-params",
        format_func=detector_name,
        help="Best one that took no part in this round.",
        width=260,
    )
    before_after = [_rates(project, name, detector) for name in (system.parent or "", system.name)]
    rates_chart.draw(project, before_after, "round-rates")


def _readers_of_both(project: Project, system: System) -> list[str]:
    """Detectors that have read the round and its parent, independent ones first."""
    before = loaders.detectors(project, system.parent or "")
    after = loaders.detectors(project, system.name)
    settings = settings_of(project.store, system)
    took_part = settings.detectors if settings else ()
    both = [d for d in after if d in before]
    return sorted(both, key=lambda d: (d in took_part, d == "rules", d))
