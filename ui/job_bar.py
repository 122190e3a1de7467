"""Jobs in the app: starting one, and the strip on every page that shows those at work."""

from collections.abc import Sequence

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs import queue as jobs
from arf_core.jobs.queue import Job
from arf_core.project import Project
from arf_core.run import VerbSettings
from ui import widgets
from ui.state import state

EVERY_S = 1.0
SHOWN = 3
"""Jobs that the strip shows; the others are folded away."""
LISTED = 15
STATES = {
    "queued": ("waiting to start", "gray"),
    "running": ("at work", "blue"),
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "gray"),
    "lost": ("lost", "orange"),
}


def start(project: Project, work: VerbSettings) -> Job | None:
    """Start a job and draw the page anew, with its progress. Where it cannot start, says why."""
    try:
        job = jobs.start(project, work)
    except ArfError as fault:
        widgets.error(fault)
        return None
    state().seen_open.add(job.id)
    st.toast(f"Started: {widgets.label(job.title)}", icon=":material/play_arrow:")
    st.rerun()


def strip(project: Project) -> None:
    """The jobs at work, with their progress, and those that ended badly. Drawn anew by itself
    every second while a job is at work, and not at all otherwise."""
    listed = jobs.jobs(project.store, LISTED)
    at_work = any(job.is_open for job in listed)
    st.fragment(_strip, run_every=EVERY_S if at_work else None)(project, at_work)


def _strip(project: Project, drawn_every_second: bool) -> None:
    listed = jobs.jobs(project.store, LISTED)
    at_work = [job for job in listed if job.is_open]
    if at_work and not drawn_every_second:
        st.rerun()
    _redraw_when_one_ended(listed, at_work)
    shown = [*reversed(at_work), *_in_trouble(listed)]
    if not shown:
        return
    with st.container(border=True, key="jobs-strip", gap="xsmall"):
        for job in shown[:SHOWN]:
            _row(project, job)
        if more := shown[SHOWN:]:
            with st.expander(f"{len(more)} more", key="jobs-more"):
                for job in more:
                    _row(project, job)


def _redraw_when_one_ended(listed: Sequence[Job], at_work: Sequence[Job]) -> None:
    """The page shows what a job has stored, so it is drawn anew when one ends."""
    session = state()
    now_open = {job.id for job in at_work}
    gone = session.seen_open - now_open
    session.seen_open |= now_open
    if not gone:
        return
    session.seen_open -= gone
    for job in listed:
        if job.id in gone and job.state == "done":
            words = f"{widgets.label(job.title)}: {widgets.label(job.message) or 'done'}"
            st.toast(words, icon=":material/check_circle:")
    st.rerun()


def _in_trouble(listed: Sequence[Job]) -> list[Job]:
    """Jobs that failed or were lost, and that nobody has taken up or put away."""
    taken_up = {job.resumes for job in listed}
    gone = state().dismissed | taken_up
    return [j for j in listed if j.state in ("failed", "lost") and j.id not in gone]


def _row(project: Project, job: Job) -> None:
    """One job in one line, with what can be done about it."""
    words, actions = st.columns([5, 2], vertical_alignment="center")
    with words:
        if job.is_open:
            title = f"**{widgets.label(job.title)}**"
            st.progress(job.share or 0.0, text=f"{title} · {_progress(job)}")
        else:
            _why_stopped(job)
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        _log_button(project, job)
        if job.is_open:
            _cancel_button(project, job)
        else:
            _after_it_stopped(project, job)


def _why_stopped(job: Job) -> None:
    said = STATES[job.state][0]
    silent = "Nothing was heard of it for 15 seconds." if job.state == "lost" else ""
    why = f"{job.error or silent} {job.hint or 'What it has done is kept.'}"
    widgets.html(
        f'<div class="arf-text"><b>{widgets.escaped(job.title)}</b> · '
        f'<b class="arf-badge arf-bad">{said}</b> '
        f'<span class="arf-muted">{widgets.escaped(why)}</span></div>'
    )


def _cancel_button(project: Project, job: Job) -> None:
    st.button(
        "Cancel" if job.asked_to_stop is None else "Kill",
        key=f"cancel-{job.id}",
        icon=":material/stop_circle:",
        type="tertiary",
        help="What it has done is kept.",
        on_click=_cancel,
        args=(project, job.id),
    )


def _after_it_stopped(project: Project, job: Job) -> None:
    st.button(
        "Resume",
        key=f"resume-{job.id}",
        icon=":material/resume:",
        type="tertiary",
        on_click=_resume,
        args=(project, job.id),
    )
    st.button(
        "Put away",
        key=f"dismiss-{job.id}",
        type="tertiary",
        on_click=state().dismissed.add,
        args=(job.id,),
    )


def _log_button(project: Project, job: Job, where: str = "strip") -> None:
    """The log is read when somebody opens it."""
    with st.popover("Log", type="tertiary", key=f"{where}-log-{job.id}", on_change="rerun") as log:
        if log.open:
            st.code(widgets.seen(job.command), language=None, wrap_lines=True)
            text = widgets.seen(jobs.log_of(project, job.id))
            st.code(text or "Nothing was written.", language=None, wrap_lines=True)


def _cancel(project: Project, job_id: str) -> None:
    try:
        jobs.cancel(project, job_id)
    except ArfError as fault:
        st.toast(widgets.label(fault.message), icon=":material/info:")


def _resume(project: Project, job_id: str) -> None:
    try:
        state().seen_open.add(jobs.resume(project, job_id).id)
    except ArfError as fault:
        st.toast(widgets.label(fault.message), icon=":material/error:")


def _progress(job: Job) -> str:
    """How far it is, in words."""
    if job.asked_to_stop is not None:
        return "stopping; what is done is kept"
    parts = [job.phase or STATES[job.state][0]]
    if job.total:
        parts.append(f"{job.done:,} of {job.total:,}")
    elif job.done:
        parts.append(f"{job.done:,}")
    if job.message:
        parts.append(widgets.label(job.message))
    if job.seconds_left is not None and job.seconds_left > 1:
        parts.append(f"{duration(job.seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """45 s, 3 min, 2 h 10 min"""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def history(project: Project) -> None:
    """The newest jobs, with what came of each, and their logs."""
    listed = jobs.jobs(project.store, LISTED)
    if not listed:
        return
    with st.expander("Jobs", icon=":material/history:", key="jobs-history"):
        for job in listed:
            said, colour = STATES[job.state]
            words, log = st.columns([5, 1], vertical_alignment="center")
            lasted = f" · {duration(job.seconds)}" if job.seconds is not None else ""
            words.markdown(
                f"**{widgets.label(job.title)}** · :{colour}[{said}]{lasted} · "
                f"{widgets.label(job.error or job.message)}"
            )
            with log:
                _log_button(project, job, "past")
