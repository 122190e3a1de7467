"""Any server that speaks OpenAI's chat API: vLLM, llama.cpp, Ollama, LM Studio, paid services.

Over aiohttp rather than the openai package: at 64 calls in flight the client's own work is the
limit, and the package spends several times as much of it on each call (docs/decisions.md).
"""

import asyncio
import json
import os
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import aiohttp
from pydantic import AnyHttpUrl, Field, field_validator
from pydantic_core import to_json

from arf_core import models
from arf_core.errors import ModelError
from arf_core.models import Price, Probe, Reply, Request, Traits
from arf_core.records import Scalar, now

SchemaMeans = Literal["json_schema", "json_object", "prompt"]
CONTEXT = re.compile(r"context|too long|maximum.*tokens|tokens.*maximum", re.IGNORECASE)
MEANS: tuple[SchemaMeans, ...] = ("json_schema", "json_object", "prompt")


LARGEST_REPLY = 2**25
"""Bytes. No chat completion is as long; a server that sends more is none."""
SHORTEST_KEY = 8
CONNECT_S = 15.0
"""A host that has not answered at all by then cannot be reached."""


class Options(models.Options):
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


def open_model(name: str, options: Options, project_path: Path) -> "OpenAIModel":
    return OpenAIModel(name, options)


class OpenAIModel:
    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        shared = options.model_dump(include=set(Traits.model_fields))
        self.traits = Traits(host=options.base_url.host, leaves=True, **shared)
        self._options = options
        self._base = str(options.base_url).rstrip("/")
        self._url = self._base + "/chat/completions"
        self._parameters = {
            "model": options.model,
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
        } | ({} if options.seed is None else {"seed": options.seed})
        self.identity = json.dumps([self._url, self._parameters])
        self._session: aiohttp.ClientSession | None = None
        self._means: SchemaMeans | None = options.schema_means
        self._finding_out = asyncio.Lock()

    async def complete(self, request: Request) -> Reply:
        """Raises ModelError with a reason, and whether trying again may help."""
        if request.schema_ is not None and not self._knows_means():
            async with self._finding_out:  # one call finds out; the others wait for what it learns
                if not self._knows_means():
                    return await self._find_out(request)
        return await self._post(request, self._means)

    def _knows_means(self) -> bool:
        return self._means is not None

    async def _find_out(self, request: Request) -> Reply:
        for means in MEANS:
            try:
                reply = await self._post(request, means)
            except _SchemaRefused as refused:
                if means == "prompt":
                    raise refused.error from None
            else:
                self._means = means
                return reply
        raise AssertionError("unreachable: the last means returns or raises")

    async def probe(self, request: Request) -> Probe:
        """One reply, how the server takes a schema, and how long its context is if it says so."""
        self._means = None
        reply = await self._find_out(request)
        learned: dict[str, Scalar] = {"schema_means": self._means}
        if context := await self._context():
            learned["context_tokens"] = context
        return Probe(reply=reply.text, learned=learned)

    async def _context(self) -> int | None:
        """As vLLM (GET models) and llama.cpp's server (GET /props) tell it; None where neither."""
        listed = await self._get(self._base + "/models")
        for entry in listed.get("data") or []:
            if entry.get("id") == self._options.model and entry.get("max_model_len"):
                return int(entry["max_model_len"])
        props = await self._get(self._base.removesuffix("/v1") + "/props")
        length = props.get("default_generation_settings", {}).get("n_ctx")
        return int(length) if length else None

    async def _get(self, url: str) -> dict[str, Any]:
        """A JSON object that the server may or may not have; empty where not."""
        try:
            async with self._open().get(url, allow_redirects=False) as response:
                data = await response.json() if response.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    async def _post(self, request: Request, means: SchemaMeans | None) -> Reply:
        body = self._parameters | {"messages": list(request.messages)}
        body |= _response_format(request, means)
        try:
            async with self._open().post(
                self._url, data=to_json(body), allow_redirects=False
            ) as response:
                data = await self._body(response)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            why = getattr(error, "os_error", None) or f"no answer within {CONNECT_S:g} s"
            raise ModelError(
                f"{self.name}: cannot reach {self._options.base_url} ({why}).",
                "Is the server running, and base_url in arf.toml right?",
                retryable=True,
                fatal=True,
            ) from error
        except TimeoutError as error:
            raise ModelError(
                f"{self.name}: no answer within {self._options.timeout_s:g} s.",
                "Raise timeout_s or lower max_concurrency for this model in arf.toml.",
                reason="timeout",
                retryable=True,
                overloaded=True,
            ) from error
        except aiohttp.ClientError as error:
            raise ModelError(
                f"{self.name}: the connection broke ({type(error).__name__}: {error}).",
                "Start again: what is done is kept.",
                retryable=True,
            ) from error
        if response.status != 200:
            raise self._refusal(response, data.decode("utf-8", "replace"), means)
        return self._reply(data)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > LARGEST_REPLY:
                raise ModelError(
                    f"{self.name}: the reply is longer than {LARGEST_REPLY / 2**20:.0f} MB.",
                    "Is base_url the address of an OpenAI-compatible API?",
                )
            parts.append(part)
        return b"".join(parts)

    def _key(self) -> str:
        """The key, from the environment; empty where none is needed.

        Raises ModelError where it is not set, or cannot be one. It is never shown.
        """
        name = self._options.key_env
        if name is None:
            return ""
        key = os.environ.get(name, "").strip()
        if not key:
            raise ModelError(
                f"{self.name}: the environment variable {name} is not set.",
                f"Set it to the key: export {name}=…",
                fatal=True,
            )
        if not (key.isascii() and key.isprintable()):
            raise ModelError(
                f"{self.name}: what {name} holds is no key: it has characters that none has.",
                "Copy the key again, without line breaks and quotation marks.",
                fatal=True,
            )
        return key

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            key = self._key()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.max_concurrency),
                timeout=aiohttp.ClientTimeout(
                    total=self._options.timeout_s, sock_connect=CONNECT_S
                ),
                headers={"Content-Type": "application/json"}
                | ({"Authorization": f"Bearer {key}"} if key else {}),
            )
        return self._session

    def _reply(self, data: bytes) -> Reply:
        try:
            answer = json.loads(data)
            choice = answer["choices"][0]
            message = choice["message"]
            usage = answer.get("usage") or {}
            return Reply(
                text=self._without_key(message.get("content") or message.get("refusal") or ""),
                finish_reason="refusal"
                if message.get("refusal")
                else choice.get("finish_reason") or "stop",
                prompt_tokens=usage.get("prompt_tokens") or 0,
                completion_tokens=usage.get("completion_tokens") or 0,
            )
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"{self.name}: the server's answer is no chat completion ({type(error).__name__}).",
                "Is base_url the address of an OpenAI-compatible API (often ending in /v1)?",
                retryable=True,
            ) from error

    def _refusal(
        self, response: aiohttp.ClientResponse, text: str, means: SchemaMeans | None
    ) -> Exception:
        status = response.status
        said = self._without_key(_message_of(text))
        what = f"{self.name}: the server answered {status}: {said}"
        if status in (401, 403):
            where = self._options.key_env
            hint = (
                f"Check the key in {where}." if where else "Set key_env for this model in arf.toml."
            )
            return ModelError(what, hint, fatal=True)
        if status == 404:
            return ModelError(what, "Check base_url and model in arf.toml.", fatal=True)
        if status in (400, 413, 422) and CONTEXT.search(said):
            return ModelError(what, "Use a model with a longer context.", reason="context")
        error = ModelError(
            what,
            "The server is overloaded; lower max_concurrency." if status == 429 else "",
            retryable=status in (408, 425, 429) or status >= 500,
            retry_after=_retry_after(response.headers.get("Retry-After")),
            overloaded=status in (429, 503),
        )
        if means not in (None, "prompt") and self._means is None and status in (400, 422, 500, 501):
            return _SchemaRefused(error)
        return error

    def _without_key(self, text: str) -> str:
        """For what is shown or stored. What is as short as a word is no secret, and left alone."""
        key = self._key()
        return text.replace(key, "[key]") if len(key) >= SHORTEST_KEY else text

    def notes(self) -> list[str]:
        if self._means in (None, "json_schema"):
            return []
        how = {"json_object": "as json_object", "prompt": "by the prompt alone"}[self._means]
        return [f"{self.name} takes schemas {how}."]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class _SchemaRefused(Exception):
    def __init__(self, error: ModelError) -> None:
        self.error = error


def _response_format(request: Request, means: SchemaMeans | None) -> dict[str, Any]:
    if request.schema_ is None or means in (None, "prompt"):
        return {}
    if means == "json_object":
        return {"response_format": {"type": "json_object", "schema": request.schema_}}
    schema = {"name": request.task, "schema": request.schema_, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _message_of(text: str) -> str:
    """The message in an error body, whatever its form; at most 300 characters."""
    try:
        body = json.loads(text)
        error = body.get("error", body) if isinstance(body, dict) else body
        text = str(error.get("message", error) if isinstance(error, dict) else error)
    except ValueError:
        pass
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:300] + "…"


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from either form of the header (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now()).total_seconds())
    except (ValueError, TypeError):
        return None
