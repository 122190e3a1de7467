"""Writes that keep the derived columns right, inside a transaction of the caller."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, Connection, Table, delete, select, true, update
from sqlalchemy.dialects.sqlite import Insert, insert

from arf_core.records import Check, Conversation, Edit, Reading, Record, Revision, Summary
from arf_core.store import schema
from arf_core.store.blocks import drop_findings, drop_rounds
from arf_core.store.review_status import update_outcomes

Row = dict[str, Any]


def to_row(record: Record) -> Row:
    """A record as the row of its table, derived columns included."""
    row = {name: getattr(record, name) for name in type(record).model_fields}
    if isinstance(record, Conversation):
        row["n_turns"] = len(record.turns)
        row["n_chars"] = sum(len(t.text) for t in record.turns)
    return row


def insert_new(conn: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows; one whose key exists is left alone. Returns the number inserted.

    Raises ValueError for a column that the table has not.
    """
    return _insert(conn, table, insert(table).on_conflict_do_nothing(), list(rows))


def replace_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose key exists gives way. Raises ValueError as `insert_new` does."""
    _insert(conn, table, insert(table).prefix_with("OR REPLACE"), rows)


def _insert(conn: Connection, table: Table, statement: Insert, rows: Sequence[Row]) -> int:
    if not rows:  # else it would be one row of default values
        return 0
    if unknown := rows[0].keys() - table.c.keys():  # which SQLAlchemy leaves out in silence
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    return conn.execute(statement, rows).rowcount


def write_summaries(conn: Connection, summaries: Sequence[Summary]) -> None:
    """Insert summaries; a system's earlier text for the same conversation gives way."""
    if not summaries:
        return
    _retire_other_texts(conn, summaries)
    statement = insert(schema.summary)
    statement = statement.on_conflict_do_update(
        index_elements=["conversation_id", "system"],
        set_={c: statement.excluded[c] for c in ("id", "text", "parent_id")},
    )
    conn.execute(statement, [to_row(s) for s in summaries])


def write_readings(
    conn: Connection, readings: Sequence[Reading], checks: Sequence[Check] = ()
) -> None:
    """Store analyses with their findings, and for verifiers' readings the checks.

    A complete analysis becomes the current one of its (summary, detector); a failed one leaves
    what was current as it is. Checks replace the verifier's earlier ones.
    """
    done = [r for r in readings if r.analysis.status == "done"]
    numbers = _numbers(conn, [r.item.conversation.id for r in readings])
    ids = [r.item.summary.id for r in done]
    for detector in {r.analysis.detector for r in done}:
        for table in (schema.analysis, schema.finding):
            _retire(conn, table, ids, table.c.detector == detector)
    checked = [*ids, *(c.summary_id for c in checks)]
    for verifier in {c.verifier for c in checks}:
        _retire(conn, schema.check, checked, schema.check.c.verifier == verifier)
    insert_new(conn, schema.analysis, [_analysis_row(r, numbers) for r in readings])
    insert_new(conn, schema.finding, [f for r in done for f in _finding_rows(r, numbers)])
    insert_new(conn, schema.fact, [to_row(f) for r in done for f in r.facts])
    insert_new(conn, schema.check, [to_row(c) | {"current": True} for c in checks])
    drop_findings(
        conn,
        (
            (r.item.summary.system, r.analysis.detector, numbers[r.item.conversation.id])
            for r in done
        ),
    )
    if checks:
        update_outcomes(conn, checked)


def write_revisions(
    conn: Connection, revisions: Sequence[tuple[Summary, Revision, Sequence[Edit]]]
) -> None:
    """Store revised summaries with how each came about; earlier ones give way."""
    ids = [s.id for s, _, _ in revisions]
    numbers = _numbers(conn, [s.conversation_id for s, _, _ in revisions])
    write_summaries(conn, [s for s, _, _ in revisions])
    conn.execute(delete(schema.edit).where(schema.edit.c.summary_id.in_(ids)))
    insert_new(conn, schema.edit, [to_row(e) for _, _, edits in revisions for e in edits])
    rows = [_revision_row(r, s, numbers) for s, r, _ in revisions]
    replace_rows(conn, schema.revision, rows)
    update_outcomes(conn, ids)


def _retire(
    conn: Connection, table: Table, summaries: list[str], condition: ColumnElement[bool]
) -> None:
    """Rows about these summaries count no longer; they stay as the trail."""
    statement = update(table).where(table.c.summary_id.in_(summaries), condition, table.c.current)
    conn.execute(statement.values(current=False))


def _retire_other_texts(conn: Connection, summaries: Sequence[Summary]) -> None:
    """Rows about texts that now give way count no longer."""
    s, a = schema.summary, schema.analysis
    for system in {x.system for x in summaries}:
        new = [x for x in summaries if x.system == system]
        gone = select(s.c.id).where(
            s.c.system == system,
            s.c.conversation_id.in_([x.conversation_id for x in new]),
            s.c.id.not_in([x.id for x in new]),
        )
        if ids := list(conn.scalars(gone)):
            read = select(a.c.system, a.c.detector, a.c.conversation)
            drop_findings(conn, conn.execute(read.where(a.c.summary_id.in_(ids), a.c.current)))
            for table in (a, schema.finding, schema.check, schema.revision):
                _retire(conn, table, ids, true())
            drop_rounds(conn, ids)


def _numbers(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    """The `seq` of conversations by id."""
    query = "SELECT id, seq FROM conversation WHERE id IN (SELECT value FROM json_each(?))"
    ids = to_json(conversation_ids).decode()
    return {row[0]: row[1] for row in conn.exec_driver_sql(query, (ids,))}


def _analysis_row(reading: Reading, numbers: dict[str, int]) -> Row:
    return to_row(reading.analysis) | {
        "conversation": numbers[reading.item.conversation.id],
        "system": reading.item.summary.system,
        "split": reading.item.conversation.split,
        "n_findings": len(reading.findings),
        "current": reading.analysis.status == "done",
    }


def _finding_rows(reading: Reading, numbers: dict[str, int]) -> Iterator[Row]:
    for finding in reading.findings:
        yield to_row(finding) | {
            "summary_id": reading.item.summary.id,
            "conversation": numbers[reading.item.conversation.id],
            "system": reading.item.summary.system,
            "detector": reading.analysis.detector,
            "split": reading.item.conversation.split,
            "current": True,
        }


def _revision_row(revision: Revision, summary: Summary, numbers: dict[str, int]) -> Row:
    """`update_outcomes` fills in what is left empty here."""
    return to_row(revision) | {
        "system": summary.system,
        "conversation": numbers[summary.conversation_id],
        "split": "",
        "outcome": "",
        "risk": 0,
        "decision": "open",
        "current": True,
    }
