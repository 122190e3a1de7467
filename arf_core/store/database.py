"""The project's database: the only module that opens it.

SQLite in WAL mode: any number of processes may read and write. A write begins with BEGIN IMMEDIATE
(a read that turns into a write would fail at once with "database is locked", whatever the timeout)
and is small, so that nobody waits long.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import to_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    create_engine,
    delete,
    event,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from arf_core.errors import StoreError
from arf_core.records import (
    Analysis,
    Check,
    Conversation,
    Decision,
    Edit,
    Episode,
    Fact,
    Finding,
    Reading,
    Record,
    Revision,
    Score,
    Step,
    Summary,
    System,
    now,
)
from arf_core.store import schema
from arf_core.store.review_status import count_anew, update_standings

R = TypeVar("R", bound=Record)
Row = dict[str, Any]

TABLES: dict[type[Record], Table] = {
    Analysis: schema.analysis,
    Check: schema.check,
    Conversation: schema.conversation,
    Decision: schema.decision,
    Edit: schema.edit,
    Episode: schema.episode,
    Fact: schema.fact,
    Finding: schema.finding,
    Revision: schema.revision,
    Score: schema.score,
    Step: schema.step,
    Summary: schema.summary,
    System: schema.system,
}
ROWS_PER_WRITE = 500
BUSY_TIMEOUT_S = 60


class Store:
    """An open database. Safe to share between threads; open anew in each process."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`; make it where there is none.

        Raises StoreError where the file is no database of ours, or of other tables than this
        version's.
        """
        self.path = path
        self._engine = _engine(path)
        with self.read() as conn:
            found = _version(conn)
        if found != schema.VERSION:
            self._bring_up_to_date()
        with self.read() as conn:
            missing = _missing_columns(conn)
        if missing:
            raise StoreError(
                f"{path} was made by an unfinished version of ARF Studio: it lacks "
                f"{', '.join(missing[:3])}.",
                "Make the project anew and import its files again, or open it with the version "
                "that made it.",
            )

    def _bring_up_to_date(self) -> None:
        with self.write() as conn:
            found = _version(conn)
            if found > schema.VERSION:
                raise StoreError(
                    f"{self.path} was made by a newer ARF Studio (tables of version {found}, "
                    f"this one knows {schema.VERSION}).",
                    "Update ARF Studio, or open the project with the version that made it.",
                )
            if found == 0:
                schema.metadata.create_all(conn)
            else:
                schema.migrate(conn, found)
            conn.exec_driver_sql(f"PRAGMA user_version = {schema.VERSION}")

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database. Keep it short: page through long
        results by `seq`."""
        with _told(self.path), self._engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self, counts: bool = True) -> Iterator[Connection]:
        """A transaction that holds the one write lock: all of it is stored, or nothing.

        `counts` is False for what changes no figure, such as a job's heartbeat: `revision` then
        stays, and with it everybody's caches.
        """
        with _told(self.path), self._engine.connect() as conn:
            conn = conn.execution_options(arf_begin="BEGIN IMMEDIATE")
            with conn.begin():
                yield conn
                if not counts:
                    return
                bump = insert(schema.meta).values(key="revision", value=1)
                value = schema.meta.c.value + 1
                conn.execute(bump.on_conflict_do_update(set_={"value": value}))

    def revision(self) -> int:
        """A number that grows with every write by anybody: the key for caches of what was read."""
        with self.read() as conn:
            key = schema.meta.c.key == "revision"
            return conn.scalar(select(schema.meta.c.value).where(key)) or 0

    # -- records -------------------------------------------------------------------------------

    def add(self, records: Sequence[Record]) -> int:
        """Insert records of one kind, in writes of 500; those whose key exists are left alone.

        Returns the number of new rows.
        """
        if not records:
            return 0
        table = TABLES[type(records[0])]
        new = 0
        for part in chunks(records, ROWS_PER_WRITE):
            with self.write() as conn:
                new += insert_new(conn, table, [to_row(r) for r in part])
        return new

    def get(self, kind: type[R], *where: ColumnElement[bool]) -> R | None:
        """The one record, or None."""
        with self.read() as conn:
            row = conn.execute(_select(kind).where(*where).limit(1)).first()
        return None if row is None else kind.model_validate(dict(row._mapping))

    def all(self, kind: type[R], *where: ColumnElement[bool]) -> list[R]:
        """Every record that fits, in order of arrival where the table knows it. For small sets."""
        query = _select(kind).where(*where)
        table = TABLES[kind]
        if "seq" in table.c:
            query = query.order_by(table.c.seq)
        with self.read() as conn:
            return [kind.model_validate(dict(r._mapping)) for r in conn.execute(query)]

    def pages(self, query: Select[Any], seq: ColumnElement[int], size: int) -> Iterator[list[Any]]:
        """Rows of a query in the order of `seq`, `size` at a time, each page read on its own.

        `query` must select `seq` as "seq". Nothing is held open between pages, so the caller may
        write in between; rows that arrive meanwhile are seen.
        """
        after = 0
        while True:
            page = query.where(seq > after).order_by(seq).limit(size)
            with self.read() as conn:
                rows = list(conn.execute(page))
            if not rows:
                return
            yield rows
            after = rows[-1].seq

    # -- writes that keep derived columns right --------------------------------------------------

    def put_summaries(self, summaries: Sequence[Summary]) -> None:
        """Insert summaries; a system's earlier text for the same conversation gives way."""
        with self.write() as conn:
            write_summaries(conn, summaries)

    def put_readings(self, readings: Sequence[Reading], checks: Sequence[Check] = ()) -> None:
        """Store analyses with their findings, and for verifiers' readings the checks.

        A complete analysis becomes the current one of its (summary, detector); a failed one leaves
        what was current as it is. Checks take the place of the verifier's earlier ones.
        """
        done = [r for r in readings if r.analysis.status == "done"]
        with self.write() as conn:
            numbers = _numbers(conn, [r.item.conversation.id for r in readings])
            ids = [r.item.summary.id for r in done]
            for detector in {r.analysis.detector for r in done}:
                for table in (schema.analysis, schema.finding):
                    _retire(conn, table, ids, table.c.detector == detector)
            for verifier in {c.verifier for c in checks}:
                _retire(conn, schema.check, ids, schema.check.c.verifier == verifier)
            insert_new(conn, schema.analysis, [_analysis_row(r, numbers) for r in readings])
            insert_new(conn, schema.finding, [f for r in done for f in _finding_rows(r, numbers)])
            insert_new(conn, schema.fact, [to_row(f) for r in done for f in r.facts])
            insert_new(conn, schema.check, [to_row(c) | {"current": True} for c in checks])
            _changed(
                conn,
                (
                    (r.item.summary.system, r.analysis.detector, numbers[r.item.conversation.id])
                    for r in done
                ),
            )
            if checks:
                update_standings(conn, ids)

    def put_revisions(self, revisions: Sequence[tuple[Summary, Revision, Sequence[Edit]]]) -> None:
        """Store revised summaries with how each came about; what stood there before gives way."""
        ids = [s.id for s, _, _ in revisions]
        with self.write() as conn:
            numbers = _numbers(conn, [s.conversation_id for s, _, _ in revisions])
            write_summaries(conn, [s for s, _, _ in revisions])
            conn.execute(delete(schema.edit).where(schema.edit.c.summary_id.in_(ids)))
            insert_new(conn, schema.edit, [to_row(e) for _, _, edits in revisions for e in edits])
            rows = [_revision_row(r, s, numbers) for s, r, _ in revisions]
            replace_rows(conn, schema.revision, rows)
            update_standings(conn, ids)

    def keep_version(self, kind: str, content: str, content_hash: str) -> None:
        """Keep settings, a taxonomy or a prompt as it was when something was made with it."""
        with self.write() as conn:
            row = {"hash": content_hash, "kind": kind, "content": content, "at": now()}
            insert_new(conn, schema.version, [row])


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for i in range(0, len(items), size):
        yield items[i : i + size]


def to_row(record: Record) -> Row:
    """A record as the row of its table, derived columns included."""
    row = {name: getattr(record, name) for name in type(record).model_fields}
    if isinstance(record, Conversation):
        row["n_turns"] = len(record.turns)
        row["n_chars"] = sum(len(t.text) for t in record.turns)
    return row


def insert_new(conn: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows; one whose key exists is left alone. Returns the number inserted."""
    rows = list(rows)
    if not rows:
        return 0
    return conn.execute(insert(table).on_conflict_do_nothing(), rows).rowcount


def _retire(
    conn: Connection, table: Table, summaries: list[str], whose: ColumnElement[bool]
) -> None:
    """What was said of these summaries before counts no longer; it stays as the trail."""
    statement = update(table).where(table.c.summary_id.in_(summaries), whose, table.c.current)
    conn.execute(statement.values(current=False))


def replace_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose key exists gives way."""
    if rows:  # an insert of no rows would be one of default values
        conn.execute(insert(table).prefix_with("OR REPLACE"), rows)


def write_summaries(conn: Connection, summaries: Sequence[Summary]) -> None:
    """Insert summaries inside a write; a system's earlier text for a conversation gives way."""
    if not summaries:
        return
    _retire_other_texts(conn, summaries)
    statement = insert(schema.summary)
    statement = statement.on_conflict_do_update(
        index_elements=["conversation_id", "system"],
        set_={c: statement.excluded[c] for c in ("id", "text", "parent_id")},
    )
    conn.execute(statement, [to_row(s) for s in summaries])


def _retire_other_texts(conn: Connection, summaries: Sequence[Summary]) -> None:
    """What was said of a text that now gives way no longer counts."""
    s = schema.summary
    for system in {x.system for x in summaries}:
        new = [x for x in summaries if x.system == system]
        gone = select(s.c.id).where(
            s.c.system == system,
            s.c.conversation_id.in_([x.conversation_id for x in new]),
            s.c.id.not_in([x.id for x in new]),
        )
        if ids := list(conn.scalars(gone)):
            a = schema.analysis
            read = select(a.c.system, a.c.detector, a.c.conversation)
            _changed(conn, conn.execute(read.where(a.c.summary_id.in_(ids), a.c.current)))
            for table in (a, schema.finding, schema.check, schema.revision):
                _retire(conn, table, ids, true())
            count_anew(conn, ids)


def _numbers(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    """The `seq` of conversations by id."""
    query = "SELECT id, seq FROM conversation WHERE id IN (SELECT value FROM json_each(?))"
    ids = to_json(conversation_ids).decode()
    return {row[0]: row[1] for row in conn.exec_driver_sql(query, (ids,))}


def part_found(system: str, detector: str) -> str:
    """The name of the blocks that hold what a detector found in a system's summaries."""
    return to_json(["found", system, detector]).decode()


def _changed(conn: Connection, touched: Iterable[Any]) -> None:
    """Raise the change count of the blocks of (system, detector, conversation) that were touched;
    who reads them next counts them again."""
    blocks = {
        (part_found(system, detector), number // schema.BLOCK)
        for system, detector, number in touched
    }
    if blocks:
        conn.exec_driver_sql(schema.ONE_MORE_CHANGE, sorted(blocks))


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
    """Where it stands is filled in by `update_standings`."""
    place = {"system": summary.system, "conversation": numbers[summary.conversation_id]}
    stand = {"split": "", "outcome": "", "risk": 0, "decision": "open", "current": True}
    return to_row(revision) | place | stand


def columns(kind: type[Record]) -> list[ColumnElement[Any]]:
    """The columns of a record's table that make the record, without the derived ones."""
    return [TABLES[kind].c[name] for name in kind.model_fields]


def _select(kind: type[Record]) -> Select[Any]:
    return select(*columns(kind))


def _missing_columns(conn: Connection) -> list[str]:
    """Columns that the tables of this version have and the database has not."""
    there = {
        f"{table}.{column}"
        for table, column in conn.exec_driver_sql(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c"
        )
    }
    ours = [f"{t.name}.{c.name}" for t in schema.metadata.sorted_tables for c in t.columns]
    return [name for name in ours if name not in there]


def _version(conn: Connection) -> int:
    return int(conn.exec_driver_sql("PRAGMA user_version").scalar_one())


def _engine(path: Path) -> Engine:
    # The driver's own implicit transactions are switched off, so that BEGIN is ours.
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8192")  # 8 MB: a server has many that read
        # 32 MB: a bulk import then writes each page of an index once, not with every batch
        connection.execute("PRAGMA wal_autocheckpoint = 8192")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        begin = conn.get_execution_options().get("arf_begin", "BEGIN")
        if begin != "BEGIN":
            conn.exec_driver_sql("PRAGMA cache_size = -65536")  # 64 MB to write many at once
        conn.exec_driver_sql(begin)

    return engine


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn the database errors that a user can act on into StoreError; bugs pass through."""
    hints = {
        "database is locked": "Another process holds a long write. Wait for it, or end it.",
        "file is not a database": "Move the file away; a new one is made at the next import.",
        "malformed": "Restore the file from a copy, or import again into a new project.",
        "unable to open": "Check that the folder exists and can be written.",
        "readonly": "Check that the folder can be written.",
        "disk is full": "Free some space and start again: what was stored is kept.",
        "disk I/O error": "Check the disk; on a network drive, move the project to a local one.",
    }
    try:
        yield
    except DatabaseError as error:
        for sign, hint in hints.items():
            if sign in str(error.orig):
                raise StoreError(f"The database {path}: {error.orig}.", hint) from error
        raise
