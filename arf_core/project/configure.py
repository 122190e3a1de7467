"""Changing a project's settings: roles, privacy, limits, splits, and what arf.toml says of models.

change(project, {"privacy.offline": True, "roles.detector": "gpt", "limits.budget": None})
"""

import tomllib
from collections.abc import Mapping
from typing import get_args

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

from arf_core.errors import InputError
from arf_core.models import open_model
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import Role, edited
from arf_core.project.taxonomy_edit import FILE as TAXONOMY_FILE
from arf_core.project.taxonomy_edit import replace_text
from arf_core.records import Record

Value = str | int | float | bool | list[str] | None
"""None takes a setting away, so that its default holds again."""
TABLES = ("roles", "privacy", "limits", "split", "models")


def change(project: Project, settings: Mapping[str, Value]) -> Project:
    """Change settings in arf.toml, all or none; returns the project opened anew.

    Names are dotted, as in `models.gpt.price.prompt`; comments in the file stay. Raises InputError
    for a name that is no setting and for a role that is given to no model of the project,
    ConfigError for a value that does not fit.
    """
    with edited(project.path / SETTINGS_FILE) as document:
        changed: list[str] = []
        for name, value in settings.items():
            keys = _keys(project, name)
            _check(project, name, keys, value)
            _set(document, keys, value)
            changed += keys[1:2] if keys[0] == "models" else []
        for model in dict.fromkeys(changed):
            open_model(model, document["models"][model].unwrap(), project.path)
    return Project.open(project.path)


class Written(Record):
    """A project's files of settings, word for word."""

    settings: str
    taxonomy: str | None
    """None where the shipped one is used."""


def written(project: Project) -> Written:
    """What the files say now, to be put back later."""
    own = project.path / TAXONOMY_FILE
    return Written(
        settings=(project.path / SETTINGS_FILE).read_text(encoding="utf-8"),
        taxonomy=own.read_text(encoding="utf-8") if own.exists() else None,
    )


def put_back(project: Project, before: Written, after: Written) -> Project:
    """Undo a change that made `after` out of `before`; returns the project opened anew.

    Raises InputError where the files have changed since.
    """
    if written(project) != after:
        raise InputError(
            "The settings have changed since, so this change cannot be undone.",
            f"Look at {project.path / SETTINGS_FILE}, and set what you want there.",
        )
    replace_text(project.path / SETTINGS_FILE, before.settings)
    if before.taxonomy is None:
        (project.path / TAXONOMY_FILE).unlink(missing_ok=True)
    else:
        replace_text(project.path / TAXONOMY_FILE, before.taxonomy)
    return Project.open(project.path)


def value_of(text: str) -> Value:
    """A value as somebody writes it: TOML, else the text itself; nothing at all is None."""
    if not text:
        return None
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    if isinstance(value, list):
        return [str(v) for v in value]
    return value if isinstance(value, str | int | float | bool) else text


def as_argument(name: str, value: Value) -> str:
    """The word for `arf set` that sets this."""
    if value is None:
        return f"{name}="
    if isinstance(value, str):
        return f"{name}={value if value_of(value) == value else tomlkit.item(value).as_string()}"
    return f"{name}={tomlkit.item(value).as_string()}"


def _keys(project: Project, name: str) -> list[str]:
    """The dotted name's parts; a model's name may hold dots itself."""
    table, _, rest = name.partition(".")
    if table == "models":
        for model in sorted(project.settings.models, key=len, reverse=True):
            if rest.startswith(f"{model}."):
                return [table, model, *rest.removeprefix(f"{model}.").split(".")]
    return name.split(".")


def _check(project: Project, name: str, keys: list[str], value: Value) -> None:
    table, rest = keys[0], ".".join(keys[1:])
    if name != "name" and (table not in TABLES or not rest):
        raise InputError(
            f"There is no setting {name!r}.",
            f"Settings are name, and those under {', '.join(TABLES)}: such as privacy.offline.",
        )
    if table == "models":
        project.model_for("detector", keys[1])  # says which models there are
    if table == "roles":
        if rest not in get_args(Role):
            raise InputError(
                f"There is no role {rest!r}.", f"Roles are {', '.join(get_args(Role))}."
            )
        if value is not None:
            project.model_for("detector", str(value))


def _set(document: Container | Table, keys: list[str], value: Value) -> None:
    *tables, last = keys
    for key in tables:
        if value is None and key not in document:
            return
        document = document.setdefault(key, tomlkit.table())
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value
