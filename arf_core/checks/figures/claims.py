"""Which figures of a summary are claims to be proved, and how firmly they are made."""

import re

from arf_core.checks.figures.codes import squeezed
from arf_core.checks.figures.model import Amount, Figure

SMALL = 12
"""Whole numbers up to this that count something are no claims: the summariser may have counted."""
_HEDGE = re.compile(
    r"(?:(?P<about>about|around|approximately|approx\.?|roughly|circa|ca\.?|some|nearly|almost|"
    r"close to|~|≈|estimated|estimated at)"
    r"|(?P<over>over|more than|above|upwards of|exceeding|greater than|longer than|in excess of)"
    r"|(?P<under>under|less than|below|fewer than|shorter than))"
    r" ?(?:the |a |an )?[$€£¥₹]?\Z",
    re.IGNORECASE,
)
_PLUS = re.compile(r" ?(?:\+|plus\b|or (?:more|so|less|older|younger)\b|-odd\b|ish\b)")
_IDIOMS = frozenset({"24/7", "50/50", "100%", "one hundred percent", "360", "9/11", "911", "101"})


def is_claim(figure: Figure, text: str) -> bool:
    """Is it more than a count of a few things, an idiom, or a number within a name?"""
    if not figure.firm or figure.of(text).lower() in _IDIOMS or _is_name(figure, text):
        return False
    if figure.kind in ("number", "ordinal"):
        amounts = [r.value for r in figure.readings if isinstance(r, Amount)]
        return not any(v == v.to_integral_value() and v <= SMALL for v in amounts)
    if figure.kind == "code":
        said = squeezed(figure.of(text))
        return sum(c.isdigit() for c in said) >= 2 and len(said) >= 3
    return True


def _is_name(figure: Figure, text: str) -> bool:
    """Eighty Mile Beach, One Direction: a number word with a capital inside a sentence."""
    said = figure.of(text)
    inside = text[max(0, figure.start - 2) : figure.start].strip()[-1:].isalpha()
    return (
        figure.kind not in ("date", "code")
        and inside
        and said[:1].isupper()
        and said[:1].isalpha()
        and len(said) > 2
    )


def sayable(figure: Figure) -> bool:
    """Would a speaker of another language write it in words: 5, 40, 2000, May, noon?"""
    values = [r.value for r in figure.lesser if isinstance(r, Amount) and r.kind == "number"]
    values += [r.value for r in figure.readings if isinstance(r, Amount) and r.kind == "number"]
    if figure.kind == "code":
        return False
    return figure.kind in ("date", "time") or any(v <= 100 or v % 100 == 0 for v in values)


def hedge_of(claim: Figure, text: str) -> str:
    """ "about", "over" or "under" where the summary marks the figure as rounded, else nothing."""
    before = _HEDGE.search(text, max(0, claim.start - 24), claim.start)
    if before:
        return str(before.lastgroup)
    return "about" if _PLUS.match(text, claim.end) else ""
