"""What a number is, and how what stands around it is read: sign, scale, unit, month."""

import re
from typing import NamedTuple

from arf_core.checks.units import BETWEEN, MONTHS, SCALES, SIGNS, Unit, unit_of

LONGEST = 18
"""Digits. Longer rows are codes alone."""
YEARS = range(1500, 2101)
_MARKED_CODE, _LONG_CODE = 3, 5
"""Digits."""

_NO_DIGIT = re.compile(r"\D")
_SIGN_BEFORE = re.compile(rf"(?:(?<![^\W_])[A-Za-z]{{1,2}})?([{SIGNS}])[ \u00a0]?\Z")
_WORD_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_]{1,3})\.?[ \u00a0]?\Z")
_AFTER = re.compile(rf"[ \u00a0-]?(per cent|[%{SIGNS}]|[^\W\d_]+)")
_DECADE = re.compile(r"['’]?s\b")
_DIGIT_NEXT = re.compile(r"\.?[ \u00a0]?\d")
_SUFFIX = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_MONTH_AFTER = re.compile(r"(?:st|nd|rd|th)?(?: of)?[ -]([^\W\d_]{3,9})\b", re.IGNORECASE)
_MONTH_BEFORE = re.compile(r"\b([^\W\d_]{3,9})\.?[ -](?:the )?\Z")

Meaning = tuple[str, float]
"""A dimension and a value in its base unit; of a date 100 times the month plus the day, of a time
of day the minutes after midnight."""


class Number(NamedTuple):
    """A number at [start, end) of a text, with its sign and unit."""

    start: int
    end: int
    first: int
    last: int
    """[first, last) are its digits or number words alone."""
    kind: str
    """number, money, percent, duration, quantity, date, time, weekday, score or code."""
    values: tuple[float, ...]
    """Without the unit, the likeliest first."""
    units: tuple[Unit, ...] = ()
    meanings: frozenset[Meaning] = frozenset()
    digits: str = ""
    """Of a code its letters too, in upper case."""
    groups: tuple[float, ...] = ()
    """The numbers in a date, a time or a code."""
    is_stated: bool = True
    """False where only "a week" stands for one week."""

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def squeezed(text: str) -> str:
    """Letters and digits alone, in upper case: codes differ by nothing else."""
    return re.sub(r"[\W_]+", "", text).upper()


def measured(
    text: str,
    first: int,
    last: int,
    values: tuple[float, ...],
    *,
    before: int | None = None,
    after: int | None = None,
) -> Number:
    """The number with its sign, scale and unit."""
    start, end = first, last
    sign, sign_start = _unit_before(text, first if before is None else before)
    at = last if after is None else after
    if scale := _scale_after(text, at, bool(sign)):
        size, at = scale
        unscaled = () if at - last > 2 else values
        values = (*(_rounded(v * size) for v in values), *unscaled)
        end = at
    digits = _NO_DIGIT.sub("", text[first:last])
    if date := _date_in_words(text, first if before is None else before, at, values):
        meaning, start, end = date
        return Number(
            start, end, first, last, "date", values, (), frozenset([meaning]), digits, values
        )
    units, unit_end = _units_after(text, at, first)
    if units:
        end = unit_end
    elif suffix := _SUFFIX.match(text, at):
        end = suffix.end()
    if sign:
        start = sign_start
        units = sign if not any(u.kind == "money" for u in units) else units
    kind = units[0].kind if units else "number"
    if not units and _is_code(text, first, last):
        kind = "code"
    return Number(
        start,
        end,
        first,
        last,
        kind,
        values,
        units,
        meanings_of(values, units),
        digits,
        is_stated=text[last : last + 1] not in ("s", "'") or not _DECADE.match(text, last),
    )


def _is_code(text: str, first: int, last: int) -> bool:
    """#123; a long row of digits."""
    shortest = _MARKED_CODE if text[first - 1 : first] == "#" else _LONG_CODE
    return last - first >= shortest and text[first:last].isdigit()


def meanings_of(values: tuple[float, ...], units: tuple[Unit, ...]) -> frozenset[Meaning]:
    return frozenset((u.dimension, _rounded(v * u.factor)) for v in values for u in units)


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _unit_before(text: str, start: int) -> tuple[tuple[Unit, ...], int]:
    """The currency before a number, and where it begins."""
    low = max(0, start - 6)
    before = text[low:start]
    if sign := _SIGN_BEFORE.search(before):
        return unit_of(sign.group(1)), low + sign.start()
    word = _WORD_BEFORE.search(before)
    units = unit_of(word.group(1)) if word else ()
    if word and units and units[0].kind == "money" and len(word.group(1)) > 1:
        return units, low + word.start()
    return (), start


def _scale_after(text: str, at: int, is_money: bool) -> tuple[float, int] | None:
    match = _AFTER.match(text, at)
    word = match.group(1).lower() if match else ""
    size = SCALES.get(word) or SCALES.get(word.removesuffix("s"))
    if match is None or size is None or (word in ("m", "b", "k") and match.start(1) > at):
        return None
    if word in ("m", "b") and not is_money:
        return None
    return size, match.end()


def _units_after(text: str, at: int, first: int) -> tuple[tuple[Unit, ...], int]:
    """The units that the next words name, and where they end."""
    before = ""
    for _ in range(3):
        match = _AFTER.match(text, at)
        if match is None:
            break
        word = match.group(1)
        units = unit_of(f"{before} {word}") if before else ()
        units = units or unit_of(word)
        is_next_ones = len(word) <= 3 and _DIGIT_NEXT.match(text, match.end())
        is_whole = len(word) > 1 or not word.isalpha() or match.start(1) == at or word == "h"
        if units and is_whole and not is_next_ones:
            return units, match.end()
        if word.lower() not in BETWEEN:
            break
        before, at = word.lower(), match.end()
    return (), at


def _date_in_words(
    text: str, start: int, end: int, values: tuple[float, ...]
) -> tuple[Meaning, int, int] | None:
    """12 May, May the 12th."""
    if not values or not 1 <= values[0] <= 31 or values[0] % 1:
        return None
    after = _MONTH_AFTER.match(text, end)
    if after and (month := MONTHS.get(after.group(1).lower())):
        return ("date", 100.0 * month + values[0]), start, after.end()
    before = _MONTH_BEFORE.search(text, max(0, start - 16), start)
    if before and (month := MONTHS.get(before.group(1).lower())):
        suffix = _SUFFIX.match(text, end)
        return (
            ("date", 100.0 * month + values[0]),
            before.start(),
            suffix.end() if suffix else end,
        )
    return None
