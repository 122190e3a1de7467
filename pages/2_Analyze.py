"""Analyze: how often systems err, where, why, and the findings themselves."""

import streamlit as st

from arf_core.errors import ArfError
from ui import frame, loaders, widgets
from ui.analyze import clusters as analyze_clusters
from ui.analyze import findings as analyze_findings
from ui.analyze import labelling
from ui.analyze import page as analyze
from ui.analyze import start as analyze_start

project = frame.page("Analyze")
head = st.container(horizontal=True, vertical_alignment="center")
head.title("Analyze")
systems = [s.name for s in loaders.systems(project) if loaders.summaries(project, s.name)]
if not systems:
    widgets.empty(
        "There are no summaries yet",
        "Bring in conversations with their summaries first.",
        "pages/1_Data.py",
        "Data",
    )
    st.stop()
try:
    looked = analyze.chosen(project)
except ArfError as fault:
    widgets.error(fault)
    st.stop()
if looked is None:
    system = st.session_state["system"]
    widgets.empty(
        "Nobody has read these summaries",
        "Let a detector read them: the rules need no model and take a moment.",
    )
    analyze_start.form(project, system)
    st.stop()
with head:
    analyze_start.popover(project, looked.system)
widgets.text(analyze.sentence(project, looked), muted=True)
parts = {
    "Error rates": analyze.rates,
    "Slices": analyze.slices,
    "Together": analyze.together,
    "Clusters": analyze_clusters.draw,
    "Findings": analyze_findings.draw,
    "Label": labelling.draw,
}
if analyze.people(project, looked):
    parts["Against people"] = analyze.against_people
for tab, draw in zip(
    st.tabs(list(parts), key="show", bind="query-params"), parts.values(), strict=True
):
    if tab.open:
        with tab:
            draw(project, looked)
