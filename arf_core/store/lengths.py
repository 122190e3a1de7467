"""How long conversations and summaries are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Table, func, literal, select

from arf_core.records import SPLITS, Record, Split
from arf_core.store import schema
from arf_core.store.database import Store

SAMPLE = 20_000
"""About as many texts are measured where there are more."""


class TextLengths(Record):
    """How many texts have which length."""

    of: str
    """A system, or `conversations`."""
    unit: Literal["turns", "words"]
    counts: dict[int, int]
    """Texts by length."""
    step: int = 1
    """Every so many texts were measured; 1 is all of them."""


def turn_lengths(store: Store, splits: Sequence[Split] = SPLITS) -> TextLengths:
    """Turns of the conversations; of about 20,000 where there are more."""
    c = schema.conversation
    step = _step(store, select(func.count()).select_from(c))
    query = select(c.c.n_turns, func.count()).where(c.c.split.in_(splits), *_sampled(c, step))
    with store.read() as conn:
        counts = {row[0]: row[1] for row in conn.execute(query.group_by(c.c.n_turns))}
    return TextLengths(of="conversations", unit="turns", counts=counts, step=step)


def word_lengths(store: Store, system: str, splits: Sequence[Split] = SPLITS) -> TextLengths:
    """Words of a system's summaries, as white space parts them; of about 20,000 summaries where
    there are more."""
    s, c = schema.summary, schema.conversation
    step = _step(store, select(func.count()).where(s.c.system == system))
    query = select(s.c.text).join_from(s, c, c.c.id == s.c.conversation_id)
    query = query.where(s.c.system == system, *_sampled(s, step), c.c.split.in_(splits))
    with store.read() as conn:
        counts = Counter(len(text.split()) for text in conn.scalars(query))
    return TextLengths(of=system, unit="words", counts=counts, step=step)


def _step(store: Store, count: Select[Any]) -> int:
    with store.read() as conn:
        return max(1, round((conn.scalar(count) or 0) / SAMPLE))


def _sampled(table: Table, step: int) -> list[ColumnElement[bool]]:
    """Conditions on every `step`th row: the rows are looked up one by one, since a remainder would
    be asked of them all."""
    if step == 1:
        return []
    last = select(func.max(table.c.seq)).scalar_subquery()
    every = select(literal(step).label("seq")).cte("every", recursive=True)
    every = every.union_all(select(every.c.seq + step).where(every.c.seq + step <= last))
    return [table.c.seq.in_(select(every.c.seq))]
