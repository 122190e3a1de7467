"""What a project holds, counted for the page Data: splits, values of attributes, conversations."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sqlalchemy import func, select

from arf_core.records import SPLITS, Record
from arf_core.store import schema
from arf_core.store.arrays import conversation_columns
from arf_core.store.binning import Bin, binned
from arf_core.store.database import Store
from arf_core.store.filters import slices_of

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
    summaries: tuple[tuple[str, int], ...]
    """Systems, the teacher first, with the number of their summaries."""


def holdings(store: Store) -> Holdings:
    """Count what is there."""
    s, y = schema.summary, schema.system
    # by the index over (system, seq), a system at a time
    by_system = select(y.c.name, select(func.count()).where(s.c.system == y.c.name).label("n"))
    with store.read() as conn:
        conversations = conn.scalar(select(func.count()).select_from(schema.conversation)) or 0
        systems = [(r.name, r.n) for r in conn.execute(by_system.order_by(y.c.kind != "teacher"))]
    return Holdings(conversations=conversations, summaries=tuple(systems))


def split_counts(store: Store) -> Values:
    """Conversations by split."""
    split = conversation_columns(store).split
    found = np.bincount(split[split >= 0], minlength=len(SPLITS)).tolist()
    counts = [Counted(label=s, conversations=n) for s, n in zip(SPLITS, found, strict=True) if n]
    return Values(of="split", counts=tuple(counts))


def source_counts(store: Store) -> Values:
    """Conversations by the file or data set that they came from. Reads every row."""
    source = schema.conversation.c.source
    with store.read() as conn:
        rows = conn.execute(select(source, func.count()).group_by(source))
        found = {r[0]: r[1] for r in rows}
    sizes = list(found.values())
    groups = binned(list(found), sizes, TOP)
    return _values("source", groups, [sum(sizes[i] for i in g.members) for g in groups])


def attribute_counts(store: Store, attribute: str) -> Values:
    """Conversations by the value of an attribute.

    Dates and numbers come in their order, by month, year or range where there are many; other
    values by frequency, the rarer ones together. Raises InputError for one that has no slices.
    """
    slices = slices_of(store, attribute, TOP)
    there = conversation_columns(store).split >= 0
    counts = np.bincount(slices.of[there], minlength=len(slices.groups)).tolist()
    return _values(attribute, slices.groups, counts)


def _values(of: str, groups: Sequence[Bin], counts: Sequence[int]) -> Values:
    made = [
        Counted(label=g.label, kind=g.kind, conversations=n)
        for g, n in zip(groups, counts, strict=True)
        if n
    ]
    return Values(of=of, counts=tuple(made))


def attributes_by_interest(names: Sequence[str]) -> list[str]:
    """Attribute names, those that people ask for first ahead."""
    rank = {name: i for i, name in enumerate(FIRST)}
    return sorted(names, key=lambda n: (rank.get(n.lower(), len(rank)), n.lower()))
