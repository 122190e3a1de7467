"""Spans of text: sentences, the place of a quote, replacing several spans at once.

A span is a pair of character offsets, [start, end).
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


class Replacement(NamedTuple):
    """Replace [start, end) by text. start == end inserts."""

    start: int
    end: int
    text: str


# A stop ends a sentence unless it belongs to one of these.
ABBREVIATIONS = frozenset(
    (
        "mr mrs ms dr prof sr jr st no nos nr vs etc e.g i.e a.m p.m approx dept est ext fig inc "
        "ltd co jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs "
        "fri sat sun tel ref acct max min ca cf"
    ).split()
)
STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？।]+|\n+")
LAST_WORD = re.compile(r"[^\s(\[\"'“‘]*\Z")


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space between them.

    Every character that is not white space belongs to exactly one sentence.
    """
    found: list[Span] = []
    start = 0
    for stop in STOP.finditer(text):
        if not _ends_sentence(text, stop):
            continue
        found += _trimmed(text, start, stop.end())
        start = stop.end()
    return found + _trimmed(text, start, len(text))


def _ends_sentence(text: str, stop: re.Match[str]) -> bool:
    mark = stop.group().rstrip("\"'”’»)]")
    if mark != ".":
        return mark != "…" or _next_is_capital(text, stop.end())
    before = text[max(0, stop.start() - 20) : stop.start()]
    match = LAST_WORD.search(before)
    word = match.group() if match else ""
    if word.lower() in ABBREVIATIONS or re.fullmatch(r"[A-Z](\.[A-Z])*", word):
        return False
    return _next_is_capital(text, stop.end())


def _next_is_capital(text: str, at: int) -> bool:
    """Does the text go on with anything but a lower-case letter?"""
    rest = text[at : at + 40].lstrip(" \t\n\r\"'“‘«([")
    return not rest[:1].islower()


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    part = text[start:end]
    if not part.strip():
        return []
    return [Span(start + len(part) - len(part.lstrip()), start + len(part.rstrip()))]


_SAME = str.maketrans(
    dict.fromkeys("‘’‚‛´`", "'") | dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‐‑‒–—−", "-")
)


def locate(text: str, quote: str) -> Span | None:
    """Where `quote` stands in `text`: exactly, else but for case, white space and the style of
    quotation marks and dashes, else without the marks and dots around it. None where it does not.

    A quote that stands there more than once is found at its first place.
    """
    if not quote.strip():
        return None
    at = text.find(quote)
    if at >= 0:
        return Span(at, at + len(quote))
    folded, places = _folded(text)
    for wanted in (quote, quote.strip().strip("\"'“”‘’«».… ")):
        needle = _folded(wanted)[0].strip()
        at = folded.find(needle) if needle else -1
        if at >= 0:
            return Span(places[at], places[at + len(needle) - 1] + 1)
    return None


def _folded(text: str) -> tuple[str, list[int]]:
    """The text in its plainest form, and for each of its characters the offset it came from."""
    out: list[str] = []
    places: list[int] = []
    for i, char in enumerate(text):
        plain = " " if char.isspace() else char.translate(_SAME).casefold()
        if plain == " " and out and out[-1] == " ":
            continue
        for c in plain:
            out.append(c)
            places.append(i)
    return "".join(out), places


def clashes(replacements: Sequence[Replacement]) -> list[tuple[Replacement, Replacement]]:
    """Pairs that cannot both be made: they overlap, or insert at the same place."""
    ordered = sorted(replacements)
    return [
        (a, b)
        for a, b in pairwise(ordered)
        if b.start < a.end or (a.start, a.end) == (b.start, b.end)
    ]


def replace(text: str, replacements: Iterable[Replacement]) -> str:
    """The text with all replacements made; their offsets are those of the text given.

    Raises ValueError where two overlap, or one lies outside.
    """
    ordered = sorted(replacements)
    if clash := clashes(ordered):
        raise ValueError(f"replacements overlap: {clash[0][0]} and {clash[0][1]}")
    parts: list[str] = []
    at = 0
    for start, end, new in ordered:
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"span {start}:{end} lies outside a text of {len(text)} characters")
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])
