"""The models of a project as entries of its arf.toml: add, test, remove."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tomlkit

from arf_core.errors import InputError
from arf_core.models import ChatModel, Probe, Request, open_model
from arf_core.models.cost import admit
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import Role, edited
from arf_core.records import Record, Scalar

HELLO = Request(
    task="test",
    conversation="",
    subject="",
    messages=(
        {"role": "system", "content": "You answer with one JSON object and nothing else."},
        {"role": "user", "content": 'Say hello: {"hello": "world"}'},
    ),
    schema_={
        "type": "object",
        "properties": {"hello": {"type": "string"}},
        "required": ["hello"],
        "additionalProperties": False,
    },
)


class Tested(Record):
    """What one call to a model showed."""

    name: str
    seconds: float
    reply: str
    learned: dict[str, Scalar]
    """Options that were found out, and entered in arf.toml."""


def model_for(project: Project, role: Role, given: str | None = None) -> ChatModel:
    """Open the model given, else the one that plays `role`.

    Raises InputError where neither names one, ConfigError for a faulty entry.
    """
    name = project.model_for(role, given)
    return open_model(name, project.settings.models[name], project.path)


def add_model(project: Project, name: str, options: dict[str, Any]) -> Project:
    """Enter a model; returns the project opened anew.

    Raises InputError for a name that is taken, ConfigError for options that do not fit.
    """
    if name in project.settings.models:
        raise InputError(
            f"The project has a model {name!r} already.",
            f"Choose another name, or remove it first: arf models remove {project.path} {name}",
        )
    open_model(name, options, project.path)
    with edited(project.path / SETTINGS_FILE) as document:
        models = document.setdefault("models", tomlkit.table(is_super_table=True))
        models[name] = tomlkit.item(options)
        models[name].add(tomlkit.nl())  # what follows stands apart from it
    return Project.open(project.path)


def remove_model(project: Project, name: str) -> Project:
    """Take a model out, and out of the roles it played; its answers stay in the store."""
    project.model_for("detector", name)  # says which models there are, where this is none
    with edited(project.path / SETTINGS_FILE) as document:
        del document["models"][name]
        roles = document.get("roles", {})
        for role in [r for r, model in roles.items() if model == name]:
            del roles[role]
    return Project.open(project.path)


def try_model(project: Project, name: str) -> Tested:
    """Call a model once, find out what it can do, and enter that in arf.toml.

    Raises ModelError where it cannot be reached, or privacy forbids it.
    """
    options = project.settings.models[project.model_for("detector", name)]
    model = open_model(name, options, project.path)
    admit(model, project.settings.privacy)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as thread:  # a notebook runs an event loop of its own
        probe = thread.submit(asyncio.run, _probe(model)).result()
    seconds = time.monotonic() - started
    with edited(project.path / SETTINGS_FILE) as document:
        entry = document["models"][name]
        for key, value in probe.learned.items():
            entry[key] = value
    return Tested(name=name, seconds=round(seconds, 3), reply=probe.reply, learned=probe.learned)


async def _probe(model: ChatModel) -> Probe:
    try:
        return await model.probe(HELLO)
    finally:
        await model.close()
