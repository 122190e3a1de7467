"""Calls a model's server: the key from the environment, and every failure as a ModelError.

Over aiohttp rather than the openai package: at 64 calls in flight the client's own work is the
limit, and the package spends several times as much of it on each call (docs/decisions.md).
"""

import json
import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import aiohttp
from pydantic_core import to_json

from arf_core.errors import ModelError
from arf_core.records import now

LARGEST_REPLY = 2**25
"""Bytes. No chat completion is that long, so a server that sends more is something else."""
SHORTEST_KEY = 8
"""Characters. A shorter key is not looked for in texts, where it could be an ordinary word."""
CONNECT_S = 15.0
"""A host that has not accepted a connection by then counts as unreachable."""


class HttpResponse(NamedTuple):
    status: int
    retry_after: float | None
    """Seconds that the server asks to wait."""
    data: bytes

    @property
    def message(self) -> str:
        """The message in an error's body, whatever its form; at most 300 characters."""
        text = self.data.decode("utf-8", "replace")
        try:
            body = json.loads(text)
            error = body.get("error", body) if isinstance(body, dict) else body
            text = str(error.get("message", error) if isinstance(error, dict) else error)
        except ValueError:
            pass
        text = " ".join(text.split())
        return text if len(text) <= 300 else text[:300] + "…"


@dataclass
class HttpClient:
    """A client of one server, for one event loop. It follows no redirects."""

    name: str
    """The model's, for errors."""
    base_url: str
    key_env: str | None
    """The environment variable that holds the key."""
    timeout_s: float
    connections: int
    _session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: dict[str, Any]) -> HttpResponse:
        """Raises ModelError where there is no answer; an answer of any status is returned."""
        try:
            async with self._open().post(
                url, data=to_json(body), allow_redirects=False
            ) as response:
                data = await self._read(response)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            why = getattr(error, "os_error", None) or f"no answer within {CONNECT_S:g} s"
            raise ModelError(
                f"{self.name}: cannot reach {self.base_url} ({why}).",
                "Is the server running, and base_url in arf.toml right?",
                retryable=True,
                fatal=True,
            ) from error
        except TimeoutError as error:
            raise ModelError(
                f"{self.name}: no answer within {self.timeout_s:g} s.",
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
        wait = retry_after(response.headers.get("Retry-After"))
        return HttpResponse(response.status, wait, data)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
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

    async def get_object(self, url: str) -> dict[str, Any]:
        """A JSON object that the server may offer; empty where it does not."""
        try:
            async with self._open().get(url, allow_redirects=False) as response:
                data = await response.json() if response.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            key = self._key()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.connections),
                timeout=aiohttp.ClientTimeout(total=self.timeout_s, sock_connect=CONNECT_S),
                headers={"Content-Type": "application/json"}
                | ({"Authorization": f"Bearer {key}"} if key else {}),
            )
        return self._session

    def _key(self) -> str:
        """The key; empty where none is needed. Raises ModelError, which never shows the key."""
        name = self.key_env
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

    def without_key(self, text: str) -> str:
        """The text with the key replaced, before it is shown or stored."""
        key = self._key()
        return text.replace(key, "[key]") if len(key) >= SHORTEST_KEY else text

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def retry_after(header: str | None) -> float | None:
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
