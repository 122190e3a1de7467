"""`arf demo`: make an example's project."""

from pathlib import Path
from shlex import quote

import typer

from arf_core.cli.options import from_settings
from arf_core.cli.output import JsonFlag, percent, print_json, print_line, print_table
from arf_core.evaluate.rates import Rate
from arf_core.jobs.closed_world import ClosedWorldReport, make_closed_world
from arf_core.jobs.demo import DemoReport, RoundFigures, SystemFigures, make_demo
from arf_core.jobs.kinds import DemoJob


def register(app: typer.Typer) -> None:
    app.command()(demo)


@from_settings(DemoJob)
def demo(
    settings: DemoJob,
    folder: Path = typer.Argument(..., metavar="DIR", help="A new folder for the project."),
    as_json: bool = JsonFlag,
) -> None:
    """Make a sample project and run every step on it: no key, no network."""
    announce = None if as_json else lambda title: print_line(f"… {title}")
    if settings.example == "closed_world":
        world = make_closed_world(folder, announce)
        print_json(world.model_dump()) if as_json else _show_closed_world(world, folder)
        return
    report = make_demo(folder, announce)
    print_json(report.model_dump()) if as_json else _show_demo(report, folder)


def _show_closed_world(report: ClosedWorldReport, folder: Path) -> None:
    names = list(dict.fromkeys(c for s in report.systems.values() for c in s.findings))
    rows = [
        (name, _with_error(of), *(str(of.findings.get(n, 0)) for n in names))
        for name, of in report.systems.items()
    ]
    print_table(
        "Test split: summaries with an error and findings, counted against the facts",
        ("system", "#any error", *(f"#{name}" for name in names)),
        rows,
    )
    print_line(report.note)
    print_line(f"Look around: arf status {quote(str(folder))}")


def _show_demo(report: DemoReport, folder: Path) -> None:
    names = list(dict.fromkeys(c for s in report.systems.values() for c in s.findings))
    rows = [("any error", *(_with_error(s) for s in report.systems.values()))]
    rows += [(n, *(str(s.findings.get(n, 0)) for s in report.systems.values())) for n in names]
    print_table(
        f"Summaries with an error, and findings, as {report.counted_by} counts",
        ("", *(f"#{name}" for name in report.systems)),
        rows,
    )
    r1 = report.systems["r1"]
    if isinstance(r1, RoundFigures):
        print_line(
            f"r1: {r1.edited} summaries edited; findings {r1.fixed} fixed, {r1.not_fixed} not "
            f"fixed, {r1.unchecked} unchecked; {r1.new_errors} new errors."
        )
    against = [(d.name, _two(d.precision), _two(d.recall)) for d in report.detectors]
    print_table("Detectors against the gold", ("detector", "#precision", "#recall"), against)
    print_line(f"Training set: {report.export['rows']} rows in {folder / 'exports' / 'r1'}")
    print_line(report.note)
    print_line(
        f"Look around: arf status {quote(str(folder))}; arf findings {quote(str(folder))} | head"
    )


def _with_error(figures: SystemFigures) -> str:
    rate = Rate(count=figures.with_error, total=figures.summaries)
    return f"{rate.count} of {rate.total}, {percent(rate)}"


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
