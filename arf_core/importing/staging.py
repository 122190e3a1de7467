"""What was read, kept in a database of its own until all of the input has been readable.

It is thrown away afterwards, so nothing in it needs to survive a crash. Turns and facts are kept as
JSON; messages are kept one by one and put together by SQLite, whatever their order in the files.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson

from arf_core.errors import StoreError

_TABLES = """
CREATE TABLE draft (n INTEGER PRIMARY KEY, grp INTEGER, id TEXT, body TEXT, file INTEGER,
    line INTEGER);
CREATE TABLE linked (n INTEGER PRIMARY KEY, grp INTEGER, id TEXT, facts TEXT, file INTEGER,
    line INTEGER);
CREATE TABLE seen (grp INTEGER, id TEXT);
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
    CROSS JOIN {table}_{g} m ON m.conversation = w.conversation ORDER BY w.first, m.n
"""
HELD = 50_000
"""Messages held in memory, so that those of a conversation which stand near each other in the file
make one row of the staging."""
_CACHE_KIB = 200_000


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


class Staging:
    """The database between reading and storing; in memory where no folder is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._db = sqlite3.connect(folder / "staging.db" if folder else ":memory:")
        self._db.execute("PRAGMA page_size = 65536")  # a row is a conversation of some kilobytes
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.executescript(_TABLES)
        self.files: list[str] = []
        """Names of files; rows refer to them by their place."""

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
        """Append rows to `draft`, `linked`, `seen` or `message_<group>`.

        Raises StoreError where the disk is full.
        """
        if not rows:
            return
        marks = ",".join("?" * len(rows[0]))
        try:
            self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        except sqlite3.OperationalError as error:
            raise StoreError(
                f"What was read cannot be kept for the moment: {error}.",
                "Free some space on the project's disk; the project itself was not touched.",
            ) from error

    def begin_messages(self, group: int) -> None:
        self.script(_MESSAGES.format(g=group))

    def add_messages(self, group: int, file: int, messages: Messages) -> None:
        """Stage messages one by one, as threads need them."""
        self.add(f"message_{group}", [(None, *m, file) for m in zip(*messages, strict=True)])

    def script(self, statements: str) -> None:
        self._db.executescript(statements)

    def rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with closing(self._db.execute(query, values)) as cursor:
            yield from cursor

    def drafts(self, group: int) -> Iterator[StagedDraft]:
        """The conversations of a group, in the order of the file."""
        query = "SELECT n, grp, id, body, file, line FROM draft WHERE grp = ? ORDER BY n"
        return (StagedDraft(*row) for row in self.rows(query, group))

    def conversations(self, group: int) -> Iterator[tuple[str, Gathered]]:
        """The messages of each conversation in the order of the files; the conversations in that
        of their first messages."""
        self.script(_GATHERED.format(table="chunk", g=group))
        query = _IN_ORDER.format(table="chunk", g=group, columns="m.file, m.body")
        for (_, name), chunks in groupby(self.rows(query), key=itemgetter(0, 1)):
            rows: list[tuple[Any, ...]] = []
            files: list[int] = []
            facts: dict[str, None] = {}
            for _, _, file, body in chunks:
                said, about = orjson.loads(body)
                rows += said
                files += [file] * len(said)
                facts.update(dict.fromkeys(about))
            yield name, Gathered._make((*zip(*rows, strict=True), tuple(files), tuple(facts)))

    def threads(self, group: int) -> Iterator[tuple[str, Gathered]]:
        """The same of messages that were staged one by one and put together as threads."""
        self.script(_GATHERED.format(table="message", g=group))
        columns = "m.id, m.label, m.text, m.at, m.place, m.line, m.file, m.facts"
        query = _IN_ORDER.format(table="message", g=group, columns=columns)
        for (_, name), rows in groupby(self.rows(query), key=itemgetter(0, 1)):
            *said, facts = list(zip(*rows, strict=True))[2:]
            yield name, Gathered._make((*said, tuple(dict.fromkeys(facts))))

    def index_links(self) -> None:
        self.script("CREATE INDEX linked_id ON linked(grp, id)")

    def links(self, group: int, ids: Iterable[str]) -> Iterator[StagedLink]:
        """What linked tables say about these conversations; the ids count as seen."""
        for wanted in ids:
            self.add("seen", [(group, wanted)])
            query = "SELECT * FROM linked WHERE grp = ? AND id = ? ORDER BY n"
            yield from (StagedLink(*row) for row in self.rows(query, group, wanted))

    def unseen_links(self) -> Iterator[StagedLink]:
        """Rows of linked tables whose conversation did not turn up."""
        self.script("CREATE INDEX seen_id ON seen(grp, id)")
        query = """
            SELECT * FROM linked l WHERE NOT EXISTS
                (SELECT 1 FROM seen s WHERE s.grp = l.grp AND s.id = l.id) ORDER BY n
        """
        return (StagedLink(*row) for row in self.rows(query))


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
