"""The reviewed system: a round with a person's decisions on it applied."""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, exists, func, select

from arf_core.errors import InputError
from arf_core.records import RunReport, Summary, System
from arf_core.run import Progress
from arf_core.store import schema
from arf_core.store.database import ROWS_PER_WRITE, Store, write_summaries
from arf_core.store.queries import find_system

SUFFIX = "-reviewed"
ROUNDS = ("revision", "rewrite")
"""Kinds of systems that can be reviewed."""


def reviewed_name(system: str) -> str:
    """The name of the system that a review of round `system` makes."""
    return system + SUFFIX


def round_of(store: Store, name: str) -> str | None:
    """The round whose review makes, or would make, the system of this name; None for others."""
    made_from = name.removesuffix(SUFFIX)
    kinds = {s.name: s.kind for s in store.all(System, schema.system.c.name.in_((name, made_from)))}
    is_ours = name.endswith(SUFFIX) and kinds.get(name, "reviewed") == "reviewed"
    return made_from if is_ours and kinds.get(made_from) in ROUNDS else None


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
    total, to_do = number_of(store, of_round), number_of(store, of_round.where(~there))
    report = RunReport(asked=total, skipped=total - to_do)
    page = (
        select(s.c.id).where(s.c.system == system, ~there).order_by(s.c.seq).limit(ROWS_PER_WRITE)
    )
    while True:
        # read inside the write: a decision in between would be overwritten
        with store.write() as conn:
            ids = conn.scalars(page).all()
            keep_in_step(conn, name, ids)
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


def keep_in_step(conn: Connection, reviewed: str, summary_ids: Sequence[str]) -> None:
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


def number_of(store: Store, query: Select[int]) -> int:
    """What a query that counts gives."""
    with store.read() as conn:
        return int(conn.scalar(query) or 0)
