"""The queue of a reviewer: what waits, riskiest first, and all that is known of one revision.

Within a risk the same errors stand together. Pages and counts come from one index, so that they
cost the same at a thousand summaries and at a million.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, select, tuple_

from arf_core import schema
from arf_core.errors import InputError
from arf_core.records import Action, Record, Split, System
from arf_core.revise import RoundSettings
from arf_core.standing import STANDINGS, Standing
from arf_core.store import Store
from arf_core.tallies import CategoryOutcome

WAITING: tuple[Standing, ...] = STANDINGS[:-1]
"""What a person is asked to decide: all but what nobody changed."""


class Wanted(Record):
    """Which part of the queue."""

    decision: Action = "open"
    standings: tuple[Standing, ...] = WAITING
    category: str | None = None
    """Only revisions with an error of this category, answered or brought in."""
    split: Split | None = None


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


class Tally(Record):
    """How many of a round's summaries are alike in all that the queue asks for."""

    decision: Action
    standing: Standing
    results: tuple[tuple[str, str], ...]
    summaries: int
    by_split: dict[Split, int]
    edited: int
    unchanged: int
    flagged: int

    def fits(self, wanted: Wanted) -> bool:
        """Do they belong to this part of the queue? (The split is not asked for.)"""
        return (
            self.decision == wanted.decision
            and self.standing in wanted.standings
            and (wanted.category is None or wanted.category in {c for c, _ in self.results})
        )


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


def results_of(outcome: str) -> tuple[tuple[str, str], ...]:
    """The stored outcome, as (category, result) for each finding."""
    pairs = (said.partition("=") for said in outcome.split())
    return tuple((category, result) for category, _, result in pairs)


def tallies(store: Store, system: str) -> list[Tally]:
    """All summaries of round `system`, counted by decision, standing and outcome. Empty where
    `system` is no round."""
    r = schema.revision
    by = (r.c.decision, r.c.risk, r.c.outcome)
    sums = {
        **{split: r.c.split == split for split in ("train", "dev", "test")},
        **{status: r.c.status == status for status in ("edited", "unchanged")},
        "flagged": r.c.flagged,
    }
    counts = [func.sum(case((condition, 1), else_=0)).label(n) for n, condition in sums.items()]
    query = (
        select(*by, func.count().label("summaries"), *counts)
        .where(r.c.system == system, r.c.current)
        .group_by(*by)
    )
    with store.read() as conn:
        rows = conn.execute(query).all()
    return [
        Tally(
            decision=row.decision,
            standing=STANDINGS[row.risk],
            results=results_of(row.outcome),
            summaries=row.summaries,
            by_split={"train": row.train, "dev": row.dev, "test": row.test},
            edited=row.edited,
            unchanged=row.unchanged,
            flagged=row.flagged,
        )
        for row in rows
    ]


def outcomes(system: str, counted: Iterable[Tally]) -> list[CategoryOutcome]:
    """What the round did with the findings of each category, most findings first."""
    by_category: dict[str, Counter[str]] = {}
    for tally in counted:
        for category, result in tally.results:
            field = "new_errors" if result == "new_error" else result
            by_category.setdefault(category, Counter())[field] += tally.summaries
    found = [CategoryOutcome(system=system, category=c, **n) for c, n in by_category.items()]
    return sorted(found, key=lambda o: (-o.asked, -o.new_errors, o.category))


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


def find(store: Store, system: str, conversation: str) -> str:
    """The round's summary of a conversation, by the id that the file gave it or by our own.

    Raises InputError where there is none, or where several files have given this id.
    """
    s, c = schema.summary, schema.conversation
    query = select(s.c.id.label("summary"), c.c.id).join(c, c.c.id == s.c.conversation_id)
    wanted = conversation.strip()
    with store.read() as conn:
        for column in (c.c.external_id, c.c.id):
            rows = conn.execute(query.where(s.c.system == system, column == wanted).limit(2)).all()
            if len(rows) == 1:
                return str(rows[0].summary)
            if rows:
                ours = ", ".join(row.id for row in rows)
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
