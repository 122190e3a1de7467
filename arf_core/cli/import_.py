"""`arf import` and `arf demo`: conversations come into a project."""

from enum import StrEnum
from pathlib import Path
from shlex import quote

import typer
from pydantic import ValidationError

from arf_core.cli.output import JsonFlag, percent, print_json, print_line, print_table, progress
from arf_core.errors import InputError, validation_message
from arf_core.evaluate.rates import Rate
from arf_core.importing import (
    FIELDS,
    SHAPES,
    ImportPreview,
    ImportReport,
    ImportSettings,
    TableMapping,
    load,
    preview,
)
from arf_core.jobs.closed_world import ClosedWorldReport, make_closed_world
from arf_core.jobs.demo import DemoReport, RoundFigures, SystemFigures, make_demo
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import read_settings

Folder = typer.Argument(..., metavar="DIR", help="The project's folder; made if there is none.")


class ExampleName(StrEnum):
    support = "support"
    closed_world = "closed_world"


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(demo)


def import_(
    folder: Path = Folder,
    files: list[str] = typer.Argument(..., metavar="FILE…", help="Files, folders, dataset names."),
    map_: list[str] = typer.Option(
        [],
        "--map",
        metavar="FIELD=COLUMN",
        help=f"Say what a column is. Fields: {', '.join(FIELDS)}.",
    ),
    shape: str = typer.Option(None, help=f"How rows make conversations: {', '.join(SHAPES)}."),
    delimiter: str = typer.Option(None, help="What stands between turns joined in one text."),
    separator: str = typer.Option(None, help="What stands between the cells of a CSV file."),
    header: bool = typer.Option(
        None,
        "--header/--no-header",
        help="Does the first line of a CSV file name the columns? Else it is found out.",
    ),
    speaker: list[str] = typer.Option(
        [], metavar="LABEL=ROLE", help="Who is customer, agent or bot."
    ),
    system: str = typer.Option("teacher", help="Who wrote the summaries."),
    source: str = typer.Option(None, help="The data set's name; else the file's."),
    encoding: str = typer.Option(None, help="Of text files, where it is not UTF-8 or UTF-16."),
    attributes: str = typer.Option(None, help="Columns to keep for slicing: a,b,c, or none."),
    limit: int = typer.Option(None, min=1, help="Only the first conversations."),
    rejects: Path = typer.Option(None, help="Write the rows that were not taken to this file."),
    show: bool = typer.Option(False, "--preview", help="Show how it would be read; store nothing."),
    as_json: bool = JsonFlag,
) -> None:
    """Bring in conversations and summaries, and say what became of every row."""
    options = _options(
        shape=shape,
        columns=_pairs("--map", map_),
        delimiter=delimiter,
        separator=separator,
        header=header,
        speakers=_pairs("--speaker", speaker),
        system=system,
        source=source,
        encoding=encoding,
        attributes=_names(attributes),
        limit=limit,
        rejects_to=rejects,
    )
    if show:
        known = read_settings(folder / SETTINGS_FILE) if _is_project(folder) else None
        privacy, shares = (known.privacy, known.split) if known else (None, None)
        seen = preview(files, options, shares=shares, privacy=privacy)
        print_json(seen.model_dump(mode="json")) if as_json else _show_preview(seen)
        return
    made = not _is_project(folder)
    opened = Project.create(folder) if made else Project.open(folder)
    with opened as project, progress("Reading") as told:
        report = load(project, files, options, progress=lambda what, n, of: told(n, of, what))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_report(report, folder)
    raise typer.Exit(1 if report.rejected_by_reason else 0)


def _options(**values: object) -> ImportSettings:
    try:
        return ImportSettings.model_validate(values)
    except ValidationError as error:
        raise InputError(
            f"These flags do not fit: {validation_message(error)}", "See arf import -h."
        ) from error


def _pairs(flag: str, given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for left, equals, _ in pairs:
        if not equals or not left:
            raise InputError(f"{flag} {left!r} is no pair.", f"Write {flag} NAME=VALUE.")
    return {left: right for left, _, right in pairs}


def _names(given: str | None) -> tuple[str, ...] | None:
    """None where nothing was said, () for the word none."""
    if given is None:
        return None
    return () if given == "none" else tuple(name.strip() for name in given.split(","))


def _is_project(folder: Path) -> bool:
    return (folder / SETTINGS_FILE).is_file()


def _show_preview(seen: ImportPreview) -> None:
    _show_mappings(seen.mappings)
    summaries = {s.conversation_id: s.text for s in seen.summaries}
    for conversation in seen.conversations[:3]:
        print_line(f"\nConversation {conversation.external_id} ({len(conversation.turns)} turns)")
        for turn in conversation.turns[:6]:
            print_line(f"  {turn.speaker}: {_short(turn.text)}")
        print_line(f"  Summary: {_short(summaries.get(conversation.id, 'none'))}")
    for note in seen.notes:
        print_line(f"Note: {note}")
    print_line("\nNothing was stored. Leave --preview out to import.")


def _show_mappings(mappings: list[TableMapping]) -> None:
    for mapping in mappings:
        print_line(f"{_files(mapping)}: {SHAPES[mapping.shape]}.")
        rows = [(r.field, r.column or "–", r.why) for r in mapping.reasons]
        print_table("", ("field", "column", "because"), rows)
        print_line(f"Attributes: {', '.join(mapping.attributes) or 'none'}.")


def _files(mapping: TableMapping) -> str:
    more = mapping.file_count - len(mapping.files[:3])
    return ", ".join(mapping.files[:3]) + (f" and {more:,} more" if more else "")


def _show_report(report: ImportReport, folder: Path) -> None:
    _show_mappings(report.mappings)
    rejected = sum(report.rejected_by_reason.values())
    by_system = ", ".join(f"{n} of {name}" for name, n in report.summaries_by_system.items())
    print_line(
        f"{report.read} rows read in {report.seconds:.1f} s: {report.conversations} new "
        f"conversations with {report.messages} messages and {report.summaries} summaries"
        f"{f' ({by_system})' if by_system else ''} stored; {report.duplicates} conversations were "
        f"there already; {rejected} rows rejected."
    )
    print_line(_without_summary(report))
    for reason, n in report.rejected_by_reason.most_common():
        print_line(f"  {n} rejected: {reason}")
    for row in report.rejected[:5]:
        print_line(f"    {row.file}, line {row.line}: {row.reason} {_short(row.seen)}")
    for note in report.notes:
        print_line(f"Note: {note}")
    print_line(
        f"Next: arf analyze {quote(str(folder))}"
        if report.summaries
        else f"Next: arf status {quote(str(folder))}"
    )


def _without_summary(report: ImportReport) -> str:
    if any("summary" in mapping.columns for mapping in report.mappings):
        return f"Of the conversations read, {report.without_summary} without a summary."
    return "No column was taken for a summary; if there is one: --map summary=COLUMN."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"


def demo(
    folder: Path = typer.Argument(..., metavar="DIR", help="A new folder for the sample project."),
    example: ExampleName = typer.Option(
        ExampleName.support,
        help="support: written conversations. closed_world: generated ones, whose truth is known, "
        "with trained students.",
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Make the sample project and take it the whole way: no key, no network."""
    told = None if as_json else lambda title: print_line(f"… {title}")
    if example is ExampleName.closed_world:
        known = make_closed_world(folder, told)
        print_json(known.model_dump()) if as_json else _show_closed_world(known, folder)
        return
    report = make_demo(folder, told)
    if as_json:
        print_json(report.model_dump())
    else:
        _show_demo(report, folder)


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
