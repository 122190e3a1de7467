"""Analyze: how often systems err, where, how, and the findings themselves."""

import streamlit as st

from arf_core.errors import ArfError
from ui import frame, loaders, widgets
from ui.analyze import (
    agreement,
    clusters,
    error_pairs,
    error_rates,
    findings,
    label_queue,
    run_detector,
    selection,
    slices,
)

project = frame.page("Analyze")
head = st.container(horizontal=True, vertical_alignment="center")
head.title("Analyze")
if not any(loaders.summaries(project, s.name) for s in loaders.systems(project)):
    widgets.empty(
        "No summaries yet",
        "Import conversations with their summaries first.",
        "pages/1_Data.py",
        "Open Data",
    )
    st.stop()
try:
    chosen = selection.choose(project)
except ArfError as fault:
    widgets.error(fault)
    st.stop()
if chosen is None:
    widgets.empty(
        "No detector has read these summaries",
        "Run one now. The rules need no model and take a moment.",
    )
    run_detector.form(project, st.session_state["system"])
    st.stop()
with head:
    run_detector.popover(project, chosen.system)
widgets.text(selection.sentence(project, chosen), muted=True)
parts = {
    "Error rates": error_rates.draw,
    "Slices": slices.draw,
    "Error pairs": error_pairs.draw,
    "Clusters": clusters.draw,
    "Findings": findings.draw,
    "Label": label_queue.draw,
}
if agreement.people(project, chosen):
    parts["Agreement"] = agreement.draw
for tab, draw in zip(
    st.tabs(list(parts), key="show", bind="query-params"), parts.values(), strict=True
):
    if tab.open:
        with tab:
            draw(project, chosen)
