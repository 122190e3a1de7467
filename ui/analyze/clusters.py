"""Analyze, Clusters: groups of similar findings, to select in a chart."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.clusters import Clustering
from arf_core.project import Project
from arf_core.report import charts
from arf_core.store import finding_list
from ui import widgets
from ui.analyze import findings, queries
from ui.analyze.selection import Selection
from ui.names import category_name


def draw(project: Project, selection: Selection) -> None:
    """A scatter plot of findings; the selected ones are listed below."""
    with st.spinner("Clustering findings …", show_time=True):
        clustering = queries.clustering(
            project,
            selection.system,
            selection.detector,
            selection.scope,
            selection.categories,
        )
    table = _table(project, clustering)
    event = widgets.figure(
        charts.clusters(clustering, project.taxonomy),
        "clusters",
        data=table,
        on_select=lambda: None,
    )
    ids = _selected(event)
    if ids:
        findings.selected(project, finding_list.numbers_of(project.store, ids), "chosen")
    elif len(table):
        st.dataframe(table, hide_index=True, key="cluster-names")


def _selected(event: object) -> list[str]:
    """Ids of the findings inside the lasso, or of the one that was clicked."""
    points = event["selection"]["points"] if event else []  # type: ignore[index]
    return [str(p["customdata"]) for p in points if p.get("customdata")]


def _table(project: Project, clustering: Clustering) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Cluster": widgets.seen(c.name),
                "Findings": c.size,
                "Main category": category_name(next(iter(c.categories), ""), project.taxonomy),
            }
            for c in clustering.clusters
        ]
    )
