"""Sentences of a summary that say again what an earlier one said."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from arf_core.checks.transcript import folded
from arf_core.text import Span, sentences

_WORD = re.compile(r"[^\W_]+(?:[.,'’:-][^\W_]+)*")
_FEWEST = 4
"""Sentences of fewer telling words are not compared: "He agreed." may well come twice."""
_STEM = 6
_EMPTY = frozenset(
    "a an the of to in on at for and or but that this it its is are was were be been by with as "
    "then also again so has have had he she they him his her their".split()
)


class Repeat(NamedTuple):
    span: Span
    earlier: Span


def repeats(text: str) -> Iterator[Repeat]:
    """Each sentence that has the same words, in the same order, as one before it.

    Little words and endings do not count. One other word does: it may be what the sentence is for.
    """
    if not _may_repeat(text):
        return
    seen: dict[tuple[str, ...], Span] = {}
    for span in sentences(text):
        words = _telling_words(span.of(text))
        if len(set(words)) < _FEWEST:
            continue
        stems = tuple(word[:_STEM] if word.isalpha() else word for word in words)
        earlier = seen.setdefault(stems, span)
        if earlier is not span:
            yield Repeat(span, earlier)


def _may_repeat(text: str) -> bool:
    """Are so many words there twice? Mostly not, which is soon seen."""
    stems = [word[:_STEM] for word in _telling_words(text)]
    return len(stems) - len(set(stems)) >= _FEWEST


def _telling_words(text: str) -> list[str]:
    return [word for word in _WORD.findall(folded(text)) if word not in _EMPTY]
