"""What commands print: one JSON object, or text for people; progress goes to stderr."""

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

# What a terminal could take for a command, in text that strangers wrote (DEL and C1 as well).
CONTROL = {c: f"\\x{c:02x}" for c in (*range(9), 11, 12, *range(14, 32), *range(127, 160))}


class SplitName(StrEnum):
    """The splits, as Typer wants a choice to be told."""

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
    """Text as it is: no markup, no control characters."""
    return Text(str(text).translate(CONTROL))


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table on stdout; columns whose name begins with "#" hold numbers."""
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
    """A run in words."""
    parts = [f"{report.done} done"]
    if report.skipped:
        parts.append(f"{report.skipped} done before")
    if report.pending:
        parts.append(f"{report.pending} waiting for replies by file")
    parts += [f"{n} failed ({reason})" for reason, n in report.failed.most_common()]
    print_line(f"{what}: {', '.join(parts)} of {report.asked}, in {report.seconds:.1f} s.")
    if report.pending:
        print_line("Write the waiting requests with: arf batch write")
    for note in report.notes:
        print_line(f"Note: {note}")


def exit_code(*reports: RunReport) -> int:
    """1 where some items failed, else 0."""
    return 1 if any(report.failed for report in reports) else 0


def percent(rate: "Rate") -> str:
    """A rate with its interval, for people."""
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{100 * (rate.share or 0):.0f} % ({100 * low:.0f}–{100 * high:.0f})"


class _Calls(ProgressColumn):
    """Rate, calls in flight, failures and cost, as they are when the bar is drawn."""

    max_refresh = 0.5

    def __init__(self, project: Project) -> None:
        super().__init__()
        self._project = project

    def render(self, task: Task) -> Text:
        currency = self._project.settings.limits.currency
        return plain(self._project.meter.now().in_words(currency))


@contextmanager
def progress(what: str, project: Project | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr, while something is done; nothing where stderr is no terminal.

    For a run on a project, with what the calls to its models are doing."""
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

        def told(done: int, total: int, now_doing: str = what) -> None:
            bar.update(
                task, completed=done, total=total or None, description=now_doing.capitalize()
            )

        yield told
