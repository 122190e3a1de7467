"""Review: a person decides on the revised summaries of a round.

Accept, reject (the parent's text stands) or reword. Decisions are rows that are never changed: an
undo writes what was before, and the trail stays. Once there is a system with the decisions applied
(`apply_decisions`), each decision keeps it in step.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Connection, Select, exists, func, select, update

from arf_core.errors import InputError
from arf_core.records import (
    Action,
    Decision,
    RunReport,
    Step,
    StepKind,
    Summary,
    System,
    now,
)
from arf_core.review.queue import find_revision
from arf_core.review.status import ROUNDS, reviewed_name
from arf_core.run import Progress
from arf_core.store import schema
from arf_core.store.database import ROWS_PER_WRITE, Store, columns
from arf_core.store.queries import find_system
from arf_core.store.review_status import REVIEW_STATUSES, update_decisions
from arf_core.store.writes import insert_new, to_row, write_summaries

Word = Literal["accept", "reject", "reword"]


def decide(
    store: Store, system: str, summary_id: str, word: Word, by: str, text: str | None = None
) -> Step:
    """Store a person's decision on one summary of round `system`.

    `text` is the new wording. A rewording that changes nothing is an acceptance. Raises InputError
    for a summary that the round does not hold, for an empty text, or where the text to go back to
    is gone.
    """
    find_revision(store, system, summary_id)
    revised = store.get(Summary, schema.summary.c.id == summary_id)
    assert revised is not None  # a current revision has its text
    parent = store.get(Summary, schema.summary.c.id == revised.parent_id)
    if word == "reword":
        text = (text or "").strip()
        if not text:
            raise InputError("The new text is empty.", "Write a summary, or reject the revision.")
        word = "accept" if text == revised.text else word
    if word == "reject" and parent is None:
        raise InputError(
            "The summary that this one was made from has been replaced since.",
            "Reword it instead, or make a new round.",
        )
    final = {"accept": None, "reject": parent.text if parent else None, "reword": text}[word]
    step = _step(system, by, word)
    with store.write() as conn:
        _store(conn, step, [_decision(step, summary_id, word, final)])
    return step.model_copy(update={"summaries": 1})


def accept_verified(
    store: Store, system: str, by: str, progress: Progress | None = None
) -> Step | None:
    """Accept all that is undecided and verified, as one step; None where there is nothing."""
    find_system(store, system)
    r = schema.revision
    waiting = (
        select(r.c.summary_id)
        .where(
            r.c.system == system,
            r.c.decision == "open",
            r.c.risk == REVIEW_STATUSES.index("verified"),
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
            _store(conn, step, [_decision(step, i, "accept") for i in ids])
        done += len(ids)
        if progress:
            progress(done, max(total, done))
    return step.model_copy(update={"summaries": done}) if done else None


def undo(store: Store, system: str, by: str, progress: Progress | None = None) -> Step | None:
    """Take back the newest step of `by` in this round that is not undone yet, and write what was
    before.

    Returns the step that was taken back; None where there is none. What others decided stays.
    """
    old = last_step(store, system, by)
    if old is None:
        return None
    t = schema.step
    new, done = _step(system, by, "undo", undoes=old.id), 0
    for page in store.pages(_decisions_of(old), schema.decision.c.seq, ROWS_PER_WRITE):
        with store.write() as conn:
            ids = [r.summary_id for r in page]
            _store(conn, new, list(_before(conn, old, new, ids)))
        done += len(page)
        if progress:
            progress(done, old.summaries)
    # last, so that a killed undo is done again
    with store.write() as conn:
        conn.execute(update(t).where(t.c.id == old.id).values(undone=True))
    return old


def last_step(store: Store, system: str, by: str) -> Step | None:
    """What `undo` would take back."""
    t = schema.step
    mine = (t.c.system == system, t.c.annotator == by, t.c.undoes.is_(None), ~t.c.undone)
    query = select(*columns(Step)).where(*mine)
    with store.read() as conn:
        row = conn.execute(query.order_by(t.c.seq.desc()).limit(1)).first()
    return None if row is None else Step.model_validate(dict(row._mapping))


def first_of(store: Store, step: Step) -> str | None:
    """The first summary that a step decided on."""
    with store.read() as conn:
        row = conn.execute(_decisions_of(step).order_by(schema.decision.c.seq).limit(1)).first()
    return None if row is None else str(row.summary_id)


def steps(store: Store, system: str, newest: int = 50) -> list[Step]:
    """What was done in a round, undone steps and undos included; the newest first."""
    t = schema.step
    query = select(*columns(Step)).where(t.c.system == system)
    with store.read() as conn:
        rows = conn.execute(query.order_by(t.c.seq.desc()).limit(newest))
        return [Step.model_validate(dict(r._mapping)) for r in rows]


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


def _store(conn: Connection, step: Step, decisions: Sequence[Decision]) -> None:
    """Store decisions as a part of a step, and bring what depends on them up to date."""
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
        _write_reviewed(conn, name, ids)


def _decisions_of(step: Step) -> Select[Any]:
    d = schema.decision
    return select(d.c.seq.label("seq"), d.c.summary_id).where(d.c.step == step.id)


def _before(
    conn: Connection, old: Step, new: Step, summary_ids: Sequence[str]
) -> Iterator[Decision]:
    """What counts on these summaries once `old` is taken back: the newest decision whose step is
    not undone, or that has no step."""
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


# -- the reviewed system --------------------------------------------------------------------------


def apply_decisions(store: Store, system: str, progress: Progress | None = None) -> RunReport:
    """Make the system with the decisions on round `system` applied, or bring it up to date.

    Accepted and undecided summaries have the round's text, rejected ones the parent's, reworded
    ones the person's. What is there already is skipped. Raises InputError where `system` is no
    revision round, or where its name is taken.
    """
    name = _add_reviewed(store, system)
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
            _write_reviewed(conn, name, ids)
        if not ids:
            return report
        report.done += len(ids)
        if progress:
            progress(report.finished, max(report.asked, report.finished))


def _add_reviewed(store: Store, system: str) -> str:
    """Add the reviewed system, or make sure that the one of this name is it."""
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


def _write_reviewed(conn: Connection, reviewed: str, summary_ids: Sequence[str]) -> None:
    """Write the texts after the decisions on these summaries into the reviewed system."""
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


def _number(store: Store, query: Select[Any]) -> int:
    with store.read() as conn:
        return int(conn.scalar(query) or 0)
