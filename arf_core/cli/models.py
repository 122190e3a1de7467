"""`arf models`: connect models to a project, list, test and remove them."""

from pathlib import Path
from typing import Any

import typer

from arf_core.cli.options import Folder
from arf_core.cli.output import JsonFlag, print_json, print_line, print_table, progress
from arf_core.errors import InputError
from arf_core.models.hub import HUB
from arf_core.models.hub import pull as fetch
from arf_core.models.registry import add_model, remove_model, try_model
from arf_core.project import Project

app = typer.Typer(no_args_is_help=True, help="Connect models: add, list, test, remove.")
Name = typer.Argument(..., metavar="NAME", help="The model's name in this project.")


def register(arf: typer.Typer) -> None:
    arf.add_typer(app, name="models")


@app.command()
def add(
    folder: Path = Folder,
    name: str = Name,
    base_url: str = typer.Option(None, help="An OpenAI-compatible server, such as http://…/v1."),
    model: str = typer.Option(None, help="The model's id on that server."),
    gguf: Path = typer.Option(None, help="A GGUF file to run in process, instead of a server."),
    key_env: str = typer.Option(None, help="Environment variable that holds the API key."),
    max_concurrency: int = typer.Option(None, min=1, help="Most calls in flight."),
    context_tokens: int = typer.Option(None, min=1, help="Context length in tokens."),
    price: str = typer.Option(
        None,
        metavar="PROMPT,COMPLETION",
        help="Price of a million tokens of each, such as 0.15,0.60.",
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Connect a model: any OpenAI-compatible server, or a GGUF file."""
    given: dict[str, Any] = {
        "base_url": base_url,
        "model": model,
        "path": gguf and str(gguf.resolve()),
        "key_env": key_env,
        "max_concurrency": max_concurrency,
        "context_tokens": context_tokens,
        "price": price and _price(price),
    }
    if (gguf is None) == (base_url is None):
        raise InputError("No model is given.", "Give --base-url and --model, or --gguf FILE.")
    provider = "openai_api" if gguf is None else "llama_cpp"
    options = {"provider": provider} | {k: v for k, v in given.items() if v is not None}
    with Project.open(folder) as project:
        add_model(project, name, options)
    if as_json:
        print_json({"model": name, "options": options})
    else:
        print_line(f"Added {name}. Try it: arf models test {folder} {name}")


@app.command("list")
def list_(folder: Path = Folder, as_json: bool = JsonFlag) -> None:
    """List the project's models and their roles."""
    with Project.open(folder) as project:
        settings = project.settings
    if as_json:
        print_json({"models": settings.models, "roles": settings.roles})
        return
    if not settings.models:
        print_line(f"No models yet: arf models add {folder} NAME --base-url URL --model ID")
        return
    rows = [
        (
            name,
            options["provider"],
            options.get("base_url") or options.get("path") or "",
            options.get("model", ""),
            ", ".join(role for role, model in settings.roles.items() if model == name),
        )
        for name, options in settings.models.items()
    ]
    print_table("", ("name", "provider", "address", "model", "roles"), rows)


@app.command("test")
def try_(folder: Path = Folder, name: str = Name, as_json: bool = JsonFlag) -> None:
    """Call a model once and store in arf.toml what it supports."""
    with Project.open(folder) as project:
        tested = try_model(project, name)
    if as_json:
        print_json(tested.model_dump())
        return
    print_line(f"{name} answered in {tested.seconds:.1f} s: {tested.reply}")
    for key, value in tested.learned.items():
        print_line(f"  {key} = {value}")


@app.command()
def remove(folder: Path = Folder, name: str = Name, as_json: bool = JsonFlag) -> None:
    """Remove a model from the project. Its stored replies stay."""
    with Project.open(folder) as project:
        remove_model(project, name)
    if as_json:
        print_json({"removed": name})
    else:
        print_line(f"Removed {name}.")


@app.command()
def pull(
    folder: Path = Folder,
    repo: str = typer.Argument(
        ..., metavar="REPO", help="Such as Qwen/Qwen2.5-1.5B-Instruct-GGUF."
    ),
    file: str = typer.Argument(..., metavar="FILE", help="The GGUF file in it."),
    name: str = typer.Option(None, help="The model's name in this project (default: the file's)."),
    endpoint: str = typer.Option(HUB, help="The hub's address."),
    as_json: bool = JsonFlag,
) -> None:
    """Download a GGUF file from a hub and connect it. An interrupted download is resumed."""
    called = name or Path(file).stem
    with Project.open(folder) as project:
        with progress(f"Downloading {file}") as show:
            privacy = project.settings.privacy
            got = fetch(repo, file, folder / "models", privacy, endpoint=endpoint, progress=show)
        add_model(project, called, {"provider": "llama_cpp", "path": str(got.relative_to(folder))})
    if as_json:
        print_json({"model": called, "path": str(got), "bytes": got.stat().st_size})
    else:
        print_line(
            f"Downloaded {got} and added {called}. Try it: arf models test {folder} {called}"
        )


def _price(text: str) -> dict[str, float]:
    try:
        prompt, completion = map(float, text.split(","))
    except ValueError:
        raise InputError(
            f"--price {text!r} is not a pair of numbers.", "Write it like --price 0.15,0.60."
        ) from None
    return {"prompt": prompt, "completion": completion}
