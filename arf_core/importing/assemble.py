"""What was staged into conversations as they are stored: roles, order, facts of all rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import Any, NamedTuple, cast

import orjson

from arf_core.importing.drafts import DOCUMENT, body_from
from arf_core.importing.facts import Facts, Written, facts_from, merged
from arf_core.importing.inference import sides
from arf_core.importing.options import Mapping
from arf_core.importing.report import Tally
from arf_core.importing.speakers import Roles
from arf_core.importing.splits import own_split
from arf_core.importing.staging import Gathered, Staging
from arf_core.importing.threads import TWICE, join
from arf_core.importing.times import place
from arf_core.importing.turns import UNKNOWN
from arf_core.records import Scalar, Split, digest

EMPTY = "the conversation has no text"
SPLIT_LABEL = "split_label"
"""The attribute that keeps a file's split where it is none of train, dev, test."""
_SIZE = Struct(">Q")


class Ready(NamedTuple):
    """A conversation as it will be stored, but for a split that its own file does not say."""

    id: str
    external_id: str
    source: str
    fingerprint: str
    turns: str
    """JSON, as the store has it."""
    n_turns: int
    text: str
    """The words of all turns, a line each."""
    attributes: dict[str, Scalar]
    split: Split | None
    summaries: tuple[Written, ...]
    file: str
    line: int


class Draft(NamedTuple):
    """A conversation with the file's own labels."""

    external_id: str
    labels: tuple[str | None, ...]
    texts: tuple[str, ...]
    times: tuple[str | None, ...]
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
        links: Sequence[Mapping],
    ) -> None:
        """`links` are the mappings of tables that say more about these conversations."""
        self._staging, self._tally, self._roles = staging, tally, roles
        self._mapping, self._group, self._source = mapping, group, source
        self._linked = bool(links)
        self._wants_summary = any("summary" in m.columns for m in (mapping, *links))
        self._facts = lru_cache(4_096)(facts_from)
        self.varying: Counter[str] = Counter()
        """Attributes that were left out of conversations whose rows disagree."""

    def conversations(self) -> Iterator[Ready]:
        """The group's conversations in the order of the file. What cannot be used is rejected."""
        for draft in self._drafts():
            ready = self._ready(draft)
            if ready is not None:
                yield ready

    def _drafts(self) -> Iterator[Draft]:
        if self._mapping.shape in ("messages", "threads"):
            for name, messages in self._messages():
                yield self._of_messages(name, messages)
            return
        for row in self._staging.drafts(self._group):
            columns, facts = body_from(row.body)
            yield Draft(row.id, *columns, facts, self._staging.files[row.file], row.line)

    # -- messages ------------------------------------------------------------------------------

    def _messages(self) -> Iterator[tuple[str, Gathered]]:
        if self._mapping.shape == "messages":
            return self._staging.conversations(self._group)
        join(self._staging, self._group, self._tally)
        return self._staging.threads(self._group)

    def _of_messages(self, name: str, messages: Gathered) -> Draft:
        file, line = self._staging.files[messages.files[0]], messages.lines[0]
        if self._mapping.shape == "messages" and "message_id" in self._mapping.columns:
            messages = self._each_id_once(messages)
        facts = merged([self._facts(t) for t in messages.facts], self.varying)
        messages = in_order(messages, self._tally)
        return Draft(name, messages.labels, messages.texts, messages.times, facts, file, line)

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
                self._tally.counts["messages twice"] += 1
            else:
                file = self._staging.files[messages.files[i]]
                self._tally.reject(file, messages.lines[i], TWICE, name)
        return _picked(messages, kept)

    # -- what is stored --------------------------------------------------------------------------

    def _ready(self, draft: Draft) -> Ready | None:
        draft = self._without_instructions(draft)
        text = "\n".join(draft.texts)
        if _is_blank(text):
            self._tally.report.empty += 1
            self._tally.reject(draft.file, draft.line, EMPTY, draft.external_id)
            return None
        speakers = self._speakers(draft)
        facts = self._with_links(draft)
        if self._wants_summary and all(w.system == "reference" for w in facts.summaries):
            self._tally.report.without_summary += 1
        self._tally.counts["more references"] += facts.more_references
        self._tally.counts["empty turns"] += sum(map(_is_blank, draft.texts))
        split = own_split(facts.split) if facts.split else None
        attributes = facts.attributes
        if facts.split and split is None:
            attributes = {**attributes, SPLIT_LABEL: facts.split}
        return Ready(
            digest(self._source, draft.external_id),
            draft.external_id,
            self._source,
            fingerprint(speakers, draft.texts),
            turns_text(speakers, draft.texts, draft.times),
            len(draft.texts),
            text,
            attributes,
            split,
            facts.summaries,
            draft.file,
            draft.line,
        )

    def _with_links(self, draft: Draft) -> Facts:
        if not self._linked:
            return draft.facts
        links = self._staging.links(self._group, [draft.external_id])
        return merged([draft.facts, *(facts_from(link.facts) for link in links)], self.varying)

    def _speakers(self, draft: Draft) -> Sequence[str]:
        if self._mapping.shape == "document":
            return [DOCUMENT] * len(draft.texts)
        if None not in draft.labels:
            return self._roles.speakers(cast("tuple[str, ...]", draft.labels))
        if any(label is not None for label in draft.labels):
            return self._roles.speakers(tuple(label or UNKNOWN for label in draft.labels))
        return self._inferred(draft.texts)

    def _inferred(self, texts: Sequence[str]) -> list[str]:
        guesses = sides(texts)
        speakers = self._tally.report.speakers
        speakers.inferred_conversations += 1
        speakers.inferred_turns += len(guesses)
        for guess in guesses:
            speakers.by_cue += guess.by_cue
            speakers.roles[guess.role] += 1
        return [g.role for g in guesses]

    def _without_instructions(self, draft: Draft) -> Draft:
        """Leave out the system message of chat format, which tells a model what to do."""
        kept = self._roles.talking(draft.labels)
        if kept is None:
            return draft
        self._tally.counts["instructions"] += len(draft.labels) - len(kept)
        return draft._replace(
            labels=tuple(draft.labels[i] for i in kept),
            texts=tuple(draft.texts[i] for i in kept),
            times=tuple(draft.times[i] for i in kept),
        )


def _is_blank(text: str) -> bool:
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


def in_order(messages: Gathered, tally: Tally) -> Gathered:
    """Messages by their time, else by their place, else as in the file."""
    keys = _keys(messages, tally)
    if keys is None or keys == sorted(keys):
        return messages
    return _picked(messages, sorted(range(len(keys)), key=keys.__getitem__))


def _keys(messages: Gathered, tally: Tally) -> list[Any] | None:
    """What to sort by; None to leave the order as it is."""
    times, places = messages.times, messages.places
    if None not in times:
        uniform = len({(len(t), t[19:]) for t in times if t}) == 1  # to the second, of one zone
        moments = times if uniform else [place(datetime.fromisoformat(t)) for t in times if t]
        return list(moments) if None in places else list(zip(moments, places, strict=True))
    if None not in places:
        return list(places)
    if any(t is not None for t in times):
        tally.counts["some times missing"] += 1
    return None


def _picked(messages: Gathered, places: Sequence[int]) -> Gathered:
    return Gathered(
        ids=tuple(messages.ids[i] for i in places),
        labels=tuple(messages.labels[i] for i in places),
        texts=tuple(messages.texts[i] for i in places),
        times=tuple(messages.times[i] for i in places),
        places=tuple(messages.places[i] for i in places),
        lines=tuple(messages.lines[i] for i in places),
        files=tuple(messages.files[i] for i in places),
        facts=messages.facts,
    )
