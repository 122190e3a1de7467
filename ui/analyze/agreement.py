"""Analyze, Agreement: how well each detector agrees with a person."""

from typing import Any

import pandas as pd
import streamlit as st

from arf_core.analysis.annotations import PERSON
from arf_core.evaluate.agreement import Agreement, Confusion
from arf_core.project import Project
from arf_core.report import charts
from arf_core.report.charts.rounds import Compared
from ui import loaders, widgets
from ui.analyze import queries
from ui.analyze.selection import Selection
from ui.names import detector_name

COMPARE_BY: dict[Compared, str] = {
    "findings": "Findings by category",
    "places": "Findings by sentence",
    "has_error": "Summaries with an error",
}


def people(project: Project, selection: Selection) -> list[str]:
    """The people who have annotated the system's summaries."""
    return [d for d in loaders.detectors(project, selection.system) if d.startswith(PERSON)]


def draw(project: Project, selection: Selection) -> None:
    """Precision and recall of each detector, over the summaries that a person has read too."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        person = st.selectbox(
            "Annotator",
            people(project, selection),
            key="person",
            bind="query-params",
            format_func=detector_name,
            width=260,
        )
        by = st.segmented_control(
            "Compare",
            list(COMPARE_BY),
            default="findings",
            key="compared",
            bind="query-params",
            format_func=COMPARE_BY.__getitem__,
            required=True,
        )
    found = queries.agreements(project, selection.system, selection.scope.splits, person)
    widgets.figure(
        charts.against_reference(found, by=by),
        "against-people",
        data=pd.DataFrame([_row(a) for a in found]),
    )


def _row(a: Agreement) -> dict[str, Any]:
    row: dict[str, Any] = {"detector": a.detector, "person": a.reference, "summaries": a.summaries}
    for name in COMPARE_BY:
        counts: Confusion = getattr(a, name)
        row |= {f"{name} precision": counts.precision, f"{name} recall": counts.recall}
    return row
