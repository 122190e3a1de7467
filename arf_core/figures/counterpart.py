"""Which figure of the conversation a wrong one of the summary stands for, where that is plain."""

import re
from typing import NamedTuple

from arf_core.figures.ledger import comparable
from arf_core.figures.model import Day, Figure, Reading
from arf_core.figures.support import Support
from arf_core.said import BREAK, Said, folded

_WORD = re.compile(r"[^\W\d_]{3,}")
_DIGITS = re.compile(r"\d[\d.,' ]*\d|\d")
_REACH = 60
"""Characters on either side of a figure whose words are its context."""
_STEM = 5
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
    for figure in support.ledger.figures:
        same_kind = figure.kind == claim.kind or comparable(claim, figure)
        close = one_slip(claim.of(text), figure.of(said.text))
        if same_kind or close:
            shared = len(around & context(said.text, figure))
            found.append(Rival(figure, said.turn_at(figure.start), shared, close, same_kind))
    if claim.kind in ("number", "ordinal"):  # most numbers have nothing to do with one another
        found = [r for r in found if r.close or r.shared or _both_years(claim, r.figure)]
    return sorted(found, key=lambda r: (-r.close, -r.same_kind, -r.shared, r.figure.start))


def _both_years(claim: Figure, figure: Figure) -> bool:
    return all(any(isinstance(r, Day) and r.year for r in f.readings) for f in (claim, figure))


def context(text: str, figure: Figure) -> frozenset[str]:
    """The stems of the words around a figure, in its own turn."""
    first = text.rfind(BREAK, max(0, figure.start - _REACH), figure.start) + 1
    before = text[max(first, figure.start - _REACH) : figure.start]
    after = text[figure.end : figure.end + _REACH].split(BREAK, 1)[0]
    words = _WORD.findall(folded(f"{before} {after}"))
    return frozenset(word[:_STEM] for word in words if word not in _COMMON)


def evident(
    claim: Figure, text: str, support: Support, found: list[Rival], others: list[Figure]
) -> Figure | None:
    """The one figure that the claim must stand for, or None where there is any doubt.

    `others` are the figures of the summary: what one of them says already is not meant again.
    """
    close = [r for r in found if r.close]
    if close:
        return _only(close)
    said_already = {r for f in others if f is not claim for r in f.readings}
    free = [r for r in found if r.same_kind and not said_already & set(r.figure.readings)]
    if claim.kind in ("number", "ordinal"):
        free = [r for r in free if _same_noun(claim, text, r.figure, support.said)]
    if any(r.figure.kind != claim.kind for r in free):
        free = [r for r in free if r.figure.kind == claim.kind]
    only = _only(free)
    if only is not None:
        return only if max(r.shared for r in free) >= 1 else None
    return _clear_winner(free)


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


def one_slip(first: str, second: str) -> bool:
    """Do two numbers of at least three digits differ by one digit, or by two exchanged ones?"""
    a, b = (re.sub(r"\D", "", said) for said in (first, second))
    if a == b or min(len(a), len(b)) < 3 or max(len(a), len(b)) > 40 or abs(len(a) - len(b)) > 1:
        return False
    if len(a) != len(b):
        short, long = sorted((a, b), key=len)
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]


def in_place_of(claim: Figure, text: str, figure: Figure, said: Said) -> str | None:
    """The words to put where the claim stands: the figure's own, or just its digits where the
    claim names a unit and the figure none."""
    own, wrong = figure.of(said.text), claim.of(text)
    if figure.kind == claim.kind and _names_unit(own) == _names_unit(wrong):
        return own
    mine, theirs = _DIGITS.findall(own), _DIGITS.findall(wrong)
    if len(mine) != 1 or len(theirs) != 1:
        return None
    return wrong.replace(theirs[0], mine[0])


def _names_unit(said: str) -> bool:
    return any(not c.isdigit() and c not in ".,' -" for c in said)
