"""Sentences of a summary that say again what an earlier one said."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from arf_core.said import folded
from arf_core.spans import Span, sentences

_WORD = re.compile(r"[^\W_]+(?:[.,'’:-][^\W_]+)*")
_FEWEST = 4
"""Sentences of fewer telling words are not compared: "He agreed." may well come twice."""
_OVERLAP = 0.9
_MOST_BEFORE = 200
"""No summary is longer, and a text that is no summary should not take for ever."""
_EMPTY = frozenset(
    "a an the of to in on at for and or but that this it its is are was were be been by with as "
    "then also again so has have had he she they them his her their".split()
)
_DENIALS = frozenset("not no never none nothing without cannot can't won't didn't doesn't".split())


class Repeat(NamedTuple):
    span: Span
    earlier: Span


def repeats(text: str) -> Iterator[Repeat]:
    """Each sentence that uses the same words as one before it, in nearly the same order."""
    seen: list[tuple[Span, tuple[str, ...], frozenset[str]]] = []
    for span in sentences(text):
        words = tuple(w for w in _WORD.findall(folded(span.of(text))) if w not in _EMPTY)
        kinds = frozenset(words)
        if len(kinds) < _FEWEST:
            continue
        for earlier, former, former_kinds in seen[-_MOST_BEFORE:]:
            if _same(words, kinds, former, former_kinds):
                yield Repeat(span, earlier)
                break
        else:
            seen.append((span, words, kinds))


def _same(
    words: tuple[str, ...], kinds: frozenset[str], former: tuple[str, ...], others: frozenset[str]
) -> bool:
    if words == former:
        return True
    shared = kinds & others
    if len(shared) < _OVERLAP * len(kinds | others) or kinds ^ others & _DENIALS:
        return False
    if any(c.isdigit() for word in kinds ^ others for c in word):
        return False
    # "A called B" and "B called A" share all words and say different things
    return [w for w in words if w in shared] == [w for w in former if w in shared]
