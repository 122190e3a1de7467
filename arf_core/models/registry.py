"""The models of a project as entries of its arf.toml: add, test, remove."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tomlkit

from arf_core.errors import InputError
from arf_core.models import ChatModel, Probe, Request, admit, open_model
from arf_core.models.replies import TEXT, strict_object
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
    schema_=strict_object({"hello": TEXT}),
)


class Tested(Record):
    """The result of one call to a model."""

    name: str
    seconds: float
    reply: str
    learned: dict[str, Scalar]
    """Options found out about the model, and entered in arf.toml."""


def model_for(project: Project, role: Role, given: str | None = None) -> ChatModel:
    """Open the model `given`, else the one with that role.

    Raises InputError where neither names one, ConfigError for a faulty entry.
    """
    name = project.model_for(role, given)
    return open_model(name, project.settings.models[name], project.path)


def add_model(project: Project, name: str, options: dict[str, Any]) -> Project:
    """Enter a model in arf.toml; returns the project, opened again.

    Raises InputError for a name that is taken, ConfigError for invalid options.
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
        models[name].add(tomlkit.nl())  # an empty line before what follows
    return Project.open(project.path)


def remove_model(project: Project, name: str) -> Project:
    """Remove a model and its roles from arf.toml; its answers stay in the store."""
    project.model_for("detector", name)  # raises InputError for an unknown name
    with edited(project.path / SETTINGS_FILE) as document:
        del document["models"][name]
        roles = document.get("roles", {})
        for role in [r for r, model in roles.items() if model == name]:
            del roles[role]
    return Project.open(project.path)


def try_model(project: Project, name: str) -> Tested:
    """Call a model once, find out what it can do, and enter that in arf.toml.

    Raises ModelError where it cannot be reached, or the privacy settings forbid it.
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
