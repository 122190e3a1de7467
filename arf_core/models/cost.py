"""Money and places: the budget that is never passed, and the ledger of what went where."""

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from arf_core.errors import ConfigError, ModelError
from arf_core.models import ChatModel, Reply, Request
from arf_core.project.privacy import admit_host
from arf_core.project.settings import LimitSettings, PrivacySettings
from arf_core.records import Record, now
from arf_core.store import schema
from arf_core.store.database import Store

CHARS_PER_TOKEN = 3.5
"""Of European text, on the low side, so that estimates of length are on the high side."""

A_MESSAGE = 32
"""Tokens that a chat template puts around a message, at most."""
ENOUGH = 20
"""Replies, before what they counted is believed."""
LOOK_S = 1.0
"""Between two looks at what all runs together have spent."""


class BudgetReached(ModelError):
    """The next call could pass the budget. What was answered is kept."""

    exit_code = 1


class Entry(Record):
    """What went to one host for one task, in one breath."""

    at: datetime
    model: str
    host: str
    """`this process` where nothing left it."""
    task: str
    system: str
    calls: int
    failed: int
    bytes: int
    """Of the messages."""
    masked: bool
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """None where the price is not known."""


def admit(model: ChatModel, privacy: PrivacySettings) -> None:
    """Raises ModelError where the project's privacy settings keep requests from this model."""
    if model.traits.host is not None:
        instead = "Choose a model on this machine"
        admit_host(model.traits.host, privacy, f"{model.name} is at", instead)


def estimated_tokens(request: Request) -> int:
    """About how many tokens the messages have; bytes count where letters are not Latin."""
    return round(request.size / CHARS_PER_TOKEN) + 8 * len(request.messages)


def check_length(request: Request, model: ChatModel) -> None:
    """Raises ModelError where prompt and reply cannot fit into the model's context.

    A request is never cut: what a detector or editor is not shown, it cannot judge.
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


class Budget:
    """Keeps what is spent, and what calls in flight could at most add, below the limit.

    What other runs on the project spend counts as soon as they have stored it.
    """

    def __init__(self, store: Store, limits: LimitSettings, model: ChatModel) -> None:
        """Raises ConfigError where there is a budget, but the model's price is not known."""
        self._limits = limits
        self._model = model
        self._store = store
        self._reserved = 0.0
        self._own = 0.0
        """What this run has spent."""
        self._others = spent(store) if limits.budget is not None else 0.0
        """What all others have: earlier runs, and those that go on beside this one."""
        self._looked = time.monotonic()
        self._densest = _Densest()
        self._settled = asyncio.Condition()
        if limits.budget is not None and model.traits.price is None and model.traits.host:
            raise ConfigError(
                f"The project has a budget, but the price of {model.name} is not known.",
                f"Set it in arf.toml: [models.{model.name}.price] prompt = …, completion = … "
                "(for a million tokens; 0 if it is free).",
            )

    async def reserve(self, request: Request) -> float:
        """Set aside what this call could cost; waits while calls in flight may free some.

        Raises BudgetReached where even then it could pass the limit.
        """
        price, budget = self._model.traits.price, self._limits.budget
        if price is None or budget is None:
            return 0.0
        most = price.of(self._densest.tokens(request), self._model.traits.max_tokens or 0)
        async with self._settled:
            while self._others + self._own + self._reserved + most > budget:
                if self._reserved < 1e-12:
                    raise BudgetReached(
                        f"The budget of {budget:g} {self._limits.currency} is reached: "
                        f"{self._others + self._own:.4g} are spent, and the next call could cost "
                        f"{most:.2g}.",
                        "Raise budget under [limits] in arf.toml and start again: "
                        "what is done is kept.",
                        fatal=True,
                    )
                await self._settled.wait()
            self._reserved += most
        return most

    async def settle(self, reserved: float, request: Request, reply: Reply | None) -> None:
        """The call is over, with this reply or none."""
        price = self._model.traits.price
        if reply is not None and price is not None:
            self._own += price.of(reply.prompt_tokens, reply.completion_tokens)
            self._densest.learn(request, reply)
        if reserved:
            async with self._settled:
                self._reserved -= reserved
                self._settled.notify_all()

    def look(self, written: float) -> None:
        """See what others have spent meanwhile; `written` is what this run has put into the ledger.

        For the thread that writes it, so that both figures are of one moment.
        """
        if self._limits.budget is not None and time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            self._others = spent(self._store) - written


class _Densest:
    """The most tokens that a request can have: a token has a byte at least, and once this model
    has counted some requests, not twice as many tokens a byte as the densest of them."""

    def __init__(self) -> None:
        self._most = 0.0
        self._seen = 0

    def learn(self, request: Request, reply: Reply) -> None:
        if reply.prompt_tokens and request.size:
            self._seen += 1
            self._most = max(self._most, reply.prompt_tokens / request.size)

    def tokens(self, request: Request) -> float:
        schema = len(json.dumps(request.schema_)) if request.schema_ else 0
        bytes_ = request.size + schema + A_MESSAGE * len(request.messages)
        return bytes_ * min(1.0, 2 * self._most) if self._seen >= ENOUGH else float(bytes_)


def spent(store: Store) -> float:
    """All that the project's calls have cost, as far as prices were known."""
    with store.read() as conn:
        return conn.scalar(select(func.sum(schema.ledger.c.cost))) or 0.0


@dataclass
class _Sum:
    calls: int = 0
    failed: int = 0
    bytes: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


class Accounts:
    """Collects what is sent until it is written beside the answers."""

    def __init__(self, model: ChatModel, masked: bool) -> None:
        self._model = model
        self._masked = masked
        self._open: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)

    def add(self, request: Request, reply: Reply | None) -> float:
        """Note one call, and what came back if anything did; returns what it cost, if known."""
        so_far = self._open[request.task, request.system]
        so_far.calls += 1
        so_far.bytes += request.size
        if reply is None:
            so_far.failed += 1
            return 0.0
        so_far.prompt_tokens += reply.prompt_tokens
        so_far.completion_tokens += reply.completion_tokens
        price = self._model.traits.price
        if price is None:
            return 0.0
        cost = price.of(reply.prompt_tokens, reply.completion_tokens)
        so_far.cost = (so_far.cost or 0.0) + cost
        return cost

    def take(self) -> list[Entry]:
        """The entries since the last taking."""
        taken, self._open = self._open, defaultdict(_Sum)
        return [
            Entry(
                at=now(),
                model=self._model.name,
                host=self._model.traits.host or "this process",
                task=task,
                system=system,
                masked=self._masked,
                **vars(so_far),
            )
            for (task, system), so_far in taken.items()
        ]
