"""Trying a student: one conversation, and at once beside it what the student says."""

import json

import streamlit as st

from arf_core.finetune.generate import Tried, first_of
from arf_core.jobs.kinds import TryJob, command_of
from arf_core.jobs.queue import jobs as all_jobs
from arf_core.jobs.queue import report_of
from arf_core.project import Project
from arf_core.records import Conversation, Split
from arf_core.store import schema
from ui import job_bar as jobs
from ui import loaders, widgets

OFFERED = 200
SPLITS: tuple[tuple[Split, ...], ...] = (("test",), ("dev",), ("train",))


@loaders.reads
def offered(project: Project) -> list[str]:
    """Conversations to try it on: those that it has not learnt from, where there are any."""
    found = (first_of(project.store, splits, OFFERED) for splits in SPLITS)
    return next((ids for ids in found if ids), [])


def draw(project: Project, student: str, model: str) -> None:
    """The choice of a conversation, the start, and the last answer to it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Try it on a conversation",
            offered(project),
            key=f"try-on-{student}",
            format_func=widgets.seen,
            width=320,
        )
        work = TryJob(model=model, conversation=chosen or "")
        go = st.button(
            "Try", key=f"try-{student}", icon=":material/play_arrow:", disabled=not chosen
        )
        widgets.command(command_of(work, project.path))
    if go:
        jobs.start(project, work)
    if chosen and (tried := _last(project, work)):
        _show(project, tried)


def _last(project: Project, work: TryJob) -> Tried | None:
    """What came of the newest try of this very work."""
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
        st.caption(f"What {widgets.label(tried.model)} says, in {tried.seconds:.1f} s:")
        widgets.summary(tried.text or "(nothing)")
        if tried.problem:
            st.caption(f"No summary: {widgets.label(tried.problem, 300)}")
