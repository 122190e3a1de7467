"""Revise: start a round of corrections."""

from collections.abc import Mapping, Sequence

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs.estimate import estimate_revise
from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.project.settings import Role
from arf_core.revision.editors import editors
from arf_core.revision.revise import ReviseSettings
from arf_core.revision.verifiers import verifiers
from arf_core.store.queries import CHECKS, detectors_of
from ui import job_bar as jobs
from ui import loaders, widgets

EDITORS = {
    "llm": "A model makes the smallest edits that remove the findings",
    "rules": "Rules mend what has one right answer, with no model",
    "rewrite": "A model rewrites every summary and is told of no errors (to compare)",
}
VERIFIERS = {
    "llm": "A model says of each finding whether it is fixed",
    "rules": "The rules look again at what they can judge",
}
WITH_MODEL = ("llm", "rewrite")


@loaders.reads
def detectors_and_checks(project: Project, system: str) -> list[str]:
    """Who has read a system, verifiers' partial readings too."""
    return detectors_of(project.store, system, checks=True)


def first(project: Project) -> None:
    """Where nothing has been revised yet: what is missing for a first round, or the way to it."""
    systems = loaders.systems(project)
    if not systems:
        widgets.empty(
            "There are no summaries yet",
            "Bring in conversations with their summaries first.",
            "pages/1_Data.py",
            "Data",
        )
    elif not any(detectors_and_checks(project, s.name) for s in systems):
        widgets.empty(
            "Nobody has looked for errors yet",
            "A round of corrections answers findings, so let a detector read the summaries first.",
            "pages/2_Analyze.py",
            "Analyze",
        )
    else:
        st.markdown("Nothing has been corrected yet. A round answers what a detector found.")
        draw(project)


def draw(project: Project) -> None:
    """The choices of a round, what it will take, and its start."""
    readable = [s.name for s in loaders.systems(project) if detectors_and_checks(project, s.name)]
    if not readable:
        st.caption("Nobody has read any system yet: let a detector read one on the page Analyze.")
        return
    names = loaders.names(project)
    left, right = st.columns(2, gap="medium")
    with left:
        system = st.selectbox(
            "Whose summaries",
            readable,
            key="start-system",
            format_func=lambda n: widgets.seen(names[n]),
        )
        there = _ordered(editors(), EDITORS)
        editor = st.selectbox(
            "Editor",
            there,
            index=0 if project.settings.models else there.index("rules"),
            key="start-editor",
            format_func=lambda e: EDITORS.get(e, e),
        )
        model = _model(project, "editor", editor)
        detectors = _detectors(project, system) if editor != "rewrite" else ()
    with right:
        into = st.text_input("Name of the new round", value=_free(project), key="start-into")
        checkers = [*_ordered(verifiers(), VERIFIERS), None]
        verifier = st.selectbox(
            "Check at once",
            checkers,
            index=0 if project.settings.models else checkers.index(None),
            key="start-verifier",
            format_func=lambda v: VERIFIERS.get(v, v) if v else "No, later",
        )
        verifier_model = _model(project, "verifier", verifier)
        categories = st.multiselect(
            "Only errors of these categories",
            list(project.taxonomy.by_id),
            key="start-categories",
            format_func=lambda c: widgets.seen(project.taxonomy.by_id[c].name),
            placeholder="all of them",
        )
    work = ReviseSettings(
        system=system,
        into=into.strip(),
        detectors=tuple(detectors),
        editor=editor,
        model=model,
        categories=tuple(categories) or None,
        verifier=None if editor == "rewrite" else verifier,
        verifier_model=None if editor == "rewrite" else verifier_model,
    )
    _go(project, work, missing=_missing(project, work))


def _ordered(there: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Plug-ins in the order in which they are described; a new one comes last."""
    described = [name for name in known if name in there]
    return [*described, *(name for name in there if name not in known)]


def _go(project: Project, work: ReviseSettings, missing: str) -> None:
    """The button, the command, and what it would take."""
    if missing:
        st.info(missing, icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(
            "Start the round",
            key="start-round",
            type="primary",
            icon=":material/play_arrow:",
            disabled=bool(missing),
        )
        if not missing:
            widgets.command(command_of(work, project.path))
            estimate = st.button(
                "What will it take?", key="start-estimate", type="tertiary",
                icon=":material/calculate:",
            )  # fmt: skip
            if estimate:
                _estimate(project, work)
    if start:
        jobs.start(project, work)


def _estimate(project: Project, work: ReviseSettings) -> None:
    try:
        made = estimate_revise(project, work)
    except ArfError as fault:
        widgets.error(fault)
        return
    for e in made:
        words = f"{widgets.label(e.who)}: {e.items:,} summaries, about {e.calls.likely:,.0f} calls"
        if e.cost is not None and e.cost.high:
            words += f", {e.cost.low:,.2f}–{e.cost.high:,.2f} {widgets.label(e.currency)}"
        if e.seconds is not None and e.seconds.likely:
            words += f", about {jobs.duration(e.seconds.likely)}"
        st.caption(words)


def _model(project: Project, role: Role, worker: str | None) -> str | None:
    """The model of an editor or a verifier that needs one; the one that has the role, at first."""
    models = list(project.settings.models)
    if worker not in WITH_MODEL or not models:
        return None
    has_role = project.settings.roles.get(role)
    return st.selectbox(
        f"Model of the {role}",
        models,
        index=models.index(has_role) if has_role in models else 0,
        key=f"start-{role}-model",
        format_func=widgets.seen,
    )


def _detectors(project: Project, system: str) -> Sequence[str]:
    """Whose findings are answered: what a verifier left open where there is such a thing."""
    known = detectors_and_checks(project, system)
    checks = [d for d in known if d.startswith(CHECKS)]
    role = project.settings.roles.get("detector")
    likely = checks or [d for d in known if d == f"llm:{role}"] or known
    return st.multiselect(
        "Answer the findings of",
        known,
        default=likely[:1],
        key=f"start-detectors-{system}",
        format_func=_who,
    )


def _who(detector: str) -> str:
    left_open = detector.removeprefix(CHECKS)
    return widgets.seen(f"what {left_open} left open" if detector.startswith(CHECKS) else detector)


def _free(project: Project) -> str:
    """The first of r1, r2, … that no system has."""
    taken = {s.name for s in loaders.systems(project)}
    return next(f"r{n}" for n in range(1, len(taken) + 2) if f"r{n}" not in taken)


def _missing(project: Project, work: ReviseSettings) -> str:
    """What the choices lack, in a sentence; empty where nothing does."""
    needs_model = [
        worker
        for worker, model in ((work.editor, work.model), (work.verifier, work.verifier_model))
        if worker in WITH_MODEL and model is None
    ]
    if needs_model:
        return "This needs a model: connect one on the page Settings, or choose the rules."
    if not work.into:
        return "Give the new round a name."
    if work.verifier == "rules" and "rules" in work.detectors:
        return "The rules asked for this revision, so they cannot be the ones to check it."
    if work.editor != "rewrite" and not work.detectors:
        return "Say whose findings are to be answered."
    return ""
