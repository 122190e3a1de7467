"""Analyze, Error pairs: which errors occur in the same summary."""

import pandas as pd
import streamlit as st

from arf_core.project import Project
from arf_core.report import charts
from ui import loaders, widgets
from ui.analyze import queries
from ui.analyze.selection import Selection


def draw(project: Project, selection: Selection) -> None:
    """A heatmap of category by category for each system."""
    for system in selection.systems:
        st.markdown(f"**{widgets.label(loaders.names(project)[system])}**")
        found = queries.patterns(project, system, selection.detector, selection.scope)
        rows = [
            {"categories": " + ".join(p.categories), "summaries": p.summaries}
            for p in found.patterns
        ]
        widgets.figure(
            charts.cooccurrence(found, project.taxonomy),
            f"together-{system}",
            data=pd.DataFrame(rows),
        )
