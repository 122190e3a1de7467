"""Which days a conversation that says "tomorrow" or "on Friday" may speak of."""

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from arf_core.checks.units import MONTHS

_DAY = 1440
_LONGEST = 3700
"""Days. Longer times are not counted from a date."""
_RELATIVE = re.compile(
    r"\b(?:to(?:day|night|mm?orr?ow)|tmrw|tomoz|yesterday|overnight|weekend|ago|other day|few days|"
    r"(?:next|last|this|coming|past|previous|following) (?:week|month|year|morning|afternoon|"
    r"evening|night|day|few|mon|tue|wed|thu|fri|sat|sun)\w*|end of|day (?:after|before)|"
    r"in an?(?:other)? (?:\w+ )?(?:day|week|month)s?|from now)\b",
    re.IGNORECASE,
)
_MONTH = re.compile(rf"\b(?:{'|'.join(m for m in MONTHS if len(m) > 3)})\b", re.IGNORECASE)
_STEPS = (
    (re.compile(r"\b(?:to(?:mm?orr?ow)|tmrw|tomoz|overnight|next day)\b", re.I), 0, 3),
    (re.compile(r"\b(?:yesterday|last night|other day)\b", re.I), -3, 0),
    (re.compile(r"\b(?:few days|couple of days|weekend|this week|day after)\b", re.I), -7, 7),
    (re.compile(r"\b(?:next|last|coming|following|past|previous) (?:week|few)\b", re.I), -14, 14),
    (
        re.compile(r"\b(?:next|last|this|coming|past|previous|end of(?: the)?) month\b", re.I),
        -62,
        62,
    ),
)


def speaks_relatively(text: str) -> bool:
    """Does it say "tomorrow" or the like, from which a date follows for who knows the day?"""
    return _RELATIVE.search(text) is not None


def months_named(text: str) -> set[int]:
    return {MONTHS[month.lower()] for month in _MONTH.findall(text)}


def reachable(
    text: str, day: date, weekdays: Collection[float], lengths: Collection[float]
) -> Iterator[date]:
    """The days that a conversation of that day may speak of; `lengths` of time in minutes."""
    yield from _around(day, -1, 1)
    for pattern, first, last in _STEPS:
        if pattern.search(text):
            yield from _around(day, first, last)
    yield from (d for d in _around(day, -14, 14) if d.weekday() in weekdays)
    for minutes in lengths:
        length = int(minutes // _DAY)
        if 0 < length < _LONGEST:
            yield from _around(day, length - 1, length + 2)
            yield from _around(day, -length - 2, 1 - length)


def _around(day: date, first: int, last: int) -> Iterator[date]:
    for step in range(first, last + 1):
        if 1 <= day.toordinal() + step <= date.max.toordinal():
            yield day + timedelta(days=step)
