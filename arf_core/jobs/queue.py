"""Long actions as processes of their own, each with a row in the store.

`start` enters a row and starts `python -m arf_core.jobs.worker PROJECT ID`; the process works and
writes its progress into the row. So closing the app or the browser changes nothing, and any number
of pages, terminals and people see the same. Whether a job lives is read from its heartbeat, never
from its process id: a killed one shows as lost, and `resume` goes on, as every verb skips what is
done.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Literal, TypeVar
from uuid import uuid4

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, select, update

from arf_core.errors import InputError
from arf_core.jobs.kinds import Lock, command_of, kind_of, name_of, stored_settings
from arf_core.project import Project
from arf_core.records import Record
from arf_core.run import VerbSettings
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.writes import insert_new, to_row

M = TypeVar("M", bound=BaseModel)
Status = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
OPEN = ("queued", "running")
HEARTBEAT_S = 2.0
LOST_AFTER_S = 15.0
PATIENCE_S = 10.0
"""Seconds after which a second request to stop kills the job."""
NEWEST = 50
LOG_TAIL = 20_000
"""Characters of a log to show."""


class Job(Record):
    """A long action: its settings, progress and result."""

    id: str
    kind: str
    title: str
    arguments: str
    """JSON."""
    command: str
    """The command that does the same."""
    writes: tuple[Lock, ...] = ()
    status: Status = "queued"
    """As stored; `state` also tells lost jobs."""
    phase: str = ""
    done: int = 0
    total: int = 0
    """0 where it is not known."""
    rate: float | None = None
    """Items a second."""
    message: str = ""
    """Details on one line."""
    error: str | None = None
    hint: str | None = None
    pid: int | None = None
    resumes: str | None = None
    """The job that this one resumes."""
    follows: str | None = None
    """The job that started this one when it was done."""
    created: datetime
    started: datetime | None = None
    heartbeat: datetime
    asked_to_stop: datetime | None = None
    ended: datetime | None = None

    @property
    def state(self) -> Status:
        """The status, or lost where an open job has had no heartbeat for 15 s."""
        quiet = (datetime.now(UTC) - self.heartbeat).total_seconds() > LOST_AFTER_S
        return "lost" if self.status in OPEN and quiet else self.status

    @property
    def is_open(self) -> bool:
        """Whether it is queued or running, and not lost."""
        return self.state in OPEN

    @property
    def share(self) -> float | None:
        """Share of the current phase that is done, 0 to 1; None where the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate and self.total else None

    @property
    def seconds(self) -> float | None:
        """Running time so far, or in all."""
        end = self.ended or datetime.now(UTC)
        return (end - self.started).total_seconds() if self.started else None


# -- reading ------------------------------------------------------------------------------------


def jobs(store: Store, newest: int = NEWEST) -> list[Job]:
    """The newest jobs, the last one first."""
    query = select(*_columns()).order_by(schema.job.c.seq.desc()).limit(newest)
    with store.read() as conn:
        return [Job.model_validate(dict(row._mapping)) for row in conn.execute(query)]


def open_jobs(store: Store) -> list[Job]:
    """Queued and running jobs, the oldest first, without lost ones."""
    with store.read() as conn:
        return [job for job in _stored_open(conn) if job.is_open]


def find_job(store: Store, job_id: str) -> Job:
    """A job by its id, or by the beginning of it. Raises InputError where none or several fit."""
    query = select(*_columns()).where(schema.job.c.id.startswith(job_id, autoescape=True)).limit(2)
    with store.read() as conn:
        rows = [dict(row._mapping) for row in conn.execute(query)]
    if len(rows) != 1:
        raise InputError(
            f"{'No' if not rows else 'More than one'} job's id begins with {job_id!r}.",
            "arf jobs DIR lists them.",
        )
    return Job.model_validate(rows[0])


def report_of(store: Store, job_id: str, kind: type[M]) -> M | None:
    """The report of a job that is done; None where there is none."""
    with store.read() as conn:
        query = select(schema.job.c.result).where(schema.job.c.id == job_id)
        found = conn.scalar(query)
    return None if found is None else kind.model_validate_json(found)


def folder_of(project: Project, job_id: str) -> Path:
    """Where a job keeps its log and its files."""
    return project.path / "jobs" / job_id


def log_of(project: Project, job_id: str) -> str:
    """The end of a job's log; empty where it wrote none."""
    file = folder_of(project, job_id) / "log.txt"
    if not file.exists():
        return ""
    return file.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]


# -- starting and stopping ----------------------------------------------------------------------


def start(
    project: Project,
    settings: VerbSettings,
    *,
    resumes: str | None = None,
    follows: str | None = None,
) -> Job:
    """Start a job. Returns at once.

    `resumes` is the job that it continues, `follows` the ending job that started it. Raises
    InputError where another open job writes what this one would write.
    """
    job = _entry(project, settings, resumes, follows)
    with project.store.write(counts=False) as conn:
        _refuse_conflict(conn, job)
        insert_new(conn, schema.job, [to_row(job)])
    _spawn(project, job)
    return job


def resume(project: Project, job_id: str) -> Job:
    """Start a lost, failed or cancelled job again with the same settings; what is done is skipped.

    Raises InputError where the job is open or done.
    """
    old = find_job(project.store, job_id)
    if old.state in (*OPEN, "done"):
        raise InputError(
            f"The job {old.title!r} is {old.state}.", "Only a job that has stopped can be resumed."
        )
    end(project.store, old.id, "lost")  # if it still runs, it notices and stops
    return start(project, stored_settings(old.kind, old.arguments), resumes=old.id)


def cancel(project: Project, job_id: str) -> Job:
    """Ask a job to stop; what it has done is kept. A second request after 10 s kills it.

    Raises InputError where the job has ended.
    """
    job = find_job(project.store, job_id)
    if job.status not in OPEN:
        raise InputError(f"The job {job.title!r} has already ended: {job.status}.")
    if job.status == "queued" or job.state == "lost":
        end(project.store, job.id, "cancelled")
    elif _ignores_stop(job):
        end(project.store, job.id, "cancelled")
        _signal(job, signal.SIGKILL)
    else:
        change(project.store, job.id, asked_to_stop=job.asked_to_stop or datetime.now(UTC))
        _signal(job, signal.SIGTERM)
    return find_job(project.store, job.id)


def _ignores_stop(job: Job) -> bool:
    asked = job.asked_to_stop
    return asked is not None and datetime.now(UTC) - asked > timedelta(seconds=PATIENCE_S)


def _signal(job: Job, number: signal.Signals) -> None:
    """Signal the job's process; its heartbeat is fresh, so the process id is still its own."""
    if job.pid is None:
        return
    try:
        # SIGTERM goes to the job alone: it ends its own worker processes
        os.killpg(job.pid, number) if number == signal.SIGKILL else os.kill(job.pid, number)
    except ProcessLookupError:
        sys.stderr.write(f"Job {job.id} ended before it could be asked to stop.\n")


def _entry(
    project: Project, settings: VerbSettings, resumes: str | None, follows: str | None
) -> Job:
    """The row of a job to be started."""
    moment, name = datetime.now(UTC), name_of(settings)
    kind = kind_of(name)
    return Job(
        id=uuid4().hex[:12],
        kind=name,
        title=kind.title(settings),
        arguments=settings.model_dump_json(),
        command=command_of(settings, project.path),
        writes=tuple(kind.locks(settings)),
        resumes=resumes,
        follows=follows,
        created=moment,
        heartbeat=moment,
    )


def _spawn(project: Project, job: Job) -> None:
    """Start a queued job's process in its own session, so that ending the app does not end it."""
    folder = folder_of(project, job.id)
    folder.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module, with the ids that we made)
            [sys.executable, "-m", "arf_core.jobs.worker", str(project.path.resolve()), job.id],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=project.path,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
        )
    Thread(target=_watch, args=(process, project, job.id), daemon=True).start()


def _watch(process: "subprocess.Popen[bytes]", project: Project, job_id: str) -> None:
    """While the parent lives, mark a process that ended without updating its row as lost."""
    code = process.wait()
    if code and project.store.path.exists():
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        change(
            project.store,
            job_id,
            status="lost",
            error=f"Its process ended {how} without a report.",
            hint="Its log may say why. What it has done is kept; resume it.",
            ended=datetime.now(UTC),
        )


# -- rows ---------------------------------------------------------------------------------------


def _refuse_conflict(conn: Connection, job: Job) -> None:
    for other in _stored_open(conn):
        both = _conflict(other.writes, job.writes)
        if both and other.is_open and other.id != job.follows:
            raise InputError(
                f"{job.title!r} cannot start while {other.title!r} runs: both write {both}.",
                f"Wait until it has ended, or cancel it: arf jobs DIR cancel {other.id}",
            )


def _conflict(left: Sequence[Lock], right: Sequence[Lock]) -> str | None:
    """What both lock. A lock on the whole conflicts with one on any part of it."""
    return next(
        (
            a.what
            for a in left
            for b in right
            if a.what == b.what and (a.part == b.part or not a.part or not b.part)
        ),
        None,
    )


def _stored_open(conn: Connection) -> list[Job]:
    query = select(*_columns()).where(schema.job.c.status.in_(OPEN)).order_by(schema.job.c.seq)
    return [Job.model_validate(dict(row._mapping)) for row in conn.execute(query)]


def _columns() -> list[ColumnElement[Any]]:
    return [schema.job.c[name] for name in Job.model_fields]


def change(store: Store, job_id: str, **values: object) -> bool:
    """Change an open job's row; False where it is no longer open."""
    table = schema.job
    statement = update(table).where(table.c.id == job_id, table.c.status.in_(OPEN))
    with store.write(counts=False) as conn:
        return conn.execute(statement.values(**values)).rowcount > 0


def end(store: Store, job_id: str, status: Status) -> bool:
    """Close an open job's row; False where it is already closed."""
    return change(store, job_id, status=status, ended=datetime.now(UTC))
