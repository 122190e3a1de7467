"""Rows of jobs, as their processes would have written them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.jobs.queue import Job
from arf_core.project import Project
from arf_core.store import schema
from arf_core.store.writes import insert_new, to_row


def enter(project: Path, silent_s: float = 0, **fields: object) -> Job:
    """A job's row, as a process would have written it that was last heard of so long ago."""
    heard = datetime.now(UTC) - timedelta(seconds=silent_s)
    given = {
        "id": uuid4().hex[:12],
        "kind": "analyze",
        "title": "Analyze teacher with the rules",
        "arguments": AnalyzeSettings().model_dump_json(),
        "command": "arf analyze DIR",
        "status": "running",
        "created": heard,
        "started": heard,
        "heartbeat": heard,
    }
    job = Job.model_validate(given | fields)
    with Project.open(project) as opened, opened.store.write(counts=False) as conn:
        insert_new(conn, schema.job, [to_row(job)])
    return job
