"""What earlier calls of a model for a task show: lengths, repetitions, speed."""

import math
from datetime import datetime
from itertools import pairwise

from sqlalchemy import func, select

from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store

NEWEST = 2000
"""Newest answers sampled to estimate speed."""
FEWEST = 5
"""With fewer answers the speed is unknown: the store's clock counts whole seconds."""
PAUSE = 10.0
"""A gap between answers of so many usual gaps, and at least so many seconds, is a pause."""


class History(Record):
    """Figures of one model and task; None where unknown."""

    items: int = 0
    """Items answered."""
    calls_an_item: float | None = None
    """All calls, including failed and repeated ones."""
    answered_an_item: float | None = None
    """Calls that brought a reply, which are those that are paid for."""
    bytes_a_token: float | None = None
    """Of the messages."""
    reply_tokens: float | None = None
    """Mean."""
    reply_doubt: float = 0.0
    """Two standard errors of that mean, and at least a tenth of it."""
    items_a_second: float | None = None


def history_of(store: Store, model: str, task: str) -> History:
    """What this project's store holds of a model and a task."""
    call, ledger = schema.call, schema.ledger
    tokens = call.c.completion_tokens
    done = (call.c.model == model, call.c.task == task, call.c.status == "answered")
    replies = select(func.count(), func.avg(tokens), func.avg(tokens * tokens)).where(*done)
    names = ("calls", "failed", "bytes", "prompt_tokens")
    sent = select(*(func.coalesce(func.sum(ledger.c[n]), 0) for n in names)).where(
        ledger.c.model == model, ledger.c.task == task
    )
    newest = select(call.c.at).where(*done).order_by(call.c.at.desc()).limit(NEWEST)
    with store.read() as conn:
        items, mean, mean_square = conn.execute(replies).one()
        calls, failed, bytes_, prompt_tokens = conn.execute(sent).one()
        times = sorted(conn.scalars(newest))
    if not items:
        return History()
    answered = calls - failed
    spread = math.sqrt(max(mean_square - mean * mean, 0.0))
    return History(
        items=items,
        calls_an_item=max(1.0, calls / items) if calls else None,
        answered_an_item=max(1.0, answered / items) if calls else None,
        # failed calls sent bytes as well, but nobody counted their tokens
        bytes_a_token=bytes_ * answered / calls / prompt_tokens if prompt_tokens else None,
        reply_tokens=mean or None,
        reply_doubt=max(2 * spread / math.sqrt(items), 0.1 * mean),
        items_a_second=answers_a_second(times),
    )


def answers_a_second(times: list[datetime]) -> float | None:
    """Speed from the moments at which answers came, in order, without the pauses between runs;
    None for too few."""
    if len(times) < FEWEST:
        return None
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    usual = sum(gaps) / len(gaps)
    for _ in range(3):  # without one pause the usual gap is smaller, which shows further pauses
        worked = [g for g in gaps if g <= max(PAUSE, PAUSE * usual)]
        usual = sum(worked) / max(len(worked), 1)
    # answers within one second have the same time: half a second at either end is not seen
    return (len(worked) + 1) / (sum(worked) + 1.0)
