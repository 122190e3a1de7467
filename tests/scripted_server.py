"""A real HTTP server that speaks OpenAI's chat API and does what a test tells it to."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[dict[str, Any], int], "Scripted"]


@dataclass
class Scripted:
    """One response: a chat reply, or a fault."""

    text: str = ""
    status: int = 200
    body: bytes | None = None
    """Instead of a chat completion."""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    finish_reason: str = "stop"
    refusal: str | None = None
    cut: bool = False
    """Close the connection in the middle of the body."""


class ScriptedServer:
    """Runs in a thread. `handler(body, n)` answers the n-th request (from 0)."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.extra: dict[str, Any] = {}
        """JSON that is answered to GET, by path."""
        self.asked: list[str] = []
        """Paths of GET and HEAD."""
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_get("/{path:.*}", self._get)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _get(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path in self.extra:
            return web.json_response(self.extra[request.path])
        return web.Response(status=404, text="not here")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        n = len(self.requests)
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            said = self.handler(body, n)
            await asyncio.sleep(said.wait)
        finally:
            self.in_flight -= 1
        return await _send(request, said)


async def _send(request: web.Request, said: Scripted) -> web.StreamResponse:
    payload = said.body if said.body is not None else json.dumps(completion(said)).encode()
    if not said.cut:
        return web.Response(
            body=payload, status=said.status, headers=said.headers, content_type="application/json"
        )
    response = web.StreamResponse(headers={"Content-Length": str(len(payload))})
    await response.prepare(request)
    await response.write(payload[: len(payload) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


def completion(said: Scripted) -> dict[str, Any]:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": said.text}
    if said.refusal:
        message = {"role": "assistant", "content": None, "refusal": said.refusal}
    return {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
