"""Does a date of the summary rest on a conversation that says "tomorrow" or "Friday week"?"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from arf_core.checks.figures.model import Day

_MINUTES_A_DAY = 1440
_LONGEST = 3700
"""Lengths of time of more days than this are not counted from a date."""
_SPARE = (-1, 0, 1, 2)
"""Days around a reckoned date: time zones, weekends, whether the first day counts."""
_I = re.IGNORECASE
_STEPS: tuple[tuple[re.Pattern[str], int, int], ...] = (
    (re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening)|just now)\b", _I), -1, 1),
    (re.compile(r"\b(?:tomorrow|tomorow|tmrw|tomoz|overnight|next day)\b", _I), 0, 3),
    (re.compile(r"\b(?:yesterday|last night|other day)\b", _I), -3, 0),
    (re.compile(r"\b(?:day after|few days|couple of days|weekend|this week)\b", _I), -7, 7),
    (re.compile(r"\b(?:next|coming|following) (?:week|few)\b", _I), 1, 14),
    (re.compile(r"\b(?:last|past|previous) (?:week|few)\b", _I), -14, -1),
    (re.compile(r"\b(?:this|current|end of(?: the)?|few) (?:month|weeks)\b", _I), -31, 31),
    (re.compile(r"\b(?:next|coming|following) month\b", _I), 1, 62),
    (re.compile(r"\b(?:last|past|previous) month\b", _I), -62, -1),
    (re.compile(r"\b(?:next|last|this|past|previous|coming) year\b", _I), -730, 730),
)
_DAYS_SAID = re.compile(
    r"\b(?:today|tonight|tomorrow|tomorow|tmrw|tomoz|yesterday|overnight|weekend|ago|other day|"
    r"(?:next|last|this|coming|past|previous|following) (?:week|month|year|morning|afternoon|"
    r"evening|night|day|few|mon|tue|wed|thu|fri|sat|sun)\w*|few days|end of|day (?:after|before)|"
    r"in an?(?:other)? (?:\w+ )?(?:day|week|month)s?|week from|from now)\b",
    _I,
)
_YEARS_SAID = re.compile(
    r"\b(?:(?:next|last|this|past|previous|coming|current) year|years? ago|years? from now)\b", _I
)


def speaks_relatively(text: str, claim: Day) -> bool:
    """Does the text say "tomorrow" or the like, from which somebody who knew the day would get the
    claim? Only words of its own size count: a year does not follow from "tomorrow"."""
    only_year = claim.day is None and claim.month is None and claim.weekday is None
    pattern = _YEARS_SAID if only_year else _DAYS_SAID
    return pattern.search(text) is not None


def reachable(
    text: str, anchor: date, durations: Iterable[Decimal], days: Iterable[Day]
) -> Iterator[date]:
    """The days that a conversation of the day `anchor` may speak of.

    `durations` (minutes) and `days` are those that it mentions.
    """
    weekdays = {day.weekday for day in days if day.weekday is not None}
    yield from _around(anchor, -1, 1)
    for pattern, first, last in _STEPS:
        if pattern.search(text):
            yield from _around(anchor, first, last)
    for day in _around(anchor, -14, 14):
        if day.weekday() in weekdays:
            yield day
    for minutes in durations:
        length = int(minutes // _MINUTES_A_DAY)
        if 0 < length < _LONGEST:
            for spare in _SPARE:
                yield from _around(anchor, length + spare, length + spare)
                yield from _around(anchor, -length - spare, -length - spare)


def _around(anchor: date, first: int, last: int) -> Iterator[date]:
    for step in range(first, last + 1):
        number = anchor.toordinal() + step
        if 1 <= number <= date.max.toordinal():
            yield anchor + timedelta(days=step)


def as_date(day: Day) -> date | None:
    """The day in the calendar; None where it is not said whole, or does not exist."""
    if day.year is None or day.month is None or day.day is None:
        return None
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        return None


def as_day(day: date) -> Day:
    return Day(day.year, day.month, day.day, day.weekday())


def agree(claim: Day, other: Day) -> bool:
    """Does `other` say what the claim says? What one of them leaves open, the other may add."""
    pairs = (
        (claim.year, other.year),
        (claim.month, other.month),
        (claim.day, other.day),
        (_weekday(claim), _weekday(other)),
    )
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return False
    finest = next((i for i in (2, 1, 3, 0) if pairs[i][0] is not None), 0)
    return pairs[finest][1] is not None


def _weekday(day: Day) -> int | None:
    if day.weekday is not None:
        return day.weekday
    whole = as_date(day)
    return whole.weekday() if whole else None
