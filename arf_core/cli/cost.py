"""`arf cost` and `arf ledger`: the cost of calls, and what was sent where."""

from pathlib import Path

import typer

from arf_core.cli.options import Folder
from arf_core.cli.output import JsonFlag, print_json, print_line, print_table
from arf_core.models.cost import costs, ledger, spent
from arf_core.project import Project


def register(app: typer.Typer) -> None:
    app.command()(cost)
    app.command("ledger")(show_ledger)


def cost(folder: Path = Folder, as_json: bool = JsonFlag) -> None:
    """Print the cost of calls by model, task and system."""
    with Project.open(folder) as project:
        rows, total = costs(project.store), spent(project.store)
        limits = project.settings.limits
    if as_json:
        print_json(
            {
                "total": total,
                "currency": limits.currency,
                "budget": limits.budget,
                "rows": [r.model_dump() | {"per_thousand": r.per_thousand} for r in rows],
            }
        )
        return
    if not rows:
        print_line("No calls have been made yet.")
        return
    columns = ("model", "task", "system", "#calls", "#failed", "#tokens in", "#out", "#cost")
    shown = [
        (
            r.model,
            r.task,
            r.system,
            r.calls,
            r.failed,
            r.prompt_tokens,
            r.completion_tokens,
            "no price" if r.cost is None else f"{r.cost:.4f}",
        )
        for r in rows
    ]
    print_table("", columns, shown)
    of = f" of a budget of {limits.budget:g}" if limits.budget is not None else ""
    print_line(f"Total: {total:.4f} {limits.currency}{of}.")


def show_ledger(
    folder: Path = Folder,
    newest: int = typer.Option(100, min=1, help="Number of newest entries."),
    as_json: bool = JsonFlag,
) -> None:
    """Print what was sent to which host, when and how much."""
    with Project.open(folder) as project:
        entries = ledger(project.store, newest)
    if as_json:
        print_json({"entries": [e.model_dump(mode="json") for e in entries]})
        return
    if not entries:
        print_line("Nothing has been sent to any host.")
        return
    rows = [
        (
            f"{e.at:%Y-%m-%d %H:%M:%S}",
            e.host,
            e.model,
            e.task,
            e.system,
            e.calls,
            f"{e.bytes / 1000:.1f} kB",
            "yes" if e.masked else "no",
        )
        for e in entries
    ]
    columns = ("when (UTC)", "host", "model", "task", "system", "#calls", "#sent", "masked")
    print_table("", columns, rows)
