"""Conversations into the project's store, 500 at a time. Stored rows are never changed."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import Connection, Table

from arf_core.importing.conversations import SPLIT_LABEL, ReadyConversation
from arf_core.importing.facts import WrittenSummary
from arf_core.importing.report import ImportStats, Rejected
from arf_core.importing.splits import SplitAssignment, assign_splits
from arf_core.project.settings import SplitShares
from arf_core.records import Split, System, digest
from arf_core.store import schema
from arf_core.store.database import Store, chunks
from arf_core.store.writes import insert_new, to_row
from arf_core.text import shortened

AT_ONCE = 500
STRIDE = 10_000
"""Conversations that are assigned to splits together."""
STRIDE_CHARS = 50_000_000
SAME_ID = "another conversation has the same id"
SECOND = "a second summary of the same conversation by the same system"
UNKNOWN = "a summary of an unknown conversation"
SEVERAL = "several conversations have the summary's id"

_STORED = """
SELECT id, external_id, fingerprint, split FROM conversation
    WHERE id IN (SELECT value FROM json_each(?))
UNION SELECT id, external_id, fingerprint, split FROM conversation
    WHERE fingerprint IN (SELECT value FROM json_each(?))
"""
_NAMED = """
SELECT id, external_id FROM conversation
    WHERE external_id IN (SELECT value FROM json_each(?))
"""
_SUMMARIES = """
SELECT conversation_id, system, text FROM summary
    WHERE conversation_id IN (SELECT value FROM json_each(?))
"""
_BANDS = """
SELECT band, "group", split FROM near_duplicate WHERE band IN (SELECT value FROM json_each(?))
"""
_CONVERSATION = (
    *("id", "external_id", "source", "fingerprint", "turns", "split", "attributes"),
    *("n_turns", "n_chars"),
)


class Link(NamedTuple):
    """Summaries whose conversation is not among those read."""

    external_id: str
    source: str
    summaries: tuple[WrittenSummary, ...]
    file: str
    line: int


class _About(NamedTuple):
    """Summaries of a conversation that is or will be in the store."""

    conversation: str
    summaries: tuple[WrittenSummary, ...]
    file: str
    line: int
    same_as: str | None = None
    """External id of the stored conversation, where the row's own is a duplicate of it."""


class _Matched(NamedTuple):
    """A conversation beside the one with the same text, in the store or earlier in the files.

    A new one has neither: `id` is then its own. Where only the id is taken there is no `id`."""

    conversation: ReadyConversation
    id: str | None
    same_as: str | None = None
    split: Split | None = None
    """Of the stored conversation."""


@dataclass
class _Batch:
    """What one batch adds to the store, and what to report once it is stored."""

    conversations: list[tuple[ReadyConversation, Split]] = field(default_factory=list)
    systems: dict[str, System] = field(default_factory=dict)
    summaries: list[tuple[str, str, str, str]] = field(default_factory=list)
    known_summaries: int = 0
    leaks: int = 0
    duplicates: list[tuple[str, int, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.conversations and not self.summaries

    def reject(self, file: str, line: int, reason: str, seen: str) -> None:
        self.rejected.append(Rejected(file=file, line=line, reason=reason, seen=shortened(seen)))

    def insert(self, conn: Connection) -> None:
        insert_new(conn, schema.system, [to_row(s) for s in self.systems.values()])
        rows = [
            (
                *(c.id, c.external_id, c.source, c.fingerprint, c.turns, split),
                *(to_json(c.attributes).decode(), c.n_turns, c.n_chars),
            )
            for c, split in self.conversations
        ]
        _insert(conn, schema.conversation, _CONVERSATION, rows)
        _insert(conn, schema.summary, ("id", "conversation_id", "system", "text"), self.summaries)

    def count(self, stats: ImportStats) -> None:
        report = stats.report
        report.conversations += len(self.conversations)
        for c, split in self.conversations:
            report.messages += c.n_turns
            report.splits[split] += 1
            stats.measured(c.n_turns, c.hashed.words)
            stats.remarks.counts["other split"] += SPLIT_LABEL in c.attributes
        report.summaries += len(self.summaries)
        report.summaries_by_system.update(system for _, _, system, _ in self.summaries)
        report.summaries_known += self.known_summaries
        report.leaks += self.leaks
        for duplicate in self.duplicates:
            stats.duplicate(*duplicate)
        for row in self.rejected:
            stats.reject(row.file, row.line, row.reason, row.seen)


class Writer:
    """Stores conversations and summaries, and counts what became of them."""

    def __init__(self, store: Store, shares: SplitShares, stats: ImportStats) -> None:
        self._store, self._shares, self._stats = store, shares, stats
        self._expects_news = False

    def add(self, stride: Sequence[ReadyConversation]) -> Iterator[int]:
        """Store the new conversations with their summaries, in writes of 500; yields how many are
        done. Where nothing is new nothing is written.

        The bands go first, those of a stride sorted, so that a page of their table is written once
        and not with every batch. An import that is killed in between finds its own bands again.
        """
        assigned = self._assign(stride)
        for batch in chunks(stride, AT_ONCE):
            self._apply(partial(_new_batch, conversations=batch, assigned=assigned))
            yield len(batch)

    def attach(self, links: Sequence[Link]) -> None:
        """Store summaries of conversations that an earlier import stored."""
        self._apply(partial(_link_batch, links=links))

    def _apply(self, make: Callable[[Connection], _Batch]) -> None:
        batch = None
        if not self._expects_news:
            with self._store.read() as conn:
                batch = make(conn)
        if batch is None or not batch.is_empty:
            with self._store.write() as conn:
                batch = make(conn)  # again: another process may have written in between
                batch.insert(conn)
        self._expects_news = not batch.is_empty
        batch.count(self._stats)

    def _assign(self, stride: Sequence[ReadyConversation]) -> dict[str, SplitAssignment]:
        """The split of each new conversation, by fingerprint; its bands are stored."""
        with self._store.read() as conn:
            matches = _matched(conn, stride)
        new = [m.conversation for m in matches if m.id == m.conversation.id and m.same_as is None]
        if not new:
            return {}
        with self._store.write() as conn:
            bands = json.dumps([band for c in new for band in c.hashed.bands])
            known = {band: (g, s) for band, g, s in conn.exec_driver_sql(_BANDS, (bands,))}
            groups = ((c.fingerprint, c.split, c.hashed.bands) for c in new)
            assigned, rows = assign_splits(groups, known, self._shares)
            _insert(conn, schema.near_duplicate, ("band", "group", "split"), sorted(rows))
        return assigned


def _matched(conn: Connection, conversations: Sequence[ReadyConversation]) -> list[_Matched]:
    """Each conversation with the one of the same text, or of the same id, that is there already.
    The first with a text counts, and the first with an id."""
    ids = json.dumps([c.id for c in conversations])
    prints = json.dumps([c.fingerprint for c in conversations])
    taken: set[str] = set()
    same_text: dict[str, tuple[str, str, Split | None]] = {}
    for id_, external_id, print_, split in conn.exec_driver_sql(_STORED, (ids, prints)):
        taken.add(id_)
        same_text[print_] = (id_, external_id, split)
    matches: list[_Matched] = []
    for c in conversations:
        if c.fingerprint in same_text:
            matches.append(_Matched(c, *same_text[c.fingerprint]))
        elif c.id in taken:
            matches.append(_Matched(c, None))
        else:
            taken.add(c.id)
            same_text[c.fingerprint] = (c.id, c.external_id, None)
            matches.append(_Matched(c, c.id))
    return matches


def _new_batch(
    conn: Connection,
    conversations: Sequence[ReadyConversation],
    assigned: dict[str, SplitAssignment],
) -> _Batch:
    batch = _Batch()
    about: list[_About] = []
    for c, id_, same_as, stored_split in _matched(conn, conversations):
        if id_ is None:
            batch.reject(c.file, c.line, SAME_ID, c.external_id)
            continue
        if same_as is None:
            split, leaks = assigned[c.fingerprint]
            batch.conversations.append((c, split))
            batch.leaks += leaks
        else:
            split = stored_split or assigned[c.fingerprint].split
            batch.leaks += c.split is not None and (c.split == "test") != (split == "test")
        about.append(_About(id_, c.summaries, c.file, c.line, same_as))
    _add_summaries(batch, conn, about)
    return batch


def _link_batch(conn: Connection, links: Sequence[Link]) -> _Batch:
    batch = _Batch()
    named: dict[str, list[str]] = {}
    for row in conn.exec_driver_sql(_NAMED, (json.dumps([x.external_id for x in links]),)):
        named.setdefault(row.external_id, []).append(row.id)
    about: list[_About] = []
    for link in links:
        ids = named.get(link.external_id, [])
        own = digest(link.source, link.external_id)
        target = own if own in ids else ids[0] if len(ids) == 1 else None
        if target:
            about.append(_About(target, link.summaries, link.file, link.line))
        else:
            batch.reject(link.file, link.line, SEVERAL if ids else UNKNOWN, link.external_id)
    _add_summaries(batch, conn, about)
    return batch


def _insert(
    conn: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Like `insert_new`, for rows that are ready for the driver: half a million of them take a
    third of the time."""
    if rows:
        names = ", ".join(f'"{c}"' for c in columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        conn.exec_driver_sql(statement, list(rows))


def _add_summaries(batch: _Batch, conn: Connection, about: Iterable[_About]) -> None:
    """Add the new summaries; equal ones count as known, others of the same system are rejected."""
    rows = list(about)
    ids = json.dumps([row.conversation for row in rows if row.summaries])
    stored = conn.exec_driver_sql(_SUMMARIES, (ids,)) if ids != "[]" else ()
    texts: dict[tuple[str, str], str] = {(r[0], r[1]): r[2] for r in stored}
    for row in rows:
        refused: list[str] = []
        for system, kind, text in row.summaries:
            key = (row.conversation, system)
            if key not in texts:
                texts[key] = text
                summary = (digest(row.conversation, system, text), row.conversation, system, text)
                batch.summaries.append(summary)
                model = system if kind == "teacher" and system != "teacher" else None
                batch.systems[system] = System(name=system, kind=kind, model=model)
            elif texts[key] == text:
                batch.known_summaries += 1
            else:
                refused.append(f"{system}: {text}")
        if refused:  # once for the row, which then counts as nothing else
            batch.reject(row.file, row.line, SECOND, "; ".join(refused))
        elif row.same_as is not None:
            batch.duplicates.append((row.file, row.line, row.same_as))
