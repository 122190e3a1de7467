"""`arf import`: conversations come into a project."""

from pathlib import Path
from shlex import quote

import typer

from arf_core.cli.options import from_settings
from arf_core.cli.output import JsonFlag, print_json, print_line, print_table, progress
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
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import read_settings


def register(app: typer.Typer) -> None:
    fields, shapes = ", ".join(FIELDS), ", ".join(SHAPES)
    app.command("import", epilog=f"Fields: {fields}. Shapes: {shapes}.")(import_)


@from_settings(ImportSettings)
def import_(
    settings: ImportSettings,
    folder: Path = typer.Argument(
        ..., metavar="DIR", help="The project's folder; created if there is none."
    ),
    files: list[str] = typer.Argument(..., metavar="FILE…", help="Files, folders, dataset names."),
    show: bool = typer.Option(False, "--preview", help="Show the mapping; store nothing."),
    as_json: bool = JsonFlag,
) -> None:
    """Import conversations and summaries, and report on every row."""
    is_project = (folder / SETTINGS_FILE).is_file()
    if show:
        known = read_settings(folder / SETTINGS_FILE) if is_project else None
        privacy, shares = (known.privacy, known.split) if known else (None, None)
        seen = preview(files, settings, shares=shares, privacy=privacy)
        print_json(seen.model_dump(mode="json")) if as_json else _show_preview(seen)
        return
    opened = Project.open(folder) if is_project else Project.create(folder)
    with opened as project, progress("Reading") as bar:
        report = load(
            project, files, settings, progress=lambda phase, done, total: bar(done, total, phase)
        )
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_report(report, folder)
    raise typer.Exit(1 if report.rejected_by_reason else 0)


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
    print_line("\nNothing was stored. Run without --preview to import.")


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
        f"already there; {rejected} rows rejected."
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
        return f"Conversations without a summary: {report.without_summary}."
    return "No column was recognised as a summary. If there is one: --map summary=COLUMN."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"
