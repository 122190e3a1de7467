"""Analyze: let a detector read a system's summaries."""

import streamlit as st

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.analysis.detectors import detectors
from arf_core.errors import ArfError
from arf_core.jobs.estimate import estimate_analyze
from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from ui import job_bar as jobs
from ui import loaders, widgets

DETECTORS = {
    "rules": "Rules: figures, names and other provable errors, with no model",
    "llm": "A model reads each summary beside its conversation",
    "nli": "A small model of entailment, on this machine",
}
WITH_MODEL = ("llm",)


def popover(project: Project, system: str) -> None:
    """The form behind a button."""
    with st.popover("Analyze more", icon=":material/add:", key="analyze-more"):
        form(project, system)


def form(project: Project, system: str) -> None:
    """Who reads what, how much of it, what it will take, and the start."""
    systems = [s.name for s in loaders.systems(project) if loaders.summaries(project, s.name)]
    names = loaders.names(project)
    chosen = st.selectbox(
        "Whose summaries",
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
    model = _model(project) if detector in WITH_MODEL else None
    if detector in WITH_MODEL and model is None:
        st.info("No model is connected yet.", icon=":material/info:")
        widgets.page_link("pages/7_Settings.py", "Connect one", icon=":material/settings:")
        return
    limit = st.number_input(
        "Only the first",
        min_value=1,
        value=None,
        key="start-limit",
        placeholder="all that are not read yet",
        help="For a trial. A later run goes on where this one stops.",
    )
    work = AnalyzeSettings(system=chosen, detector=detector, model=model, limit=limit)
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button("Start", key="start", type="primary", icon=":material/play_arrow:")
        widgets.command(command_of(work, project.path))
        asked = st.button("What will it take?", key="start-estimate", type="tertiary")
    if asked:
        _estimate(project, work)
    if start:
        jobs.start(project, work)


def _model(project: Project) -> str | None:
    models = list(project.settings.models)
    if not models:
        return None
    role = project.settings.roles.get("detector")
    return st.selectbox(
        "Model",
        models,
        index=models.index(role) if role in models else 0,
        key="start-model",
        format_func=widgets.seen,
    )


def _estimate(project: Project, work: AnalyzeSettings) -> None:
    try:
        made = estimate_analyze(project, work)
    except ArfError as fault:
        widgets.error(fault)
        return
    words = f"{made.items:,} summaries to read"
    if made.calls.likely:
        words += f", about {made.calls.likely:,.0f} calls"
    if made.cost is not None and made.cost.high:
        words += f", {made.cost.low:,.2f}–{made.cost.high:,.2f} {widgets.label(made.currency)}"
    if made.seconds is not None and made.seconds.likely:
        words += f", about {jobs.duration(made.seconds.likely)}"
    st.caption(f"{words}. {widgets.label(' '.join(made.rests_on), 400)}")
