"""The process of a job: it runs the verb and writes progress into the job's row.

A thread writes a heartbeat every two seconds. SIGTERM ends the work as Ctrl-C ends a command: what
is done is kept, and the job is cancelled. When the job is no longer open (it was taken for lost and
resumed), the process stops by itself.
"""

import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import NamedTuple

from pydantic import BaseModel

from arf_core.errors import ArfError, InputError
from arf_core.jobs.kinds import JobKind, kind_of, stored_settings
from arf_core.jobs.queue import HEARTBEAT_S, find_job, folder_of, start
from arf_core.jobs.rows import Job, change, end
from arf_core.project import Project
from arf_core.run import VerbSettings

WRITE_S = 0.5
"""Seconds between two writes of the work's own progress, at least."""
BUG = "See the log of the job: arf jobs {project} log {job}"


class PhaseState(NamedTuple):
    """Progress in one phase."""

    phase: str = ""
    done: int = 0
    total: int = 0


class Heartbeat:
    """Keeps the job's row up to date while the work runs."""

    def __init__(self, project: Project, job: Job) -> None:
        self._project = project
        self._job = job
        self._at = PhaseState()
        self._began = (time.monotonic(), 0)
        self._written = 0.0
        self._over = Event()
        self._writing = Lock()
        self._thread = Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def progress(self, phase: str, done: int, total: int) -> None:
        """Record the work's progress."""
        if phase != self._at.phase:
            self._began = (time.monotonic(), done)
        self._at = PhaseState(phase, done, total)
        if time.monotonic() - self._written > WRITE_S:
            self._write()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_S):
            if not self._write():
                sys.stderr.write("This job is no longer open: it stops.\n")
                os.kill(os.getpid(), signal.SIGINT)
                return

    def _write(self) -> bool:
        with self._writing:
            self._written = time.monotonic()
            return change(self._project.store, self._job.id, **self._row())

    def _row(self) -> dict[str, object]:
        at, run = self._at, self._project.meter.now()
        since, before = self._began
        gained, seconds = at.done - before, time.monotonic() - since
        own = gained / seconds if gained > 0 and seconds > 0 else None
        return {
            "phase": at.phase,
            "done": at.done,
            "total": at.total,
            "rate": run.rate if run.total else own,
            "message": run.in_words(self._project.settings.limits.currency) if run.total else "",
            "heartbeat": datetime.now(UTC),
        }


def main(path: str, job_id: str) -> int:
    """Do the work of a queued job. Returns the exit code: 0 done, 1 failed, 130 cancelled."""
    with Project.open(path) as project:
        job = find_job(project.store, job_id)
        signal.signal(signal.SIGTERM, _stop)
        begun = datetime.now(UTC)
        if not change(
            project.store,
            job.id,
            status="running",
            pid=os.getpid(),
            started=begun,
            heartbeat=begun,
        ):
            return 130  # cancelled before it began
        return _work(project, job)


def _stop(number: int, frame: object) -> None:
    """Handle SIGTERM like Ctrl-C, which every verb handles; further ones are ignored."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.raise_signal(signal.SIGINT)


def _work(project: Project, job: Job) -> int:
    try:
        kind, settings = kind_of(job.kind), stored_settings(job.kind, job.arguments)
        with Heartbeat(project, job) as heartbeat:
            folder = folder_of(project, job.id)
            report = kind.run(project, settings, folder, heartbeat.progress)
    except KeyboardInterrupt:
        end(project.store, job.id, "cancelled")
        return 130
    except ArfError as fault:
        traceback.print_exc()
        _failed(project, job, fault.message, fault.hint)
        return 1
    except BaseException as fault:
        # a bug: reported in the row, with the trace in the log, and not swallowed
        traceback.print_exc()  # before the row: a reader of "failed" may look at once
        hint = BUG.format(project=project.path, job=job.id)
        _failed(project, job, f"{type(fault).__name__}: {fault}", hint)
        if not isinstance(fault, Exception):
            raise
        return 1
    _done(project, job, kind, settings, report)
    return 0


def _failed(project: Project, job: Job, message: str, hint: str) -> None:
    moment = datetime.now(UTC)
    change(project.store, job.id, status="failed", error=message, hint=hint, ended=moment)


def _done(
    project: Project, job: Job, kind: JobKind, settings: VerbSettings, report: BaseModel
) -> None:
    # while this one is still open, so that there is no moment without an open job
    refused = [_follow(project, job, s) for s in kind.followed_by(project, settings)]
    change(
        project.store,
        job.id,
        status="done",
        result=report.model_dump_json(),
        message=" ".join(filter(None, (kind.summary(report), *refused))),
        ended=datetime.now(UTC),
    )


def _follow(project: Project, job: Job, settings: VerbSettings) -> str:
    """Start a job that follows this one; returns why it cannot start."""
    try:
        start(project, settings, follows=job.id)
    except InputError as refused:
        return str(refused)
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
