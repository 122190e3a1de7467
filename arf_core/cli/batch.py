"""`arf batch`: calls to models by file."""

from pathlib import Path

import typer

from arf_core.cli.options import Folder
from arf_core.cli.output import JsonFlag, print_json, print_line
from arf_core.models.providers.batch import read_replies, write_requests
from arf_core.models.providers.replay import recordings_of, write_recordings
from arf_core.project import Project

app = typer.Typer(
    no_args_is_help=True,
    help="Call models by file: write pending requests in OpenAI's batch format, read replies.",
)


def register(arf: typer.Typer) -> None:
    arf.add_typer(app, name="batch")


@app.command()
def write(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The JSONL file to write."),
    model: str = typer.Option(None, help="Only the requests to this model."),
    as_json: bool = JsonFlag,
) -> None:
    """Write the pending requests to a file."""
    with Project.open(folder) as project:
        n = write_requests(project.store, file, model)
    if as_json:
        print_json({"requests": n, "file": str(file) if n else None})
    elif n:
        print_line(f"{n} requests written to {file}. Read the replies with: arf batch read")
    else:
        print_line("No requests are pending. Run a command with a batch model first.")


@app.command()
def read(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The batch output to read."),
    as_json: bool = JsonFlag,
) -> None:
    """Read replies from a file. Then run the same command as before to continue with them."""
    with Project.open(folder) as project:
        report = read_replies(project.store, file)
    if as_json:
        print_json(report.model_dump())
    else:
        print_line(
            f"{report.replies} replies stored, {report.unknown} without a pending request, "
            f"{len(report.failed)} errors. Run the earlier command again to use them."
        )
        for line in report.failed[:10]:
            print_line(f"  line {line}")
    raise typer.Exit(1 if report.failed else 0)


@app.command()
def record(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The recordings to write."),
    model: str = typer.Option(..., help="Model whose replies are recorded."),
    replied_by: str = typer.Option(..., help="Description of what gave the replies."),
    as_json: bool = JsonFlag,
) -> None:
    """Save a model's replies as recordings for the replay provider."""
    with Project.open(folder) as project:
        n = write_recordings(file, recordings_of(project.store, model, replied_by))
    if as_json:
        print_json({"recordings": n, "file": str(file)})
    else:
        print_line(f"{n} recordings written to {file}.")
