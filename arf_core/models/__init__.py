"""Chat models behind one small contract. A provider is a module of `providers/`.

A provider module has `Options` (what arf.toml may say about such a model) and
`open_model(name, options, project_path) -> ChatModel`.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from arf_core import plugins
from arf_core.errors import ConfigError, InputError, validation_message
from arf_core.records import Record, Scalar, digest

PROVIDERS = "arf_core.models.providers"


class Request(Record):
    """What is asked of a model: the messages, and what the answer is about.

    The first six fields name the question independently of how it is put, so that a recorded
    answer is found again; `schema_` is a JSON schema that the reply must fit.
    """

    task: str
    conversation: str
    """Fingerprint of the conversation."""
    subject: str
    """Hash of the text that is judged or edited."""
    taxonomy: str = ""
    repeat: int = 0
    """Counts independent askings of the same question."""
    attempt: int = 0
    """1 when the question is put again because the first reply could not be used."""
    system: str = ""
    """Whose summaries it is about, for the accounts."""
    messages: tuple[dict[str, str], ...]
    schema_: dict[str, Any] | None = None

    def key(self, model_identity: str) -> str:
        """Names this request to this model: equal keys may share an answer."""
        return digest(model_identity, self._asked)

    @cached_property
    def _asked(self) -> str:
        return digest(self.prompt_hash, json.dumps(self.schema_), str(self.repeat))

    @cached_property
    def size(self) -> int:
        """Bytes of the messages."""
        return sum(len(m["content"].encode()) for m in self.messages)

    @cached_property
    def prompt_hash(self) -> str:
        return digest(*(part for m in self.messages for part in (m["role"], m["content"])))

    def again(self, reply: str, fault: str) -> "Request":
        """The same question, with the reply that could not be used and what was wrong with it."""
        more = (
            {"role": "assistant", "content": reply},
            {
                "role": "user",
                "content": f"That reply cannot be used: {fault}\n"
                "Answer the same request again, mended, with nothing but the JSON object.",
            },
        )
        # made anew, since a copy would keep the cached hashes
        fields = {name: getattr(self, name) for name in Request.model_fields}
        fields |= {"messages": self.messages + more, "attempt": self.attempt + 1}
        return Request(**fields)


class Reply(Record):
    """A model's answer."""

    text: str
    finish_reason: str = "stop"
    """`length` when it was cut, `refusal` or `content_filter` when the model declined."""
    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0

    @field_validator("text")
    @classmethod
    def _storable(cls, text: str) -> str:
        """Half a surrogate pair is valid JSON, but no text that a database takes."""
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


class Probe(Record):
    """What trying a model out showed."""

    reply: str
    learned: dict[str, Scalar] = Field(default_factory=dict)
    """Options for its entry in arf.toml that were found out."""


class Pending(Exception):
    """The answer comes later, by a file. The request is kept until then."""


class Price(Record):
    """Money for a million tokens, in the project's currency."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


class Traits(Record):
    """What `calls` needs to know of a model in order to treat it well."""

    host: str | None = None
    """Where requests go; None where nothing leaves this process by itself."""
    leaves: bool = False
    """Do requests leave this process, to a host or into a file?"""
    cacheable: bool = True
    """False where asking again costs nothing."""
    max_concurrency: int = 16
    retries: int = 5
    max_tokens: int | None = None
    """The longest reply."""
    context_tokens: int | None = None
    """Prompt and reply together; None where it is not known."""
    price: Price | None = None
    """None where it is not known, which is not the same as free."""
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
        """What a report on the run should say about this model."""
        ...

    async def close(self) -> None: ...


class Options(BaseModel):
    """What every provider's entry in arf.toml may say. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str


def provider_names() -> list[str]:
    """The names of all providers."""
    return plugins.names(PROVIDERS)


def open_model(name: str, options: dict[str, Any], project_path: Path) -> ChatModel:
    """Open the model that arf.toml describes under [models.<name>].

    Raises ConfigError that lists every fault of the entry at once.
    """
    try:
        module = plugins.load_plugin(PROVIDERS, options.get("provider", ""), "provider")
        parsed = module.Options.model_validate(options)
    except InputError as error:
        raise ConfigError(f"models.{name}: {error.message}", error.hint) from error
    except ValidationError as error:
        raise ConfigError(
            f"models.{name}: {validation_message(error)}", f"Mend [models.{name}] in arf.toml."
        ) from error
    model: ChatModel = module.open_model(name, parsed, project_path)
    return model
