"""The content of one conversation: its turns in order, as JSON, and its hash."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import Any

import orjson

from arf_core.importing.staging import Gathered
from arf_core.importing.times import place

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
    times, places = messages.times, messages.places
    if None not in times:
        uniform = len({(len(t), t[19:]) for t in times if t}) == 1  # to the second, of one zone
        moments = times if uniform else [place(datetime.fromisoformat(t)) for t in times if t]
        return list(moments) if None in places else list(zip(moments, places, strict=True))
    if None not in places:
        return list(places)
    if any(t is not None for t in times):
        counts["some times missing"] += 1
    return None


def picked(messages: Gathered, places: Sequence[int]) -> Gathered:
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
