"""The rows of jobs in the store: what a job was asked, its progress and result."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, select, update

from arf_core.errors import InputError
from arf_core.jobs.kinds import Lock
from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store

Status = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
OPEN = ("queued", "running")
LOST_AFTER_S = 15.0


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


def refuse_conflict(conn: Connection, job: Job) -> None:
    for other in stored_open(conn):
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


def stored_open(conn: Connection) -> list[Job]:
    query = select(*columns()).where(schema.job.c.status.in_(OPEN)).order_by(schema.job.c.seq)
    return [Job.model_validate(dict(row._mapping)) for row in conn.execute(query)]


def columns() -> list[ColumnElement[Any]]:
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
