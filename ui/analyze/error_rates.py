"""Analyze, Error rates: how often the systems err, by category and by severity."""

import streamlit as st

from arf_core.project import Project
from arf_core.report import charts
from ui import loaders, rates_chart, widgets
from ui.analyze import queries
from ui.analyze.selection import Selection

KEY = "rates"


def draw(project: Project, selection: Selection) -> None:
    """Two charts. A click on a category opens its findings."""
    detector, scope = selection.detector, selection.scope
    rates = [queries.rates(project, s, detector, scope) for s in selection.systems]
    rates_chart.draw(project, rates, KEY, on_select=_open_findings)
    patterns = [queries.patterns(project, s, detector, scope) for s in selection.systems]
    names = loaders.names(project)
    widgets.figure(charts.severity(patterns, project.taxonomy, names), "severity")


def _open_findings() -> None:
    """Go to the findings behind the bar that was clicked."""
    session = st.session_state
    points = session[KEY]["selection"]["points"]
    if not points:
        return
    system, category = points[0]["customdata"]
    session["category"] = [category] if category else []
    if system != session["system"]:
        session["against"], session["system"] = session["system"], system
    session["show"] = "Findings"
