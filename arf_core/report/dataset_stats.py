"""What a project holds, counted for the Data page: splits, attribute values, conversations."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sqlalchemy import func, select

from arf_core.records import SPLITS, Record
from arf_core.store import arrays, schema
from arf_core.store.binning import Bin, binned
from arf_core.store.database import Store
from arf_core.store.filters import TOP, slices_of

FIRST = ("channel", "language", "lang", "locale", "product", "topic", "category")
"""Attributes to list first."""


class Counted(Record):
    """A value, or several under one label, with the number of conversations that have it."""

    label: str
    conversations: int
    kind: Literal["value", "other", "missing"] = "value"
    """`other` combines the rarer values; `missing` counts conversations without one."""


class ValueCounts(Record):
    """Conversations by value."""

    of: str
    """An attribute, `split` or `source`."""
    counts: tuple[Counted, ...]

    @property
    def total(self) -> int:
        return sum(c.conversations for c in self.counts)


class Holdings(Record):
    """How much a project holds."""

    conversations: int
    summaries: tuple[tuple[str, int], ...]
    """Systems, the teacher first, with the number of their summaries."""


def holdings(store: Store) -> Holdings:
    """Count conversations, and summaries by system."""
    s, y = schema.summary, schema.system
    # uses the index over (system, seq), one system at a time
    by_system = select(y.c.name, select(func.count()).where(s.c.system == y.c.name).label("n"))
    with store.read() as conn:
        conversations = conn.scalar(select(func.count()).select_from(schema.conversation)) or 0
        systems = [(r.name, r.n) for r in conn.execute(by_system.order_by(y.c.kind != "teacher"))]
    return Holdings(conversations=conversations, summaries=tuple(systems))


def split_counts(store: Store) -> ValueCounts:
    """Conversations by split."""
    split = arrays.conversation_columns(store).split
    found = np.bincount(split[split >= 0], minlength=len(SPLITS)).tolist()
    counts = [Counted(label=s, conversations=n) for s, n in zip(SPLITS, found, strict=True) if n]
    return ValueCounts(of="split", counts=tuple(counts))


def source_counts(store: Store) -> ValueCounts:
    """Conversations by the file or dataset they came from. Reads every row."""
    source = schema.conversation.c.source
    with store.read() as conn:
        rows = conn.execute(select(source, func.count()).group_by(source)).all()
    sizes = [n for _, n in rows]
    groups = binned([name for name, _ in rows], sizes, TOP)
    return _value_counts("source", groups, [sum(sizes[i] for i in g.members) for g in groups])


def attribute_counts(store: Store, attribute: str) -> ValueCounts:
    """Conversations by the value of an attribute.

    Dates and numbers come in ascending order, binned by month, year or range if there are many.
    Other values come by frequency, the rarer ones combined. Raises InputError for an attribute
    that cannot be sliced by.
    """
    slices = slices_of(store, attribute, TOP)
    present = arrays.conversation_columns(store).split >= 0
    counts = np.bincount(slices.of[present], minlength=len(slices.groups)).tolist()
    return _value_counts(attribute, slices.groups, counts)


def _value_counts(of: str, groups: Sequence[Bin], counts: Sequence[int]) -> ValueCounts:
    counted = [
        Counted(label=g.label, kind=g.kind, conversations=n)
        for g, n in zip(groups, counts, strict=True)
        if n
    ]
    return ValueCounts(of=of, counts=tuple(counted))


def attributes_by_interest(names: Sequence[str]) -> list[str]:
    """Attribute names, those that people look for first at the front."""
    rank = {name: i for i, name in enumerate(FIRST)}
    return sorted(names, key=lambda n: (rank.get(n.lower(), len(rank)), n.lower()))
