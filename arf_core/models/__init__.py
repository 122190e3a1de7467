"""The contract that every chat model keeps. A provider is a module of `providers/`.

A provider module has `OPTIONS` (the record of what arf.toml may say about such a model) and
`open_model(name, options, project_path) -> ChatModel`.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from arf_core import plugins
from arf_core.errors import ConfigError, InputError, validation_message
from arf_core.project.privacy import admit_host
from arf_core.project.settings import PrivacySettings
from arf_core.records import Record, Scalar, digest

PROVIDERS = "arf_core.models.providers"
QUESTION = ("task", "conversation", "subject", "taxonomy", "repeat", "attempt")
"""The fields of a request that identify its question, however it is worded."""


class Request(Record):
    """One question to a model. The fields in `QUESTION` find a recorded answer again."""

    task: str
    conversation: str
    """Fingerprint of the conversation."""
    subject: str
    """Hash of the text that is judged or edited."""
    taxonomy: str = ""
    repeat: int = 0
    """Number of this asking, where the same question is asked independently several times."""
    attempt: int = 0
    """1 where the first reply was unusable and the question is asked again."""
    system: str = ""
    """The system whose summary it is about, for the ledger."""
    messages: tuple[dict[str, str], ...]
    schema_: dict[str, Any] | None = None
    """A JSON schema that the reply must match."""

    def key(self, model_identity: str) -> str:
        """Cache key: requests to one model with equal keys share an answer."""
        return digest(model_identity, self._content)

    @cached_property
    def _content(self) -> str:
        return digest(self.prompt_hash, json.dumps(self.schema_), str(self.repeat))

    @cached_property
    def size(self) -> int:
        """Bytes of the messages."""
        return sum(len(m["content"].encode()) for m in self.messages)

    @cached_property
    def prompt_hash(self) -> str:
        return digest(*(part for m in self.messages for part in (m["role"], m["content"])))

    def with_messages(self, messages: tuple[dict[str, str], ...], attempt: int) -> "Request":
        """A copy with other messages; built anew, because a copy keeps the cached hashes."""
        fields = {name: getattr(self, name) for name in Request.model_fields}
        return Request(**fields | {"messages": messages, "attempt": attempt})

    def again(self, reply: str, fault: str) -> "Request":
        """The same question, followed by the unusable reply and what is wrong with it."""
        correction = (
            f"That reply cannot be used: {fault}\n"
            "Answer the same request again, mended, with nothing but the JSON object."
        )
        more = (
            {"role": "assistant", "content": reply},
            {"role": "user", "content": correction},
        )
        return self.with_messages(self.messages + more, self.attempt + 1)


class Reply(Record):
    """A model's answer."""

    text: str
    finish_reason: str = "stop"
    """`length` where it was cut off, `refusal` or `content_filter` where the model declined."""
    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0

    @field_validator("text")
    @classmethod
    def _storable(cls, text: str) -> str:
        """Half a surrogate pair is valid JSON, but a database does not accept it as text."""
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


class Probe(Record):
    """The result of trying a model out."""

    reply: str
    learned: dict[str, Scalar] = Field(default_factory=dict)
    """Options found out about the model, for its entry in arf.toml."""


class Pending(Exception):
    """The answer will come later, by file. The request is kept until then."""


class Price(Record):
    """Money per million tokens, in the project's currency."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


class Traits(Record):
    """What `calls` needs to know about a model to call it well."""

    host: str | None = None
    """Where requests go; None where the model sends nothing anywhere itself."""
    leaves: bool = False
    """Whether requests leave this process, to a host or into a file."""
    cacheable: bool = True
    """False where asking again costs nothing."""
    max_concurrency: int = 16
    retries: int = 5
    max_tokens: int | None = None
    """Longest reply."""
    context_tokens: int | None = None
    """Prompt and reply together; None where unknown."""
    price: Price | None = None
    """None where unknown, which is not the same as free."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class ChatModel(Protocol):
    """Messages and an optional JSON schema in, text with token counts out."""

    name: str
    identity: str
    """What decides the answer besides the request: provider, address, model id, parameters."""
    traits: Traits

    async def complete(self, request: Request) -> Reply:
        """Answer one request. Raises ModelError, or Pending."""
        ...

    async def probe(self, request: Request) -> Probe:
        """Try the model out with a harmless request. Raises ModelError."""
        ...

    def notes(self) -> list[str]:
        """Sentences about this model for the report on a run."""
        ...

    async def close(self) -> None: ...


class ProviderOptions(BaseModel):
    """What every provider's entry in arf.toml has. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str


def provider_names() -> list[str]:
    return plugins.names(PROVIDERS)


def open_model(name: str, options: dict[str, Any], project_path: Path) -> ChatModel:
    """Open the model that arf.toml describes under [models.<name>].

    Raises ConfigError that lists every fault of the entry at once.
    """
    try:
        module = plugins.load_plugin(PROVIDERS, options.get("provider", ""), "provider")
        parsed = module.OPTIONS.model_validate(options)
    except InputError as error:
        raise ConfigError(f"models.{name}: {error.message}", error.hint) from error
    except ValidationError as error:
        raise ConfigError(
            f"models.{name}: {validation_message(error)}", f"Correct [models.{name}] in arf.toml."
        ) from error
    model: ChatModel = module.open_model(name, parsed, project_path)
    return model


def admit(model: ChatModel, privacy: PrivacySettings) -> None:
    """Raises ModelError where the project's privacy settings forbid requests to this model."""
    if model.traits.host is not None:
        instead = "Choose a model on this machine"
        admit_host(model.traits.host, privacy, f"{model.name} is at", instead)
