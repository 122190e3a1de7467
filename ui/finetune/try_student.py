"""Finetune, Students: try a student on one conversation."""

import json

import streamlit as st

from arf_core.jobs.kinds import TryJob, command_of
from arf_core.jobs.queue import jobs as all_jobs
from arf_core.jobs.queue import report_of
from arf_core.project import Project
from arf_core.records import Conversation, Split
from arf_core.store import schema
from arf_core.training.generate import Tried, first_of
from ui import job_bar as jobs
from ui import loaders, widgets

OFFERED = 200
"""Conversations to choose from."""
SPLITS: tuple[tuple[Split, ...], ...] = (("test",), ("dev",), ("train",))


@loaders.reads
def _conversations(project: Project) -> list[str]:
    """Conversations that the student has not learnt from, if there are any."""
    by_split = (first_of(project.store, splits, OFFERED) for splits in SPLITS)
    return next((ids for ids in by_split if ids), [])


def draw(project: Project, student: str, model: str) -> None:
    """Choose a conversation, run the student on it, and show its last summary of it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Conversation",
            _conversations(project),
            key=f"try-on-{student}",
            format_func=widgets.seen,
            width=320,
        )
        work = TryJob(model=model, conversation=chosen or "")
        started = st.button(
            "Try student", key=f"try-{student}", icon=":material/play_arrow:", disabled=not chosen
        )
        widgets.command(command_of(work, project.path))
    if started:
        jobs.start(project, work)
    if chosen and (tried := _last(project, work)):
        _show(project, tried)


def _last(project: Project, work: TryJob) -> Tried | None:
    """The result of the newest such try."""
    for job in all_jobs(project.store):
        if job.kind == "try" and json.loads(job.arguments) == work.model_dump():
            return report_of(project.store, job.id, Tried)
    return None


def _show(project: Project, tried: Tried) -> None:
    where = schema.conversation.c.external_id == tried.conversation
    found = project.store.get(Conversation, where)
    left, right = st.columns(2)
    with left:
        if found:
            widgets.conversation(found, height=300)
    with right:
        st.caption(f"Summary by {widgets.label(tried.model)}, {tried.seconds:.1f} s")
        widgets.summary(tried.text or "(empty)")
        if tried.problem:
            st.caption(f"No valid summary: {widgets.label(tried.problem, 300)}")
