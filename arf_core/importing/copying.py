"""Conversations into the project's store, 500 at a time; what is there already stays as it is."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import Connection, Table

from arf_core.importing.assemble import SPLIT_LABEL, Ready
from arf_core.importing.facts import Written
from arf_core.importing.places import Place, placed
from arf_core.importing.report import Rejected, Tally, shortened
from arf_core.project.settings import SplitShares
from arf_core.records import Split, System, digest
from arf_core.store import schema
from arf_core.store.database import Store, chunks
from arf_core.store.writes import insert_new, to_row

AT_ONCE = 500
STRIDE = 10_000
"""Conversations that are placed together."""
STRIDE_CHARS = 50_000_000
SAME_ID = "the same id stands for another conversation"
SECOND = "a second summary of the same conversation by the same system"
UNKNOWN = "a summary of an unknown conversation"
SEVERAL = "several conversations have the summary's id"

_KNOWN = """
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


class Link(NamedTuple):
    """Summaries whose conversation is not among those read."""

    external_id: str
    source: str
    summaries: tuple[Written, ...]
    file: str
    line: int


class ConversationRow(NamedTuple):
    """A row of the table of conversations, its JSON written out."""

    id: str
    external_id: str
    source: str
    fingerprint: str
    turns: str
    split: Split
    attributes: str
    n_turns: int
    n_chars: int


class _About(NamedTuple):
    """Summaries of a conversation that is or will be in the store."""

    conversation: str
    summaries: tuple[Written, ...]
    file: str
    line: int
    same_as: str | None = None
    """Of a row whose conversation was there already: the id under which it is."""


@dataclass
class _Plan:
    """What one batch adds to the store, as rows of its tables, and what is to be reported when it
    has."""

    conversations: list[ConversationRow] = field(default_factory=list)
    other_splits: int = 0
    """Conversations whose file says a split that is none of train, dev, test."""
    systems: dict[str, System] = field(default_factory=dict)
    summaries: list[tuple[str, str, str, str]] = field(default_factory=list)
    known_summaries: int = 0
    leaks: int = 0
    words: list[int] = field(default_factory=list)
    """Of each new conversation."""
    duplicates: list[tuple[str, int, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.conversations and not self.summaries

    def reject(self, file: str, line: int, reason: str, seen: str) -> None:
        self.rejected.append(Rejected(file=file, line=line, reason=reason, seen=shortened(seen)))

    def insert(self, conn: Connection) -> None:
        insert_new(conn, schema.system, [to_row(s) for s in self.systems.values()])
        _insert(conn, schema.conversation, ConversationRow._fields, self.conversations)
        _insert(conn, schema.summary, ("id", "conversation_id", "system", "text"), self.summaries)

    def count(self, tally: Tally) -> None:
        report = tally.report
        report.conversations += len(self.conversations)
        report.messages += sum(row.n_turns for row in self.conversations)
        for row, words in zip(self.conversations, self.words, strict=True):
            report.splits[row.split] += 1
            tally.measured(row.n_turns, words)
        report.summaries += len(self.summaries)
        report.summaries_by_system.update(system for _, _, system, _ in self.summaries)
        tally.remarks.counts["other split"] += self.other_splits
        report.summaries_known += self.known_summaries
        report.leaks += self.leaks
        for duplicate in self.duplicates:
            tally.duplicate(*duplicate)
        for no in self.rejected:
            tally.reject(no.file, no.line, no.reason, no.seen)


class _Known(NamedTuple):
    """A conversation that is there already, in the store or earlier in the files."""

    id: str
    external_id: str
    split: Split


class Writer:
    """Stores conversations and summaries, and counts what became of them."""

    def __init__(self, store: Store, shares: SplitShares, tally: Tally) -> None:
        self._store, self._shares, self._tally = store, shares, tally
        self._expects_news = False

    def add(self, stride: Sequence[Ready]) -> Iterator[int]:
        """Store conversations that are not there yet, with what belongs to them, in writes of 500;
        yields how many are through. Where nothing is new nothing is written.

        The bands go first, all of a stride sorted, so that a page of their table is written once
        and not with every batch. An import that is killed in between finds its own bands again.
        """
        places = self._places(stride)
        for batch in chunks(stride, AT_ONCE):
            self._apply(partial(self._plan, batch=batch, places=places))
            yield len(batch)

    def attach(self, links: Sequence[Link]) -> None:
        """Store summaries of conversations that an earlier import brought."""
        self._apply(lambda conn: self._plan_links(conn, links))

    def _apply(self, make: Callable[[Connection], _Plan]) -> None:
        plan = None
        if not self._expects_news:
            with self._store.read() as conn:
                plan = make(conn)
        if plan is None or not plan.is_empty:
            with self._store.write() as conn:
                plan = make(conn)  # again: another process may have written in between
                plan.insert(conn)
        self._expects_news = not plan.is_empty
        plan.count(self._tally)

    # -- conversations ---------------------------------------------------------------------------

    def _places(self, stride: Sequence[Ready]) -> dict[str, Place]:
        """Where each new conversation goes, by its fingerprint."""
        with self._store.read() as conn:
            ids, texts = _known(conn, stride)
        new: dict[str, Ready] = {}
        for c in stride:  # as in _plan: the first with a text counts, and the first with an id
            if c.fingerprint not in texts and c.fingerprint not in new and c.id not in ids:
                ids.add(c.id)
                new[c.fingerprint] = c
        if not new:
            return {}
        with self._store.write() as conn:
            places, rows = placed(conn, list(new.values()), self._shares)
            _insert(conn, schema.near_duplicate, ("band", "group", "split"), sorted(rows))
        return places

    def _plan(self, conn: Connection, batch: Sequence[Ready], places: dict[str, Place]) -> _Plan:
        plan = _Plan()
        same_id, same_text = _known(conn, batch)
        about: list[_About] = []
        for c in batch:
            if known := same_text.get(c.fingerprint):
                same_as = known.external_id
                plan.leaks += c.split is not None and (c.split == "test") != (known.split == "test")
            elif c.id in same_id:
                plan.reject(c.file, c.line, SAME_ID, c.external_id)
                continue
            else:
                place = places[c.fingerprint]
                known = same_text[c.fingerprint] = _Known(c.id, c.external_id, place.split)
                same_id.add(c.id)
                plan.leaks += place.leaks
                plan.words.append(c.hashed.words)
                _add_conversation(plan, c, place.split)
                same_as = None
            about.append(_About(known.id, c.summaries, c.file, c.line, same_as))
        _add_summaries(plan, conn, about)
        return plan

    def _plan_links(self, conn: Connection, links: Sequence[Link]) -> _Plan:
        plan = _Plan()
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
                plan.reject(link.file, link.line, SEVERAL if ids else UNKNOWN, link.external_id)
        _add_summaries(plan, conn, about)
        return plan


def _known(conn: Connection, batch: Sequence[Ready]) -> tuple[set[str], dict[str, _Known]]:
    """The ids of these conversations that are taken, and what is known by its fingerprint."""
    ids = json.dumps([c.id for c in batch])
    prints = json.dumps([c.fingerprint for c in batch])
    same_id: set[str] = set()
    same_text: dict[str, _Known] = {}
    for id_, external_id, print_, split in conn.exec_driver_sql(_KNOWN, (ids, prints)):
        same_id.add(id_)
        same_text[print_] = _Known(id_, external_id, split)
    return same_id, same_text


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


def _add_conversation(plan: _Plan, c: Ready, split: Split) -> None:
    row = ConversationRow(
        id=c.id,
        external_id=c.external_id,
        source=c.source,
        fingerprint=c.fingerprint,
        turns=c.turns,
        split=split,
        attributes=to_json(c.attributes).decode(),
        n_turns=c.n_turns,
        n_chars=c.n_chars,
    )
    plan.conversations.append(row)
    plan.other_splits += SPLIT_LABEL in c.attributes


def _add_summaries(plan: _Plan, conn: Connection, abouts: Iterable[_About]) -> None:
    """Plan the summaries that are new; equal ones count as known, others of the same system are
    rejected."""
    all_rows = list(abouts)
    wanted = [a for a in all_rows if a.summaries]
    ids = json.dumps([a.conversation for a in wanted])
    rows = conn.exec_driver_sql(_SUMMARIES, (ids,)) if wanted else ()
    texts: dict[tuple[str, str], str] = {(r[0], r[1]): r[2] for r in rows}
    for about in all_rows:
        refused: list[str] = []
        for system, kind, text in about.summaries:
            key = (about.conversation, system)
            if key not in texts:
                texts[key] = text
                row = (digest(about.conversation, system, text), about.conversation, system, text)
                plan.summaries.append(row)
                model = system if kind == "teacher" and system != "teacher" else None
                plan.systems[system] = System(name=system, kind=kind, model=model)
            elif texts[key] == text:
                plan.known_summaries += 1
            else:
                refused.append(f"{system}: {text}")
        if refused:  # once for the row, which then counts as nothing else
            plan.reject(about.file, about.line, SECOND, "; ".join(refused))
        elif about.same_as is not None:
            plan.duplicates.append((about.file, about.line, about.same_as))
