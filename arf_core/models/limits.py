"""What bounds calls: the model's context, requests and tokens a minute, and calls in flight.

The number of calls in flight adapts to the server: additive increase, multiplicative decrease, as
in TCP (Jacobson 1988; the plateau below a known ceiling is CUBIC's idea, RFC 9438). It doubles
every two rounds until the server refuses, times out, or answers no faster than with fewer calls. A
refusal halves it; it then returns to just below what was refused and only rarely tries more.
"""

import asyncio
import time
from collections import deque

from aiolimiter import AsyncLimiter

from arf_core.errors import ModelError
from arf_core.models import ChatModel, Request, Traits

BYTES_PER_TOKEN = 3.5
"""Of European text; on the low side, so that estimated lengths are on the high side."""
START = 32
PROBE_EVERY = 50
"""Rounds (of as many answers as may be in flight) at the ceiling before one more is tried."""
WORTH_IT = 1.1
"""More calls in flight are kept if answers then arrive this much faster."""


def estimated_tokens(request: Request) -> int:
    """About how many tokens the messages have, from bytes, which suits non-Latin scripts too."""
    return round(request.size / BYTES_PER_TOKEN) + 8 * len(request.messages)


def check_length(request: Request, model: ChatModel) -> None:
    """Raises ModelError where prompt and reply cannot fit into the model's context.

    A request is never cut: a detector or editor cannot judge what it does not see.
    """
    traits = model.traits
    if traits.context_tokens is None:
        return
    room = traits.context_tokens - (traits.max_tokens or 0)
    if estimated_tokens(request) > room:
        raise ModelError(
            f"{model.name}: about {estimated_tokens(request)} tokens, and the context leaves "
            f"{max(room, 0)} beside the reply.",
            "Use a model with a longer context, or lower max_tokens.",
            reason="context",
        )


class Pace:
    """Requests and tokens a minute, where the model has such limits."""

    def __init__(self, traits: Traits) -> None:
        self._requests, self._tokens = (
            per_minute and AsyncLimiter(per_minute, 60)
            for per_minute in (traits.requests_per_minute, traits.tokens_per_minute)
        )

    async def wait(self, request: Request) -> None:
        """Wait until the limits allow this request."""
        if self._requests:
            await self._requests.acquire()
        if self._tokens:
            size = estimated_tokens(request)
            await self._tokens.acquire(min(size, self._tokens.max_rate))


class AdaptiveLimit:
    """Slots for calls in flight, at most `most`. For one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = min(START, most)
        self.in_flight = 0
        self._ceiling: int | None = None
        """How many the server allows, as far as known; None until it has refused."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._eased_at = -1.0
        """When the limit was last lowered. Calls begun before that say nothing new."""
        self._refused = 0
        self._in_flight_at_refusal = 0
        """When the present round of refusals began."""
        self._answers = 0
        """Since the limit last changed."""
        self._window = _Window()

    async def acquire(self) -> float:
        """Wait for a slot. Returns the moment at which the call begins, for `release`."""
        if self.in_flight >= self.limit or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # the slot was given just now
                    self.in_flight -= 1
                    self._wake()
                raise
        else:
            self.in_flight += 1
        return time.monotonic()

    def release(self, begun: float, *, overloaded: bool = False) -> None:
        """Give the slot back; `overloaded` where the server refused because of its load."""
        if overloaded:
            self._ease(begun)
        else:
            self._grow()
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.in_flight < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    def _ease(self, begun: float) -> None:
        if begun >= self._eased_at:  # the first refusal of a round
            self._eased_at = time.monotonic()
            self._in_flight_at_refusal, self._refused = self.in_flight, 0
            self.limit = max(1, self.limit // 2)
            self._answers = 0
            self._window = _Window()
        # each further refusal of the round means that one fewer was allowed
        self._refused += 1
        self._ceiling = max(1, self._in_flight_at_refusal - self._refused)

    def _grow(self) -> None:
        self._answers += 1
        if self.limit >= self.most or not self._waiting:
            return  # no call waits for a higher limit
        if self._ceiling is None:
            self._double()
        elif self.limit < self._ceiling:
            self.limit += 1
            self._answers = 0
        elif self._answers >= PROBE_EVERY * self.limit:
            self.limit += 1
            self._ceiling = self.limit
            self._answers = 0

    def _double(self) -> None:
        """Double after two rounds of answers, unless the last doubling made them no faster."""
        rate = self._window.rate_after(2 * self.limit)
        if rate is None:
            return
        if rate < WORTH_IT * self._window.best:
            self._ceiling = self.limit
            return
        self._window.best = rate
        self.limit = min(2 * self.limit, self.most)
        self._answers = 0


class _Window:
    """Measures answers a second over rounds of calls."""

    def __init__(self) -> None:
        self.best = 0.0
        self._begun = time.monotonic()
        self._count = 0

    def rate_after(self, answers: int) -> float | None:
        """Count an answer; returns the rate once `answers` are counted, else None."""
        self._count += 1
        if self._count < answers:
            return None
        now = time.monotonic()
        rate = self._count / max(now - self._begun, 1e-6)
        self._begun, self._count = now, 0
        return rate
