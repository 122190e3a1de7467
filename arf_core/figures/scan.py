"""Find every figure in a text."""

import re
from collections.abc import Callable
from decimal import Decimal

from arf_core.figures import clock, codes, dates
from arf_core.figures.measures import amounts, currency_before, measured, of_time
from arf_core.figures.model import Amount, Clock, Code, Day, Figure, Kind, Numeral, Reading
from arf_core.figures.numerals import (
    NUMBER_WORDS,
    SCALES,
    UNITS,
    end_of_row,
    numeral_in_digits,
    numeral_in_words,
    plainly,
)

_LETTERS = re.compile(r"[^\W\d_]+")
_LETTERS_ALONE = {i: " " for i in range(128) if not chr(i).isalpha()}
_DIGITS = re.compile(r"\d+")
_ORDINAL = re.compile(r"(\d{1,4})(?:st|nd|rd|th)(?![^\W_])", re.IGNORECASE)
_DECADE = re.compile(r"(\d{4}|\d{2})'?s(?![^\W_])")
_TIMES = re.compile(r"(?<![^\W_])[xX](\d{1,4})(?![\d.,]\d|\w)")
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
_WITHIN_CODES = frozenset("./-:_#(")
_NEXT_WORD = re.compile(r"[^\W\d_]+|\(")
_OF_DATES_AND_TIMES = frozenset(
    {*dates.MONTHS, "of", "to", "and", "or", "am", "pm", "a", "p", "o", "oclock", "uhr", "hrs"}
    | {"hours", "past", "after", "before", "minutes", "till", "until", "("}
)
_YEARS = range(1500, 2101)


def figures(text: str) -> list[Figure]:
    """The figures of a text, in order, none overlapping another. Time is linear in the text."""
    plain = plainly(text)
    found: list[Figure] = []
    links = codes.links(plain)
    at = 0
    for start, word in _beginnings(plain):
        while links and links[0].start <= start:
            link = links.pop(0)
            if link.start >= at:
                found.append(link)
                at = link.end
        if start < at:
            continue
        if word:
            new = _READERS[word](plain, start)
        else:
            new = _from_digits(plain, start, at, found[-1] if found else None)
        found += new
        at = max(at, new[-1].end if new else 0)
    return found


def _beginnings(text: str) -> list[tuple[int, str]]:
    """Where a figure may begin: at digits (""), and at the words that begin one.

    Most words begin none: to look for the few that do, once it is known which are there at all, is
    several times faster than to look at each.
    """
    low = _lowered(text)
    found = [(digits.start(), "") for digits in _DIGITS.finditer(text)]
    words = low.translate(_LETTERS_ALONE).split() if low.isascii() else _LETTERS.findall(low)
    for word in _READERS.keys() & set(words):
        at = low.find(word)
        while at >= 0:
            end = at + len(word)
            if not (text[at - 1 : at].isalpha() or text[end : end + 1].isalpha()):
                found.append((at, word))
            at = low.find(word, end)
    found.sort()
    return found


def _lowered(text: str) -> str:
    """The text in lower case, with the same offsets: no letter becomes two."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


# -- from a digit on ----------------------------------------------------------------------------


def _from_digits(text: str, start: int, at: int, last: Figure | None) -> list[Figure]:
    before = text[start - 1] if start else " "
    if _is_letter(before) and currency_before(text, start) is None:
        if attached := _after_letters(text, start, at):
            return [attached]
    elif before in "-_/" and start >= 2 and text[start - 2].isupper():
        if attached := _after_capitals(text, start, at):
            return [attached]
    elif before in "#+(" and (marked := codes.marked_code(text, start, before)):
        return [marked]
    return _by_what_follows(text, start, last)


def _by_what_follows(text: str, start: int, last: Figure | None) -> list[Figure]:
    """Most digits are a number, which the next character shows: that spares many patterns."""
    digits = _DIGITS.match(text, start)
    end = digits.end() if digits else start
    if currency_before(text, start) is None and _may_be_more(text, end):
        if dated := _dated(text, start):
            return dated
        for read in (clock.time_in_digits, codes.code_of_digits, _ordinal):
            if figure := read(text, start):
                return [figure]
    elif text[end + 1 : end + 2].isdigit() and (groups := codes.code_in_groups(text, start)):
        return [groups]
    numeral = numeral_in_digits(text, start)
    return _row(text, start) if numeral is None else [_number(text, numeral, last)]


def _may_be_more(text: str, end: int) -> bool:
    """May digits that end at `end` begin a date, a time, an ordinal, or a code with marks?"""
    after = text[end : end + 1]
    if after not in (" ", "\u00a0"):
        inside = after in _WITHIN_CODES and text[end + 1 : end + 2].isalnum()
        return inside or after.isalpha()
    word = _NEXT_WORD.match(text, end + 1)
    if word is None:
        return text[end + 1 : end + 2] in ("/", "&", "-")
    return word.group().lower() in _OF_DATES_AND_TIMES


def _after_letters(text: str, start: int, at: int) -> Figure | None:
    """AB12 is a code, v2.3 a version, x2 a number."""
    if times := _TIMES.match(text, start - 1):
        value = Decimal(times.group(1))
        return Figure("number", start - 1, times.end(), amounts("number", (value,)))
    first = start
    while first > at and start - first < 20 and text[first - 1].isalnum():
        first -= 1
    if text[first:start] in ("v", "V"):
        numeral = numeral_in_digits(text, start)
        version = codes.VERSION.match(text, start)
        if version:
            return codes.version(version)
        return _plain(numeral) if numeral else None
    return codes.code_of_letters(text, first)


def _after_capitals(text: str, start: int, at: int) -> Figure | None:
    """INV-2041, PO/17: capitals, a mark, and digits are a code; "pre-2010" is none."""
    first = start - 1
    while first > at and start - first < 12 and text[first - 1].isalnum():
        first -= 1
    letters = text[first : start - 1]
    return codes.code_of_letters(text, first) if letters.isupper() and letters.isascii() else None


def _plain(numeral: Numeral) -> Figure:
    readings = amounts("number", numeral.values)
    return Figure("number", numeral.start, numeral.end, readings, amounts("number", numeral.parts))


def _dated(text: str, start: int) -> list[Figure]:
    if found := dates.day_then_month(text, start):
        return found
    figure = dates.numeric_date(text, start)
    if figure is None:
        return []
    if dates.PAIR.fullmatch(text, figure.start, figure.end):
        figure = _or_fraction(text, figure)
    return [figure]


def _or_fraction(text: str, figure: Figure) -> Figure:
    """3/4 is the third of April, the fourth of March, or three quarters."""
    above, below = (int(n) for n in figure.of(text).split("/"))
    share = (Amount("number", Decimal(above) / below),) if below else ()
    return figure._replace(readings=(*figure.readings, *share))


def _ordinal(text: str, start: int) -> Figure | None:
    """21st, and the 1990s."""
    if match := _ORDINAL.match(text, start):
        value = Decimal(match.group(1))
        readings: list[Reading] = [Amount("ordinal", value)]
        if 1 <= value <= 31:
            readings.append(Day(day=int(value)))
        return Figure("ordinal", start, match.end(), tuple(readings), amounts("number", (value,)))
    if match := _DECADE.match(text, start):
        value = Decimal(match.group(1))
        numbers = amounts("number", (value,))
        return Figure("number", start, match.end(), numbers, of_time("second")(value), firm=False)
    return None


def _number(text: str, numeral: Numeral, last: Figure | None) -> Figure:
    start = numeral.start
    figure = measured(text, numeral, last)
    if figure.end == numeral.end and _is_letter(text[figure.end : figure.end + 1]):
        return codes.code_of_run(text, start) or figure
    return _plain_digits(text, figure) if figure.kind == "number" else figure


def _plain_digits(text: str, figure: Figure) -> Figure:
    """2019 may be a year, 4471889 the number of a case."""
    said = figure.of(text)
    if not said.isdigit():
        return figure
    if len(said) == 4 and int(said) in _YEARS:
        return figure._replace(readings=(*figure.readings, Day(int(said))))
    if len(said) >= codes.LONG:
        return figure._replace(kind="code", readings=(Code(said), *figure.readings))
    return figure


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _row(text: str, start: int) -> list[Figure]:
    """Each group of a row of digits that makes no number as a whole: 1,2,3."""
    found = []
    for match in _DIGITS.finditer(text, start, end_of_row(text, start)):
        numbers = codes.numbers_in(match.group())
        readings: tuple[Reading, ...] = numbers or (Code(match.group()),)
        kind: Kind = "number" if numbers else "code"
        found.append(Figure(kind, *match.span(), readings))
    return found


# -- from a word on -----------------------------------------------------------------------------


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


_SIZE_ALONE = frozenset({*SCALES, "hundred"})


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
    days = (Day(int(year)),) if int(year) in _YEARS else ()
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
    if time := clock.past_the_hour(text, start):
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
_READERS: dict[str, Reader] = {
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
