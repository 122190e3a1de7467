"""Review: a person decides on the revised summaries of a round.

Accept, reject (the parent's text stands) or reword. Decisions are rows that are never changed: an
undo writes what was before, and the trail stays. `settle` makes the system that holds the round
with its decisions applied (`r1-reviewed`); from then on each decision keeps it in step.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Select, exists, func, select, update

from arf_core import schema
from arf_core.analyze import Progress
from arf_core.errors import InputError
from arf_core.queries import find_system
from arf_core.records import Action, Decision, RunReport, Step, StepKind, Summary, System, now
from arf_core.standing import STANDINGS, update_decisions
from arf_core.store import ROWS_PER_WRITE, Store, insert_new, to_row, write_summaries

SUFFIX = "-reviewed"
ROUNDS = ("revision", "rewrite")
"""Kinds of systems that can be reviewed."""
Word = Literal["accept", "reject", "reword"]


def reviewed_name(system: str) -> str:
    """The name of the system that a review of round `system` makes."""
    return system + SUFFIX


def round_of(store: Store, name: str) -> str | None:
    """The round whose review makes, or would make, the system of this name; None for others."""
    made_from = name.removesuffix(SUFFIX)
    kinds = {s.name: s.kind for s in store.all(System, schema.system.c.name.in_((name, made_from)))}
    is_ours = name.endswith(SUFFIX) and kinds.get(name, "reviewed") == "reviewed"
    return made_from if is_ours and kinds.get(made_from) in ROUNDS else None


def decide(
    store: Store, system: str, summary_id: str, word: Word, by: str, text: str | None = None
) -> Step:
    """Enter a person's word on one summary of round `system`.

    `text` is the new wording. A rewording that changes nothing is an acceptance. Raises InputError
    for a summary that the round does not hold, for an empty text, or where the text to go back to
    is gone.
    """
    row = _row(store, system, summary_id)
    if word == "reword":
        text = (text or "").strip()
        if not text:
            raise InputError("The new text is empty.", "Write a summary, or reject the revision.")
        word = "accept" if text == row.text else word
    if word == "reject" and row.before is None:
        raise InputError(
            "The summary that this one was made from has been replaced since.",
            "Reword it instead, or make a new round.",
        )
    stands = {"accept": None, "reject": row.before, "reword": text}[word]
    step = _step(system, by, word)
    with store.write() as conn:
        _enter(conn, step, [_decision(step, summary_id, word, stands)])
    return step.model_copy(update={"summaries": 1})


def accept_verified(
    store: Store, system: str, by: str, progress: Progress | None = None
) -> Step | None:
    """Accept whatever is undecided and verified, as one step; None where there is no such thing."""
    find_system(store, system)
    r = schema.revision
    waiting = (
        select(r.c.summary_id)
        .where(
            r.c.system == system,
            r.c.decision == "open",
            r.c.risk == STANDINGS.index("verified"),
            r.c.current,
        )
        .limit(ROWS_PER_WRITE)
    )
    step, done = _step(system, by, "accept_verified"), 0
    total = _number(store, select(func.count()).select_from(waiting.limit(None).subquery()))
    while True:
        with store.write() as conn:
            ids = conn.scalars(waiting).all()
            if not ids:
                break
            _enter(conn, step, [_decision(step, i, "accept") for i in ids])
        done += len(ids)
        if progress:
            progress(done, max(total, done))
    return step.model_copy(update={"summaries": done}) if done else None


def undo(store: Store, system: str, by: str, progress: Progress | None = None) -> Step | None:
    """Take back the newest step of `by` in this round that still stands, and write what was before.

    Returns the step that was taken back; None where there is none. What others decided stays.
    """
    t = schema.step
    mine = (t.c.system == system, t.c.annotator == by, t.c.undoes.is_(None), ~t.c.undone)
    with store.read() as conn:
        row = conn.execute(select(t).where(*mine).order_by(t.c.seq.desc()).limit(1)).first()
    if row is None:
        return None
    old = Step.model_validate({k: row._mapping[k] for k in Step.model_fields})
    new, done = _step(system, by, "undo", undoes=old.id), 0
    for page in store.pages(_decisions_of(old), schema.decision.c.seq, ROWS_PER_WRITE):
        with store.write() as conn:
            ids = [r.summary_id for r in page]
            _enter(conn, new, list(_before(conn, old, new, ids)))
        done += len(page)
        if progress:
            progress(done, old.summaries)
    # last, so that a killed undo is done again
    with store.write() as conn:
        conn.execute(update(t).where(t.c.id == old.id).values(undone=True))
    return old


def steps(store: Store, system: str, newest: int = 50) -> list[Step]:
    """What was done in a round, undone steps and undoings among it; the newest first."""
    t = schema.step
    query = select(*(t.c[name] for name in Step.model_fields)).where(t.c.system == system)
    with store.read() as conn:
        rows = conn.execute(query.order_by(t.c.seq.desc()).limit(newest))
        return [Step.model_validate(dict(r._mapping)) for r in rows]


def settle(store: Store, system: str, progress: Progress | None = None) -> RunReport:
    """Make the system with the decisions on round `system` applied, or bring it up to date.

    Accepted and undecided summaries have the round's text, rejected ones the parent's, reworded
    ones the person's. What is there already is skipped. Raises InputError where `system` is no
    revision round, or where its name is taken.
    """
    name = _found_reviewed(store, system)
    s, child = schema.summary, schema.summary.alias()
    there = exists().where(child.c.parent_id == s.c.id, child.c.system == name)
    of_round = select(func.count()).select_from(s).where(s.c.system == system)
    total, to_do = _number(store, of_round), _number(store, of_round.where(~there))
    report = RunReport(asked=total, skipped=total - to_do)
    page = (
        select(s.c.id).where(s.c.system == system, ~there).order_by(s.c.seq).limit(ROWS_PER_WRITE)
    )
    while True:
        # read inside the write: a decision in between would be overwritten
        with store.write() as conn:
            ids = conn.scalars(page).all()
            _keep_in_step(conn, name, ids)
        if not ids:
            return report
        report.done += len(ids)
        if progress:
            progress(report.finished, max(report.asked, report.finished))


def _found_reviewed(store: Store, system: str) -> str:
    """Enter the reviewed system, or make sure that the one of this name is it."""
    if find_system(store, system).kind not in ROUNDS:
        raise InputError(
            f"{system!r} is no revision round, so there is nothing to review.",
            "Name one that arf revise made.",
        )
    reviewed = System(name=reviewed_name(system), kind="reviewed", parent=system)
    there = store.get(System, schema.system.c.name == reviewed.name)
    if there is not None and there != reviewed:
        raise InputError(f"There is another system {reviewed.name!r} already.")
    store.add([reviewed])
    return reviewed.name


def _number(store: Store, query: Select[int]) -> int:
    with store.read() as conn:
        return int(conn.scalar(query) or 0)


class _Row(NamedTuple):
    text: str
    before: str | None
    """The parent's text; None where the parent has another one by now."""


def _row(store: Store, system: str, summary_id: str) -> _Row:
    s, parent, r = schema.summary, schema.summary.alias(), schema.revision
    query = (
        select(s.c.text, parent.c.text.label("before"))
        .join(r, r.c.summary_id == s.c.id)
        .outerjoin(parent, parent.c.id == s.c.parent_id)
        .where(s.c.id == summary_id, s.c.system == system)
    )
    with store.read() as conn:
        row = conn.execute(query).first()
    if row is None:
        raise InputError(
            f"The round {system!r} has no revised summary {summary_id!r}.",
            "It may have been revised anew: load the queue again.",
        )
    return _Row(row.text, row.before)


def _step(system: str, by: str, kind: StepKind, undoes: str | None = None) -> Step:
    if not by.strip():
        raise InputError("Nobody is named as the reviewer.", "Give a name.")
    return Step(
        id=uuid4().hex,
        system=system,
        annotator=by.strip(),
        kind=kind,
        summaries=0,
        undoes=undoes,
        at=now(),
    )


def _decision(step: Step, summary_id: str, action: Action, text: str | None = None) -> Decision:
    return Decision(
        summary_id=summary_id,
        annotator=step.annotator,
        action=action,
        text=text,
        step=step.id,
        at=step.at,
    )


def _enter(conn: Connection, step: Step, decisions: Sequence[Decision]) -> None:
    """Store decisions as a part of a step, with all that follows from them."""
    insert_new(conn, schema.step, [to_row(step)])
    t = schema.step
    grown = update(t).where(t.c.id == step.id)
    conn.execute(grown.values(summaries=t.c.summaries + len(decisions)))
    insert_new(conn, schema.decision, [to_row(d) for d in decisions])
    ids = [d.summary_id for d in decisions]
    update_decisions(conn, ids)
    name = reviewed_name(step.system)
    is_there = schema.system.c.name == name
    if conn.scalar(select(schema.system.c.name).where(is_there)):
        _keep_in_step(conn, name, ids)


def _keep_in_step(conn: Connection, reviewed: str, summary_ids: Sequence[str]) -> None:
    """Write what stands after the decisions on these summaries into the reviewed system."""
    s, d, later = schema.summary, schema.decision, schema.decision.alias()
    newest = select(func.max(later.c.seq)).where(later.c.summary_id == s.c.id).scalar_subquery()
    query = (
        select(s.c.id, s.c.conversation_id, func.coalesce(d.c.text, s.c.text).label("text"))
        .select_from(s)
        .outerjoin(d, d.c.seq == newest)
        .where(s.c.id.in_(summary_ids))
    )
    rows = conn.execute(query).all()
    write_summaries(conn, [Summary.of(r.conversation_id, reviewed, r.text, r.id) for r in rows])


def _decisions_of(step: Step) -> Select[Any]:
    d = schema.decision
    return select(d.c.seq.label("seq"), d.c.summary_id).where(d.c.step == step.id)


def _before(
    conn: Connection, old: Step, new: Step, summary_ids: Sequence[str]
) -> Iterator[Decision]:
    """What counts on these summaries once `old` is taken back: the newest decision whose step
    still stands; decisions without a step do."""
    d, t = schema.decision, schema.step
    query = (
        select(d.c.summary_id, d.c.action, d.c.text)
        .outerjoin(t, t.c.id == d.c.step)
        .where(
            d.c.summary_id.in_(summary_ids),
            d.c.step != old.id,
            func.coalesce(t.c.undone, False).is_(False),
            t.c.undoes.is_(None),
        )
        .order_by(d.c.seq)
    )
    found = {row.summary_id: row for row in conn.execute(query)}
    for id_ in summary_ids:
        row = found.get(id_)
        yield _decision(new, id_, row.action if row else "open", row and row.text)
