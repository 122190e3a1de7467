"""Commands for a project's data: init, label, export, status."""

from pathlib import Path
from shlex import quote

import typer

from arf_core.analysis.annotations import load_labels
from arf_core.cli.options import Folder, from_settings
from arf_core.cli.output import (
    JsonFlag,
    percent,
    print_json,
    print_line,
    print_table,
)
from arf_core.evaluate.rates import Rate, error_rates
from arf_core.models.providers.batch import count_waiting
from arf_core.project import Project
from arf_core.records import Record, System
from arf_core.store.queries import count_summaries, detectors_of
from arf_core.training.export import ExportSettings
from arf_core.training.export import export as run_export


def register(app: typer.Typer) -> None:
    for command in (init, label, export, status):
        app.command()(command)


def init(
    folder: Path = typer.Argument(..., metavar="DIR", help="A new or empty folder."),
    name: str = typer.Option(None, help="The project's name (default: the folder's)."),
    as_json: bool = JsonFlag,
) -> None:
    """Create a project."""
    with Project.create(folder, name) as project:
        made = {"project": str(folder), "name": project.settings.name}
    if as_json:
        print_json(made)
    else:
        print_line(
            f"Created the project {made['name']!r}. Next: arf import {quote(str(folder))} FILE"
        )


def label(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="A person's findings, as JSONL."),
    by: str = typer.Option(..., help="Name of the reader; the detector is person:NAME."),
    system: str = typer.Option("teacher", help="System whose summaries were read."),
    as_json: bool = JsonFlag,
) -> None:
    """Import a person's findings from a file, to measure detectors."""
    with Project.open(folder) as project:
        report = load_labels(project, file, by, system)
    if as_json:
        print_json(report.model_dump())
    else:
        print_line(
            f"{report.summaries} summaries read by {by}, with {report.findings} findings; "
            f"{len(report.rejected)} lines rejected."
        )
        for line in report.rejected[:10]:
            print_line(f"  line {line}")
    raise typer.Exit(1 if report.rejected else 0)


@from_settings(ExportSettings)
def export(
    settings: ExportSettings,
    folder: Path = Folder,
    into: Path = typer.Argument(..., metavar="FOLDER", help="Folder for the training set."),
    as_json: bool = JsonFlag,
) -> None:
    """Write a training set: chat-format JSONL, a datasets folder, and a card."""
    with Project.open(folder) as project:
        report = run_export(project, settings, into=into.resolve())
    if as_json:
        print_json(report.model_dump())
        return
    print_line(f"{report.rows} rows of {report.system} written to {into}.")
    rows = [(o, n, "exported") for o, n in report.by_origin.items()]
    rows += [(o, n, "left out") for o, n in report.left_out.items()]
    print_table("", ("rows", "#count", ""), rows)


def status(folder: Path = Folder, as_json: bool = JsonFlag) -> None:
    """Print the project's systems and their error rates."""
    with Project.open(folder) as project:
        overview = [_overview(project, system) for system in project.store.all(System)]
        waiting = count_waiting(project.store)
        if as_json:
            print_json(
                {
                    "project": project.settings.name,
                    "systems": [s.model_dump() for s in overview],
                    "waiting": waiting,
                }
            )
            return
        if not overview:
            print_line(
                f"{project.settings.name} is empty. Next: arf import {quote(str(folder))} FILE"
            )
            return
        rows = [
            (s.name, s.kind, s.parent or "", s.summaries, detector, percent(rate))
            for s in overview
            for detector, rate in (
                s.with_error.items() or [("no detector", Rate(count=0, total=0))]
            )
        ]
        columns = ("system", "kind", "made from", "#summaries", "read by", "#with an error")
        print_table(project.settings.name, columns, rows)
        if waiting:
            where = quote(str(folder))
            print_line(f"{waiting} requests are pending: arf batch write {where} FILE")


class SystemStatus(Record):
    """A system with its error rate by each detector."""

    name: str
    kind: str
    parent: str | None
    summaries: int
    with_error: dict[str, Rate]


def _overview(project: Project, system: System) -> SystemStatus:
    store = project.store
    return SystemStatus(
        name=system.name,
        kind=system.kind,
        parent=system.parent,
        summaries=count_summaries(store, system.name),
        with_error={
            d: error_rates(store, system.name, d).any_error
            for d in detectors_of(store, system.name)
        },
    )
