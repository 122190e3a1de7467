"""Times of day: 5 pm, 17:00, 5.30pm, half past five, noon."""

import re
from decimal import Decimal

from arf_core.checks.figures.model import Amount, Clock, Figure, Reading
from arf_core.checks.figures.numerals import TENS, UNITS

_HOURS = [word for word, n in UNITS.items() if 1 <= n <= 12]
_MINUTES = {word: n for word, n in UNITS.items() if n} | {
    word: n for word, n in TENS.items() if n < 60
}
_HOUR_WORD = "(?P<hour_word>" + "|".join(sorted(_HOURS, key=len, reverse=True)) + ")"
_MINUTE_WORD = "|".join(sorted(_MINUTES, key=len, reverse=True))
_MARK = r"(?P<mark>[ap]\.[ ]?m\b\.?|[ap][ ]?m\b|o'?[ ]?clock\b|uhr\b|hrs\b|hours\b)"
_I = re.IGNORECASE

WITH_MINUTES = re.compile(
    rf"(?P<hour>[01]?\d|2[0-4])(?P<sep>[:.h])(?P<minute>[0-5]\d)(?::[0-5]\d(?:[.,]\d+)?)?(?!\d|[.,]\d)"
    rf"(?! ?(?:m|min|mins|minutes)\b)(?:[ \u00a0]?{_MARK})?",
    _I,
)
HOUR_ONLY = re.compile(rf"(?P<hour>[01]?\d|2[0-4])[ \u00a0]?{_MARK}", _I)
UNDIVIDED = re.compile(rf"(?P<hour>[01]?\d|2[0-4])(?P<minute>[0-5]\d)[ \u00a0]?{_MARK}", _I)
OF_RANGE = re.compile(
    r"(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d))?(?= ?(?:-|to|and|or|until|till) ?"
    r"(?:[01]?\d|2[0-4])(?:[:.][0-5]\d)? ?(?P<mark>[ap]\.?[ ]?m\b))",
    _I,
)
WORDED = re.compile(
    rf"{_HOUR_WORD}(?:[ -](?:(?:oh|o)[ -])?"
    rf"(?P<minutes>(?:{_MINUTE_WORD})(?:[ -](?:{_MINUTE_WORD}))?))?[ ]{_MARK}",
    _I,
)
PAST = re.compile(
    rf"(?:(?P<share>half|(?:a )?quarter)|(?P<count>\d{{1,2}}|{_MINUTE_WORD})(?: minutes)?)"
    rf"[ ](?P<side>past|after|to|before)[ ](?:(?P<hour>\d{{1,2}})(?![\d:])|{_HOUR_WORD}\b)"
    rf"(?:[ ]{_MARK})?",
    _I,
)
DOTTED = re.compile(r"([01]?\d|2[0-3])\.([0-5]\d)")
HALF = re.compile(rf"half (?:(?P<hour>\d{{1,2}})(?![\d:.,%])|{_HOUR_WORD}\b)(?! \w+s\b)", _I)
NAMED = {"noon": 720, "midday": 720, "midnight": 0}
_DAY = 1440


def time_in_digits(text: str, start: int) -> Figure | None:
    """A time whose first digit stands at `start`."""
    for pattern in (WITH_MINUTES, HOUR_ONLY, UNDIVIDED, OF_RANGE):
        match = pattern.match(text, start)
        if match and (found := _in_digits(match, of_range=pattern is OF_RANGE)):
            return found
    return past_the_hour(text, start)


def _in_digits(match: re.Match[str], *, of_range: bool) -> Figure | None:
    groups = match.groupdict()
    mark = "" if of_range else _mark(groups.get("mark"))
    separator = (groups.get("sep") or "").lower()
    if separator == "." and mark not in ("am", "pm", "uhr", "oclock"):
        return None
    hour, minute = int(groups["hour"]), int(groups.get("minute") or 0)
    if not groups.get("minute") and mark in ("hrs", "hours"):
        return None
    readings: list[Reading] = [Clock(m) for m in minutes_of(hour, minute, mark)]
    lesser = [Amount("number", Decimal(hour)), Amount("number", Decimal(minute))]
    if mark in ("hrs", "hours") and not separator:  # 1000 hours may be a length of time
        readings.append(Amount("duration", Decimal(hour * 100 + minute) * 60))
        lesser.append(Amount("number", Decimal(hour * 100 + minute)))
    if separator == "h" or (separator == ":" and not mark):
        length = Amount("duration", Decimal(hour * 60 + minute))
        lesser += [length, length._replace(value=Decimal(hour) + Decimal(minute) / 60)]
    if separator == "h":
        readings.append(lesser[2])
    if not readings:
        return None
    return Figure("time", match.start(), match.end(), tuple(readings), tuple(lesser))


def _mark(said: str | None) -> str:
    return "".join(c for c in (said or "").lower() if c.isalpha())


def minutes_of(hour: int, minute: int, mark: str) -> list[int]:
    """The minutes after midnight that a time may mean: without am or pm, small hours mean two."""
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return []
    if mark in ("am", "pm") and 1 <= hour <= 12:
        return [(hour % 12 + (12 if mark == "pm" else 0)) * 60 + minute]
    if 1 <= hour <= 12:
        return [hour * 60 + minute, (hour * 60 + minute + 720) % _DAY]
    return [(hour * 60 + minute) % _DAY]


def time_in_words(text: str, start: int) -> Figure | None:
    """Five pm, five thirty pm, half past five, ten to six."""
    if past := past_the_hour(text, start):
        return past
    match = WORDED.match(text, start)
    if match is None or _mark(match.group("mark")) in ("hours", "hrs"):
        return None
    hour = UNITS[match.group("hour_word").lower()]
    words = re.split(r"[ -]", (match.group("minutes") or "").lower())
    minute = sum(_MINUTES[word] for word in words if word)
    found = minutes_of(hour, minute, _mark(match.group("mark")))
    return _figure(match, found, hour)


def past_the_hour(text: str, start: int) -> Figure | None:
    """Half past five, quarter to 6, ten past five."""
    match = PAST.match(text, start)
    if match is None:
        return None
    groups = match.groupdict()
    hour = int(groups["hour"]) if groups["hour"] else UNITS[groups["hour_word"].lower()]
    offset = _offset(groups["share"], groups["count"])
    side = groups["side"].lower()
    clear = groups["share"] or side == "past" or groups["mark"]  # "ten to six" may be a range
    sign = 1 if side in ("past", "after") else -1
    if not clear or not 1 <= hour <= 24 or offset > 59 or (offset == 30 and sign < 0):
        return None
    found = [(m + sign * offset) % _DAY for m in minutes_of(hour, 0, _mark(groups["mark"]))]
    return _figure(match, found, hour)


def half_hour(text: str, start: int) -> Figure | None:
    """Half five: half past five to the British, half past four to others."""
    match = HALF.match(text, start)
    if match is None:
        return None
    hour = int(match["hour"]) if match["hour"] else UNITS[match["hour_word"].lower()]
    if not 1 <= hour <= 12:
        return None
    minutes = [m for h in (hour, (hour - 2) % 12 + 1) for m in minutes_of(h, 30, "")]
    figure = _figure(match, minutes, hour)
    return figure and figure._replace(firm=False)


def _offset(share: str | None, count: str | None) -> int:
    if share:
        return 30 if share.lower() == "half" else 15
    return int(count) if count and count.isdigit() else _MINUTES[(count or "").lower()]


def _figure(match: re.Match[str], minutes: list[int], hour: int) -> Figure | None:
    if not minutes:
        return None
    readings = tuple(Clock(m) for m in minutes)
    lesser = (Amount("number", Decimal(hour)),)
    return Figure("time", match.start(), match.end(), readings, lesser)


def named_time(text: str, start: int, word: str) -> Figure:
    """Noon, midday, midnight."""
    return Figure("time", start, start + len(word), (Clock(NAMED[word.lower()]),))
