"""Staged rows into conversations as they are stored: roles, order, facts, hashes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import Any, NamedTuple, cast

import orjson

from arf_core.importing.facts import Facts, WrittenSummary, body_from, facts_from, merged
from arf_core.importing.report import Remarks
from arf_core.importing.settings import TableMapping
from arf_core.importing.speakers import Roles, sides
from arf_core.importing.splits import Bands, bands, own_split
from arf_core.importing.staging import TWICE, ConversationRange, Gathered, Staging
from arf_core.importing.times import sort_key
from arf_core.importing.turns import DOCUMENT, UNKNOWN
from arf_core.records import Scalar, Split, digest

_SIZE = Struct(">Q")


def is_blank(text: str) -> bool:
    return not text or text.isspace()


def turns_text(speakers: Sequence[str], texts: Sequence[str], times: Sequence[str | None]) -> str:
    """Turns as the store's JSON; a time only where there is one."""
    turns = [
        {"speaker": s, "text": t, "at": at} if at else {"speaker": s, "text": t}
        for s, t, at in zip(speakers, texts, times, strict=True)
    ]
    return orjson.dumps(turns).decode()


def fingerprint(speakers: Sequence[str], texts: Sequence[str]) -> str:
    """`digest` of speaker and text of each turn, in one go."""
    words = [text.encode() for text in texts]
    sizes = map(_SIZE.pack, map(len, words))
    parts = zip(map(_sized, speakers), sizes, words, strict=True)
    return blake2b(b"".join(chain.from_iterable(parts)), digest_size=10).hexdigest()


@lru_cache(4_096)
def _sized(text: str) -> bytes:
    data = text.encode()
    return _SIZE.pack(len(data)) + data


def in_order(messages: Gathered, counts: Counter[str]) -> Gathered:
    """Messages by their time, else by their place, else as in the file."""
    keys = _keys(messages, counts)
    if keys is None or keys == sorted(keys):
        return messages
    return picked(messages, sorted(range(len(keys)), key=keys.__getitem__))


def _keys(messages: Gathered, counts: Counter[str]) -> list[Any] | None:
    """What to sort by; None to leave the order as it is."""
    times, positions = messages.times, messages.positions
    if None not in times:
        uniform = len({(len(t), t[19:]) for t in times if t}) == 1  # to the second, of one zone
        moments = times if uniform else [sort_key(datetime.fromisoformat(t)) for t in times if t]
        return list(moments) if None in positions else list(zip(moments, positions, strict=True))
    if None not in positions:
        return list(positions)
    if any(t is not None for t in times):
        counts["some times missing"] += 1
    return None


def picked(messages: Gathered, positions: Sequence[int]) -> Gathered:
    return Gathered(
        ids=tuple(messages.ids[i] for i in positions),
        labels=tuple(messages.labels[i] for i in positions),
        texts=tuple(messages.texts[i] for i in positions),
        times=tuple(messages.times[i] for i in positions),
        positions=tuple(messages.positions[i] for i in positions),
        lines=tuple(messages.lines[i] for i in positions),
        files=tuple(messages.files[i] for i in positions),
        facts=messages.facts,
    )


EMPTY = "the conversation has no text"
SPLIT_LABEL = "split_label"
"""The attribute that keeps a file's split where it is none of train, dev, test."""


class Setup(NamedTuple):
    """What the conversations of one group of tables are made with."""

    mapping: TableMapping
    group: int
    source: str
    links: tuple[TableMapping, ...]
    """Of tables that say more about these conversations."""
    speakers: dict[str, str]
    """The user's: label -> role."""


class ReadyConversation(NamedTuple):
    """A conversation as it will be stored, but for a split that its own file does not say."""

    id: str
    external_id: str
    source: str
    fingerprint: str
    turns: str
    """JSON, as the store has it."""
    n_turns: int
    n_chars: int
    hashed: Bands
    attributes: dict[str, Scalar]
    split: Split | None
    summaries: tuple[WrittenSummary, ...]
    file: str
    line: int


class Assembled(NamedTuple):
    """Some conversations, and remarks for the report."""

    conversations: list[ReadyConversation]
    remarks: Remarks


class Draft(NamedTuple):
    """A conversation with the file's own labels."""

    external_id: str
    labels: tuple[str | None, ...]
    texts: tuple[str, ...]
    times: tuple[str | None, ...]
    facts: Facts
    file: str
    line: int


def assembled(staging: Staging, setup: Setup, part: ConversationRange) -> Assembled:
    """The conversations of a part, in the order of the file. What cannot be used is rejected."""
    assembler = _Assembler(staging, setup)
    drafts = [(d, text) for d in assembler.drafts(part) if (text := assembler.text(d))]
    hashes = bands([text for _, text in drafts])
    ready = [
        assembler.ready(draft, len(text), hashed)
        for (draft, text), hashed in zip(drafts, hashes, strict=True)
    ]
    assembler.remarks.labels = assembler.roles.turns()
    return Assembled(ready, assembler.remarks)


class _Assembler:
    """Makes the conversations of one part."""

    def __init__(self, staging: Staging, setup: Setup) -> None:
        self._staging, self._setup, self._mapping = staging, setup, setup.mapping
        self._wants_summary = any("summary" in m.columns for m in (setup.mapping, *setup.links))
        self._facts = lru_cache(4_096)(facts_from)
        self.roles = Roles(setup.speakers)
        self.remarks = Remarks()

    def drafts(self, part: ConversationRange) -> Iterator[Draft]:
        group, files = self._setup.group, self._staging.files
        if self._mapping.shape == "messages":
            found = self._staging.conversations(group, part)
            yield from (self._of_messages(name, messages) for name, messages in found)
        elif self._mapping.shape == "threads":
            found = self._staging.threads(group, part)
            yield from (self._of_messages(name, messages) for name, messages in found)
        else:
            for row in self._staging.drafts(group, part):
                columns, facts = body_from(row.body)
                yield self._without_instructions(
                    Draft(row.id, *columns, facts, files[row.file], row.line)
                )

    # -- messages ------------------------------------------------------------------------------

    def _of_messages(self, name: str, messages: Gathered) -> Draft:
        file, line = self._staging.files[messages.files[0]], messages.lines[0]
        if self._mapping.shape == "messages" and "message_id" in self._mapping.columns:
            messages = self._each_id_once(messages)
        facts = merged([self._facts(t) for t in messages.facts], self.remarks.varying)
        messages = in_order(messages, self.remarks.counts)
        return self._without_instructions(
            Draft(name, messages.labels, messages.texts, messages.times, facts, file, line)
        )

    def _each_id_once(self, messages: Gathered) -> Gathered:
        if len(set(messages.ids)) == len(messages.ids):
            return messages
        first: dict[str, str] = {}
        kept: list[int] = []
        for i, (name, text) in enumerate(zip(messages.ids, messages.texts, strict=True)):
            if name is None or name not in first:
                kept.append(i)
                first[name or ""] = text
            elif first[name] == text:
                self.remarks.counts["messages twice"] += 1
            else:
                file = self._staging.files[messages.files[i]]
                self.remarks.reject(file, messages.lines[i], TWICE, name)
        return picked(messages, kept)

    def _without_instructions(self, draft: Draft) -> Draft:
        """Leave out the system message of chat format, which tells a model what to do."""
        kept = self.roles.talking(draft.labels)
        if kept is None:
            return draft
        self.remarks.counts["instructions"] += len(draft.labels) - len(kept)
        return draft._replace(
            labels=tuple(draft.labels[i] for i in kept),
            texts=tuple(draft.texts[i] for i in kept),
            times=tuple(draft.times[i] for i in kept),
        )

    # -- what is stored --------------------------------------------------------------------------

    def text(self, draft: Draft) -> str:
        """The words of all turns, a line each; a conversation without any is rejected."""
        text = "\n".join(draft.texts)
        if is_blank(text):
            self.remarks.counts["empty"] += 1
            self.remarks.reject(draft.file, draft.line, EMPTY, draft.external_id)
            return ""
        return text

    def ready(self, draft: Draft, size: int, hashed: Bands) -> ReadyConversation:
        """The conversation; `size` is the length of its `text`."""
        speakers = self._speakers(draft)
        facts = self._with_links(draft)
        counts = self.remarks.counts
        if self._wants_summary and all(w.system == "reference" for w in facts.summaries):
            counts["without summary"] += 1
        counts["more references"] += facts.more_references
        counts["empty turns"] += sum(map(is_blank, draft.texts))
        split = own_split(facts.split) if facts.split else None
        attributes = facts.attributes
        if facts.split and split is None:
            attributes = {**attributes, SPLIT_LABEL: facts.split}
        return ReadyConversation(
            digest(self._setup.source, draft.external_id),
            draft.external_id,
            self._setup.source,
            fingerprint(speakers, draft.texts),
            turns_text(speakers, draft.texts, draft.times),
            len(draft.texts),
            size - len(draft.texts) + 1,
            hashed,
            attributes,
            split,
            facts.summaries,
            draft.file,
            draft.line,
        )

    def _with_links(self, draft: Draft) -> Facts:
        if not self._setup.links:
            return draft.facts
        links = self._staging.links(self._setup.group, draft.external_id)
        several = [draft.facts, *(facts_from(link.body) for link in links)]
        return merged(several, self.remarks.varying)

    def _speakers(self, draft: Draft) -> Sequence[str]:
        if self._mapping.shape == "document":
            return [DOCUMENT] * len(draft.texts)
        if None not in draft.labels:
            return self.roles.speakers(cast("tuple[str, ...]", draft.labels))
        if any(label is not None for label in draft.labels):
            return self.roles.speakers(tuple(label or UNKNOWN for label in draft.labels))
        return self._inferred(draft.texts)

    def _inferred(self, texts: Sequence[str]) -> list[str]:
        guesses = sides(texts)
        self.remarks.counts["inferred"] += 1
        self.remarks.counts["by cue"] += sum(g.by_cue for g in guesses)
        self.remarks.roles.update(g.role for g in guesses)
        return [g.role for g in guesses]
