"""A chat server for the benchmarks: answers after a while, and refuses above a number of calls.

    python benchmarks/chat_server.py PORT SECONDS ALLOWED

GET /counts tells how many calls were answered and refused, and when each answer was given.
"""

import asyncio
import json
import sys
import time

from aiohttp import web

REPLY = json.dumps({"facts": [], "findings": []})
ANSWER = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": REPLY}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1500, "completion_tokens": 100},
    }
).encode()


def app(seconds: float, allowed: int) -> web.Application:
    busy = 0
    refused = 0
    answered: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        nonlocal busy, refused
        await request.read()
        if busy >= allowed:
            refused += 1
            return web.Response(status=429, text='{"error": {"message": "too many"}}')
        busy += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            busy -= 1
        answered.append(time.time())
        return web.Response(body=ANSWER, content_type="application/json")

    async def counts(_: web.Request) -> web.Response:
        return web.json_response({"refused": refused, "answered": answered})

    made = web.Application(client_max_size=2**24)
    made.router.add_post("/v1/chat/completions", answer)
    made.router.add_get("/counts", counts)
    return made


if __name__ == "__main__":
    port, seconds, allowed = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    web.run_app(app(seconds, allowed), host="127.0.0.1", port=port, print=None, access_log=None)
