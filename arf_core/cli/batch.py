"""`arf batch`: models that are asked by file."""

from pathlib import Path

import typer

from arf_core.cli.output import JsonFlag, print_json, print_line
from arf_core.models.providers.batch import read_replies, write_requests
from arf_core.models.providers.replay import recordings_of, write_recordings
from arf_core.project import Project

app = typer.Typer(
    no_args_is_help=True,
    help="Ask models by file: write waiting requests in OpenAI's batch format, read the replies.",
)
Folder = typer.Argument(..., metavar="DIR", help="The project's folder.")


def register(arf: typer.Typer) -> None:
    arf.add_typer(app, name="batch")


@app.command()
def write(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The JSONL file to write."),
    model: str = typer.Option(None, help="Only the requests to this model."),
    as_json: bool = JsonFlag,
) -> None:
    """Write the requests that wait for a reply."""
    with Project.open(folder) as project:
        n = write_requests(project.store, file, model)
    if as_json:
        print_json({"requests": n, "file": str(file) if n else None})
    elif n:
        print_line(f"{n} requests written to {file}. Read the replies with: arf batch read")
    else:
        print_line("No requests are waiting. Run a command with a batch model first.")


@app.command()
def read(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The batch output to read."),
    as_json: bool = JsonFlag,
) -> None:
    """Read replies. Then run the same command as before: it goes on with them."""
    with Project.open(folder) as project:
        report = read_replies(project.store, file)
    if as_json:
        print_json(report.model_dump())
    else:
        print_line(
            f"{report.replies} replies stored, {report.unknown} that nobody waits for, "
            f"{len(report.failed)} errors. Run the command that asked again."
        )
        for line in report.failed[:10]:
            print_line(f"  line {line}")
    raise typer.Exit(1 if report.failed else 0)


@app.command()
def record(
    folder: Path = Folder,
    file: Path = typer.Argument(..., metavar="FILE", help="The recordings to write."),
    model: str = typer.Option(..., help="The model whose replies are kept."),
    replied_by: str = typer.Option(..., help="Who or what gave the replies, in words."),
    as_json: bool = JsonFlag,
) -> None:
    """Keep a model's replies as recordings, for the replay provider."""
    with Project.open(folder) as project:
        n = write_recordings(file, recordings_of(project.store, model, replied_by))
    if as_json:
        print_json({"recordings": n, "file": str(file)})
    else:
        print_line(f"{n} recordings written to {file}.")
