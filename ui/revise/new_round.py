"""Revise, New round: the form that starts a round of corrections."""

from collections.abc import Mapping, Sequence

import streamlit as st

from arf_core.jobs.estimate import estimate_revise
from arf_core.project import Project
from arf_core.project.settings import Role
from arf_core.revision.editors import editors
from arf_core.revision.revise import ReviseSettings
from arf_core.revision.verifiers import verifiers
from arf_core.store.queries import CHECKS, detectors_of
from ui import loaders, run_form, widgets
from ui.names import category_name, detector_name

EDITORS = {
    "llm": "LLM: a model makes the smallest edits that fix the findings",
    "rules": "Rules: fix what has one right answer; no model needed",
    "rewrite": "Rewrite: a model rewrites every summary without the findings, as a baseline",
}
VERIFIERS = {
    "llm": "LLM: a model judges whether each finding is fixed",
    "rules": "Rules: check again what they can judge",
    "nli": "NLI: a small entailment model on this machine",
}
WITH_MODEL = ("llm", "rewrite")


@loaders.reads
def _readers(project: Project, system: str) -> list[str]:
    """Detectors that have read a system, and verifiers that have read only what was edited."""
    return detectors_of(project.store, system, checks=True)


def first(project: Project) -> None:
    """The page before the first round: what is missing, or the form."""
    systems = loaders.systems(project)
    if not systems:
        widgets.empty(
            "No summaries yet",
            "Import conversations with their summaries first.",
            "pages/1_Data.py",
            "Open Data",
        )
    elif not any(_readers(project, s.name) for s in systems):
        widgets.empty(
            "No findings to correct yet",
            "A round of corrections fixes what a detector found, so run a detector first.",
            "pages/2_Analyze.py",
            "Open Analyze",
        )
    else:
        st.markdown("Nothing has been corrected yet. A round fixes what a detector found.")
        draw(project)


def draw(project: Project) -> None:
    """What to correct, how, and who checks it; cost estimate and start."""
    systems = [s.name for s in loaders.systems(project) if _readers(project, s.name)]
    if not systems:
        st.caption("No detector has read a system yet. Run one in Analyze first.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        system, editor, model, detectors = _correction(project, systems)
    with right:
        into, verifier, verifier_model, categories = _result(project)
    rewrites = editor == "rewrite"  # without findings, so there is nothing to verify
    settings = ReviseSettings(
        system=system,
        into=into,
        detectors=detectors,
        editor=editor,
        model=model,
        categories=categories or None,
        verifier=None if rewrites else verifier,
        verifier_model=None if rewrites else verifier_model,
    )
    run_form.start(
        project,
        settings,
        "Start round",
        "start-round",
        lambda: estimate_revise(project, settings),
        missing=_missing(settings),
    )


def _correction(
    project: Project, systems: Sequence[str]
) -> tuple[str, str, str | None, tuple[str, ...]]:
    """System, editor, the editor's model, and the detectors whose findings are fixed."""
    names = loaders.names(project)
    system = st.selectbox(
        "System to correct",
        systems,
        key="start-system",
        format_func=lambda n: widgets.seen(names[n]),
    )
    choices = _described_first(editors(), EDITORS)
    editor = st.selectbox(
        "Editor",
        choices,
        index=0 if project.settings.models else choices.index("rules"),
        key="start-editor",
        format_func=lambda e: EDITORS.get(e, e),
    )
    model = _model(project, "editor", editor)
    detectors = _detectors(project, system) if editor != "rewrite" else ()
    return system, editor, model, tuple(detectors)


def _result(project: Project) -> tuple[str, str | None, str | None, tuple[str, ...]]:
    """The new round's name, verifier, the verifier's model, and the categories."""
    into = st.text_input("Name of the new round", value=_free_name(project), key="start-into")
    choices = [*_described_first(verifiers(), VERIFIERS), None]
    verifier = st.selectbox(
        "Verifier",
        choices,
        index=0 if project.settings.models else choices.index(None),
        key="start-verifier",
        format_func=lambda v: VERIFIERS.get(v, v) if v else "None: verify later",
    )
    model = _model(project, "verifier", verifier)
    categories = st.multiselect(
        "Categories to fix",
        list(project.taxonomy.by_id),
        key="start-categories",
        format_func=lambda c: category_name(c, project.taxonomy),
        placeholder="all",
    )
    return into.strip(), verifier, model, tuple(categories)


def _described_first(names: Sequence[str], described: Mapping[str, str]) -> list[str]:
    """Plug-ins in the order of their descriptions; new ones last."""
    return [*(n for n in described if n in names), *(n for n in names if n not in described)]


def _model(project: Project, role: Role, plugin: str | None) -> str | None:
    """The model of an editor or a verifier that needs one."""
    if plugin not in WITH_MODEL:
        return None
    return run_form.model(project, role, f"{role.capitalize()} model", f"start-{role}-model")


def _detectors(project: Project, system: str) -> Sequence[str]:
    """Whose findings to fix; at first what a verifier left open, if it has checked the system."""
    known = _readers(project, system)
    checks = [d for d in known if d.startswith(CHECKS)]
    role = project.settings.roles.get("detector")
    likely = checks or [d for d in known if d == f"llm:{role}"] or known
    return st.multiselect(
        "Fix findings by",
        known,
        default=likely[:1],
        key=f"start-detectors-{system}",
        format_func=_reader_name,
    )


def _reader_name(detector: str) -> str:
    if detector.startswith(CHECKS):
        return f"left open by {detector_name(detector.removeprefix(CHECKS))}"
    return detector_name(detector)


def _free_name(project: Project) -> str:
    """The first of r1, r2, … that no system has."""
    taken = {s.name for s in loaders.systems(project)}
    return next(f"r{n}" for n in range(1, len(taken) + 2) if f"r{n}" not in taken)


def _missing(settings: ReviseSettings) -> str:
    """What the choices lack; empty if nothing."""
    used = ((settings.editor, settings.model), (settings.verifier, settings.verifier_model))
    if any(plugin in WITH_MODEL and model is None for plugin, model in used):
        return "This needs a model. Connect one in Settings, or choose the rules."
    if not settings.into:
        return "Name the new round."
    if settings.verifier == "rules" and "rules" in settings.detectors:
        return "These findings come from the rules, so the rules cannot verify the fixes."
    if settings.editor != "rewrite" and not settings.detectors:
        return "Choose whose findings to fix."
    return ""
