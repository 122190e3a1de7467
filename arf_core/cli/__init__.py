"""The command line: parse, call a verb, show what came out."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from arf_core import __version__
from arf_core.cli import (
    batch,
    bring_in,
    data,
    finetune,
    jobs,
    models,
    money,
    review,
    settings,
    work,
)
from arf_core.cli.output import plain, print_json
from arf_core.errors import ArfError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

app = typer.Typer(
    name="arf",
    help="Find what a teacher model gets wrong in its summaries, correct it, teach a small model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data.register(app)
bring_in.register(app)
work.register(app)
finetune.register(app)
jobs.register(app)
review.register(app)
money.register(app)
settings.register(app)
app.add_typer(batch.app, name="batch")
app.add_typer(models.app, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arf {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """What a command did is kept: the same command goes on where the last one stopped."""


def main() -> None:
    """The console script. Errors that a user can mend are told, with the remedy; bugs crash."""
    try:
        app()
    except ArfError as error:
        if "--json" in sys.argv:
            print_json({"error": error.message, "hint": error.hint})
        console = Console(stderr=True, highlight=False)
        console.print(Text("Error: ", style="bold red") + plain(error.message), soft_wrap=True)
        if error.hint:
            console.print(plain(error.hint), soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            sys.stderr.write("Stopped. What is done is kept; the same command goes on.\n")
        raise
