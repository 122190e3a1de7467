"""Which numbers of a summary are claims to be proved, and how firmly they are stated."""

import re

from arf_core.checks.number import Number, squeezed

SMALL = 6
"""Whole numbers up to this that count something are no claims: the summariser may have counted."""
_IDIOMS = frozenset({"24/7", "50/50", "100%", "one hundred percent", "360", "9/11", "911", "101"})
_HEDGE = re.compile(
    r"(?:\b(?:(?P<over>over|more than|above|upwards of|exceeding|longer than|at least)"
    r"|(?P<under>under|less than|below|fewer than|up to)|about|around|approximately|approx\.?|"
    r"roughly|circa|ca\.?|some|nearly|almost|close to|estimated(?: at)?)|~|≈)"
    r" ?(?:the |an? )?[$€£¥₹]?\Z",
    re.IGNORECASE,
)
_PLUS = re.compile(r" ?(?:\+|plus\b|or (?:more|so|less|older|younger)\b|-odd\b|ish\b)")
_PART_BEFORE = re.compile(r"[^\W_]\Z|\d[.,:/'’-]\Z")
_PART_AFTER = re.compile(
    r"[^\W_]|[.,:/'’-]\d| ?(?:[km]|bn|mn|thousand|million|billion|trillion|lakhs?|crores?)\b"
    r"| ?(?:%|percent|per cent)",
    re.IGNORECASE,
)
_RANGE_BEFORE = re.compile(r"\d+ ?- ?\Z")
_RANGE_AFTER = re.compile(r" ?- ?\d+")


def is_claim(number: Number, text: str) -> bool:
    """Is it more than a count of a few things, an idiom, or a number within a name?"""
    written = number.of(text)
    if not number.is_stated or written.lower() in _IDIOMS or _is_in_name(number, text):
        return False
    if number.kind == "number":
        return not any(v <= SMALL and v % 1 == 0 for v in number.values)
    if number.kind == "code":
        return sum(c.isdigit() for c in written) >= 2 and len(squeezed(written)) >= 3
    return True


def _is_in_name(number: Number, text: str) -> bool:
    """Eighty Mile Beach: a number word with a capital inside a sentence."""
    written = number.of(text)
    inside = text[max(0, number.start - 2) : number.start].strip()[-1:].isalpha()
    return (
        inside
        and written[:1].isalpha()
        and written[:1].isupper()
        and number.kind not in ("date", "weekday", "code")
    )


def stands_in(text: str, words: str) -> bool:
    """Do these very words stand in the text, and not as part of a longer number?"""
    at = -1
    for _ in range(50):
        at = text.find(words, at + 1)
        if at < 0:
            return False
        if not _PART_BEFORE.search(text, max(0, at - 2), at) and not _PART_AFTER.match(
            text, at + len(words)
        ):
            return True
    return False


def range_around(claim: Number, text: str) -> str:
    """The digits of the whole of "24-48 hours", of which the claim is one end."""
    before = _RANGE_BEFORE.search(text, max(0, claim.first - 8), claim.first)
    after = _RANGE_AFTER.match(text, claim.last)
    whole = text[before.start() if before else claim.first : after.end() if after else claim.last]
    return re.sub(r"\D", "", whole) if before or after else ""


def last_place(claim: Number, text: str) -> float:
    """The size of the last digit that is shown: 0.1 of 2.5, 100,000 of 181.7 million, 1 of 45.

    None (0) of 1,200, which is no way to round 1,234.
    """
    if not claim.values:
        return 0
    written = text[claim.first : claim.last]
    value = claim.values[0]
    match = re.fullmatch(r"\d+(?:[.,](\d+))?", written)
    shown = float(re.sub(r"[.,]", ".", written)) if match else value
    scale = value / shown if shown else 1
    decimals = len(match.group(1) or "") if match and shown * scale == value else 0
    if scale > 1 and shown < 10 and not decimals:
        return 0
    if scale == 1 and value >= 10 and value % 10 == 0 and not decimals:
        return 0
    return float(scale * 10.0**-decimals)


def hedge_of(claim: Number, text: str) -> str:
    """ "about", "over" or "under" where the summary marks the number as rounded, else nothing."""
    hedge = _HEDGE.search(text, max(0, claim.start - 24), claim.start)
    if hedge:
        return hedge.lastgroup or "about"
    return "about" if _PLUS.match(text, claim.end) else ""
