"""The queue of a reviewer: what waits, riskiest first, and all that is known of one revision.

Within a risk the same errors stand together. A page is one stretch of an index, so that it costs
the same at a thousand summaries and at a million.
"""

from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, tuple_

from arf_core.errors import InputError
from arf_core.records import Action, Record, Split, System
from arf_core.review.counts import Wanted, results_of
from arf_core.revision.rounds import RoundSettings
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.review_status import STANDINGS, Standing


class Place(NamedTuple):
    """Where a revision stands in the queue: sorts as the queue does."""

    risk: int
    outcome: str
    conversation: int


class Queued(Record):
    """A revision as the queue lists it."""

    summary_id: str
    external_id: str
    split: Split
    standing: Standing
    decision: Action
    results: tuple[tuple[str, str], ...]
    """Category and result of each finding."""
    change: float
    place: Place


def queue(
    store: Store,
    system: str,
    wanted: Wanted | None = None,
    *,
    after: Place | None = None,
    before: Place | None = None,
    size: int = 50,
) -> list[Queued]:
    """A page of the queue of round `system`: the first ones, those after a place, or those before
    it (then the nearest, still in the order of the queue)."""
    wanted, back = wanted or Wanted(), before is not None
    edge = before or after
    found: list[Queued] = []
    # one risk at a time: each is then one stretch of the index, and nothing is sorted
    risks = sorted((STANDINGS.index(s) for s in wanted.standings), reverse=back)
    for risk in risks:
        if edge is not None and (risk > edge.risk if back else risk < edge.risk):
            continue
        query = _page(system, wanted, risk, edge if edge and edge.risk == risk else None, back)
        with store.read() as conn:
            rows = conn.execute(query.limit(size - len(found))).all()
        found += [_queued(row) for row in rows]
        if len(found) == size:
            break
    return found[::-1] if back else found


def _page(system: str, wanted: Wanted, risk: int, edge: Place | None, back: bool) -> Select[Any]:
    r = schema.revision
    query = _listed().where(
        r.c.system == system, r.c.decision == wanted.decision, r.c.risk == risk, r.c.current
    )
    order = (r.c.outcome, r.c.conversation)
    if edge is not None:
        here = tuple_(*order)
        there = tuple_(edge.outcome, edge.conversation)
        query = query.where(here < there if back else here > there)
    if wanted.category is not None:
        query = query.where(func.instr(r.c.outcome, f" {wanted.category}=") > 0)
    if wanted.split is not None:
        query = query.where(r.c.split == wanted.split)
    return query.order_by(*(o.desc() if back else o for o in order))


def _listed() -> Select[Any]:
    r, c = schema.revision, schema.conversation
    names = ("summary_id", "split", "decision", "change", "risk", "outcome", "conversation")
    columns = (*(r.c[n] for n in names), c.c.external_id)
    return select(*columns).join(c, c.c.seq == r.c.conversation)


def _queued(row: Any) -> Queued:
    return Queued(
        summary_id=row.summary_id,
        external_id=row.external_id,
        split=row.split,
        standing=STANDINGS[row.risk],
        decision=row.decision,
        results=results_of(row.outcome),
        change=row.change,
        place=Place(row.risk, row.outcome, row.conversation),
    )


def queued(store: Store, system: str, summary_id: str) -> Queued:
    """One summary of a round as the queue lists it. Raises InputError where it is not there."""
    r = schema.revision
    with store.read() as conn:
        row = conn.execute(
            _listed().where(r.c.system == system, r.c.summary_id == summary_id, r.c.current)
        ).first()
    if row is None:
        raise InputError(
            f"The round {system!r} has no revised summary {summary_id!r}.",
            "It may have been revised anew: load the queue again.",
        )
    return _queued(row)


MOST_ALIKE = 100
"""Conversations of the same id that are looked at."""


def find(store: Store, system: str, conversation: str) -> str:
    """The round's summary of a conversation, by the id that the file gave it or by our own.

    Raises InputError where there is none, or where several files have given this id.
    """
    s, c = schema.summary, schema.conversation
    wanted = conversation.strip()
    with store.read() as conn:
        for column in (c.c.external_id, c.c.id):
            # in two steps, or SQLite walks through all of the system
            ids = conn.scalars(select(c.c.id).where(column == wanted).limit(MOST_ALIKE)).all()
            mine = (s.c.system == system, s.c.conversation_id.in_(ids))
            rows = conn.execute(select(s.c.id, s.c.conversation_id).where(*mine)).all()
            if len(rows) == 1:
                return str(rows[0].id)
            if rows:
                ours = ", ".join(row.conversation_id for row in rows[:3])
                raise InputError(
                    f"Several files have a conversation {wanted!r}.",
                    f"Ask by the project's own id: {ours}.",
                )
    raise InputError(f"The round {system!r} has no conversation {wanted!r}.")


def made_with(store: Store, system: System) -> RoundSettings | None:
    """How a round was made: whose findings it answered, with which editor. None where that is not
    known."""
    query = select(schema.version.c.content).where(schema.version.c.hash == system.settings_hash)
    with store.read() as conn:
        content = conn.scalar(query)
    return None if content is None else RoundSettings.model_validate_json(content)
