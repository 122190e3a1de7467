"""The numbers in a text: amounts, measures, dates, times of day and codes, with all they may mean.

"03/04" is two dates, "1.200" two amounts, "5 pounds" money or weight. So a number has a set of
meanings, and two numbers agree where they share one.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from text_to_num import alpha2digit

from arf_core.checks.units import (
    BETWEEN,
    CARDINALS,
    CLOCK,
    MONTHS,
    ORDINALS,
    PARTS_OF_HOUR,
    SCALES,
    SHARES,
    SIGNS,
    WEEKDAYS,
    Unit,
    unit_of,
)

LONGEST = 18
"""Digits. Longer rows are codes alone."""
_LONG_CODE = 7
_CODE_DIGITS, _CODE_GROUP = 5, 3
YEARS = range(1500, 2101)

_DIGITS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,:/-]*\d)|\d+(?:[.,:/'’-]\d+)*")
_GROUP = re.compile(r"\d+")
_NO_DIGIT = re.compile(r"\D")
_MARK = re.compile(r"[.,'’ \u00a0\u202f]")
_CODE = re.compile(r"[^\W_]+(?:[-_/#.][^\W_]+){0,8}")
_LETTERS_BEFORE = re.compile(r"(?<![^\W_])(?:([A-Z]{1,6})[-_/]|([^\W\d_]{1,6}))\Z")
_CODE_BEFORE = re.compile(r"(?<![^\W_])[A-Z]{1,6}[-_/]\Z|(?<![^\W_])[^\W\d_]{1,6}\Z")
_SIGN_BEFORE = re.compile(rf"(?:(?<![^\W_])[A-Za-z]{{1,2}})?([{SIGNS}])[ \u00a0]?\Z")
_WORD_BEFORE = re.compile(r"(?<![^\W_])([^\W\d_]{1,3})\.?[ \u00a0]?\Z")
_AFTER = re.compile(rf"[ \u00a0-]?(per cent|[%{SIGNS}]|[^\W\d_]+)")
_DECADE = re.compile(r"['’]?s\b")
_DIGIT_NEXT = re.compile(r"\.?[ \u00a0]?\d")
_SUFFIX = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_AM_PM = re.compile(r" ?(?:(a)|p)(?:\.m\.|m\b)| ?o['’]?clock\b", re.IGNORECASE)
_MONTH_AFTER = re.compile(r"(?:st|nd|rd|th)?(?: of)?[ -]([^\W\d_]{3,9})\b", re.IGNORECASE)
_MONTH_BEFORE = re.compile(r"\b([^\W\d_]{3,9})\.?[ -](?:the )?\Z")
_LINK = re.compile(r" ?(?:-|–|to|or|and|through) ?")

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER_WORD = "|".join([*CARDINALS, *ORDINALS])
_RUN = re.compile(
    rf"(?P<words>(?:{_NUMBER_WORD})(?:(?:[ -]| and )(?:{_NUMBER_WORD}|first|second))*)\b"
    r"(?P<half>(?: and)? a half\b)?",
    re.IGNORECASE,
)
_IMPLIED = re.compile(
    r"(?:(?P<half>half an?)|(?P<couple>(?:a )?couple(?: of)?)|an?)"
    r"(?= (?:second|minute|hour|day|night|week|fortnight|month|year|decade|million|dozen)s?\b)",
    re.IGNORECASE,
)
_SHARE = re.compile(rf"(?:{'|'.join(SHARES)})\b", re.IGNORECASE)
_CLOCK = re.compile(
    rf"(?:({'|'.join(CLOCK)})|(?:({'|'.join(PARTS_OF_HOUR)}) (past|after|to)|half) "
    r"(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d\d?))\b",
    re.IGNORECASE,
)

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


def numbers(text: str) -> list[Number]:
    """All numbers of a text, in order; none overlaps another."""
    found: list[Number] = []
    at = 0
    for number in sorted([*_in_digits(text), *_in_words(text)], key=lambda n: (n.start, -n.end)):
        if number.start >= at:
            found.append(number)
            at = number.end
    return _with_shared_units(found, text)


def squeezed(text: str) -> str:
    """Letters and digits alone, in upper case: codes differ by nothing else."""
    return re.sub(r"[\W_]+", "", text).upper()


# -- in digits ----------------------------------------------------------------------------------


def _in_digits(text: str) -> Iterator[Number]:
    at = 0
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        if start < at:
            continue
        for number in _code(text, start, end) or _read(text, start, end):
            yield number
            at = number.end


def _read(text: str, start: int, end: int) -> list[Number]:
    """The numbers that a row of digits and marks stands for: two in 3-5 days."""
    raw = text[start:end]
    groups = [int(g) for g in _GROUP.findall(raw) if len(g) <= LONGEST]
    if len(raw) > LONGEST * 2 or not groups:
        return [_as_code(text, start, end)]
    if time := _time(text, start, end, groups):
        return [time]
    if "-" in raw or "/" in raw:
        if len(groups) == 2 and raw.count("-") == 1 and not _is_code(raw):
            return _range(text, start, end)
        return [_date_in_digits(raw, groups, start, end) or _as_code(text, start, end)]
    values = _values(raw)
    if not values:
        date = _date_in_digits(raw, groups, start, end) if raw.count(".") == 2 else None
        return [date or _as_code(text, start, end)]
    return [_measured(text, start, end, values)]


@lru_cache(4096)
def _values(raw: str) -> tuple[float, ...]:
    """1,200 is 1200; 1.200 is 1200 or 1.2; 12:30 is no single number."""
    if len(raw) <= LONGEST and raw.isdigit():
        return (float(raw),)
    parts = _MARK.split(raw)
    if not all(part.isdigit() for part in parts) or len("".join(parts)) > LONGEST:
        return ()
    grouped = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    indian = len(parts[-1]) == 3 and all(len(part) == 2 for part in parts[1:-1])
    whole = (float("".join(parts)),) if grouped or indian else ()
    marks = re.findall(r"[.,]", raw)
    if len(marks) == len(parts) - 1 and (len(parts) == 2 or marks[-1] not in marks[:-1]):
        return (*whole, float("".join(parts[:-1]) + "." + parts[-1]))
    return whole


def _range(text: str, start: int, end: int) -> list[Number]:
    """Both ends of 3-5 days or 2016-20, each with what stands before and after the whole."""
    middle = text.index("-", start)
    first, second = (_values(text[a:b]) for a, b in ((start, middle), (middle + 1, end)))
    if not first or not second or end - middle > middle - start + 3:
        return [_as_code(text, start, end)]
    if first[0] in YEARS and second[0] < 100:
        second = (first[0] // 100 * 100 + second[0],)
    one = _measured(text, start, middle, first, after=end)
    other = _measured(text, middle + 1, end, second, before=start)
    if not other.units and other.kind == "number" and first[0] < 100:
        return [_as_code(text, start, end)._replace(kind="score")]
    return [one._replace(end=middle), other._replace(start=middle + 1)]


def _measured(
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
    if not units and (text[first - 1 : first] == "#" or _is_long(text, first, last)):
        kind = "code"
    return Number(
        start,
        end,
        first,
        last,
        kind,
        values,
        units,
        _meanings(values, units),
        digits,
        is_stated=text[last : last + 1] not in ("s", "'") or not _DECADE.match(text, last),
    )


def _is_long(text: str, first: int, last: int) -> bool:
    return last - first >= _LONG_CODE and text[first:last].isdigit()


def _meanings(values: tuple[float, ...], units: tuple[Unit, ...]) -> frozenset[Meaning]:
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


# -- dates and times ----------------------------------------------------------------------------


def _time(text: str, start: int, end: int, groups: list[int]) -> Number | None:
    """5 pm, 5:30, 17.30 pm, 315pm."""
    raw = text[start:end]
    near = text[end : end + 2].lstrip()[:1]
    half = _AM_PM.match(text, end) if near and near in "aApPoO" else None
    if half is None and (
        len(groups) == 1 or ":" not in raw or not re.fullmatch(r"\d\d?:\d\d(?::\d\d)?", raw)
    ):
        return None
    if len(groups) == 1 and len(raw) in (3, 4) and raw.isdigit():
        groups = [*divmod(groups[0], 100)]
    hour, minute = groups[0], groups[1] if len(groups) > 1 else 0
    if hour > 24 or minute > 59 or not re.fullmatch(r"\d{1,4}|\d\d?[:.]\d\d(?::\d\d)?", raw):
        return None
    at = hour % 24 * 60 + minute
    meanings = {at}
    if half and half.group().strip().lower().startswith(("a", "p")):
        meanings = {at % 720 + (0 if half.group(1) else 720)}
        meanings |= {at} if hour > 12 else set()
    elif hour <= 12:
        meanings = {at % 720, at % 720 + 720}
    return Number(
        start,
        half.end() if half else end,
        start,
        end,
        "time",
        _values(raw),
        (),
        frozenset(("clock", float(m)) for m in meanings),
        re.sub(r"\D", "", raw),
        tuple(map(float, groups)),
    )


def _date_in_digits(raw: str, groups: list[int], start: int, end: int) -> Number | None:
    """12/05/2025 and 2025-05-12, either way round where both may be meant; 12/5."""
    if not re.fullmatch(r"\d{4}\D\d\d?\D\d\d?|\d\d?\D\d\d?\D(?:\d\d|\d{4})|\d\d?/\d\d?", raw):
        return None
    if len(groups) == 3 and groups[0] in YEARS:
        pairs = [(groups[1], groups[2])]
    else:
        pairs = [(groups[1], groups[0]), (groups[0], groups[1])]
    dates = frozenset(("date", 100.0 * m + d) for m, d in pairs if 1 <= m <= 12 and 1 <= d <= 31)
    if not dates:
        return None
    digits = re.sub(r"\D", "", raw)
    return Number(start, end, start, end, "date", (), (), dates, digits, tuple(map(float, groups)))


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


# -- codes --------------------------------------------------------------------------------------


def _code(text: str, start: int, end: int) -> list[Number]:
    """The code, with letters, that the digits at [start, end) are part of; none if they are not."""
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    if not any(c.isalpha() or c in "-_/" for c in around):
        return []
    before = _CODE_BEFORE.search(text, max(0, start - 8), start)
    if before:
        units = unit_of(before.group())
        if (units and units[0].kind == "money") or before.group().lower() in ("us", "r"):
            return []
        match = _CODE.match(text, before.start())
        return [_as_code(text, before.start(), match.end())] if match else []
    match = _CODE.match(text, start)
    if match is None or match.end() <= end:
        return []
    rest = text[end : match.end()]
    letters = re.match(r"[^\W\d_]+", rest)
    if letters and letters.end() < len(rest) and rest[letters.end()].isdigit():
        return [_as_code(text, start, match.end())]
    if rest[0] in "-_/" and re.fullmatch(r"[-_/A-Z\d]+", rest):
        return [_as_code(text, start, match.end())]
    is_code = rest.isupper() and rest.isalpha() and len(rest) <= 4 and not unit_of(rest)
    if is_code and rest.lower() not in ("am", "pm", "st", "nd", "rd", "th", *SCALES):
        return [_as_code(text, start, match.end())]
    return []


def _as_code(text: str, start: int, end: int) -> Number:
    written = text[start:end]
    groups = tuple(float(g) for g in re.findall(r"\d+", written) if len(g) <= LONGEST)
    return Number(start, end, start, end, "code", (), digits=squeezed(written), groups=groups)


def _is_code(raw: str) -> bool:
    """88-1201 and 202-555, not 3-5, 24-48 or 2016-2020."""
    groups = re.findall(r"\d+", raw)
    if all(len(g) < 4 or int(g) in YEARS for g in groups if len(g) <= 4):
        return any(len(g) > 4 for g in groups) or any(len(g) > 1 and g[0] == "0" for g in groups)
    return sum(map(len, groups)) >= _CODE_DIGITS and any(len(g) >= _CODE_GROUP for g in groups)


# -- in words -----------------------------------------------------------------------------------


def _in_words(text: str) -> Iterator[Number]:
    at = 0
    for word in _WORD.finditer(text):
        readers = _READERS.get(word.group().lower())
        if readers is None or word.start() < at:
            continue
        number = next((n for read in readers if (n := read(text, word.start()))), None)
        if number:
            yield number
            at = number.end


def _run(text: str, at: int) -> Number | None:
    """Number words: a number, or several in a row as years and codes are spoken."""
    match = _RUN.match(text, at)
    if match is None:
        return None
    words = match["words"]
    parts = re.findall(r"\d+", alpha2digit(words.lower(), "en", threshold=0))
    digits = "".join(parts)
    if not digits or len(digits) > LONGEST:
        return None
    value = float(digits) + (0.5 if match["half"] else 0)
    number = _measured(text, *match.span(), (value,))
    groups = tuple(map(float, parts)) if len(parts) > 1 else number.groups
    return number._replace(digits=digits, groups=groups)


def _implied(text: str, at: int) -> Number | None:
    """A week, half an hour, a couple of days, an hour and a half."""
    match = _IMPLIED.match(text, at)
    if match is None:
        return None
    value = 0.5 if match["half"] else 2.0 if match["couple"] else 1.0
    number = _measured(text, *match.span(), (value,))
    if text.startswith(" and a half", number.end):
        meanings = _meanings((1.5,), number.units)
        number = number._replace(end=number.end + 11, values=(1.5,), meanings=meanings)
    return number._replace(is_stated=False)


def _share(text: str, at: int) -> Number | None:
    match = _SHARE.match(text, at)
    if match is None:
        return None
    share = frozenset([("percent", float(SHARES[match.group().lower()]))])
    return Number(*match.span(), *match.span(), "percent", (), (), share, is_stated=False)


def _weekday(text: str, at: int) -> Number | None:
    word = _WORD.match(text, at)
    if word is None:
        return None
    meaning = ("weekday", float(WEEKDAYS[word.group().lower()]))
    return Number(*word.span(), *word.span(), "weekday", (), (), frozenset([meaning]))


def _clock(text: str, at: int) -> Number | None:
    """Noon; half past five, half five, quarter to six."""
    match = _CLOCK.match(text, at)
    if match is None:
        return None
    word, part, way, hour = (g and g.lower() for g in match.groups())
    if word:
        meanings = {float(CLOCK[word])}
    else:
        minutes = PARTS_OF_HOUR[part or "half"] * (-1 if way == "to" else 1)
        minutes += 60 * int(alpha2digit(hour, "en", threshold=0))
        meanings = {float((minutes + half) % 1440) for half in (0, 720)}
    clocks = frozenset(("clock", minutes) for minutes in meanings)
    return Number(*match.span(), *match.span(), "time", (), (), clocks)


def _readers() -> dict[str, tuple[Callable[[str, int], Number | None], ...]]:
    """How to read on from a word that may begin a number."""
    found: dict[str, tuple[Callable[[str, int], Number | None], ...]] = {}
    for words, read in (
        ([*CLOCK, *PARTS_OF_HOUR], _clock),
        ([*CARDINALS, *ORDINALS], _run),
        (["a", "an", "half", "couple"], _implied),
        ([share.split()[0] for share in SHARES], _share),
        ([day for day in WEEKDAYS if day not in ("sat", "sun")], _weekday),
    ):
        for word in words:
            found[word] = (*found.get(word, ()), read)
    return found


_READERS = _readers()


def _with_shared_units(found: list[Number], text: str) -> list[Number]:
    """3 to 5 days are 3 days to 5 days, $40-50 are two amounts of money, 12 and 14 May two dates."""
    for i in range(len(found) - 1):
        one, two = found[i], found[i + 1]
        if two.start - one.end > 8 or not _LINK.fullmatch(text, one.end, two.start):
            continue
        if one.kind == "number" and two.kind in (
            "money",
            "percent",
            "duration",
            "quantity",
            "date",
        ):
            found[i] = _like(one, two)
        elif two.kind == "number" and one.kind in ("money", "date"):
            found[i + 1] = _like(two, one)
    return found


def _like(number: Number, other: Number) -> Number:
    """The number, of the unit or the month of the other."""
    if other.kind != "date":
        meanings = _meanings(number.values, other.units)
        return number._replace(kind=other.kind, units=other.units, meanings=meanings)
    if not number.values or not 1 <= number.values[0] <= 31:
        return number
    months = {value // 100 for _, value in other.meanings}
    meanings = frozenset(("date", 100 * month + number.values[0]) for month in months)
    return number._replace(kind="date", meanings=meanings, groups=number.values)
