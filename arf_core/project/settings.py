"""arf.toml: the settings of a project, read and checked in one go."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomlkit
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from arf_core.errors import ConfigError, validation_message

Role = Literal["teacher", "detector", "verifier", "editor", "student", "agent", "customer", "judge"]

TEMPLATE = """\
# Settings of this project. Keys never stand here: `key_env` names the variable that holds one.
name = {name}

[split]                 # shares of conversations that came without a split of their own
train = 0.7
dev = 0.1
test = 0.2

# A model is any server that speaks OpenAI's chat API (vLLM, llama.cpp, Ollama, a paid service):
#
# [models.local]
# provider = "openai_api"
# base_url = "http://127.0.0.1:8080/v1"
# model = "llama-3.1-8b"
#
# [models.big]
# provider = "openai_api"
# base_url = "https://api.openai.com/v1"
# model = "gpt-4o-mini"
# key_env = "OPENAI_API_KEY"
#
# [roles]               # who does what, where a command does not say
# detector = "big"
# editor = "local"
# verifier = "local"
"""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitShares(Settings):
    """Shares of conversations; they add up to 1."""

    train: Annotated[float, Field(ge=0, le=1)] = 0.7
    dev: Annotated[float, Field(ge=0, le=1)] = 0.1
    test: Annotated[float, Field(ge=0, le=1)] = 0.2

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.train + self.dev + self.test - 1) > 1e-6:
            raise ValueError("train, dev and test must add up to 1")
        return self


class PrivacySettings(Settings):
    """Where conversations may go."""

    offline: bool = False
    """Refuse every host but this machine."""
    allow: tuple[str, ...] | None = None
    """Refuse every other host; None allows any."""
    mask: bool = False
    """Replace personal data by placeholders before a call, and put them back in the reply."""


class LimitSettings(Settings):
    """What models may cost."""

    budget: Annotated[float, Field(ge=0)] | None = None
    """For all calls of the project together; a run stops before it is passed."""
    currency: str = "USD"


class NliSettings(Settings):
    """The classifier behind the detector and the verifier `nli`."""

    model: str | None = None
    """A folder (from the project's), or owner/name on the Hugging Face hub."""
    revision: str | None = None
    """Of a model on the hub: a commit or a tag."""
    supports: str | None = None
    """The label that says that the conversation supports a sentence, where its name is unclear."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """A sentence with less support than that is a finding."""
    batch_size: Annotated[int, Field(gt=0)] = 16
    max_tokens: Annotated[int, Field(gt=0)] = 512
    """Of conversation and sentence together; longer conversations are read in windows of turns."""
    unsupported: str = "invented_detail"
    """The category of a sentence that nothing supports."""
    contradicted: str = "contradiction"
    """The category of a sentence that a turn contradicts."""
    judges: tuple[str, ...] = (
        "invented_detail",
        "wrong_figure",
        "wrong_party",
        "wrong_status",
        "contradiction",
        "wrong_cause",
    )
    """The categories whose corrections the verifier may call fixed."""


class ProjectSettings(Settings):
    """What arf.toml may hold. A provider checks its own part of `models`."""

    name: str
    split: SplitShares = SplitShares()
    privacy: PrivacySettings = PrivacySettings()
    limits: LimitSettings = LimitSettings()
    nli: NliSettings = NliSettings()
    roles: dict[Role, str] = {}
    models: dict[str, dict[str, Any]] = {}

    @field_validator("models")
    @classmethod
    def _each_has_a_provider(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, options in models.items():
            if "provider" not in options:
                raise ValueError(f"models.{name} needs a provider")
        return models


def read_settings(path: Path) -> ProjectSettings:
    """Read arf.toml. Raises ConfigError that lists every fault at once."""
    try:
        with path.open("rb") as file:
            return ProjectSettings.model_validate(tomllib.load(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.", "Mend that line.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.") from error
    except ValidationError as error:
        raise ConfigError(
            f"{path}: {validation_message(error)}", "Mend these entries of arf.toml."
        ) from error


@contextmanager
def edited(path: Path) -> Iterator[tomlkit.TOMLDocument]:
    """arf.toml as a document to change; comments and order stay.

    The file is replaced in one step, and only if what it would then say is valid: raises
    ConfigError and leaves it as it was where not.
    """
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    yield document
    fresh = path.with_suffix(".new")
    fresh.write_text(tomlkit.dumps(document).rstrip() + "\n", encoding="utf-8")
    try:
        read_settings(fresh)
    except ConfigError:
        fresh.unlink()
        raise
    fresh.replace(path)
