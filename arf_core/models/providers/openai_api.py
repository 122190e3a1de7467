"""Any server that speaks OpenAI's chat API: vLLM, llama.cpp, Ollama, LM Studio, paid services."""

import asyncio
import json
import re
from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, Field, field_validator

from arf_core.errors import ModelError
from arf_core.models import Price, Probe, ProviderOptions, Reply, Request, Traits
from arf_core.models.chat_completion import MEANS, SchemaMeans, read_completion, request_body
from arf_core.models.http_client import HttpClient, HttpResponse
from arf_core.records import Scalar

CONTEXT = re.compile(r"context|too long|maximum.*tokens|tokens.*maximum", re.IGNORECASE)
"""Messages of servers that mean: the prompt is too long."""


class OpenAIOptions(ProviderOptions):
    base_url: AnyHttpUrl
    """Up to and without /chat/completions."""
    model: Annotated[str, Field(min_length=1)]
    key_env: str | None = None
    """Name of the environment variable that holds the key. The key itself is never stored."""
    schema_means: SchemaMeans | None = None
    """How the server takes a JSON schema; found out at the first call where not given."""
    temperature: float = 0.0
    max_tokens: Annotated[int, Field(gt=0)] = 2048
    seed: int | None = None
    max_concurrency: Annotated[int, Field(gt=0)] = 16
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    retries: Annotated[int, Field(ge=0)] = 5
    context_tokens: Annotated[int, Field(gt=0)] | None = None
    """The model's context; longer requests are refused before they are sent."""
    price: Price | None = None
    requests_per_minute: Annotated[int, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[int, Field(gt=0)] | None = None

    @field_validator("base_url")
    @classmethod
    def _holds_no_secret(cls, url: AnyHttpUrl) -> AnyHttpUrl:
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("it must hold no password and no ?query; a key goes into key_env")
        return url


OPTIONS = OpenAIOptions


def open_model(name: str, options: OpenAIOptions, project_path: Path) -> "OpenAIModel":
    return OpenAIModel(name, options)


class OpenAIModel:
    def __init__(self, name: str, options: OpenAIOptions) -> None:
        self.name = name
        shared = options.model_dump(include=set(Traits.model_fields))
        self.traits = Traits(host=options.base_url.host, leaves=True, **shared)
        self._model = options.model
        self._key_env = options.key_env
        self._base = str(options.base_url).rstrip("/")
        self._url = self._base + "/chat/completions"
        kept = options.model_dump(include={"model", "temperature", "max_tokens", "seed"})
        self._parameters = {k: v for k, v in kept.items() if v is not None}
        self.identity = json.dumps([self._url, self._parameters])
        self._client = HttpClient(
            name,
            str(options.base_url),
            options.key_env,
            options.timeout_s,
            options.max_concurrency,
        )
        self._means = options.schema_means
        self._finding_out = asyncio.Lock()

    async def complete(self, request: Request) -> Reply:
        """Raises ModelError with its reason, and whether trying again may help."""
        if request.schema_ is not None and self._means is None:
            async with self._finding_out:  # one call finds out; the others wait for its result
                if self._means is None:
                    return await self._find_means(request)
        return self._reply(await self._post(request, self._means or "prompt"))

    async def _find_means(self, request: Request) -> Reply:
        """The reply by the best means of taking a schema that the server does not refuse."""
        for means in MEANS:
            response = await self._post(request, means)
            refused = response.status in (400, 422, 500, 501)
            if means == "prompt" or not refused or self._error(response).reason == "context":
                break
        reply = self._reply(response)
        self._means = means
        return reply

    async def probe(self, request: Request) -> Probe:
        """One reply, how the server takes a schema, and how long its context is if it says so."""
        self._means = None
        reply = await self._find_means(request)
        learned: dict[str, Scalar] = {"schema_means": self._means}
        if context := await self._context():
            learned["context_tokens"] = context
        return Probe(reply=reply.text, learned=learned)

    async def _context(self) -> int | None:
        """As vLLM (GET models) and llama.cpp's server (GET /props) report it, if either does."""
        listed = await self._client.get_object(self._base + "/models")
        for entry in listed.get("data") or []:
            if entry.get("id") == self._model and entry.get("max_model_len"):
                return int(entry["max_model_len"])
        props = await self._client.get_object(self._base.removesuffix("/v1") + "/props")
        length = props.get("default_generation_settings", {}).get("n_ctx")
        return int(length) if length else None

    async def _post(self, request: Request, means: SchemaMeans) -> HttpResponse:
        return await self._client.post(self._url, request_body(self._parameters, request, means))

    def _reply(self, response: HttpResponse) -> Reply:
        """Raises ModelError where the response holds none."""
        if response.status != 200:
            raise self._error(response)
        try:
            reply = read_completion(json.loads(response.data))
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"{self.name}: the server's answer is no chat completion ({type(error).__name__}).",
                "Is base_url the address of an OpenAI-compatible API (often ending in /v1)?",
                retryable=True,
            ) from error
        return reply.model_copy(update={"text": self._client.without_key(reply.text)})

    def _error(self, response: HttpResponse) -> ModelError:
        """The error for an answer that is not 200."""
        status, message = response.status, self._client.without_key(response.message)
        what = f"{self.name}: the server answered {status}: {message}"
        if status in (401, 403):
            key = self._key_env
            hint = f"Check the key in {key}." if key else "Set key_env for this model in arf.toml."
            return ModelError(what, hint, fatal=True)
        if status == 404:
            return ModelError(what, "Check base_url and model in arf.toml.", fatal=True)
        if status in (400, 413, 422) and CONTEXT.search(message):
            return ModelError(what, "Use a model with a longer context.", reason="context")
        return ModelError(
            what,
            "The server is overloaded; lower max_concurrency." if status == 429 else "",
            retryable=status in (408, 425, 429) or status >= 500,
            retry_after=response.retry_after,
            overloaded=status in (429, 503),
        )

    def notes(self) -> list[str]:
        if self._means in (None, "json_schema"):
            return []
        how = {"json_object": "as json_object", "prompt": "by the prompt alone"}[self._means]
        return [f"{self.name} takes schemas {how}."]

    async def close(self) -> None:
        await self._client.close()
