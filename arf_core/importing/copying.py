"""Conversations into the project's store, 500 at a time; what is there already stays as it is."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from arf_core import schema
from arf_core.importing.assemble import SPLIT_LABEL, Ready
from arf_core.importing.attributes import as_text
from arf_core.importing.facts import Written
from arf_core.importing.near_duplicates import Bands, bands, split_of
from arf_core.importing.report import Rejected, Tally, shortened
from arf_core.records import Split, Summary, System, digest
from arf_core.settings import SplitShares
from arf_core.store import Row, Store, insert_new, to_row

AT_ONCE = 500
SAME_ID = "the same id stands for another conversation"
SECOND = "a second summary of the same conversation by the same system"
UNKNOWN = "a summary of an unknown conversation"
SEVERAL = "several conversations have the summary's id"

_KNOWN = """
SELECT id, external_id, fingerprint FROM conversation WHERE id IN (SELECT value FROM json_each(?))
UNION SELECT id, external_id, fingerprint FROM conversation
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


class Link(NamedTuple):
    """Summaries whose conversation is not among those read."""

    external_id: str
    source: str
    summaries: tuple[Written, ...]
    file: str
    line: int


class _About(NamedTuple):
    """Summaries of a conversation that is or will be in the store."""

    conversation: str
    summaries: tuple[Written, ...]
    file: str
    line: int


@dataclass
class _Plan:
    """What one batch adds to the store, and what is to be reported when it has."""

    conversations: list[Row] = field(default_factory=list)
    attributes: list[Row] = field(default_factory=list)
    bands: list[Row] = field(default_factory=list)
    systems: dict[str, System] = field(default_factory=dict)
    summaries: list[Summary] = field(default_factory=list)
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
        insert_new(conn, schema.conversation, self.conversations)
        insert_new(conn, schema.attribute, self.attributes)
        insert_new(conn, schema.near_duplicate, self.bands)
        insert_new(conn, schema.summary, [to_row(s) for s in self.summaries])

    def count(self, tally: Tally) -> None:
        report = tally.report
        report.conversations += len(self.conversations)
        report.messages += sum(row["n_turns"] for row in self.conversations)
        for row, words in zip(self.conversations, self.words, strict=True):
            report.splits[row["split"]] += 1
            tally.counts["other split"] += SPLIT_LABEL in row["attributes"]
            tally.measured(row["n_turns"], words)
        report.summaries += len(self.summaries)
        report.summaries_by_system.update(s.system for s in self.summaries)
        report.summaries_known += self.known_summaries
        report.leaks += self.leaks
        for duplicate in self.duplicates:
            tally.duplicate(*duplicate)
        for no in self.rejected:
            tally.reject(no.file, no.line, no.reason, no.seen)


class Writer:
    """Stores conversations and summaries, and counts what became of them."""

    def __init__(self, store: Store, shares: SplitShares, tally: Tally) -> None:
        self._store, self._shares, self._tally = store, shares, tally
        self._expects_news = False

    def add(self, batch: Sequence[Ready]) -> None:
        """Store conversations that are not there yet, with what belongs to them, in one write.

        A batch with nothing new writes nothing.
        """
        hashes = bands([c.text for c in batch])
        self._apply(lambda conn: self._plan(conn, batch, hashes))

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

    def _plan(self, conn: Connection, batch: Sequence[Ready], hashes: Sequence[Bands]) -> _Plan:
        plan = _Plan()
        ids = json.dumps([c.id for c in batch])
        prints = json.dumps([c.fingerprint for c in batch])
        same_id: set[str] = set()
        same_text: dict[str, tuple[str, str]] = {}
        for row in conn.exec_driver_sql(_KNOWN, (ids, prints)):
            same_id.add(row.id)
            same_text[row.fingerprint] = (row.id, row.external_id)
        places = _Places(conn, hashes, self._shares)
        about: list[_About] = []
        for c, hashed in zip(batch, hashes, strict=True):
            if known := same_text.get(c.fingerprint):
                plan.duplicates.append((c.file, c.line, known[1]))
                plan.leaks += places.is_leak(c, hashed)
            elif c.id in same_id:
                plan.reject(c.file, c.line, SAME_ID, c.external_id)
                continue
            else:
                known = same_text[c.fingerprint] = (c.id, c.external_id)
                same_id.add(c.id)
                plan.leaks += places.is_leak(c, hashed)
                plan.words.append(hashed.words)
                _add_conversation(plan, c, places.take(c, hashed))
            about.append(_About(known[0], c.summaries, c.file, c.line))
        plan.bands = places.new
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


def _add_conversation(plan: _Plan, c: Ready, split: Split) -> None:
    plan.conversations.append(
        {
            "id": c.id,
            "external_id": c.external_id,
            "source": c.source,
            "fingerprint": c.fingerprint,
            "turns": c.turns,
            "split": split,
            "attributes": c.attributes,
            "n_turns": len(c.turns),
            "n_chars": sum(len(t["text"]) for t in c.turns),
        }
    )
    plan.attributes += [
        {"name": name, "value": as_text(value), "conversation_id": c.id}
        for name, value in c.attributes.items()
    ]


def _add_summaries(plan: _Plan, conn: Connection, abouts: Iterable[_About]) -> None:
    """Plan the summaries that are new; equal ones count as known, others of the same system are
    rejected."""
    wanted = [a for a in abouts if a.summaries]
    ids = json.dumps([a.conversation for a in wanted])
    rows = conn.exec_driver_sql(_SUMMARIES, (ids,)) if wanted else ()
    texts: dict[tuple[str, str], str] = {(r[0], r[1]): r[2] for r in rows}
    for about in wanted:
        for system, kind, text in about.summaries:
            key = (about.conversation, system)
            if key not in texts:
                texts[key] = text
                plan.summaries.append(Summary.of(about.conversation, system, text))
                model = system if kind == "teacher" and system != "teacher" else None
                plan.systems[system] = System(name=system, kind=kind, model=model)
            elif texts[key] == text:
                plan.known_summaries += 1
            else:
                plan.reject(about.file, about.line, SECOND, f"{system}: {text}")


# -- splits --------------------------------------------------------------------------------------


class _Places:
    """Which split each conversation of a batch goes to, near-duplicates together."""

    def __init__(self, conn: Connection, hashes: Sequence[Bands], shares: SplitShares) -> None:
        wanted = json.dumps([band for hashed in hashes for band in hashed.bands])
        rows = conn.exec_driver_sql(_BANDS, (wanted,))
        self._known: dict[int, tuple[str, Split]] = {band: (g, s) for band, g, s in rows}
        self._shares = shares
        self.new: list[Row] = []

    def take(self, c: Ready, hashed: Bands) -> Split:
        """The conversation's split: its own, else its group's. New bands join the group."""
        hit = next((self._known[b] for b in hashed.bands if b in self._known), None)
        group = hit[0] if hit else c.fingerprint
        split = c.split or (hit[1] if hit else split_of(group, self._shares))
        for band in hashed.bands:
            if band not in self._known:
                self._known[band] = (group, split)
                self.new.append({"band": band, "group": group, "split": split})
        return split

    def is_leak(self, c: Ready, hashed: Bands) -> bool:
        """Does its own file put it on the other side of the test split than a near-duplicate?"""
        if c.split is None:
            return False
        others = {self._known[b][1] for b in hashed.bands if b in self._known}
        return any((other == "test") != (c.split == "test") for other in others)
