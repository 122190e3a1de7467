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
    label TEXT, text TEXT, at TEXT, moment REAL, place REAL, facts TEXT, file INTEGER,
    line INTEGER)
"""
_GATHERED = """
CREATE INDEX message_{g}_conversation ON message_{g}(conversation);
CREATE TABLE whole_{g} (first INTEGER PRIMARY KEY, conversation TEXT);
INSERT INTO whole_{g} SELECT min(n), conversation FROM message_{g}
    WHERE conversation IS NOT NULL GROUP BY conversation ORDER BY 1;
"""
_CACHE_KIB = 200_000


class Message(NamedTuple):
    """A staged row of one message."""

    n: int | None
    conversation: str | None
    id: str | None
    parent: str | None
    label: str | None
    text: str
    at: str | None
    moment: float | None
    place: float | None
    facts: str
    file: int
    line: int


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
        self._db.execute(_MESSAGES.format(g=group))

    def script(self, statements: str) -> None:
        self._db.executescript(statements)

    def rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with closing(self._db.execute(query, values)) as cursor:
            yield from cursor

    def drafts(self, group: int) -> Iterator[StagedDraft]:
        """The conversations of a group, in the order of the file."""
        query = "SELECT n, grp, id, body, file, line FROM draft WHERE grp = ? ORDER BY n"
        return (StagedDraft(*row) for row in self.rows(query, group))

    def conversations(self, group: int) -> Iterator[list[tuple[Any, ...]]]:
        """The messages of each conversation as rows like `Message`, in the order of the file; the
        conversations in that of their first messages."""
        self.script(_GATHERED.format(g=group))
        query = f"""
            SELECT w.first, m.* FROM whole_{group} w CROSS JOIN message_{group} m
            ON m.conversation = w.conversation ORDER BY w.first, m.n
        """  # noqa: S608
        for _, rows in groupby(self.rows(query), key=itemgetter(0)):
            yield [row[1:] for row in rows]

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
