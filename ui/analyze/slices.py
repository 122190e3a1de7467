"""Analyze, Slices: which categories of errors occur in which part of the data."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.slices import SliceRates
from arf_core.project import Project
from arf_core.report import charts
from arf_core.report.charts.tables import FEW
from ui import loaders, widgets
from ui.analyze import queries
from ui.analyze.selection import Selection


def draw(project: Project, selection: Selection) -> None:
    """A heatmap of category by slice for each system."""
    attribute = selection.scope.attribute or next(iter(queries.attributes(project)), None)
    if attribute is None:
        widgets.empty(
            "No attributes to slice by",
            "These conversations have no attributes such as channel or product. Columns that you "
            "keep at import become slices.",
        )
        return
    whole = selection.scope.model_copy(update={"attribute": None, "value": None})
    tables = [
        queries.by_slice(project, system, selection.detector, whole, attribute)
        for system in selection.systems
    ]
    most = _highest_share(tables)
    for system, table in zip(selection.systems, tables, strict=True):
        chart = charts.error_heatmap(table, project.taxonomy)
        if chart.data:
            chart.update_layout(coloraxis_cmax=most)
        st.markdown(f"**{widgets.label(loaders.names(project)[system])}**")
        widgets.figure(chart, f"slices-{system}", data=_csv(table))


def _highest_share(tables: list[list[SliceRates]]) -> float | None:
    """In percent: the end of one colour scale, so that a colour means the same in every chart."""
    rates = [s.rates.any_error for table in tables for s in table if s.total >= FEW]
    return 100 * max((rate.share or 0 for rate in rates), default=0) or None


def _csv(table: list[SliceRates]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"slice": s.value, "category": category, "summaries": r.count, "of": r.total}
            for s in table
            for category, r in (("any error", s.rates.any_error), *s.rates.by_category.items())
        ]
    )
