"""`arf jobs`: list background jobs, show a log, cancel, resume."""

from pathlib import Path

import typer

from arf_core.cli.options import Folder
from arf_core.cli.output import JsonFlag, print_json, print_line, print_table
from arf_core.jobs import queue as core
from arf_core.project import Project

JobAction = typer.Argument("list", metavar="[list|log|cancel|resume]", help="Action.")
JobId = typer.Argument(None, metavar="[ID]", help="A job's id, or its first characters.")


def register(app: typer.Typer) -> None:
    app.command()(jobs)


def jobs(
    folder: Path = Folder, what: str = JobAction, job: str | None = JobId, as_json: bool = JsonFlag
) -> None:
    """List background jobs; show a job's log, cancel it or resume it."""
    actions = {"log": _log, "cancel": _cancel, "resume": _resume}
    with Project.open(folder) as project:
        if what == "list" and job is None:
            _list(project, as_json)
        elif what in actions and job is not None:
            actions[what](project, core.find_job(project.store, job).id, as_json)
        else:
            raise typer.BadParameter(
                "give `list`, or one of log, cancel, resume and a job's id", param_hint="action"
            )


def _list(project: Project, as_json: bool) -> None:
    found = core.jobs(project.store)
    if as_json:
        print_json({"jobs": [_dumped(job) for job in found]})
        return
    rows = [(j.id, j.title, j.state, _progress(j), j.error or j.message) for j in found]
    print_table("", ("job", "what", "state", "#progress", "message"), rows)


def _log(project: Project, job_id: str, as_json: bool) -> None:
    log = core.log_of(project, job_id)
    print_json({"job": job_id, "log": log}) if as_json else print_line(log)


def _cancel(project: Project, job_id: str, as_json: bool) -> None:
    job = core.cancel(project, job_id)
    line = f"Asked {job.title!r} to stop; finished work is kept."
    print_json(_dumped(job)) if as_json else print_line(line)


def _resume(project: Project, job_id: str, as_json: bool) -> None:
    job = core.resume(project, job_id)
    print_json(_dumped(job)) if as_json else print_line(f"Resumed {job.title!r} as job {job.id}.")


def _dumped(job: core.Job) -> dict[str, object]:
    return job.model_dump(mode="json") | {"state": job.state}


def _progress(job: core.Job) -> str:
    if not job.total:
        return f"{job.done:,}" if job.done else ""
    return f"{job.done:,} of {job.total:,}"
