"""A project: a folder with settings, a database, and its own taxonomy and prompts if any."""

from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Self

import tomlkit

from arf_core.errors import InputError
from arf_core.project.prompts import Prompt, load_prompt
from arf_core.project.settings import TEMPLATE, ProjectSettings, Role, read_settings
from arf_core.project.taxonomy import DEFAULT, Taxonomy, load_taxonomy
from arf_core.run import Meter
from arf_core.store.database import Store

SETTINGS_FILE = "arf.toml"
TAXONOMY_FILE = "taxonomy.yaml"
STORE_FILE = "arf.db"


class Project:
    """An open project. Every verb takes one."""

    def __init__(self, path: Path, settings: ProjectSettings) -> None:
        self.path = path
        self.settings = settings
        self.meter = Meter()
        """Progress of the current run."""

    @classmethod
    def create(cls, path: str | Path, name: str | None = None) -> Self:
        """Make a project in a folder. Raises InputError if that holds one, or is a file."""
        path = Path(path)
        if (path / SETTINGS_FILE).exists():
            raise InputError(f"{path} is a project already.", "Open it, or choose another folder.")
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file.", "Give the name of a folder.")
        path.mkdir(parents=True, exist_ok=True)
        title = tomlkit.item(name or path.resolve().name).as_string()
        (path / SETTINGS_FILE).write_text(TEMPLATE.format(name=title), encoding="utf-8")
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the project in `path`. Raises InputError if there is none."""
        path = Path(path)
        file = path / SETTINGS_FILE
        if not file.is_file():
            raise InputError(
                f"{path} holds no project (no {SETTINGS_FILE}).",
                f"Make one: arf init {quote(str(path))}",
            )
        return cls(path, read_settings(file))

    @cached_property
    def store(self) -> Store:
        """The database, opened when first needed."""
        return Store(self.path / STORE_FILE)

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """The project's own taxonomy.yaml, else the shipped one."""
        own = self.path / TAXONOMY_FILE
        return load_taxonomy(own if own.exists() else DEFAULT)

    def prompt(self, task: str) -> Prompt:
        """The project's own prompts/<task>.md, else the shipped one."""
        return load_prompt(task, self.path / "prompts")

    def model_for(self, role: Role, given: str | None = None) -> str:
        """The name of the model for a role: the one given, else arf.toml's.

        Raises InputError if neither names one, or the project does not have it.
        """
        name = given or self.settings.roles.get(role)
        if name is None:
            raise InputError(
                f"No model plays the {role}.",
                f"Name one with --model, or set {role} under [roles] in arf.toml.",
            )
        self.check_model_name(name)
        return name

    def check_model_name(self, name: str) -> None:
        """Raises InputError if the project has no such model."""
        if name not in self.settings.models:
            known = ", ".join(self.settings.models) or "none yet"
            raise InputError(
                f"The project has no model {name!r} (it has: {known}).",
                f"Add [models.{name}] to {self.path / SETTINGS_FILE}.",
            )

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
