"""What earlier calls of a model for a task have shown: lengths, repetitions, pace."""

import math
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select

from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store

NEWEST = 2000
"""So many of the newest answers tell the pace."""
FEWEST = 5
"""Fewer answers tell no pace: the clock of the store counts whole seconds."""
PAUSE = 10.0
"""A gap between answers that is so many times the usual one, and at least so many seconds, was no
work."""


class History(Record):
    """Figures of one model and task; None where there is nothing to go by."""

    items: int = 0
    """Items answered."""
    calls_an_item: float | None = None
    """All calls, those that failed and those that asked again as well."""
    answered_an_item: float | None = None
    """The calls that brought a reply, which are those that are paid for."""
    bytes_a_token: float | None = None
    """Of the messages."""
    reply_tokens: float | None = None
    """Mean."""
    reply_doubt: float = 0.0
    """Two standard errors of that mean, and at least a tenth of it."""
    items_a_second: float | None = None


def history_of(store: Store, model: str, task: str) -> History:
    """What this project has seen of a model at a task."""
    call, ledger = schema.call, schema.ledger
    tokens = call.c.completion_tokens
    replies = select(func.count(), func.avg(tokens), func.avg(tokens * tokens)).where(
        call.c.model == model, call.c.task == task, call.c.status == "answered"
    )
    names = ("calls", "failed", "bytes", "prompt_tokens")
    sent = select(*(func.sum(ledger.c[n]).label(n) for n in names)).where(
        ledger.c.model == model, ledger.c.task == task
    )
    with store.read() as conn:
        count, mean, square = conn.execute(replies).one()
        sums = conn.execute(sent).one()
    if not count:
        return History()
    return History(
        items=count,
        reply_tokens=mean or None,
        reply_doubt=_doubt(mean, square, count),
        items_a_second=_pace(store, model, task),
        **_of_ledger(sums, count),
    )


def _doubt(mean: float, square: float, count: int) -> float:
    spread = math.sqrt(max(square - mean * mean, 0.0))
    return max(2 * spread / math.sqrt(count), 0.1 * mean)


def _of_ledger(sums: Any, items: int) -> dict[str, float | None]:
    if not sums.calls:
        return {}
    answered = sums.calls - sums.failed
    sent = sums.bytes * answered / sums.calls  # what failed was sent as well, but nobody counted it
    return {
        "calls_an_item": max(1.0, sums.calls / items),
        "answered_an_item": max(1.0, answered / items),
        "bytes_a_token": sent / sums.prompt_tokens if sums.prompt_tokens else None,
    }


def _pace(store: Store, model: str, task: str) -> float | None:
    """Items a second, pauses between runs left out."""
    call = schema.call
    query = (
        select(call.c.at)
        .where(call.c.model == model, call.c.task == task, call.c.status == "answered")
        .order_by(call.c.at.desc())
        .limit(NEWEST)
    )
    with store.read() as conn:
        times = sorted(conn.scalars(query))
    return pace_of(times)


def pace_of(times: list[datetime]) -> float | None:
    """Answers a second from the moments at which they came, in order; None for too few."""
    if len(times) < FEWEST:
        return None
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    usual = sum(gaps) / len(gaps)
    for _ in range(3):  # leaving out a pause makes the usual gap smaller, and other pauses plain
        worked = [g for g in gaps if g <= max(PAUSE, PAUSE * usual)]
        usual = sum(worked) / max(len(worked), 1)
    # answers within one second share a moment: half a second at either end is not seen
    return (len(worked) + 1) / (sum(worked) + 1.0)
