"""What was read, kept in a database of its own until all of the input has been readable.

It is thrown away afterwards, so nothing in it needs to survive a crash. Turns and facts are kept as
JSON; messages are kept one by one and put together by SQLite, whatever their order in the files.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import orjson

from arf_core.errors import StoreError
from arf_core.importing.options import Shape

_TABLES = """
CREATE TABLE draft (n INTEGER PRIMARY KEY, grp INTEGER, id TEXT, body TEXT, file INTEGER,
    line INTEGER);
CREATE TABLE linked (n INTEGER PRIMARY KEY, grp INTEGER, id TEXT, facts TEXT, file INTEGER,
    line INTEGER);
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
HELD = 50_000
"""Messages held in memory, so that those of a conversation which stand near each other in the file
make one row of the staging."""
_CACHE_KIB = 64_000
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


class Part(NamedTuple):
    """A run of conversations: the key of the first, and that behind the last."""

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
    places: Sequence[float | None]
    facts: Sequence[str]
    lines: Sequence[int]


class Gathered(NamedTuple):
    """The messages of one conversation, column by column, as they come out of the staging."""

    ids: tuple[str | None, ...]
    labels: tuple[str | None, ...]
    texts: tuple[str, ...]
    times: tuple[str | None, ...]
    places: tuple[float | None, ...]
    lines: tuple[int, ...]
    files: tuple[int, ...]
    facts: tuple[str, ...]
    """Each once."""


class StagedDraft(NamedTuple):
    """A staged row of one conversation; `body` holds turns and facts as JSON."""

    n: int | None
    group: int
    id: str
    body: str
    file: int
    line: int


class StagedLink(NamedTuple):
    """A staged row that says more about a conversation of group `group`."""

    n: int | None
    group: int
    id: str
    facts: str
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def file(self, name: str) -> int:
        """The number that stands for a file from now on."""
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

    def gather(self, group: int, shape: Shape) -> list[Part]:
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
        starts = keys[::PART]
        return [Part(*pair) for pair in pairwise([*starts, keys[-1] + 1])] if keys else []

    def drafts(self, group: int, part: Part) -> Iterator[StagedDraft]:
        """Conversations that were one row each, in the order of the file."""
        query = """
            SELECT n, grp, id, body, file, line FROM draft
            WHERE grp = ? AND n >= ? AND n < ? ORDER BY n
        """
        return (StagedDraft(*row) for row in self.rows(query, group, *part))

    def conversations(self, group: int, part: Part) -> Iterator[tuple[str, Gathered]]:
        """The messages of each conversation in the order of the files; the conversations in that
        of their first messages."""
        query = _IN_ORDER.format(table="chunk", g=group, columns="m.file, m.body")
        for (_, name), chunks in groupby(self.rows(query, *part), key=itemgetter(0, 1)):
            rows: list[tuple[Any, ...]] = []
            files: list[int] = []
            facts: dict[str, None] = {}
            for _, _, file, body in chunks:
                said, about = orjson.loads(body)
                rows += said
                files += [file] * len(said)
                facts.update(dict.fromkeys(about))
            yield name, Gathered._make((*zip(*rows, strict=True), tuple(files), tuple(facts)))

    def threads(self, group: int, part: Part) -> Iterator[tuple[str, Gathered]]:
        """The same of messages that were staged one by one and put together as threads."""
        columns = "m.id, m.label, m.text, m.at, m.place, m.line, m.file, m.facts"
        query = _IN_ORDER.format(table="message", g=group, columns=columns)
        for (_, name), rows in groupby(self.rows(query, *part), key=itemgetter(0, 1)):
            *said, facts = list(zip(*rows, strict=True))[2:]
            yield name, Gathered._make((*said, tuple(dict.fromkeys(facts))))

    def index_links(self) -> None:
        self.script("CREATE INDEX linked_id ON linked(grp, id)")

    def links(self, group: int, name: str) -> Iterator[StagedLink]:
        """What linked tables say about a conversation."""
        query = "SELECT * FROM linked WHERE grp = ? AND id = ? ORDER BY n"
        return (StagedLink(*row) for row in self.rows(query, group, name))

    def unseen_links(self, group: int, shape: Shape) -> Iterator[StagedLink]:
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
        return (StagedLink(*row) for row in self.rows(query, group))


_Held = tuple[list[tuple[Any, ...]], dict[str, None]]
"""Messages of one conversation, and what their rows say about it, each once."""


class Chunks:
    """Collects messages by conversation, and stages what has come together."""

    def __init__(self, staging: Staging, group: int, file: int) -> None:
        self._staging, self._group, self._file = staging, group, file
        self._held: dict[str | None, _Held] = {}
        self._count = 0

    def add(self, m: Messages) -> None:
        held = self._held
        rows = zip(m.ids, m.labels, m.texts, m.times, m.places, m.lines, strict=True)
        for conversation, row, fact in zip(m.conversations, rows, m.facts, strict=True):
            if conversation in held:
                said, facts = held[conversation]
                said.append(row)
                facts[fact] = None
            else:
                held[conversation] = ([row], {fact: None})
        self._count += len(m.lines)
        if self._count >= HELD:
            self.flush()

    def flush(self) -> None:
        """Stage what is held, in the order in which the conversations began."""
        rows = [
            (None, name, self._file, orjson.dumps([said, list(facts)]))
            for name, (said, facts) in self._held.items()
        ]
        self._staging.add(f"chunk_{self._group}", rows)
        self._held = {}
        self._count = 0
