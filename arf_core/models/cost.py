"""What calls cost, the budget that a run never exceeds, the ledger of what was sent where."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from arf_core.errors import ConfigError, ModelError
from arf_core.models import ChatModel, Reply, Request
from arf_core.project.settings import LimitSettings
from arf_core.records import Record, now
from arf_core.store import schema
from arf_core.store.database import Store

MESSAGE_TOKENS = 32
"""Tokens that a chat template adds to a message, at most."""
MEASURED = 20
"""Replies after which their token counts replace the upper bound."""
REFRESH_S = 1.0
"""Seconds between two looks at the spending of other runs."""


class BudgetReached(ModelError):
    """The next call could exceed the budget. What was answered is kept."""

    exit_code = 1


class Entry(Record):
    """A line of the ledger: calls of one model for one task, stored in one write."""

    at: datetime
    model: str
    host: str
    """`this process` where nothing left it."""
    task: str
    system: str
    masked: bool
    calls: int = 0
    failed: int = 0
    bytes: int = 0
    """Of the messages."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """None where the price is unknown."""


class Account:
    """What one run spends on a model: kept within the budget, totalled for the ledger.

    The spending of other runs on the project counts as soon as they have stored it.
    """

    def __init__(self, store: Store, limits: LimitSettings, model: ChatModel, masked: bool) -> None:
        """Raises ConfigError where there is a budget, but the model's price is unknown."""
        self._store = store
        self._limits = limits
        self._model = model
        self._price = model.traits.price
        self._masked = masked
        self._reserved = 0.0
        self._spent = 0.0
        """By this run."""
        self._taken = 0.0
        """The part of it that was handed over for the ledger."""
        self._others = spent(store) if limits.budget is not None else 0.0
        """By all other runs: earlier ones, and those running now."""
        self._refreshed = time.monotonic()
        self._released = asyncio.Condition()
        self._bound = _TokenBound()
        self._sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        if limits.budget is not None and self._price is None and model.traits.host:
            raise ConfigError(
                f"The project has a budget, but the price of {model.name} is not known.",
                f"Set it in arf.toml: [models.{model.name}.price] prompt = …, completion = … "
                "(for a million tokens; 0 if it is free).",
            )

    @asynccontextmanager
    async def reserved(self, request: Request) -> AsyncIterator[None]:
        """Holds back the most that this call could cost, after waiting for calls in flight.

        Raises BudgetReached where the call could exceed the budget even then.
        """
        if self._price is None or self._limits.budget is None:
            yield
            return
        most = self._price.of(self._bound.tokens(request), self._model.traits.max_tokens or 0)
        async with self._released:
            while self._others + self._spent + self._reserved + most > self._limits.budget:
                if self._reserved < 1e-12:
                    raise self._reached(most)
                await self._released.wait()
            self._reserved += most
        try:
            yield
        finally:
            async with self._released:
                self._reserved -= most
                self._released.notify_all()

    def _reached(self, most: float) -> BudgetReached:
        return BudgetReached(
            f"The budget of {self._limits.budget:g} {self._limits.currency} is reached: "
            f"{self._others + self._spent:.4g} are spent, and the next call could cost {most:.2g}.",
            "Raise budget under [limits] in arf.toml and start again: what is done is kept.",
            fatal=True,
        )

    def record(self, request: Request, reply: Reply | None) -> float:
        """Count a call and its reply, None if it failed; returns its cost, 0 where unknown."""
        sums = self._sums[request.task, request.system]
        sums.update(calls=1, failed=reply is None, bytes=request.size)
        if reply is None:
            return 0.0
        sums.update(prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens)
        self._bound.learn(request, reply)
        cost = self._cost(reply.prompt_tokens, reply.completion_tokens) or 0.0
        self._spent += cost
        return cost

    def take_entries(self) -> list[Entry]:
        """The ledger's entries for what was recorded since the last call."""
        sums, self._sums = self._sums, defaultdict(Counter)
        entries = [
            Entry(
                at=now(),
                model=self._model.name,
                host=self._model.traits.host or "this process",
                task=task,
                system=system,
                masked=self._masked,
                cost=self._cost(counts["prompt_tokens"], counts["completion_tokens"]),
                **counts,
            )
            for (task, system), counts in sums.items()
        ]
        self._taken += sum(entry.cost or 0.0 for entry in entries)
        return entries

    def refresh(self) -> None:
        """Read what other runs have spent; for the thread that has just written the entries."""
        if self._limits.budget is not None and time.monotonic() - self._refreshed > REFRESH_S:
            self._refreshed = time.monotonic()
            self._others = spent(self._store) - self._taken

    def _cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        return None if self._price is None else self._price.of(prompt_tokens, completion_tokens)


class _TokenBound:
    """The most tokens that a request can have: one a byte; once this model has counted enough
    requests, twice as many tokens a byte as the densest of them."""

    def __init__(self) -> None:
        self._densest = 0.0
        self._seen = 0

    def learn(self, request: Request, reply: Reply) -> None:
        if reply.prompt_tokens and request.size:
            self._seen += 1
            self._densest = max(self._densest, reply.prompt_tokens / request.size)

    def tokens(self, request: Request) -> float:
        schema = len(json.dumps(request.schema_)) if request.schema_ else 0
        bytes_ = request.size + schema + MESSAGE_TOKENS * len(request.messages)
        return bytes_ * min(1.0, 2 * self._densest) if self._seen >= MEASURED else float(bytes_)


def spent(store: Store) -> float:
    """Total cost of the project's calls, as far as prices were known."""
    with store.read() as conn:
        return conn.scalar(select(func.sum(schema.ledger.c.cost))) or 0.0


class CostRow(Record):
    """Calls of one model for one task on one system's summaries."""

    model: str
    task: str
    system: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """None where no price was known."""

    @property
    def per_thousand(self) -> float | None:
        """Cost of a thousand answered calls."""
        answered = self.calls - self.failed
        return None if self.cost is None or not answered else 1000 * self.cost / answered


def costs(store: Store) -> list[CostRow]:
    """All calls by model, task and system, the most expensive first."""
    table = schema.ledger
    by: Sequence[ColumnElement[Any]] = (table.c.model, table.c.task, table.c.system)
    sums = ("calls", "failed", "prompt_tokens", "completion_tokens", "cost")
    query = select(*by, *(func.sum(table.c[n]).label(n) for n in sums)).group_by(*by)
    with store.read() as conn:
        rows = [CostRow.model_validate(dict(r._mapping)) for r in conn.execute(query)]
    return sorted(rows, key=lambda r: (-(r.cost or 0), -r.calls))


def ledger(store: Store, newest: int = 100) -> list[Entry]:
    """The newest entries: what was sent where, and when."""
    table = schema.ledger
    columns = [table.c[name] for name in Entry.model_fields]
    query = select(*columns).order_by(table.c.seq.desc()).limit(newest)
    with store.read() as conn:
        return [Entry.model_validate(dict(r._mapping)) for r in conn.execute(query)]
