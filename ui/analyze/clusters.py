"""Analyze: what the findings have in common, as a drawing to choose from."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.clusters import Clustering
from arf_core.project import Project
from arf_core.report import charts
from arf_core.store import finding_list
from ui import widgets
from ui.analyze import readings as reads
from ui.analyze.findings import few
from ui.analyze.page import Looked


def draw(project: Project, looked: Looked) -> None:
    """Clusters of findings; those that are drawn round are listed below."""
    with st.spinner("Looking for what the findings have in common …", show_time=True):
        found = reads.clustering(
            project, looked.system, looked.detector, looked.view, looked.categories
        )
    event = widgets.figure(
        charts.clusters(found, project.taxonomy),
        "clusters",
        data=_table(found),
        on_select=lambda: None,
    )
    chosen = _chosen(event)
    if not chosen:
        _names(found)
        return
    seqs = finding_list.numbers_of(project.store, chosen)
    few(project, seqs, "chosen")


def _chosen(event: object) -> list[str]:
    """Ids of the findings that are drawn round or clicked."""
    points = event["selection"]["points"] if event else []  # type: ignore[index]
    return [str(p["customdata"]) for p in points if p.get("customdata")]


def _names(found: Clustering) -> None:
    """The clusters by size, each to be looked at by a click."""
    rows = _table(found)
    if len(rows):
        st.dataframe(rows, hide_index=True, key="cluster-names")


def _table(found: Clustering) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "group": widgets.seen(c.name),
                "findings": c.size,
                "most frequent category": next(iter(c.categories), ""),
            }
            for c in found.clusters
        ]
    )
