"""The review queue: revisions that wait for a decision, riskiest first, and its filters.

Within a risk the same errors come together. A page is one stretch of an index, so that it costs
the same at a thousand summaries and at a million.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, RowMapping, Select, func, select, tuple_

from arf_core.errors import InputError
from arf_core.records import Action, Record, Split
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.review_status import REVIEW_STATUSES, ReviewStatus, results_of
from arf_core.store.round_counts import ReviewCounts

WAITING: tuple[ReviewStatus, ...] = REVIEW_STATUSES[:-1]
"""What a person is asked to decide: all but what was left unchanged."""


class QueueFilter(Record):
    """Which part of the queue."""

    decision: Action = "open"
    statuses: tuple[ReviewStatus, ...] = WAITING
    category: str | None = None
    """Only revisions with an error of this category, answered or brought in."""
    split: Split | None = None

    def count(self, counts: Iterable[ReviewCounts]) -> int:
        """How many of a round's summaries pass."""
        passing = (
            group
            for group in counts
            if group.decision == self.decision
            and group.status in self.statuses
            and self.split in (None, group.split)
        )
        if self.category is None:
            return sum(group.summaries for group in passing)
        return sum(group.categories.get(self.category, 0) for group in passing)


class QueuePosition(NamedTuple):
    """A revision's position in the queue: sorts as the queue does."""

    risk: int
    outcome: str
    conversation: int


class QueueItem(Record):
    """A revision as the queue lists it."""

    model_config = ConfigDict(serialize_by_alias=True)

    summary_id: str
    external_id: str
    split: Split
    status: ReviewStatus = Field(serialization_alias="standing")
    decision: Action
    results: tuple[tuple[str, str], ...]
    """Category and result of each finding."""
    change: float
    position: QueuePosition = Field(serialization_alias="place")


def queue(
    store: Store,
    system: str,
    filters: QueueFilter | None = None,
    *,
    after: QueuePosition | None = None,
    before: QueuePosition | None = None,
    size: int = 50,
) -> list[QueueItem]:
    """A page of the queue of round `system`: the first ones, those after a position, or those
    before it (then the nearest, still in the order of the queue)."""
    filters, backwards = filters or QueueFilter(), before is not None
    edge = before or after
    found: list[QueueItem] = []
    # one risk at a time: each is then one stretch of the index, and nothing is sorted
    risks = sorted((REVIEW_STATUSES.index(s) for s in filters.statuses), reverse=backwards)
    for risk in risks:
        if edge is not None and (risk > edge.risk if backwards else risk < edge.risk):
            continue
        here = edge if edge and edge.risk == risk else None
        query = _page(system, filters, risk, here, backwards)
        with store.read() as conn:
            rows = conn.execute(query.limit(size - len(found))).mappings().all()
        found += [to_queue_item(row) for row in rows]
        if len(found) == size:
            break
    return found[::-1] if backwards else found


def _page(
    system: str, filters: QueueFilter, risk: int, edge: QueuePosition | None, backwards: bool
) -> Select[Any]:
    r = schema.revision
    query = _listed().where(
        r.c.system == system, r.c.decision == filters.decision, r.c.risk == risk, r.c.current
    )
    order = (r.c.outcome, r.c.conversation)
    if edge is not None:
        here = tuple_(*order)
        there = tuple_(edge.outcome, edge.conversation)
        query = query.where(here < there if backwards else here > there)
    if filters.category is not None:
        query = query.where(func.instr(r.c.outcome, f" {filters.category}=") > 0)
    if filters.split is not None:
        query = query.where(r.c.split == filters.split)
    return query.order_by(*(o.desc() if backwards else o for o in order))


def _listed(*more: ColumnElement[Any]) -> Select[Any]:
    r, c = schema.revision, schema.conversation
    names = ("summary_id", "split", "decision", "change", "risk", "outcome", "conversation")
    columns = (*(r.c[n] for n in names), c.c.external_id, *more)
    return select(*columns).join(c, c.c.seq == r.c.conversation)


def to_queue_item(row: RowMapping) -> QueueItem:
    """A row of `find_revision` or of the queue, as the queue lists it."""
    return QueueItem(
        summary_id=row["summary_id"],
        external_id=row["external_id"],
        split=row["split"],
        status=REVIEW_STATUSES[row["risk"]],
        decision=row["decision"],
        results=results_of(row["outcome"]),
        change=row["change"],
        position=QueuePosition(row["risk"], row["outcome"], row["conversation"]),
    )


def find_revision(
    store: Store, system: str, summary_id: str, *more: ColumnElement[Any]
) -> RowMapping:
    """The row of one revised summary, with `more` columns of it. Raises InputError where round
    `system` does not hold it."""
    r = schema.revision
    query = _listed(*more).where(r.c.system == system, r.c.summary_id == summary_id, r.c.current)
    with store.read() as conn:
        row = conn.execute(query).mappings().first()
    if row is None:
        raise InputError(
            f"The round {system!r} has no revised summary {summary_id!r}.",
            "It may have been revised anew: load the queue again.",
        )
    return row


def queue_item(store: Store, system: str, summary_id: str) -> QueueItem:
    """One revision as the queue lists it. Raises InputError where the round does not hold it."""
    return to_queue_item(find_revision(store, system, summary_id))


MOST_ALIKE = 100
"""Conversations of the same id that are looked at."""


def find(store: Store, system: str, conversation: str) -> str:
    """The id of the round's summary of a conversation, which is named by the id that its file gave
    it or by the project's own.

    Raises InputError where there is none, or where several files have given this id.
    """
    s, c = schema.summary, schema.conversation
    name = conversation.strip()
    with store.read() as conn:
        for column in (c.c.external_id, c.c.id):
            # in two steps, or SQLite walks through all of the system
            ids = conn.scalars(select(c.c.id).where(column == name).limit(MOST_ALIKE)).all()
            mine = (s.c.system == system, s.c.conversation_id.in_(ids))
            rows = conn.execute(select(s.c.id, s.c.conversation_id).where(*mine)).all()
            if len(rows) == 1:
                return str(rows[0].id)
            if rows:
                ours = ", ".join(row.conversation_id for row in rows[:3])
                raise InputError(
                    f"Several files have a conversation {name!r}.",
                    f"Ask by the project's own id: {ours}.",
                )
    raise InputError(f"The round {system!r} has no conversation {name!r}.")
