"""What was staged into conversations as they are stored: roles, order, facts of all rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from arf_core.importing.drafts import DOCUMENT, body_from, facts_from
from arf_core.importing.facts import Facts, Written, merged
from arf_core.importing.inference import sides
from arf_core.importing.options import Mapping
from arf_core.importing.report import Tally
from arf_core.importing.speakers import INSTRUCTIONS, Roles, plain_label
from arf_core.importing.splits import own_split
from arf_core.importing.staging import Staging
from arf_core.importing.threads import TWICE, join
from arf_core.importing.turns import UNKNOWN, Said
from arf_core.records import Scalar, Split, digest

EMPTY = "the conversation has no text"
SPLIT_LABEL = "split_label"
"""The attribute that keeps a file's split where it is none of train, dev, test."""
TurnRow = dict[str, str]
"""A turn as the store's JSON has it."""


@dataclass(slots=True)
class Ready:
    """A conversation as it will be stored, but for a split that its own file does not say."""

    id: str
    external_id: str
    source: str
    fingerprint: str
    turns: list[TurnRow]
    attributes: dict[str, Scalar]
    split: Split | None
    summaries: tuple[Written, ...]
    file: str
    line: int

    @property
    def text(self) -> str:
        return "\n".join(t["text"] for t in self.turns)


@dataclass(frozen=True)
class Draft:
    """A conversation with the file's own labels."""

    external_id: str
    turns: list[Said]
    facts: Facts
    file: str
    line: int


class Assembler:
    """Makes conversations of one group of tables from what was staged for it."""

    def __init__(
        self,
        staging: Staging,
        tally: Tally,
        roles: Roles,
        mapping: Mapping,
        group: int,
        source: str,
        linked: bool,
    ) -> None:
        self._staging, self._tally, self._roles = staging, tally, roles
        self._mapping, self._group, self._source = mapping, group, source
        self._linked = linked
        self._wants_summary = "summary" in mapping.columns
        self.varying: Counter[str] = Counter()
        """Attributes that were left out of conversations whose rows disagree."""

    def conversations(self) -> Iterator[Ready]:
        """The group's conversations in the order of the file. What cannot be used is rejected."""
        for draft in self._drafts():
            ready = self._ready(draft)
            if ready is not None:
                yield ready

    def _drafts(self) -> Iterator[Draft]:
        if self._mapping.shape == "threads":
            join(self._staging, self._group, self._tally)
        if self._mapping.shape in ("messages", "threads"):
            for rows in self._staging.conversations(self._group):
                yield self._of_messages(rows)
            return
        for row in self._staging.drafts(self._group):
            turns, facts = body_from(row.body)
            yield Draft(row.id, turns, facts, self._staging.files[row.file], row.line)

    # -- messages ------------------------------------------------------------------------------

    def _of_messages(self, rows: list[tuple[Any, ...]]) -> Draft:
        """A conversation of its messages' rows, which are tuples like `staging.Message`."""
        if self._mapping.shape == "messages" and "message_id" in self._mapping.columns:
            rows = self._each_id_once(rows)
        _sort(rows, self._tally)
        texts = {row[9]: None for row in rows}
        facts = merged((facts_from(t) for t in texts), self.varying)
        first = min(rows, key=lambda row: row[0])
        turns: list[Said] = [(row[4], row[5], row[6]) for row in rows]
        return Draft(first[1], turns, facts, self._staging.files[first[10]], first[11])

    def _each_id_once(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        first: dict[str, str] = {}
        kept: list[tuple[Any, ...]] = []
        for row in rows:
            name, text = row[2], row[5]
            if name is None or first.setdefault(name, text) is text:
                kept.append(row)
            elif first[name] == text:
                self._tally.counts["messages twice"] += 1
            else:
                self._tally.reject(self._staging.files[row[10]], row[11], TWICE, name)
        return kept

    # -- what is stored --------------------------------------------------------------------------

    def _ready(self, draft: Draft) -> Ready | None:
        turns = self._turns(draft)
        if not any(not t["text"].isspace() and t["text"] for t in turns):
            self._tally.report.empty += 1
            self._tally.reject(draft.file, draft.line, EMPTY, draft.external_id)
            return None
        facts = self._with_links(draft)
        if self._wants_summary and all(w.system == "reference" for w in facts.summaries):
            self._tally.report.without_summary += 1
        self._tally.counts["more references"] += facts.more_references
        split = own_split(facts.split) if facts.split else None
        attributes = dict(facts.attributes)
        if facts.split and split is None:
            attributes[SPLIT_LABEL] = facts.split
        return Ready(
            id=digest(self._source, draft.external_id),
            external_id=draft.external_id,
            source=self._source,
            fingerprint=digest(*(part for t in turns for part in (t["speaker"], t["text"]))),
            turns=turns,
            attributes=attributes,
            split=split,
            summaries=facts.summaries,
            file=draft.file,
            line=draft.line,
        )

    def _with_links(self, draft: Draft) -> Facts:
        if not self._linked:
            return draft.facts
        links = self._staging.links(self._group, [draft.external_id])
        return merged([draft.facts, *(facts_from(link.facts) for link in links)], self.varying)

    def _turns(self, draft: Draft) -> list[TurnRow]:
        said = self._without_instructions(draft.turns)
        speakers = self._speakers(said)
        turns: list[TurnRow] = []
        for speaker, (_, text, at) in zip(speakers, said, strict=True):
            turn = {"speaker": speaker, "text": text}
            if at is not None:
                turn["at"] = at
            turns.append(turn)
            if not text or text.isspace():
                self._tally.counts["empty turns"] += 1
        return turns

    def _speakers(self, said: Sequence[Said]) -> list[str]:
        if self._mapping.shape == "document":
            return [DOCUMENT] * len(said)
        labels = [label for label, _, _ in said]
        if None not in labels:
            return self._roles.speakers([x for x in labels if x is not None])
        if any(label is not None for label in labels):
            return self._roles.speakers([label or UNKNOWN for label in labels])
        return self._inferred([text for _, text, _ in said])

    def _inferred(self, texts: Sequence[str]) -> list[str]:
        guesses = sides(texts)
        speakers = self._tally.report.speakers
        speakers.inferred_conversations += 1
        speakers.inferred_turns += len(guesses)
        for guess in guesses:
            speakers.by_cue += guess.by_cue
            speakers.roles[guess.role] += 1
        return [g.role for g in guesses]

    def _without_instructions(self, said: list[Said]) -> list[Said]:
        """Leave out the system message of chat format, which tells a model what to do."""
        labels = {label for label, _, _ in said}
        system = {x for x in labels if x is not None and plain_label(x) in INSTRUCTIONS}
        if not system or not self._roles.instructs(labels):
            return said
        kept = [turn for turn in said if turn[0] not in system]
        self._tally.counts["instructions"] += len(said) - len(kept)
        return kept


def _sort(rows: list[tuple[Any, ...]], tally: Tally) -> None:
    """Order messages by their time, else by their place, else leave them as in the file."""
    if all(row[7] is not None for row in rows):
        rows.sort(key=lambda row: (row[7], row[8] if row[8] is not None else row[0]))
    elif all(row[8] is not None for row in rows):
        rows.sort(key=lambda row: row[8])
    elif any(row[7] is not None for row in rows):
        tally.counts["some times missing"] += 1
