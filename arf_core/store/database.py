"""The project's database: the only module that opens it.

SQLite in WAL mode: any number of processes may read and write. A write begins with BEGIN IMMEDIATE
(a read that turns into a write would fail at once with "database is locked", whatever the timeout)
and is small, so that other writers wait only briefly.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from arf_core.errors import StoreError
from arf_core.records import Check, Edit, Reading, Record, Revision, Summary, now
from arf_core.store import blocks, schema
from arf_core.store.migrations import migrate
from arf_core.store.writes import (
    insert_new,
    to_row,
    write_readings,
    write_revisions,
    write_summaries,
)

R = TypeVar("R", bound=Record)
CountBlock = Callable[[Connection, int, int], bytes]
"""Counts the conversations from a first to a last number."""

ROWS_PER_WRITE = 500
BUSY_TIMEOUT_S = 60


class Store:
    """An open database. Safe to share between threads; open anew in each process."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`; make it where there is none.

        Raises StoreError where the file is no database of ours, or has tables that this version
        cannot read.
        """
        self.path = path
        self._engine = _engine(path)
        with self.read() as conn:
            found = _version(conn)
        if found != schema.VERSION:
            self._migrate()

    def _migrate(self) -> None:
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
                migrate(conn, found)
            conn.exec_driver_sql(f"PRAGMA user_version = {schema.VERSION}")

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database. Keep it short: page through long
        results by `seq`."""
        with _store_errors(self.path), self._engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self, counts: bool = True) -> Iterator[Connection]:
        """A transaction that holds the one write lock: all of it is stored, or nothing.

        `counts` is False for what changes no figure, such as a job's heartbeat: `revision` then
        stays, and with it every cache.
        """
        with _store_errors(self.path), self._engine.connect() as conn:
            conn = conn.execution_options(arf_begin="BEGIN IMMEDIATE")
            with conn.begin():
                yield conn
                if not counts:
                    return
                bump = insert(schema.meta).values(key="revision", value=1)
                value = schema.meta.c.value + 1
                conn.execute(bump.on_conflict_do_update(set_={"value": value}))

    def revision(self) -> int:
        """A number that grows with every write of any process: the key for caches of reads."""
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
        table = schema.TABLES[type(records[0])]
        new = 0
        for part in chunks(records, ROWS_PER_WRITE):
            with self.write() as conn:
                new += insert_new(conn, table, [to_row(r) for r in part])
        return new

    def get(self, kind: type[R], *where: ColumnElement[bool]) -> R | None:
        """The one record, or None."""
        with self.read() as conn:
            row = conn.execute(select(*columns(kind)).where(*where).limit(1)).first()
        return None if row is None else kind.model_validate(dict(row._mapping))

    def all(self, kind: type[R], *where: ColumnElement[bool]) -> list[R]:
        """Every record that fits, in order of arrival where the table knows it. For small sets."""
        query = select(*columns(kind)).where(*where)
        table = schema.TABLES[kind]
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

    def blocks(self, part: str, count: CountBlock) -> list[bytes]:
        """What `count` makes of each block of a part (blocks.py), in order; kept until a write
        drops it. The last block goes on growing, so it is counted each time."""
        b = schema.block
        with self.read() as conn:
            last = (conn.scalar(select(func.max(schema.conversation.c.seq))) or 0) // blocks.SIZE
            rows = conn.execute(select(b.c.block, b.c.content).where(b.c.part == part))
            kept = {row.block: row.content for row in rows}
            growing = count(conn, *blocks.numbers(last))
        for number in sorted(set(range(last)) - kept.keys()):
            # in a write, so that no other one comes between counting and keeping
            with self.write(counts=False) as conn:
                block = (b.c.part == part, b.c.block == number)
                content = conn.scalar(select(b.c.content).where(*block))
                if content is None:  # else another reader was quicker
                    content = count(conn, *blocks.numbers(number))
                    row = {"part": part, "block": number, "content": content}
                    conn.execute(insert(b), [row])
                kept[number] = content
        return [*(kept[number] for number in range(last)), growing]

    # -- writes that keep derived columns right (writes.py) ----------------------------------------

    def put_summaries(self, summaries: Sequence[Summary]) -> None:
        """Insert summaries; a system's earlier text for the same conversation gives way."""
        with self.write() as conn:
            write_summaries(conn, summaries)

    def put_readings(self, readings: Sequence[Reading], checks: Sequence[Check] = ()) -> None:
        """Store analyses with their findings, and for verifiers' readings the checks."""
        with self.write() as conn:
            write_readings(conn, readings, checks)

    def put_revisions(self, revisions: Sequence[tuple[Summary, Revision, Sequence[Edit]]]) -> None:
        """Store revised summaries with how each came about; earlier ones give way."""
        with self.write() as conn:
            write_revisions(conn, revisions)

    def keep_version(self, kind: str, content: str, content_hash: str) -> None:
        """Keep settings, a taxonomy or a prompt as it was when something was made with it."""
        with self.write() as conn:
            row = {"hash": content_hash, "kind": kind, "content": content, "at": now()}
            insert_new(conn, schema.version, [row])


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for i in range(0, len(items), size):
        yield items[i : i + size]


def columns(kind: type[Record]) -> list[ColumnElement[Any]]:
    """The columns of a record's table that make the record, without the derived ones."""
    return [schema.TABLES[kind].c[name] for name in kind.model_fields]


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
        connection.execute("PRAGMA cache_size = -8192")  # 8 MB: a server has many readers
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
def _store_errors(path: Path) -> Iterator[None]:
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
