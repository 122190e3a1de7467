"""What a project holds, counted for the page Data: splits, values of attributes, conversations."""

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, func, select

from arf_core import schema
from arf_core.records import SPLITS, Record
from arf_core.store import Store
from arf_core.value_groups import grouped

TOP = 12
"""Values that are shown on their own; the rarer ones are counted together."""
FIRST = ("channel", "language", "lang", "locale", "product", "topic", "category")
"""Attributes that people ask for first, where a file has them."""


class Counted(Record):
    """A value, or several under one label, and how many conversations have it."""

    label: str
    conversations: int
    kind: Literal["value", "other", "missing"] = "value"
    """`other` holds the rarer values together, `missing` what has none."""


class Values(Record):
    """How many conversations have which value of something."""

    of: str
    """An attribute, or `split` or `source`."""
    counts: tuple[Counted, ...]

    @property
    def total(self) -> int:
        return sum(c.conversations for c in self.counts)


class Holdings(Record):
    """How much a project holds."""

    conversations: int
    turns: int
    summaries: tuple[tuple[str, int], ...]
    """Systems in order of arrival, with the number of their summaries."""


def holdings(store: Store) -> Holdings:
    """Count what is there."""
    c, s, y = schema.conversation, schema.summary, schema.system
    totals = select(func.count(), func.coalesce(func.sum(c.c.n_turns), 0)).select_from(c)
    # by the index over (system, seq), a system at a time
    by_system = select(y.c.name, select(func.count()).where(s.c.system == y.c.name).label("n"))
    with store.read() as conn:
        conversations, turns = conn.execute(totals).one()
        systems = [(r.name, r.n) for r in conn.execute(by_system.order_by(y.c.kind != "teacher"))]
    return Holdings(conversations=conversations, turns=turns, summaries=tuple(systems))


def split_counts(store: Store) -> Values:
    """Conversations by split."""
    found = _column(store, schema.conversation.c.split)
    counts = tuple(Counted(label=s, conversations=found[s]) for s in SPLITS if s in found)
    return Values(of="split", counts=counts)


def source_counts(store: Store) -> Values:
    """Conversations by the file or data set that they came from."""
    found = _column(store, schema.conversation.c.source)
    return Values(of="source", counts=_grouped(found))


def attribute_counts(store: Store, attribute: str) -> Values:
    """Conversations by the value of an attribute.

    Dates and numbers come in their order, by month, year or range where there are many; other
    values by frequency, the rarer ones together.
    """
    a = schema.attribute
    query = select(a.c.value, func.count()).where(a.c.name == attribute).group_by(a.c.value)
    with store.read() as conn:
        found = {r[0]: r[1] for r in conn.execute(query)}
        total = conn.scalar(select(func.count()).select_from(schema.conversation)) or 0
    counts = _grouped(found)
    missing = total - sum(found.values())
    if missing:
        counts += (Counted(label="no value", conversations=missing, kind="missing"),)
    return Values(of=attribute, counts=counts)


def attributes_by_interest(names: Sequence[str]) -> list[str]:
    """Attribute names, those that people ask for first ahead."""
    rank = {name: i for i, name in enumerate(FIRST)}
    return sorted(names, key=lambda n: (rank.get(n.lower(), len(rank)), n.lower()))


def _column(store: Store, column: ColumnElement[str]) -> dict[str, int]:
    with store.read() as conn:
        return {r[0]: r[1] for r in conn.execute(select(column, func.count()).group_by(column))}


def _grouped(found: Mapping[str, int]) -> tuple[Counted, ...]:
    sizes = list(found.values())
    return tuple(
        Counted(label=g.label, kind=g.kind, conversations=sum(sizes[i] for i in g.members))
        for g in grouped(list(found), sizes, TOP)
    )
