"""Figures that begin with a word: twelve hundred, half past five, the twelfth of May, a week."""

import re
from collections.abc import Callable
from decimal import Decimal

from arf_core.checks.figures import clock, dates
from arf_core.checks.figures.measures import amounts, measured
from arf_core.checks.figures.model import Amount, Clock, Code, Day, Figure, Numeral
from arf_core.checks.figures.numerals import NUMBER_WORDS, SCALES, UNITS, numeral_in_words
from arf_core.checks.figures.tails import of_time

YEARS = range(1500, 2101)

_DIGIT_WORDS = re.compile(
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
    r"(?:[ ,-]{1,2}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)(?![^\W_])){2,19}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_AFTER_CENTURY = re.compile(r"[ -](?:(?:oh|o)[ -])?(?=[a-z])", re.IGNORECASE)
_HALF_OF = re.compile(
    r"(half|quarter)(?: of)?[ -](?:an?[ -])?(hour|day|year|month|minute|dozen|million|hundred|"
    r"thousand|billion)(?![^\W_])",
    re.IGNORECASE,
)
_IMPLIED = re.compile(
    r"(minute|hour|day|night|week|month|year|fortnight|decade)(?:s?(?![^\W_]))( and a half)?",
    re.IGNORECASE,
)
_ONE_BEFORE = re.compile(r"(?<![^\W_])(?:a|an|per|each|every|one|next|last)[ -]\Z", re.IGNORECASE)
_COUPLE = re.compile(r"(?:couple|pair)(?: of)?", re.IGNORECASE)
_SIZE_ALONE = frozenset({*SCALES, "hundred"})


def _from_number_word(text: str, start: int) -> list[Figure]:
    if row := _DIGIT_WORDS.match(text, start):
        return [_digit_row(row)]
    if time := clock.time_in_words(text, start):
        return [time]
    numeral = numeral_in_words(text, start)
    if numeral is None:
        return []
    if year := _year_in_words(text, numeral):
        return [year]
    figure = measured(text, numeral)
    vague = numeral.values[0] == 1 or (text[start : numeral.end].lower() in _SIZE_ALONE)
    return [figure._replace(firm=False)] if vague else [figure]


def _digit_row(match: re.Match[str]) -> Figure:
    """Four two seven one: a code said digit by digit."""
    digits = [UNITS.get(word.lower(), 0) for word in _WORD.findall(match.group())]
    said = "".join(str(d) for d in digits)
    values = amounts("number", (Decimal(d) for d in digits))
    return Figure("code", match.start(), match.end(), (Code(said),), values, firm=False)


def _year_in_words(text: str, first: Numeral) -> Figure | None:
    """Nineteen ninety-nine, twenty twenty-five."""
    century = first.values[0]
    gap = _AFTER_CENTURY.match(text, first.end) if 10 <= century <= 99 else None
    second = numeral_in_words(text, gap.end()) if gap else None
    if gap is None or second is None or not 1 <= second.values[0] <= 99:
        return None
    if second.values[0] < 10 and len(gap.group()) == 1:
        return None
    year = century * 100 + second.values[0]
    parts = amounts("number", (century, second.values[0]))
    minutes = tuple(Clock(m) for m in clock.minutes_of(int(century), int(second.values[0]), ""))
    days = (Day(int(year)),) if int(year) in YEARS else ()
    readings = (Amount("number", year), *days, *minutes)
    return Figure("number", first.start, second.end, readings, parts, firm=False)


def _from_ordinal_word(text: str, start: int) -> list[Figure]:
    if found := dates.day_then_month(text, start):
        return found
    word = _WORD.match(text, start)
    value = dates.DAY_WORDS.get(word.group().lower()) if word else None
    if word is None or value is None:
        return []
    readings = (Amount("ordinal", Decimal(value)), Day(day=value))
    return [Figure("ordinal", start, word.end(), readings, firm=False)]


def _from_twenty(text: str, start: int) -> list[Figure]:
    """The twenty-first of May, and plain twenty-one."""
    return dates.day_then_month(text, start) or _from_number_word(text, start)


def _from_half(text: str, start: int) -> list[Figure]:
    """Half an hour, half past five, half a million, half of them."""
    if time := clock.past_the_hour(text, start) or clock.half_hour(text, start):
        return [time]
    share = Decimal("0.5") if text[start] in "hH" else Decimal("0.25")
    match = _HALF_OF.match(text, start)
    if match is None:
        readings = (Amount("percent", share * 100), Amount("number", share))
        return [Figure("percent", start, start + len("half"), readings, firm=False)]
    unit = match.group(2).lower()
    if unit in SCALES or unit in ("dozen", "hundred"):
        size = SCALES.get(unit, 12 if unit == "dozen" else 100)
        numeral = Numeral(start, match.end(), (share * size,), in_digits=False)
        return [measured(text, numeral)]
    return [Figure("duration", start, match.end(), of_time(unit)(share))]


def _from_unit_word(text: str, start: int) -> list[Figure]:
    """A week, an hour and a half, per month: one of them, by implication."""
    match = _IMPLIED.match(text, start)
    if match is None or not _ONE_BEFORE.search(text, max(0, start - 7), start):
        return []
    value = Decimal("1.5") if match.group(2) else Decimal(1)
    readings = of_time(match.group(1).lower())(value)
    firm = match.group(2) is not None or match.group(1).lower() == "fortnight"
    return [Figure("duration", start, match.end(), readings, firm=firm)]


def _from_couple(text: str, start: int) -> list[Figure]:
    match = _COUPLE.match(text, start)
    end = match.end() if match else start
    figure = measured(text, Numeral(start, end, (Decimal(2),), in_digits=False))
    return [figure._replace(firm=False)]


def _named_time(text: str, start: int) -> list[Figure]:
    word = _WORD.match(text, start)
    return [clock.named_time(text, start, word.group())] if word else []


Reader = Callable[[str, int], list[Figure]]
_UNIT_WORDS = "minute hour day night week month year fortnight decade".split()
READERS: dict[str, Reader] = {
    **dict.fromkeys(NUMBER_WORDS, _from_number_word),
    **dict.fromkeys(dates.ORDINALS, _from_ordinal_word),
    **dict.fromkeys(("twenty", "thirty"), _from_twenty),
    **dict.fromkeys(dates.MONTHS, dates.month_first),
    **dict.fromkeys(dates.WEEKDAYS, dates.weekday),
    **dict.fromkeys(clock.NAMED, _named_time),
    **dict.fromkeys(("half", "quarter"), _from_half),
    **dict.fromkeys(_UNIT_WORDS, _from_unit_word),
    **dict.fromkeys(("couple", "pair"), _from_couple),
}
