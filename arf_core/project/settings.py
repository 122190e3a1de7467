"""arf.toml: the settings of a project."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomlkit
from pydantic import Field, ValidationError, field_validator, model_validator

from arf_core.errors import ConfigError, validation_message
from arf_core.records import Record

Role = Literal["teacher", "detector", "verifier", "editor", "student", "agent", "customer", "judge"]
TEMPLATE = Path(__file__).with_name("arf.toml.template").read_text(encoding="utf-8")
"""The arf.toml of a new project; `{name}` is a TOML string."""

Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]


class SplitShares(Record):
    """Shares of conversations; they add up to 1."""

    train: Share = 0.7
    dev: Share = 0.1
    test: Share = 0.2

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if abs(self.train + self.dev + self.test - 1) > 1e-6:
            raise ValueError("train, dev and test must add up to 1")
        return self


class PrivacySettings(Record):
    """Where conversations may go."""

    offline: bool = False
    """Refuse every host but this machine."""
    allow: tuple[str, ...] | None = None
    """Refuse every other host; None allows any."""
    mask: bool = False
    """Replace personal data by placeholders before a call, and restore it in the reply."""


class LimitSettings(Record):
    """What models may cost."""

    budget: Annotated[float, Field(ge=0)] | None = None
    """For all calls of the project; a run stops before it exceeds this."""
    currency: str = "USD"


class NliSettings(Record):
    """The classifier behind the detector and the verifier `nli`."""

    model: str | None = None
    """A folder (relative to the project), or owner/name on the Hugging Face hub."""
    revision: str | None = None
    """Commit or tag of a model on the hub."""
    supports: str | None = None
    """The label for a supported sentence, if its name is unclear."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """A sentence with less support than this is a finding."""
    batch_size: PositiveInt = 16
    max_tokens: PositiveInt = 512
    """Of conversation and sentence together; longer conversations are read in windows of turns."""
    unsupported: str = "invented_detail"
    """Category of a sentence that nothing supports."""
    contradicted: str = "contradiction"
    """Category of a sentence that a turn contradicts."""
    judges: tuple[str, ...] = (
        "invented_detail",
        "wrong_figure",
        "wrong_party",
        "wrong_status",
        "contradiction",
        "wrong_cause",
    )
    """Categories whose corrections the verifier may call fixed."""


class ProjectSettings(Record):
    """The contents of arf.toml. Each provider validates its own part of `models`."""

    name: str
    split: SplitShares = SplitShares()
    privacy: PrivacySettings = PrivacySettings()
    limits: LimitSettings = LimitSettings()
    nli: NliSettings = NliSettings()
    roles: dict[Role, str] = Field(default_factory=dict)
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("models")
    @classmethod
    def _name_providers(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, options in models.items():
            if "provider" not in options:
                raise ValueError(f"models.{name} needs a provider")
        return models


def read_settings(path: Path) -> ProjectSettings:
    """Read arf.toml. Raises ConfigError that lists all its errors."""
    try:
        return _parse(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from error


def _parse(text: str, path: Path) -> ProjectSettings:
    try:
        return ProjectSettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.", "Correct that line.") from error
    except ValidationError as error:
        raise ConfigError(
            f"{path}: {validation_message(error)}", "Correct these entries of arf.toml."
        ) from error


@contextmanager
def edited(path: Path) -> Iterator[tomlkit.TOMLDocument]:
    """arf.toml as a document to change; comments and order stay.

    Raises ConfigError and leaves the file unchanged if the result is not valid.
    """
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    yield document
    text = tomlkit.dumps(document).rstrip() + "\n"
    _parse(text, path)
    replace_text(path, text)


def replace_text(file: Path, text: str) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
