"""The command line: parse, call a verb, print the result."""

import sys
from importlib import import_module
from io import TextIOWrapper

import typer

from arf_core import __version__
from arf_core.errors import ArfError, of_system

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

# Typer has a copy of Click of its own, whose exceptions it does not name.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

PARTS = {
    "data": ("init", "label", "export", "status"),
    "import_": ("import",),
    "demo": ("demo",),
    "work": ("analyze", "findings", "revise", "verify"),
    "finetune": ("finetune", "generate"),
    "jobs": ("jobs",),
    "review": ("review",),
    "cost": ("cost", "ledger"),
    "settings": ("set", "taxonomy"),
    "batch": ("batch",),
    "models": ("models",),
}
"""Modules with `register(app)` and their commands. Only the module of the given command is
imported, as importing all of them takes a second or two."""


def _version(given: bool) -> None:
    if given:
        typer.echo(f"arf {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Every command keeps what it has done; run it again to continue."""


def build(command: str | None = None) -> typer.Typer:
    """The command line, or only the part that has this command."""
    made = typer.Typer(
        name="arf",
        help="Find what a teacher model gets wrong in its summaries, correct it, "
        "and teach a small model with the result.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_options)
    for part in [p for p, commands in PARTS.items() if command in commands] or PARTS:
        import_module(f"{__name__}.{part}").register(made)
    return made


def main() -> None:
    """The console script. It prints errors that a user can fix, with the remedy; bugs crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal without a character shows its code instead of ending the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except ArfError as error:
        _print_error(error)
        code = error.exit_code
    except KeyboardInterrupt:  # while modules were being imported
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("Stopped. Finished work is kept; run the same command to continue.\n")
    sys.exit(code)


def _run() -> int | None:
    command = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        return build(command)(standalone_mode=False)  # type: ignore[no-any-return]
    except _UsageError as error:
        return _print_usage(error)
    except OSError as error:
        raise of_system(error) from error


def _print_usage(error: Exception) -> int:
    """Print a usage error as Typer does, and as JSON with --json."""
    from typer.rich_utils import rich_format_error

    if "--json" in sys.argv:
        from arf_core.cli.output import print_json

        message = error.format_message()  # type: ignore[attr-defined]
        print_json({"error": message, "hint": "arf COMMAND --help lists its options."})
    rich_format_error(error)  # type: ignore[arg-type]
    return 2


def _print_error(error: ArfError) -> None:
    from rich.console import Console
    from rich.text import Text

    from arf_core.cli.output import plain, print_json

    if "--json" in sys.argv:
        print_json({"error": error.message, "hint": error.hint})
    console = Console(stderr=True, highlight=False)
    console.print(Text("Error: ", style="bold red") + plain(error.message), soft_wrap=True)
    if error.hint:
        console.print(plain(error.hint), soft_wrap=True)
