"""What the conversation has instead of a wrong number, and which one number must be meant."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from arf_core.checks.known_numbers import KnownNumbers
from arf_core.checks.number import YEARS, Number
from arf_core.checks.transcript import BREAK, folded

_MOST_NUMBERS = 500
"""A conversation of more has no evident counterpart for any."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORDS_AROUND = 3
_REACH = 40
_STEM = 5
_LONG = 4
"""Digits that make one slip evident without any word near."""
_FEWEST_DIGITS, _MOST_DIGITS = 3, 40
_COMMON = frozenset(
    "the and for that this with was were has have had will would can could been being are not but "
    "you your they their them she her his him its our from into than then also about which who "
    "said says told asked customer agent client user please thank thanks just get got".split()
)


class Candidate(NamedTuple):
    """A number of the conversation beside a wrong one of the summary."""

    number: Number
    turn: int | None
    same_kind: bool
    close: bool
    """Do the digits differ by one slip, or is only the unit another?"""
    may_be_meant: bool
    shared: int
    """Words that stand near both."""


def candidates(claim: Number, text: str, known: KnownNumbers) -> list[Candidate]:
    """The conversation's numbers that the claim may have been made from, the nearest first."""
    transcript = known.transcript
    around = _words_around(claim, text)
    found = []
    for number in known.numbers[:_MOST_NUMBERS]:
        other_unit = _has_other_unit(claim, number)
        close = other_unit or _is_one_slip(claim, number)
        same_kind = number.kind == claim.kind or _share_dimension(claim, number)
        meant = other_unit or _may_be_meant(claim, text, number, transcript.text)
        if close or same_kind or meant:
            shared = len(around & _words_around(number, transcript.text))
            turn = transcript.turn_at(number.start)
            found.append(Candidate(number, turn, same_kind, close, meant, shared))
    return sorted(found, key=lambda c: (-c.close, -c.same_kind, -c.shared, c.number.start))


def is_worth_showing(claim: Number, candidate: Candidate) -> bool:
    """Should a reader see it? Most plain numbers have nothing to do with the claim."""
    if claim.kind == "number" or not candidate.same_kind:
        return candidate.close or (candidate.same_kind and candidate.shared > 0)
    return candidate.number.is_stated


def number_meant(
    claim: Number, found: Sequence[Candidate], known: KnownNumbers, others: Sequence[Number]
) -> Number | None:
    """The number of the conversation that the claim must stand for, or None in any doubt.

    It is the only one with as many digits, all but one of them equal, that counts the same, shares
    a word near it, and that no other number of the summary states. Or the only one of equal value
    where just the unit is another.
    """
    if _is_in_range(claim, others):
        return None
    stated = {n.digits for n in others if n is not claim}
    meant: dict[str, Number] = {}
    near: dict[str, Number] = {}
    for candidate in found:
        number = candidate.number
        if not candidate.may_be_meant or number.digits in stated:
            continue
        other_unit = _has_other_unit(claim, number)
        key = number.of(known.transcript.text) if other_unit else number.digits
        meant.setdefault(key, number)
        if candidate.shared:
            near.setdefault(key, number)
    if len(near) == 1:
        return next(iter(near.values()))
    only = next(iter(meant.values())) if len(meant) == 1 and not near else None
    return only if only and _is_long(claim, only) else None


def in_place_of(claim: Number, text: str, number: Number, source: str) -> str:
    """The words to put where the claim stands: its own, with the digits of the number meant."""
    if _has_other_unit(claim, number):
        return number.of(source)
    digits = source[number.first : number.last]
    return text[claim.start : claim.first] + digits + text[claim.last : claim.end]


def _may_be_meant(claim: Number, text: str, number: Number, source: str) -> bool:
    a, b = claim.digits, number.digits
    if len(a) != len(b) or not _is_one_edit(a, b) or not number.is_stated:
        return False
    if claim.kind == "date" != number.kind or claim.kind == "code" != number.kind:
        return False
    if claim.kind == "date":
        return _month(claim) == _month(number) and _shape(claim, text) == _shape(number, source)
    if claim.kind == "time" and _shape(claim, text) != _shape(number, source):
        return False
    return not claim.meanings or not number.meanings or _are_measured_alike(claim, number)


def _is_long(claim: Number, number: Number) -> bool:
    is_year = claim.kind == "number" and any(v in YEARS for v in claim.values)
    return len(claim.digits) >= _LONG and not is_year and number.kind == claim.kind


def _is_in_range(claim: Number, others: Sequence[Number]) -> bool:
    """Is it one end of "three to five days"?"""
    return claim.kind == "duration" and any(
        other.kind == "duration" and 0 < max(other.start - claim.end, claim.start - other.end) <= 5
        for other in others
    )


def _shape(number: Number, text: str) -> str:
    return re.sub(r"\d", "0", number.of(text))


def _month(number: Number) -> set[float]:
    return {value // 100 for _, value in number.meanings}


def _are_measured_alike(a: Number, b: Number) -> bool:
    return a.kind == b.kind == "money" or not (a.meanings or b.meanings) or _share_dimension(a, b)


def _share_dimension(a: Number, b: Number) -> bool:
    return bool({d for d, _ in a.meanings} & {d for d, _ in b.meanings})


def _has_other_unit(claim: Number, number: Number) -> bool:
    """€42.50 for $42.50, 5 weeks for 5 days."""
    return (
        claim.kind == number.kind
        and bool(claim.units)
        and claim.values == number.values
        and claim.values > (1,)
        and number.is_stated
        and claim.meanings.isdisjoint(number.meanings)
    )


def _is_one_slip(claim: Number, number: Number) -> bool:
    a, b = claim.digits, number.digits
    return _FEWEST_DIGITS <= min(len(a), len(b)) <= _MOST_DIGITS and _is_one_edit(a, b)


def _is_one_edit(a: str, b: str) -> bool:
    """Is one character changed, put in or left out, or are two neighbours exchanged?"""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if len(a) != len(b):
        short, long = sorted((a, b), key=len)
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    if len(wrong) != 2:
        return len(wrong) == 1
    i, j = wrong
    return j == i + 1 and a[i] == b[j] and a[j] == b[i]


def _words_around(number: Number, text: str) -> frozenset[str]:
    """The stems of the three words on either side of a number, in its own turn."""
    before = text[max(0, number.start - _REACH) : number.start].rsplit(BREAK, 1)[-1]
    after = text[number.last : number.last + _REACH].split(BREAK, 1)[0]
    words = _WORD.findall(folded(before))[-_WORDS_AROUND:]
    words += _WORD.findall(folded(after))[:_WORDS_AROUND]
    return frozenset(word[:_STEM] for word in words if word not in _COMMON)
