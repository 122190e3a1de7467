"""Which figure of the conversation a wrong one of the summary stands for, where that is plain."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from arf_core.checks.figures.claims import hedge_of
from arf_core.checks.figures.codes import squeezed
from arf_core.checks.figures.ledger import comparable
from arf_core.checks.figures.model import Amount, Day, Figure, Reading
from arf_core.checks.figures.support import Support
from arf_core.checks.said import BREAK, Said, folded

_WORD = re.compile(r"[^\W\d_]{3,}")
_DIGITS = re.compile(r"\d[\d.,' ]*\d|\d")
_REACH = 60
"""Characters on either side of a figure whose words are its context."""
_STEM = 5
_FEWEST, _MOST = 4, 40
_LINK = 5
_FAR = 10
_MOST_FIGURES = 500
"""Whoever tells of more has no evident counterpart for any of them."""
_MANY = 3
"""So many words in common make up for digits that have nothing in common."""
_NO_DIGIT = re.compile(r"\D")
_JOINED_BEFORE = re.compile(r"\d[:/.,-]\Z")
_JOINED = re.compile(r"[:/.,-]\d")
_COMMON = frozenset(
    "the and for that this with was were has have had will would can could been being are not but "
    "you your they their them she her his him its our from into than then also about which who "
    "said says told asked customer agent client user please thank thanks just get got".split()
)


class Rival(NamedTuple):
    """A figure of the conversation that is of the claim's kind, and how near to it it stands."""

    figure: Figure
    turn: int | None
    shared: int
    """Words that stand around both."""
    close: bool
    """Do their digits differ by one slip?"""
    same_kind: bool


def rivals(claim: Figure, text: str, support: Support) -> list[Rival]:
    """The conversation's figures of the claim's kind, the nearest first."""
    said = support.said
    around = context(text, claim)
    found = []
    for figure, its_context in _with_contexts(support):
        same_kind = figure.kind == claim.kind or comparable(claim, figure)
        close = one_slip(claim, text, figure, said.text) or _other_unit(claim, figure)
        if same_kind or close or figure.kind == "number":
            shared = len(around & its_context)
            found.append(Rival(figure, said.turn_at(figure.start), shared, close, same_kind))
    return sorted(found, key=lambda r: (-r.close, -r.same_kind, -r.shared, r.figure.start))


def _with_contexts(support: Support) -> list[tuple[Figure, frozenset[str]]]:
    """The conversation's figures, each with the words around it, made once for all claims."""
    if not support.contexts:
        text = support.said.text
        there = support.ledger.figures[:_MOST_FIGURES]
        support.contexts = [(figure, context(text, figure)) for figure in there]
    return support.contexts


def worth_showing(claim: Figure, rival: Rival) -> bool:
    """Should a reader see it beside the claim? Most plain numbers have nothing to do with it."""
    if not rival.figure.firm:
        return False
    if claim.kind in ("number", "ordinal") or not rival.same_kind:
        return (
            rival.close
            or (rival.same_kind and rival.shared > 0)
            or _both_years(claim, rival.figure)
        )
    return True


def _says_year(figure: Figure) -> bool:
    return any(isinstance(r, Day) and r.year for r in figure.readings)


def _both_years(claim: Figure, figure: Figure) -> bool:
    return _is_year(claim) and _is_year(figure)


def _is_year(figure: Figure) -> bool:
    return figure.kind == "number" and any(isinstance(r, Day) for r in figure.readings)


def context(text: str, figure: Figure) -> frozenset[str]:
    """The stems of the words around a figure, in its own turn."""
    first = text.rfind(BREAK, max(0, figure.start - _REACH), figure.start) + 1
    before = text[max(first, figure.start - _REACH) : figure.start]
    after = text[figure.end : figure.end + _REACH].split(BREAK, 1)[0]
    words = _WORD.findall(folded(f"{before} {after}"))
    return frozenset(word[:_STEM] for word in words if word not in _COMMON)


def evident(
    claim: Figure, text: str, support: Support, found: list[Rival], others: Sequence[Figure]
) -> Figure | None:
    """The one figure that the claim must stand for, or None where there is any doubt.

    `others` are the figures of the summary: what one of them says already is not meant again.
    """
    if hedge_of(claim, text) or not _stands_alone(claim, text) or _in_range(claim, others):
        return None
    firm = [r for r in found if _is_clear(r.figure, support)]
    close = [r for r in firm if r.close and not _says_year(r.figure)]
    if close and not _is_year(claim):
        return _only(close) if claim.kind == "code" or any(r.shared for r in close) else None
    said_already = {r for f in others if f is not claim for r in f.readings}
    free = [r for r in firm if not said_already & {*r.figure.readings}]
    if _is_year(claim):
        return _near([r for r in free if _says_year(r.figure)], claim, text, support.said)
    free = [r for r in free if _may_be_meant(claim, r.figure)]
    strict = [r for r in free if r.figure.kind == claim.kind]
    if claim.kind in ("number", "ordinal"):
        strict = [r for r in strict if _same_noun(claim, text, r.figure, support.said)]
    nearest = max((r.shared for r in strict), default=0)
    if any(r.shared >= nearest for r in free if r.figure.kind != claim.kind):
        return None  # a number without a unit may be the one
    return _near(strict, claim, text, support.said) or _clear_winner(strict)


def _is_clear(figure: Figure, support: Support) -> bool:
    return (
        figure.firm
        and _stands_alone(figure, support.said.text)
        and not _in_range(figure, support.ledger.figures)
    )


def _in_range(figure: Figure, others: Sequence[Figure]) -> bool:
    """Is it one end of "three to five days"?"""
    return any(
        other.kind == figure.kind
        and other is not figure
        and 0 < max(other.start - figure.end, figure.start - other.end) <= _LINK
        for other in others
    )


def _near(found: list[Rival], claim: Figure, text: str, said: Said) -> Figure | None:
    """The only figure there is, if digits or the words around it bear it out."""
    only = _only(found)
    if only is None:
        return None
    a, b = _digits(claim, text), _digits(only, said.text)
    alike = a == b or one_digit_apart(a, b)
    return only if max(r.shared for r in found) >= (1 if alike else _MANY) else None


def _may_be_meant(claim: Figure, other: Figure) -> bool:
    """Nobody writes 51 for 2011, or 63p for £267,372."""
    if _both_years(claim, other) or _is_year(claim) != _is_year(other):
        return False
    if claim.kind == "date" and not _one_part_apart(claim, other):
        return False
    a, b = _size(claim), _size(other)
    return a is None or b is None or (b <= a * _FAR and a <= b * _FAR)


def _one_part_apart(claim: Figure, other: Figure) -> bool:
    """12 May and 17 May, not 5 April 2027 and 5 December 2026."""
    return any(
        sum(x != y for x, y in zip(a, b, strict=True)) == 1
        for a in claim.readings
        for b in other.readings
        if isinstance(a, Day) and isinstance(b, Day)
    )


def _size(figure: Figure) -> Decimal | None:
    first = figure.readings[0]
    return abs(first.value) if isinstance(first, Amount) else None


def _stands_alone(figure: Figure, text: str) -> bool:
    """Is it whole, and not a piece of "31:35" that we cannot read?"""
    return not (
        _JOINED_BEFORE.search(text, max(0, figure.start - 2), figure.start)
        or _JOINED.match(text, figure.end)
    )


def _only(found: list[Rival]) -> Figure | None:
    """The figure, if all say the same."""
    return found[0].figure if len({_value(r.figure) for r in found}) == 1 else None


def _value(figure: Figure) -> Reading:
    return figure.readings[0]


def _clear_winner(found: list[Rival]) -> Figure | None:
    by_value: dict[Reading, Rival] = {}
    for rival in sorted(found, key=lambda r: -r.shared):
        by_value.setdefault(_value(rival.figure), rival)
    best = list(by_value.values())[:2]
    if len(best) < 2 or best[0].shared < 2 or best[0].shared < best[1].shared + 2:
        return None
    return best[0].figure


def _same_noun(claim: Figure, text: str, figure: Figure, said: Said) -> bool:
    """25 tickets and 20 tickets."""
    first = _WORD.search(text, claim.end, claim.end + 25)
    second = _WORD.search(said.text, figure.end, figure.end + 25)
    return bool(
        first and second and first.group()[:_STEM].lower() == second.group()[:_STEM].lower()
    )


def one_slip(claim: Figure, text: str, other: Figure, source: str) -> bool:
    """Do two numbers of at least four digits differ by one digit, or by two neighbours exchanged?

    Codes are compared with their letters.
    """
    a, b = _digits(claim, text), _digits(other, source)
    if "code" in (claim.kind, other.kind):
        a, b = squeezed(claim.of(text)), squeezed(other.of(source))
    fewest = _FEWEST - (claim.kind == other.kind == "number")
    return fewest <= min(len(a), len(b)) <= _MOST and one_digit_apart(a, b)


def _other_unit(claim: Figure, other: Figure) -> bool:
    """€42.50 for $42.50, 5 weeks for 5 days: the number is there, of another unit."""
    a, b = _number(claim), _number(other)
    return claim.kind == other.kind and a is not None and a == b and a > 1


def _number(figure: Figure) -> Decimal | None:
    amounts = [r for r in figure.lesser if isinstance(r, Amount) and r.kind == "number"]
    return (
        amounts[0].value if len(amounts) == 1 and isinstance(figure.readings[0], Amount) else None
    )


def _digits(figure: Figure, text: str) -> str:
    return _NO_DIGIT.sub("", figure.of(text))


def one_digit_apart(a: str, b: str) -> bool:
    """Is one character changed, put in or left out, or are two neighbours exchanged?"""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if len(a) != len(b):
        short, long = (a, b) if len(a) < len(b) else (b, a)
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    if len(wrong) == 1:
        return True
    i, j = (wrong[0], wrong[-1]) if len(wrong) == 2 else (0, 0)
    return j == i + 1 and a[i] == b[j] and a[j] == b[i]


def in_place_of(claim: Figure, text: str, figure: Figure, said: Said) -> str | None:
    """The words to put where the claim stands: the figure's own, or just its digits where the
    claim names a unit and the figure none. None where that would say more or less than before."""
    own, wrong = figure.of(said.text), claim.of(text)
    if figure.kind == claim.kind:
        if claim.kind == "date" and _parts_said(claim) != _parts_said(figure):
            return None
        if _names_unit(own) == _names_unit(wrong):
            return own
    if claim.kind in ("date", "time", "code"):
        return None
    mine, theirs = _DIGITS.findall(own), _DIGITS.findall(wrong)
    if len(mine) != 1 or len(theirs) != 1:
        return None
    return wrong.replace(theirs[0], mine[0])


def _parts_said(figure: Figure) -> set[tuple[bool, ...]]:
    """Which of year, month, day and weekday a date says."""
    days = (r for r in figure.readings if isinstance(r, Day))
    return {tuple(part is not None for part in day) for day in days}


def _names_unit(said: str) -> bool:
    return any(not c.isdigit() and c not in ".,' -" for c in said)
