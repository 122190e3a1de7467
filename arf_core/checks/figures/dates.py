"""Dates, as far as they are said: 12 May, 12/05/2025 (either way round), Monday, the twelfth."""

import re
from collections.abc import Iterable
from decimal import Decimal

from arf_core.checks.figures.model import Amount, Day, Figure, Reading

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mondays mon",
            "tuesday tuesdays tue tues",
            "wednesday wednesdays wed weds",
            "thursday thursdays thu thur thurs",
            "friday fridays fri",
            "saturday saturdays sat",
            "sunday sundays sun",
        )
    )
    for name in names.split()
}
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS, start=1)} | {"thirtieth": 30}
_COMPOUND_ORDINALS = {
    f"{tens}{mark}{word}": base + n
    for tens, base in (("twenty", 20), ("thirty", 30))
    for n, word in enumerate(_ORDINAL_WORDS[:9], start=1)
    for mark in ("-", " ")
    if base + n <= 31
}
DAY_WORDS = ORDINALS | _COMPOUND_ORDINALS

_MONTH = r"(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")(?![^\W_])\.?"
_WORDED = r"(?P<worded>" + "|".join(sorted(DAY_WORDS, key=len, reverse=True)) + r")(?![^\W_])"
_DAY = rf"(?:(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![^\W_])|{_WORDED})"
_YEAR = r"(?:(?P<year>(?:1[5-9]|20)\d\d)(?!\d|[.,]\d)|'(?P<short>\d\d)(?!\d))"
_GAP = r"(?:[ \u00a0\n-]{1,2})"
_I = re.IGNORECASE

ISO = re.compile(r"((?:1[5-9]|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})(?!\d)(?=[T\W_]|$)")
TRIPLE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d|[./-]\d)")
PAIR = re.compile(r"(\d{1,2})/(\d{1,2})(?!\d|/|[.,]\d)")
DOTTED_PAIR = re.compile(r"(\d{1,2})\.[ ]?(\d{1,2})\.(?!\d)")
MONTH_OF_YEAR = re.compile(r"(\d{1,2})/((?:19|20)\d\d)(?!\d|/)")
DAY_MONTH = re.compile(rf"{_DAY}\.?(?:{_GAP}of)?{_GAP}?{_MONTH}(?:,?{_GAP}{_YEAR})?", _I)
MONTH_DAY = re.compile(
    rf"{_MONTH},?{_GAP}(?:the )?{_DAY}(?!:\d|\.\d| ?[ap]\.?m\b)(?:,?{_GAP}{_YEAR})?", _I
)
MONTH_YEAR = re.compile(rf"{_MONTH},?(?: of)?{_GAP}{_YEAR}", _I)
DAY_OF_RANGE = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?(?!\d)(?= ?(?:-|/|&|,|to|and|or) ?\d{1,2}(?:st|nd|rd|th)? (?:of )?"
    rf"{_MONTH})",
    _I,
)
NEXT_OF_RANGE = re.compile(
    r" ?(?:-|/|&|,|,? ?(?:to|and|or|until|till|through)) ?(?:the )?(\d{1,2})(?:st|nd|rd|th)?"
    r"(?![\w:%$€£]|[.,]\d| ?[ap]\.?m\b)",
    _I,
)
_AFTER_WEEKDAY = re.compile(r",?[ ](?:the )?", _I)
_BARE_MONTHS = frozenset(
    "january february april june july august september october november december".split()
)
"""Months that are no other word. March and May alone, and the short forms, are read by nobody."""
_BARE_WEEKDAYS = frozenset(day for day in WEEKDAYS if "day" in day)
_WORDS_TOO = frozenset({"sat", "sun", "wed", "mon"})
_CENTURY = 2000
YEAR_RANGE = re.compile(r"((?:19|20)\d\d)(?:[-/]| ?-{1,2} ?)(\d\d)(?![\d/-]|[.,]\d)")


def numeric_date(text: str, start: int) -> Figure | None:
    """A date in digits that begins at `start`: 2025-05-12, 12/05/2025, 12.5., 05/2025, 3/4."""
    if match := ISO.match(text, start):
        year, _, month, day = match.groups()
        return _figure(match, _days([(int(day), int(month), int(year))]))
    if match := TRIPLE.match(text, start):
        return _triple(match)
    if match := MONTH_OF_YEAR.match(text, start):
        month, year = (int(group) for group in match.groups())
        return _figure(match, [Day(year, month)] if 1 <= month <= 12 else [])
    if match := YEAR_RANGE.match(text, start):
        return _two_years(match)
    if match := DOTTED_PAIR.match(text, start):
        return _dotted_pair(match)
    if match := PAIR.match(text, start):
        first, second = (int(group) for group in match.groups())
        return _figure(match, _days([(first, second, None), (second, first, None)]))
    return None


def _dotted_pair(match: re.Match[str]) -> Figure | None:
    """12.5. is a day in May, or twelve and a half at the end of a sentence."""
    first, second = match.groups()
    figure = _figure(match, _days([(int(first), int(second), None)]))
    number = Amount("number", Decimal(f"{first}.{second}"))
    return figure and figure._replace(end=figure.end - 1, readings=(*figure.readings, number))


def _two_years(match: re.Match[str]) -> Figure | None:
    """2016-20 and 2016/17."""
    first = int(match.group(1))
    second = first // 100 * 100 + int(match.group(2))
    if second <= first:
        return None
    years = (Day(first), Day(second))
    parts = (*(Amount("number", Decimal(day.year or 0)) for day in years),)
    return Figure("date", match.start(), match.end(), years, parts)


def _triple(match: re.Match[str]) -> Figure | None:
    first, mark, second, third = match.groups()
    a, b = int(first), int(second)
    year = int(third) + (_CENTURY if len(third) == 2 else 0)
    ways = [(a, b, year)] if mark == "." else [(a, b, year), (b, a, year)]
    if len(third) == 2 and mark == "-":
        ways.append((int(third), b, _CENTURY + a))
    return _figure(match, _days(ways))


def _days(ways: Iterable[tuple[int, int, int | None]]) -> list[Day]:
    """The days (day, month, year) that exist."""
    found = [
        Day(year, month, day) for day, month, year in ways if 1 <= month <= 12 and 1 <= day <= 31
    ]
    return list(dict.fromkeys(found))


def _figure(match: re.Match[str], days: list[Day]) -> Figure | None:
    if not days:
        return None
    parts = tuple(Amount("number", Decimal(n)) for n in re.findall(r"\d+", match.group()))
    return Figure("date", match.start(), match.end(), tuple(days), parts)


def day_then_month(text: str, start: int) -> list[Figure]:
    """12 May 2025, the twelfth of May; in "12-14 May" both days. Empty where there is none."""
    if match := DAY_OF_RANGE.match(text, start):
        day = Day(None, MONTHS[match.group("month").lower()], int(match.group(1)))
        number: tuple[Reading, ...] = (Amount("number", Decimal(match.group(1))),)
        return [Figure("date", start, match.end(), (day, *number), number)] if valid(day) else []
    match = DAY_MONTH.match(text, start)
    return _worded(match) if match else []


def month_first(text: str, start: int) -> list[Figure]:
    """May 12, May 12th, 2025, May 2025; in "May 12-14" both days."""
    if match := MONTH_DAY.match(text, start):
        found = _worded(match)
        if found and (more := NEXT_OF_RANGE.match(text, match.end())):
            found += _next_of_range(found[0], more)
        if found:
            return found
    if match := MONTH_YEAR.match(text, start):
        return _worded(match)
    return _bare_month(text, start)


def _next_of_range(first: Figure, match: re.Match[str]) -> list[Figure]:
    month = next(r.month for r in first.readings if isinstance(r, Day))
    value = int(match.group(1))
    day = Day(None, month, value)
    number = Amount("number", Decimal(value))
    if not valid(day):
        return []
    return [Figure("date", match.start(1), match.end(), (day, number), (number,))]


def _worded(match: re.Match[str]) -> list[Figure]:
    groups = match.groupdict()
    month = MONTHS[groups["month"].lower()]
    year = int(groups["year"]) if groups.get("year") else None
    if groups.get("short"):
        year = _CENTURY + int(groups["short"])
    day = int(groups["day"]) if groups.get("day") else None
    if groups.get("worded"):
        day = DAY_WORDS[groups["worded"].lower()]
    found = Day(year, month, day)
    if not valid(found):
        return []
    parts = tuple(Amount("number", Decimal(n)) for n in (day, year) if n is not None)
    return [Figure("date", match.start(), _without_dot(match), (found,), parts)]


def _without_dot(match: re.Match[str]) -> int:
    return match.end() - match.group().endswith(".")


def valid(day: Day) -> bool:
    return day.day is None or (1 <= day.day <= 31 and not (day.month == 2 and day.day > 29))


def _bare_month(text: str, start: int) -> list[Figure]:
    match = _LETTERS.match(text, start)
    word = match.group() if match else ""
    certain = word.lower() in _BARE_MONTHS and word[:1].isupper()
    if match is None or word.lower() not in MONTHS:
        return []
    day = Day(month=MONTHS[word.lower()])
    return [Figure("date", start, match.end(), (day,), firm=certain)]


_LETTERS = re.compile(r"[^\W\d_]+")


def weekday(text: str, start: int) -> list[Figure]:
    """Monday; Monday, 12 May; Mon the 12th."""
    match = _LETTERS.match(text, start)
    if match is None:
        return []
    word = match.group().lower()
    number = WEEKDAYS[word]
    gap = _AFTER_WEEKDAY.match(text, match.end())
    if gap and (dated := _date_at(text, gap.end())):
        head, *rest = dated
        days = tuple(r._replace(weekday=number) for r in head.readings if isinstance(r, Day))
        return [head._replace(start=start, readings=days), *rest]
    if word in _WORDS_TOO and not text[start].isupper():
        return []
    firm = word in _BARE_WEEKDAYS
    return [Figure("date", start, match.end(), (Day(weekday=number),), firm=firm)]


def _date_at(text: str, at: int) -> list[Figure]:
    if text[at : at + 1].isdigit():
        dated = numeric_date(text, at)
        return [dated] if dated else day_then_month(text, at)
    found = month_first(text, at) if _is_month(text, at) else day_then_month(text, at)
    return [f for f in found if f.firm and f.lesser][:1]


def _is_month(text: str, at: int) -> bool:
    match = _LETTERS.match(text, at)
    return bool(match and match.group().lower() in MONTHS)
