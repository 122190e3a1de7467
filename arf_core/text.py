"""Spans of text: sentences, the place of a quote, replacing several spans at once.

A span is a pair of character offsets, [start, end).
"""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, NamedTuple

from arf_core.errors import ReplyError
from arf_core.records import Conversation, Finding


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
    for form in (quote, quote.strip().strip("\"'“”‘’«».… ")):
        needle = _folded(form)[0].strip()
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


# Numbers with their separators stay whole, so that 1,200 -> 1,250 reads as one change.
TOKEN = re.compile(r"\s+|\d+(?:[.,:]\d+)*|\w+(?:['’]\w+)*|[^\w\s]")


class Part(NamedTuple):
    """A run of text: in both versions, only in the old one, or only in the new one."""

    kind: Literal["same", "deleted", "inserted"]
    text: str


def word_diff(before: str, after: str) -> list[Part]:
    """The two versions as one sequence of parts.

    All but the inserted parts make `before`, all but the deleted ones make `after`. Changed words
    next to each other are one change, with the space between them, as a person would mark it.
    """
    parts: list[Part] = []
    deleted = inserted = ""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    opcodes = _opcodes(old, new)
    for n, (op, i1, i2, j1, j2) in enumerate(opcodes):
        same = "".join(old[i1:i2])
        if op == "equal" and not (0 < n < len(opcodes) - 1 and same.isspace()):
            parts += [*_changed(deleted, inserted), Part("same", same)]
            deleted = inserted = ""
        else:
            deleted += same
            inserted += "".join(new[j1:j2])
    return parts + _changed(deleted, inserted)


Opcode = tuple[str, int, int, int, int]


def _opcodes(old: list[str], new: list[str]) -> list[Opcode]:
    """difflib's opcodes; it is only asked about what differs, since edits are small."""
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    most = shorter - head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    i, j = len(old) - tail, len(new) - tail
    middle = SequenceMatcher(None, old[head:i], new[head:j], autojunk=False).get_opcodes()
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    found += [(op, a + head, b + head, c + head, d + head) for op, a, b, c, d in middle]
    return found + ([("equal", i, len(old), j, len(new))] if tail else [])


def _changed(deleted: str, inserted: str) -> list[Part]:
    both = [Part("deleted", deleted), Part("inserted", inserted)]
    return [part for part in both if part.text]


def replacements_between(before: str, after: str) -> list[Replacement]:
    """The replacements in `before` that make `after`."""
    found: list[Replacement] = []
    at = 0
    for kind, text in word_diff(before, after):
        if kind == "inserted":
            if found and found[-1].end == at and found[-1].text == "" and found[-1].start < at:
                found[-1] = found[-1]._replace(text=text)  # a deletion and its substitute are one
            else:
                found.append(Replacement(at, at, text))
            continue
        if kind == "deleted":
            found.append(Replacement(at, at + len(text), ""))
        at += len(text)
    return found


def change_share(before: str, after: str) -> float:
    """Words deleted or inserted, as a share of the words of both versions; 0 same, 1 all new."""
    parts = word_diff(before, after)

    def words(*kinds: str) -> int:
        return sum(len(re.findall(r"\w+", text)) for kind, text in parts if kind in kinds)

    changed = words("deleted", "inserted")
    total = changed + 2 * words("same")
    return changed / total if total else 0.0


def cited_turns(turns: Iterable[int], conversation: Conversation) -> tuple[int, ...]:
    """The cited turns in order, each once. Raises ReplyError for a turn that does not exist."""
    ordered = tuple(sorted(set(turns)))
    last = len(conversation.turns) - 1
    for turn in ordered:
        if not 0 <= turn <= last:
            raise ReplyError(f"turn {turn} does not exist; turns go from 0 to {last}.")
    return ordered


def at_quote(finding: Finding, quote: str, text: str) -> Finding:
    """The finding with the span of `quote` in `text`. Raises ReplyError where it is not there."""
    span = locate(text, quote)
    if span is None:
        raise ReplyError(f"the quote {quote!r} is not in the summary; copy it exactly.")
    return finding.model_copy(update={"quote": span.of(text), "start": span.start, "end": span.end})


def shortened(value: str, size: int = 80) -> str:
    """A value on one line of at most `size` characters, control characters escaped."""
    plain = "".join(c if c.isprintable() else escaped(c) for c in value[: size + 1])
    return plain if len(plain) <= size else plain[: size - 1] + "…"


def escaped(char: str) -> str:
    """A character that cannot be printed, as a space or its escape sequence."""
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
