"""What the forms that start a run share: the choice of a model, the estimate, the start."""

from collections.abc import Callable, Sequence

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs.kinds import command_of
from arf_core.models.estimate import Estimate
from arf_core.project import Project
from arf_core.project.settings import Role
from arf_core.run import VerbSettings
from ui import job_bar as jobs
from ui import widgets
from ui.names import detector_name


def model(project: Project, role: Role, words: str, key: str) -> str | None:
    """Choose a model, the one with the role first. None, and no widget, if none is connected."""
    models = list(project.settings.models)
    if not models:
        return None
    with_role = project.settings.roles.get(role)
    return st.selectbox(
        words,
        models,
        index=models.index(with_role) if with_role in models else 0,
        key=key,
        format_func=widgets.seen,
    )


def start(
    project: Project,
    settings: VerbSettings,
    words: str,
    key: str,
    estimate: Callable[[], Sequence[Estimate]],
    missing: str = "",
) -> None:
    """The start button, the command and, on request, the estimate.

    `missing` says what the choices lack; nothing can start until it is empty.
    """
    if missing:
        st.info(missing, icon=":material/info:")
    estimated = False
    with st.container(horizontal=True, vertical_alignment="center"):
        started = st.button(
            words, key=key, type="primary", icon=":material/play_arrow:", disabled=bool(missing)
        )
        if not missing:
            widgets.command(command_of(settings, project.path))
            estimated = st.button(
                "Estimate cost and time",
                key="start-estimate",
                type="tertiary",
                icon=":material/calculate:",
            )
    if estimated:
        _estimate(estimate)
    if started:
        jobs.start(project, settings)


def _estimate(estimate: Callable[[], Sequence[Estimate]]) -> None:
    try:
        for part in estimate():
            st.caption(_in_words(part))
    except ArfError as fault:
        widgets.error(fault)


def _in_words(e: Estimate) -> str:
    """ "big (LLM): 120 summaries, about 130 calls, 0.02–0.05 USD, about 3 min." """
    parts = [f"{widgets.label(detector_name(e.who))}: {e.items:,} summaries"]
    if e.calls.likely:
        parts.append(f"about {e.calls.likely:,.0f} calls")
    if e.cost is not None and e.cost.high:
        parts.append(f"{e.cost.low:,.2f}–{e.cost.high:,.2f} {widgets.label(e.currency)}")
    if e.seconds is not None and e.seconds.likely:
        parts.append(f"about {jobs.duration(e.seconds.likely)}")
    return f"{', '.join(parts)}. {widgets.label(' '.join(e.rests_on), 400)}"
