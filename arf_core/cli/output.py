"""Output of commands: one JSON object, or text for people; progress goes to stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from arf_core.project import Project
from arf_core.records import RunReport

if TYPE_CHECKING:
    from arf_core.evaluate.rates import Rate

# Control characters (DEL and C1 too): a terminal could take them for commands.
CONTROL = {c: f"\\x{c:02x}" for c in (*range(9), 11, 12, *range(14, 32), *range(127, 160))}


class SplitName(StrEnum):
    """The splits, as an enum for Typer."""

    train = "train"
    dev = "dev"
    test = "test"


JsonFlag = typer.Option(False, "--json", help="Print one JSON object, and nothing else.")


def print_json(data: Any) -> None:
    """One JSON value on a line of stdout."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    sys.stdout.write(text.translate(JSON_CONTROL) + "\n")


JSON_CONTROL = {c: f"\\u{c:04x}" for c in range(127, 160)}


def plain(text: object) -> Text:
    """The text without markup or control characters."""
    return Text(str(text).translate(CONTROL))


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; columns whose names begin with "#" hold numbers."""
    table = Table(title=title or None, title_justify="left", title_style="bold")
    for name in columns:
        justify: Literal["left", "right"] = "right" if name.startswith("#") else "left"
        table.add_column(name.lstrip("#"), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    Console().print(table)


def print_line(text: object) -> None:
    Console(highlight=False).print(plain(text), soft_wrap=True)


def print_run(what: str, report: RunReport) -> None:
    """Print a run's counts and notes."""
    print_line(f"{what}: {report.in_words()} of {report.asked:,}, in {report.seconds:.1f} s.")
    if report.pending:
        print_line("Write the pending requests to a file with: arf batch write")
    for note in report.notes:
        print_line(f"Note: {note}")


def exit_code(*reports: RunReport) -> int:
    """1 if any item failed, else 0."""
    return 1 if any(report.failed for report in reports) else 0


def percent(rate: "Rate") -> str:
    """A rate with its interval."""
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{100 * (rate.share or 0):.0f} % ({100 * low:.0f}–{100 * high:.0f})"


class _Calls(ProgressColumn):
    """Rate, calls in flight, failures and cost of the current run."""

    max_refresh = 0.5

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project

    def render(self, task: Task) -> Text:
        currency = self._project.settings.limits.currency
        return plain(self._project.meter.now().in_words(currency))


@contextmanager
def progress(what: str, project: Project | None = None) -> Iterator[Callable[..., None]]:
    """Show a progress bar on stderr, if that is a terminal.

    With a project, it also shows the live figures of the calls to models.
    """
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    ]
    if project is not None:
        columns.append(_Calls(project))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int, phase: str = what) -> None:
            bar.update(task, completed=done, total=total or None, description=phase.capitalize())

        yield show
