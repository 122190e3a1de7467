"""Change the settings of a project, and undo a change.

change(project, {"privacy.offline": True, "limits.budget": None}, open_model)
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

from arf_core.errors import InputError
from arf_core.project import SETTINGS_FILE, TAXONOMY_FILE, Project
from arf_core.project.settings import Role, edited, replace_text
from arf_core.records import Record

Value = str | int | float | bool | list[str] | None
"""None removes a setting, so that its default applies."""
TABLES = ("roles", "privacy", "limits", "split", "models")


def change(
    project: Project,
    settings: Mapping[str, Value],
    check_model: Callable[[str, dict[str, Any], Path], object],
) -> Project:
    """Change settings in arf.toml, all or none; returns the reopened project.

    Names are dotted, as in `models.gpt.price.prompt`. Comments in the file stay. `check_model` gets
    the name and options of each changed model and the project's folder, and raises ConfigError for
    bad options: pass `arf_core.models.open_model`. Raises InputError for an unknown setting or a
    role for a model that the project lacks, ConfigError for an invalid value.
    """
    with edited(project.path / SETTINGS_FILE) as document:
        changed: set[str] = set()
        for name, value in settings.items():
            keys = _keys(project, name)
            _check(project, name, keys, value)
            _set(document, keys, value)
            if keys[0] == "models":
                changed.add(keys[1])
        for model in sorted(changed):
            check_model(model, document["models"][model].unwrap(), project.path)
    return Project.open(project.path)


class SettingsFiles(Record):
    """The texts of a project's settings files."""

    settings: str
    taxonomy: str | None
    """None if the project uses the shipped taxonomy."""


def settings_files(project: Project) -> SettingsFiles:
    """The current texts, to restore later."""
    taxonomy = project.path / TAXONOMY_FILE
    return SettingsFiles(
        settings=(project.path / SETTINGS_FILE).read_text(encoding="utf-8"),
        taxonomy=taxonomy.read_text(encoding="utf-8") if taxonomy.exists() else None,
    )


def restore(project: Project, before: SettingsFiles, after: SettingsFiles) -> Project:
    """Undo the change from `before` to `after`; returns the reopened project.

    Raises InputError if the files have changed since.
    """
    if settings_files(project) != after:
        raise InputError(
            "The settings have changed since, so this change cannot be undone.",
            f"Edit {project.path / SETTINGS_FILE} instead.",
        )
    replace_text(project.path / SETTINGS_FILE, before.settings)
    if before.taxonomy is None:
        (project.path / TAXONOMY_FILE).unlink(missing_ok=True)
    else:
        replace_text(project.path / TAXONOMY_FILE, before.taxonomy)
    return Project.open(project.path)


def value_of(text: str) -> Value:
    """The value that a text stands for: TOML if it parses, else the text; None if empty."""
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
    """The argument of `arf set` for this setting."""
    if value is None:
        return f"{name}="
    if isinstance(value, str) and value_of(value) == value:
        return f"{name}={value}"
    return f"{name}={tomlkit.item(value).as_string()}"


def _keys(project: Project, name: str) -> list[str]:
    """The parts of a dotted name; the name of a model may contain dots."""
    table, _, rest = name.partition(".")
    if table == "models":
        for model in sorted(project.settings.models, key=len, reverse=True):
            if rest.startswith(f"{model}."):
                return [table, model, *rest.removeprefix(f"{model}.").split(".")]
    return name.split(".")


def _check(project: Project, name: str, keys: list[str], value: Value) -> None:
    """Raises InputError if there is no such setting, role or model."""
    table, *rest = keys
    if name != "name" and (table not in TABLES or not any(rest)):
        raise InputError(
            f"There is no setting {name!r}.",
            f"Settings are name, and those under {', '.join(TABLES)}: such as privacy.offline.",
        )
    if table == "roles" and ".".join(rest) not in get_args(Role):
        raise InputError(
            f"There is no role {'.'.join(rest)!r}.", f"Roles are {', '.join(get_args(Role))}."
        )
    if table == "models":
        project.check_model_name(rest[0])
    if table == "roles" and value is not None:
        project.check_model_name(str(value))


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
