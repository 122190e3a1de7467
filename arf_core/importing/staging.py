"""Rows that were read, in a scratch database until the whole input has been read.

It need not survive a crash. Conversations and facts are JSON; messages are put together by SQLite,
whatever their order in the files.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import orjson

from arf_core.errors import StoreError
from arf_core.importing.report import ImportStats
from arf_core.importing.settings import Shape

_TABLES = """
CREATE TABLE draft (n INTEGER PRIMARY KEY, grp INT, id TEXT, body TEXT, file INT, line INT);
CREATE TABLE linked (n INTEGER PRIMARY KEY, grp INT, id TEXT, body TEXT, file INT, line INT);
"""
_MESSAGES = """
CREATE TABLE message_{g} (n INTEGER PRIMARY KEY, conversation TEXT, id TEXT, parent TEXT,
    label TEXT, text TEXT, at TEXT, place REAL, facts TEXT, line INTEGER, file INTEGER);
CREATE TABLE chunk_{g} (n INTEGER PRIMARY KEY, conversation TEXT, file INTEGER, body BLOB);
"""
_GATHERED = """
CREATE INDEX {table}_{g}_conversation ON {table}_{g}(conversation);
CREATE TABLE whole_{g} (first INTEGER PRIMARY KEY, conversation TEXT);
INSERT INTO whole_{g} SELECT min(n), conversation FROM {table}_{g}
    WHERE conversation IS NOT NULL GROUP BY conversation ORDER BY 1;
"""
_IN_ORDER = """
SELECT w.first, w.conversation, {columns} FROM whole_{g} w
    CROSS JOIN {table}_{g} m ON m.conversation = w.conversation
    WHERE w.first >= ? AND w.first < ? ORDER BY w.first, m.n
"""
_MESSAGE_TABLES: dict[Shape, str] = {"messages": "chunk", "threads": "message"}
PART = 1_000
"""Conversations that are put together at a time."""
_CACHE_KIB = 64_000
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


class ConversationRange(NamedTuple):
    """A run of conversations: the key of the first, and the key after the last."""

    start: int
    end: int


class Messages(NamedTuple):
    """Messages column by column, in the order of their rows."""

    conversations: Sequence[str | None]
    """None in threads, until they are put together."""
    ids: Sequence[str | None]
    parents: Sequence[str | None]
    labels: Sequence[str | None]
    texts: Sequence[str]
    times: Sequence[str | None]
    positions: Sequence[float | None]
    facts: Sequence[str]
    lines: Sequence[int]


class Gathered(NamedTuple):
    """The messages of one conversation, column by column, as they come out of the staging."""

    ids: tuple[str | None, ...]
    labels: tuple[str | None, ...]
    texts: tuple[str, ...]
    times: tuple[str | None, ...]
    positions: tuple[float | None, ...]
    lines: tuple[int, ...]
    files: tuple[int, ...]
    facts: tuple[str, ...]
    """Each once."""


class StagedRow(NamedTuple):
    """A staged conversation of one row (`body`: turns and facts as JSON), or a row that says more
    about a conversation of `group` (`body`: its facts)."""

    n: int | None
    group: int
    id: str
    body: str
    file: int
    line: int


@contextmanager
def _room() -> Iterator[None]:
    """Tell of a full disk; other errors of the database are bugs, and pass through."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NO_ROOM:
            raise
        raise StoreError(
            f"What was read cannot be kept for the moment: {error}.",
            "Free some space on the project's disk, about twice the size of the files unpacked, "
            "and start the import again: what is stored already stays.",
        ) from error


class Staging:
    """The database between reading and storing; in memory where no folder is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = folder / "staging.db" if folder else None
        with _room():
            self._db = sqlite3.connect(self.path or ":memory:")
            self._db.execute("PRAGMA page_size = 65536")  # a row is a conversation of kilobytes
            self._db.execute("PRAGMA journal_mode = OFF")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._db.executescript(_TABLES)
        self.files: list[str] = []
        """Names of files; rows refer to them by their place."""

    @classmethod
    def again(cls, path: Path, files: Sequence[str]) -> Self:
        """Open one that is full, for reading, in another process."""
        staging = cls.__new__(cls)
        staging.path, staging.files = path, list(files)
        with _room():
            staging._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        return staging

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def file(self, name: str) -> int:
        """Register a file; returns its number in the staged rows."""
        self.files.append(name)
        return len(self.files) - 1

    def add(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows to `draft`, `linked`, `chunk_<group>` or `message_<group>`.

        Raises StoreError where the disk is full.
        """
        if not rows:
            return
        marks = ",".join("?" * len(rows[0]))
        with _room():
            self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608

    def begin_messages(self, group: int) -> None:
        self.script(_MESSAGES.format(g=group))

    def add_messages(self, group: int, file: int, messages: Messages) -> None:
        """Stage messages one by one, as threads need them."""
        self.add(f"message_{group}", [(None, *m, file) for m in zip(*messages, strict=True)])

    def script(self, statements: str) -> None:
        with _room():
            self._db.executescript(statements)

    def rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with _room(), closing(self._db.execute(query, values)) as cursor:
            yield from cursor

    # -- what was staged, a part at a time -------------------------------------------------------

    def gather(self, group: int, shape: Shape) -> list[ConversationRange]:
        """Make the conversations of a group ready to be read, and the parts to read them in."""
        if shape in _MESSAGE_TABLES:
            self.script(_GATHERED.format(table=_MESSAGE_TABLES[shape], g=group))
            query = f"SELECT first FROM whole_{group} ORDER BY first"  # noqa: S608
        else:
            self.script(
                f"CREATE INDEX IF NOT EXISTS draft_{group} ON draft(grp) WHERE grp = {group}"
            )
            query = f"SELECT n FROM draft WHERE grp = {group} ORDER BY n"  # noqa: S608
        with _room():
            self._db.commit()  # other processes may read now
        keys = [key for (key,) in self.rows(query)]
        bounds = [*keys[::PART], keys[-1] + 1] if keys else []
        return [ConversationRange(*pair) for pair in pairwise(bounds)]

    def drafts(self, group: int, part: ConversationRange) -> Iterator[StagedRow]:
        """Conversations that were one row each, in the order of the file."""
        query = "SELECT * FROM draft WHERE grp = ? AND n >= ? AND n < ? ORDER BY n"
        return (StagedRow(*row) for row in self.rows(query, group, *part))

    def conversations(self, group: int, part: ConversationRange) -> Iterator[tuple[str, Gathered]]:
        """The messages of each conversation in the order of the files; the conversations in that
        of their first messages."""
        query = _IN_ORDER.format(table="chunk", g=group, columns="m.file, m.body")
        for (_, name), chunks in groupby(self.rows(query, *part), key=itemgetter(0, 1)):
            rows: list[tuple[Any, ...]] = []
            files: list[int] = []
            facts: dict[str, None] = {}
            for _, _, file, body in chunks:
                found, about = orjson.loads(body)
                rows += found
                files += [file] * len(found)
                facts.update(dict.fromkeys(about))
            yield name, Gathered._make((*zip(*rows, strict=True), tuple(files), tuple(facts)))

    def threads(self, group: int, part: ConversationRange) -> Iterator[tuple[str, Gathered]]:
        """The same of messages that were staged one by one and put together as threads."""
        columns = "m.id, m.label, m.text, m.at, m.place, m.line, m.file, m.facts"
        query = _IN_ORDER.format(table="message", g=group, columns=columns)
        for (_, name), rows in groupby(self.rows(query, *part), key=itemgetter(0, 1)):
            *found, facts = list(zip(*rows, strict=True))[2:]
            yield name, Gathered._make((*found, tuple(dict.fromkeys(facts))))

    def index_links(self) -> None:
        self.script("CREATE INDEX linked_id ON linked(grp, id)")

    def links(self, group: int, name: str) -> Iterator[StagedRow]:
        """Rows of linked tables about a conversation."""
        query = "SELECT * FROM linked WHERE grp = ? AND id = ? ORDER BY n"
        return (StagedRow(*row) for row in self.rows(query, group, name))

    def unseen_links(self, group: int, shape: Shape) -> Iterator[StagedRow]:
        """Rows that say more about conversations of a group that are not in it."""
        if shape in _MESSAGE_TABLES:
            table = f"{_MESSAGE_TABLES[shape]}_{group}"
            there = f"SELECT 1 FROM {table} m WHERE m.conversation = l.id"  # noqa: S608
        else:
            self.script("CREATE INDEX IF NOT EXISTS draft_id ON draft(grp, id)")
            there = "SELECT 1 FROM draft d WHERE d.grp = l.grp AND d.id = l.id"
        query = f"""
            SELECT * FROM linked l WHERE grp = ? AND NOT EXISTS ({there}) ORDER BY n
        """  # noqa: S608
        return (StagedRow(*row) for row in self.rows(query, group))


_TWICE = """
CREATE INDEX message_{g}_id ON message_{g}(id);
CREATE TABLE twice_{g} AS SELECT n, id, text, file, line, (
    SELECT min(n) FROM message_{g} f WHERE f.id = m.id) AS first
    FROM message_{g} m WHERE id IN (SELECT id FROM message_{g} GROUP BY id HAVING count(*) > 1);
DELETE FROM twice_{g} WHERE n = first;
DELETE FROM message_{g} WHERE n IN (SELECT n FROM twice_{g});
"""
_JOINED = """
CREATE INDEX message_{g}_parent ON message_{g}(parent);
CREATE TABLE place_{g} (n INTEGER PRIMARY KEY, root TEXT, depth INTEGER);
INSERT OR IGNORE INTO place_{g}
    WITH RECURSIVE reached(n, id, root, depth) AS (
        SELECT n, id, id, 0 FROM message_{g} m WHERE parent IS NULL OR parent = id
            OR NOT EXISTS (SELECT 1 FROM message_{g} p WHERE p.id = m.parent)
        UNION ALL
        SELECT m.n, m.id, r.root, r.depth + 1 FROM reached r
            JOIN message_{g} m ON m.parent = r.id WHERE m.id <> m.parent
    )
    SELECT n, root, depth FROM reached;
UPDATE message_{g} SET
    conversation = (SELECT root FROM place_{g} p WHERE p.n = message_{g}.n),
    place = (SELECT depth FROM place_{g} p WHERE p.n = message_{g}.n);
"""
CIRCLE = "messages answer each other in a circle"
TWICE = "another message has the same id"


def join_threads(staging: Staging, group: int, stats: ImportStats) -> None:
    """Give every message of the group the id of its thread's root as conversation. A message whose
    parent is not there begins a conversation; a circle is rejected."""
    staging.script(_TWICE.format(g=group))
    _reject_second(staging, group, stats)
    staging.script(_JOINED.format(g=group))
    query = f"SELECT file, line, id FROM message_{group} WHERE conversation IS NULL"  # noqa: S608
    for file, line, name in staging.rows(query):
        stats.reject(staging.files[file], line, CIRCLE, name)
    orphans = f"""
        SELECT count(*), min(parent) FROM message_{group} m WHERE parent IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM message_{group} p WHERE p.id = m.parent)
    """  # noqa: S608
    for count, example in staging.rows(orphans):
        if count:
            stats.note(
                f"{count} messages answer one that is not in the file (for example {example}): "
                "each begins a conversation of its own."
            )


def _reject_second(staging: Staging, group: int, stats: ImportStats) -> None:
    query = f"""
        SELECT t.file, t.line, t.id, t.text = m.text FROM twice_{group} t
        JOIN message_{group} m ON m.n = t.first ORDER BY t.n
    """  # noqa: S608
    for file, line, name, same in staging.rows(query):
        if same:
            stats.remarks.counts["messages twice"] += 1
        else:
            stats.reject(staging.files[file], line, TWICE, name)
