"""`arf set` and `arf taxonomy`: a project's settings and its error categories."""

from pathlib import Path

import typer

from arf_core.checks import CATEGORIES
from arf_core.cli.options import Folder
from arf_core.cli.output import JsonFlag, print_json, print_line
from arf_core.errors import InputError
from arf_core.models import open_model
from arf_core.project import Project
from arf_core.project.configure import as_argument, change, value_of
from arf_core.project.taxonomy import DEFAULT
from arf_core.project.taxonomy_edit import (
    TaxonomyPreview,
    preview,
    save_taxonomy,
    taxonomy_text,
    use_shipped,
)


def register(app: typer.Typer) -> None:
    app.command("set")(set_)
    app.command()(taxonomy)


def set_(
    folder: Path = Folder,
    settings: list[str] = typer.Argument(
        ...,
        metavar="NAME=VALUE…",
        help="Settings, such as privacy.offline=true roles.detector=big.",
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Change settings in arf.toml; an empty value removes a setting."""
    pairs = [text.partition("=") for text in settings]
    for name, equals, _ in pairs:
        if not equals:
            raise InputError(f"{name!r} has no value.", "Write it like limits.budget=5.")
    values = {name: value_of(value) for name, _, value in pairs}
    with Project.open(folder) as project:
        change(project, values, open_model)
    if as_json:
        print_json({"set": values})
    else:
        print_line(f"Set {', '.join(as_argument(n, v) for n, v in values.items())}.")


def taxonomy(
    folder: Path | None = typer.Argument(
        None, metavar="[DIR]", help="A project (default: the shipped taxonomy)."
    ),
    use: Path = typer.Option(None, metavar="FILE", help="Make this file the project's taxonomy."),
    check: Path = typer.Option(
        None, metavar="FILE", help="Print what this file would change; change nothing."
    ),
    shipped: bool = typer.Option(False, "--shipped", help="Go back to the shipped taxonomy."),
) -> None:
    """Print the error categories as YAML to edit, or make an edited file the project's own."""
    if folder is None:
        if use or check or shipped:
            raise InputError("No project is given.", "Name the project's folder.")
        typer.echo(DEFAULT.read_text(encoding="utf-8"), nl=False)
        return
    with Project.open(folder) as project:
        if given := check or use:
            _show(preview(project, _text(given), CATEGORIES))
        if use:
            save_taxonomy(project, _text(use))
            print_line(f"Saved as the taxonomy of {folder}.")
        elif shipped:
            use_shipped(project)
            print_line(f"{folder} uses the shipped taxonomy again.")
        elif not check:
            typer.echo(taxonomy_text(project), nl=False)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read: {error}.", "Give a YAML file in UTF-8."
        ) from error


def _show(seen: TaxonomyPreview) -> None:
    if seen.changes_nothing:
        print_line("No category changes.")
    for category in seen.categories:
        fields = f": {', '.join(category.fields)}" if category.fields else ""
        print_line(f"{category.kind} {category.id}{fields}")
    if seen.prompts:
        print_line(f"Other prompts: {', '.join(p.task for p in seen.prompts)}.")
    for old in seen.outdated:
        print_line(
            f"{old.detector} read {old.summaries} summaries of {old.system} with another taxonomy; "
            "their findings stay until it reads them again."
        )
    for gone, n in seen.orphaned:
        print_line(f"{n} findings have the category {gone}, which this taxonomy lacks.")
    if seen.unruled:
        print_line(f"The rules will not look for {', '.join(seen.unruled)}.")
