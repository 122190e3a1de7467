"""Jobs in the app: start one, and show those that run or failed on every page."""

from collections.abc import Sequence

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs import queue
from arf_core.jobs.queue import Job
from arf_core.project import Project
from arf_core.run import VerbSettings
from ui import widgets
from ui.state import state

EVERY_S = 1.0
SHOWN = 3
"""Jobs in the bar; the others are folded away."""
LISTED = 15
STATES = {
    "queued": ("waiting", "gray"),
    "running": ("running", "blue"),
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "gray"),
    "lost": ("not responding", "orange"),
}


def start(project: Project, work: VerbSettings) -> None:
    """Start a job and rerun the page, which then shows it; if it cannot start, say why."""
    try:
        job = queue.start(project, work)
    except ArfError as fault:
        widgets.error(fault)
        return
    state().seen_open.add(job.id)
    st.toast(f"Started: {widgets.label(job.title)}", icon=":material/play_arrow:")
    st.rerun()


def draw(project: Project) -> None:
    """Jobs that run, with their progress, and those that failed.

    Redraws itself every second while a job runs, and never otherwise.
    """
    listed = queue.jobs(project.store, LISTED)
    running = any(job.is_open for job in listed)
    st.fragment(_bar, run_every=EVERY_S if running else None)(project, running)


def _bar(project: Project, redraws: bool) -> None:
    listed = queue.jobs(project.store, LISTED)
    running = [job for job in listed if job.is_open]
    if running and not redraws:
        st.rerun()
    _rerun_when_one_ends(listed, running)
    shown = [*reversed(running), *_failed(listed)]
    if not shown:
        return
    with st.container(border=True, key="job-bar", gap="xsmall"):
        for job in shown[:SHOWN]:
            _row(project, job)
        if more := shown[SHOWN:]:
            with st.expander(f"Show {len(more)} more", key="jobs-more"):
                for job in more:
                    _row(project, job)


def _rerun_when_one_ends(listed: Sequence[Job], running: Sequence[Job]) -> None:
    """The page shows what a job has stored, so it reruns when one ends."""
    session = state()
    now_open = {job.id for job in running}
    ended = session.seen_open - now_open
    session.seen_open |= now_open
    if not ended:
        return
    session.seen_open -= ended
    for job in listed:
        if job.id in ended and job.state == "done":
            words = f"{widgets.label(job.title)}: {widgets.label(job.message) or 'done'}"
            st.toast(words, icon=":material/check_circle:")
    st.rerun()


def _failed(listed: Sequence[Job]) -> list[Job]:
    """Failed and unresponsive jobs that were neither resumed nor dismissed."""
    resumed = {job.resumes for job in listed}
    handled = state().dismissed | resumed
    return [j for j in listed if j.state in ("failed", "lost") and j.id not in handled]


def _row(project: Project, job: Job) -> None:
    """One job on one line, with its actions."""
    words, actions = st.columns([3, 2], vertical_alignment="center")
    with words:
        if job.is_open:
            title = f"**{widgets.label(job.title)}**"
            st.progress(job.share or 0.0, text=f"{title} · {_progress(job)}")
        else:
            _reason(job)
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        _log_button(project, job)
        if job.is_open:
            _cancel_button(project, job)
        else:
            _resume_buttons(project, job)


def _reason(job: Job) -> None:
    """Why a job stopped, and what to do."""
    words = STATES[job.state][0]
    silent = f"No sign of life for {queue.LOST_AFTER_S:.0f} seconds." if job.state == "lost" else ""
    why = f"{job.error or silent} {job.hint or 'Finished work is kept.'}"
    widgets.html(
        f'<div class="arf-text"><b>{widgets.escaped(job.title)}</b> · '
        f'<b class="arf-badge arf-bad">{words}</b> '
        f'<span class="arf-muted">{widgets.escaped(why)}</span></div>'
    )


def _cancel_button(project: Project, job: Job) -> None:
    st.button(
        "Cancel" if job.asked_to_stop is None else "Force stop",
        key=f"cancel-{job.id}",
        icon=":material/stop_circle:",
        type="tertiary",
        help="Finished work is kept.",
        on_click=_cancel,
        args=(project, job.id),
    )


def _resume_buttons(project: Project, job: Job) -> None:
    st.button(
        "Resume",
        key=f"resume-{job.id}",
        icon=":material/resume:",
        type="tertiary",
        on_click=_resume,
        args=(project, job.id),
    )
    st.button(
        "Dismiss",
        key=f"dismiss-{job.id}",
        type="tertiary",
        on_click=state().dismissed.add,
        args=(job.id,),
    )


def _log_button(project: Project, job: Job, where: str = "bar") -> None:
    """The job's command and its log, read when opened."""
    with st.popover("Log", type="tertiary", key=f"{where}-log-{job.id}", on_change="rerun") as log:
        if log.open:
            st.code(widgets.seen(job.command), language=None, wrap_lines=True)
            text = widgets.seen(queue.log_of(project, job.id))
            st.code(text or "The log is empty.", language=None, wrap_lines=True)


def _cancel(project: Project, job_id: str) -> None:
    try:
        queue.cancel(project, job_id)
    except ArfError as fault:
        st.toast(widgets.label(fault.message), icon=":material/info:")


def _resume(project: Project, job_id: str) -> None:
    try:
        state().seen_open.add(queue.resume(project, job_id).id)
    except ArfError as fault:
        st.toast(widgets.label(fault.message), icon=":material/error:")


def _progress(job: Job) -> str:
    """Progress in words: "reading teacher · 30 of 120 · 9 s left"."""
    if job.asked_to_stop is not None:
        return "stopping; finished work is kept"
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
    """Recent jobs with their outcomes and logs."""
    listed = queue.jobs(project.store, LISTED)
    if not listed:
        return
    with st.expander("Recent jobs", icon=":material/history:", key="jobs-history"):
        for job in listed:
            words, colour = STATES[job.state]
            left, right = st.columns([5, 1], vertical_alignment="center")
            parts = [f"**{widgets.label(job.title)}**", f":{colour}[{words}]"]
            if job.seconds is not None:
                parts.append(duration(job.seconds))
            if outcome := job.error or job.message:
                parts.append(widgets.label(outcome))
            left.markdown(" · ".join(parts))
            with right, st.container(horizontal=True, horizontal_alignment="right"):
                _log_button(project, job, "past")
