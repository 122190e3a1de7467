"""Analyze: the form that runs a detector on a system's summaries."""

import streamlit as st

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.analysis.detectors import detectors
from arf_core.jobs.estimate import estimate_analyze
from arf_core.project import Project
from ui import loaders, run_form, widgets

DETECTORS = {
    "rules": "Rules: numbers, names and other provable errors; no model needed",
    "llm": "LLM: a model reads each summary with its conversation",
    "nli": "NLI: a small entailment model on this machine",
}
WITH_MODEL = ("llm",)


def popover(project: Project, system: str) -> None:
    """The form behind a button."""
    with st.popover("Run detector", icon=":material/add:", key="analyze-more"):
        form(project, system)


def form(project: Project, system: str) -> None:
    """System, detector and limit; cost estimate and start."""
    systems = [s.name for s in loaders.systems(project) if loaders.summaries(project, s.name)]
    names = loaders.names(project)
    chosen = st.selectbox(
        "System to analyze",
        systems,
        index=systems.index(system) if system in systems else 0,
        key="start-system",
        format_func=lambda s: widgets.seen(names[s]),
    )
    detector = st.selectbox(
        "Detector",
        sorted(detectors(), key=lambda d: (d != "rules", d)),
        key="start-detector",
        format_func=lambda d: DETECTORS.get(d, d),
    )
    needs_model = detector in WITH_MODEL
    model = run_form.model(project, "detector", "Model", "start-model") if needs_model else None
    if needs_model and model is None:
        st.info("No model is connected yet.", icon=":material/info:")
        widgets.page_link("pages/7_Settings.py", "Connect a model", icon=":material/settings:")
        return
    limit = st.number_input(
        "Number of summaries",
        min_value=1,
        value=None,
        key="start-limit",
        placeholder="all not yet read",
        help="Try a few first. A later run continues where this one stops.",
    )
    settings = AnalyzeSettings(system=chosen, detector=detector, model=model, limit=limit)
    run_form.start(
        project,
        settings,
        "Start analysis",
        "start",
        lambda: [estimate_analyze(project, settings)],
    )
