"""The command line: parse, call a verb, show what came out."""

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
    "import_": ("import", "demo"),
    "work": ("analyze", "findings", "revise", "verify"),
    "finetune": ("finetune", "generate"),
    "jobs": ("jobs",),
    "review": ("review",),
    "cost": ("cost", "ledger"),
    "settings": ("set", "taxonomy"),
    "batch": ("batch",),
    "models": ("models",),
}
"""The modules here, each with `register(app)`, and the commands that it brings. Only the one that a
command needs is imported, since all of them take a second or two."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arf {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """What a command did is kept: the same command goes on where the last one stopped."""


def build(command: str | None = None) -> typer.Typer:
    """The command line, or as much of it as this command needs."""
    made = typer.Typer(
        name="arf",
        help="Find what a teacher model gets wrong in its summaries, correct it, "
        "teach a small model.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_options)
    for part in [p for p, commands in PARTS.items() if command in commands] or PARTS:
        import_module(f"{__name__}.{part}").register(made)
    return made


def main() -> None:
    """The console script. Errors that a user can mend are told, with the remedy; bugs crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal that lacks a letter shows its code, rather than ending the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except ArfError as error:
        _tell(error)
        code = error.exit_code
    except KeyboardInterrupt:  # while modules were being imported
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("Stopped. What is done is kept; the same command goes on.\n")
    sys.exit(code)


def _run() -> int | None:
    command = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        return build(command)(standalone_mode=False)  # type: ignore[no-any-return]
    except _UsageError as error:
        return _tell_usage(error)
    except OSError as error:
        raise of_system(error) from error


def _tell_usage(error: Exception) -> int:
    """Tell a faulty command line as Typer does, and as JSON where that was asked for."""
    from typer.rich_utils import rich_format_error

    if "--json" in sys.argv:
        from arf_core.cli.output import print_json

        said = error.format_message()  # type: ignore[attr-defined]
        print_json({"error": said, "hint": "arf COMMAND --help lists its options."})
    rich_format_error(error)  # type: ignore[arg-type]
    return 2


def _tell(error: ArfError) -> None:
    from rich.console import Console
    from rich.text import Text

    from arf_core.cli.output import plain, print_json

    if "--json" in sys.argv:
        print_json({"error": error.message, "hint": error.hint})
    console = Console(stderr=True, highlight=False)
    console.print(Text("Error: ", style="bold red") + plain(error.message), soft_wrap=True)
    if error.hint:
        console.print(plain(error.hint), soft_wrap=True)
