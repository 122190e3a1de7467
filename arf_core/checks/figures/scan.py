"""Find every figure in a text."""

import re
from decimal import Decimal

from arf_core.checks.figures import clock, codes, dates
from arf_core.checks.figures.currency import currency_before
from arf_core.checks.figures.measures import amounts, measured
from arf_core.checks.figures.model import Amount, Clock, Code, Day, Figure, Kind, Numeral, Reading
from arf_core.checks.figures.numerals import end_of_row, numeral_in_digits, plainly
from arf_core.checks.figures.tails import of_time
from arf_core.checks.figures.worded import READERS, YEARS

_LETTERS = re.compile(r"[^\W\d_]+")
_LETTERS_ALONE = {i: " " for i in range(128) if not chr(i).isalpha()}
_DIGITS = re.compile(r"\d+")
_ORDINAL = re.compile(r"(\d{1,4})(?:st|nd|rd|th)(?![^\W_])", re.IGNORECASE)
_DECADE = re.compile(r"(\d{4}|\d{2})'?s(?![^\W_])")
_TIMES = re.compile(r"(?<![^\W_])[xX](\d{1,4})(?![\d.,]\d|\w)")
_MINUTE_MARK = re.compile(r"'(?![\w'])")
_WITHIN_CODES = frozenset("./-:_#")
_NEXT_WORD = re.compile(r"[^\W\d_]+|\(")
_OF_DATES_AND_TIMES = frozenset(
    {*dates.MONTHS, "of", "to", "and", "or", "am", "pm", "a", "p", "o", "oclock", "uhr", "hrs"}
    | {"hours", "past", "after", "before", "minutes", "till", "until", "("}
)


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
            new = READERS[word](plain, start)
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
    for word in READERS.keys() & set(words):
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
    if _may_be_more(text, end) and currency_before(text, start) is None:
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
    """2019 may be a year, 4471889 the number of a case, 17.10 a time, 15' minutes."""
    said = figure.of(text)
    if time := clock.DOTTED.fullmatch(said):
        minutes = clock.minutes_of(int(time[1]), int(time[2]), "")
        return figure._replace(lesser=(*figure.lesser, *(Clock(m) for m in minutes)))
    if not said.isdigit():
        return figure
    if _MINUTE_MARK.match(text, figure.end):
        return figure._replace(readings=(*figure.readings, *of_time("minute")(Decimal(said))))
    if len(said) == 4 and int(said) in YEARS:
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
