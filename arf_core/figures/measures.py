"""Numbers with what they count: money, percentages, lengths of time, quantities."""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from arf_core.figures import units
from arf_core.figures.model import Amount, Figure, Kind, Numeral, Reading
from arf_core.figures.numerals import (
    numeral_in_digits,
    numeral_in_words,
    with_money_scale,
    with_scale,
)

_SIGNS = "".join(units.CURRENCY_SIGNS)
_BEFORE_SIGN = re.compile(rf"(?:(?<![^\W_])([A-Za-z]{{1,2}}))?([{_SIGNS}])[ \u00a0]?\Z")
_BEFORE_WORD = re.compile(r"(?<![^\W_])([^\W\d_]{1,3})\.?[ \u00a0]?\Z")
_AFTER = re.compile(rf"(?:[ \u00a0\n]|-(?=[^\W\d_]))?([%‰{_SIGNS}¢°\"]|[^\W\d_]+)")
_NOTHING_FOLLOWS = frozenset(("", ".", ",", ";", ":", ")", "!", "?", "\x00"))
_LINK = re.compile(r" ?(?:-|/) ?| (?:to|or|and|till|until) | ?& ?", re.IGNORECASE)
_JOINT = re.compile(r",? (?:and )?| ?", re.IGNORECASE)
_PER_CENT = re.compile(r"\s(?:cent|hundred)(?![^\W_])", re.IGNORECASE)
_CLOCK_MINUTES = re.compile(r" ?([0-5]\d)(?![\d\w])")
_SIGN_FOLLOWED_BY_DIGIT = re.compile(r"[ ]?\d")


class Tail(NamedTuple):
    """What follows a number and says what it counts."""

    kind: Kind
    end: int
    amounts: Callable[[Decimal], tuple[Amount, ...]]


def measured(text: str, numeral: Numeral, last: Figure | None = None) -> Figure:
    """The number with its currency, sign or unit, on whichever side it stands.

    `last` is the figure before it: "$40-50" is money twice.
    """
    money = currency_before(text, numeral.start) if numeral.in_digits else None
    if money is not None:
        return _money_figure(text, with_money_scale(text, numeral), *money)
    if text[numeral.end : numeral.end + 1] in _NOTHING_FOLLOWS:
        return _plain(numeral, _inherited(text, numeral, last))
    numeral = with_scale(text, numeral)
    tail = tail_after(text, numeral) or _tail_of_range(text, numeral)
    if tail is None:
        return _plain(numeral, _inherited(text, numeral, last))
    figure = _with_tail(numeral, tail)
    return _compound(text, figure) if tail.kind in ("duration", "money") else figure


def amounts(kind: str, values: Iterable[Decimal], unit: str = "") -> tuple[Amount, ...]:
    return tuple(Amount(kind, value, unit) for value in values)  # type: ignore[arg-type]


def _plain(numeral: Numeral, also: tuple[Reading, ...]) -> Figure:
    readings = (*amounts("number", numeral.values), *also)
    lesser = amounts("number", numeral.parts)
    kind: Kind = "money" if also else "number"
    return Figure(kind, numeral.start, numeral.end, readings, lesser)


def _inherited(text: str, numeral: Numeral, last: Figure | None) -> tuple[Reading, ...]:
    if last is None or last.kind != "money" or numeral.start - last.end > 5:
        return ()
    if not _LINK.fullmatch(text, last.end, numeral.start):
        return ()
    unit = next(r.unit for r in last.readings if isinstance(r, Amount))
    return amounts("money", numeral.values, unit)


# -- money before the number --------------------------------------------------------------------


def currency_before(text: str, start: int) -> tuple[int, str] | None:
    """Where the currency before a number begins, and the ISO codes it may mean."""
    if start == 0 or (text[start - 1] not in _ENDS_CURRENCY and not text[start - 1].isalpha()):
        return None
    before = text[max(0, start - 6) : start]
    offset = start - len(before)
    if sign := _BEFORE_SIGN.search(before):
        letters = (sign.group(1) or "").lower()
        if sign.group(2) == "$" and letters in units.DOLLAR_LETTERS:
            return offset + sign.start(), units.DOLLAR_LETTERS[letters]
        return offset + sign.start(2), units.CURRENCY_SIGNS[sign.group(2)]
    if word := _BEFORE_WORD.search(before):
        found = _currency_word_before(word.group(1), attached=word.end(1) == len(before))
        return None if found is None else (offset + word.start(), found)
    return None


_ENDS_CURRENCY = frozenset(_SIGNS + " .\u00a0")


def _currency_word_before(word: str, *, attached: bool) -> str | None:
    if word in units.CURRENCY_CODES:
        return units.CURRENCY_CODES[word]
    if word == "R" and attached:
        return "ZAR"
    if word == "fr":  # the preposition of no language we read, but French "fr" follows numbers
        return None
    return units.CURRENCY_BEFORE.get(word.lower())


def _money_figure(text: str, numeral: Numeral, start: int, unit: str) -> Figure:
    """$45, $45 USD, US$1.2 million."""
    end = numeral.end
    after = _AFTER.match(text, end)
    if after and (code := _confirmed(after.group(1))):
        unit, end = _narrower(unit, code), after.end()
    readings = amounts("money", numeral.values, unit)
    lesser = (*amounts("number", numeral.values), *amounts("number", numeral.parts))
    return Figure("money", start, end, readings, lesser)


def _confirmed(word: str) -> str | None:
    """The currency said once more after the number: $45 CAD, $45 dollars."""
    said_again = word.lower() in ("dollar", "dollars")
    return units.DOLLARS if said_again else units.CURRENCY_CODES.get(word)


def _currency_after(word: str) -> str | None:
    return units.CURRENCY_CODES.get(word) or units.CURRENCY_WORDS.get(_singular(word.lower()))


def _narrower(first: str, second: str) -> str:
    both = [code for code in first.split() if code in second.split()]
    return " ".join(both) or second


# -- what stands after the number ---------------------------------------------------------------


def tail_after(text: str, numeral: Numeral) -> Tail | None:
    """The unit that follows a number, if any; words like "working" in "5 working days" pass."""
    at = numeral.end
    working = False
    for step in range(3):
        after = _AFTER.match(text, at)
        if after is None:
            return None
        word, end = after.group(1), after.end()
        if step == 0 and after.start(1) == at and (tail := _attached(word, end, numeral)):
            return tail
        if tail := _tail(text, word, end, working=working):
            return tail
        if word.lower() not in units.PASSED_OVER:
            return None
        working = working or word.lower() in units.WORKING
        at = end
    return None


def _tail(text: str, word: str, end: int, *, working: bool) -> Tail | None:
    return _sign(text, word, end) or _word(text, word, end, working=working)


def _sign(text: str, word: str, end: int) -> Tail | None:
    if word in units.CURRENCY_SIGNS and not _SIGN_FOLLOWED_BY_DIGIT.match(text, end):
        return Tail("money", end, _of_money(units.CURRENCY_SIGNS[word]))
    if word == "¢":
        return Tail("money", end, _of_money(units.MINOR, Decimal("0.01")))
    if word == "%":
        return Tail("percent", end, _percent)
    if word == "°":
        scale = _AFTER.match(text, end)
        end = scale.end() if scale and scale.group(1) in ("C", "F") else end
        return Tail("quantity", end, _of_quantity("temperature:", Decimal(1)))
    return None


def _word(text: str, word: str, end: int, *, working: bool) -> Tail | None:
    low = word.lower()
    name = _singular(low)
    if low in ("percent", "pct", "percentage"):
        return Tail("percent", end, _percent)
    if low == "per" and (cent := _PER_CENT.match(text, end)):
        return Tail("percent", cent.end(), _percent)
    if word == "Ft" or name == "pound":
        return Tail("money", end, _either(word, name))
    if code := _currency_after(word):
        return Tail("money", end, _of_money(code))
    if name in units.HUNDREDTHS:
        return Tail("money", end, _of_money(units.HUNDREDTHS[name], Decimal("0.01")))
    if name in units.MINUTES or name in units.DAYS_OF_LONG_UNITS:
        return Tail("duration", end, of_time(name, working=working))
    if name in units.MEASURES:
        return Tail("quantity", end, _of_measure(name))
    if low in ("degree", "degrees"):
        return Tail("quantity", end, _of_quantity("temperature:", Decimal(1)))
    return None


def _attached(word: str, end: int, numeral: Numeral) -> Tail | None:
    """5m, 20g, 50p: single letters count only directly after a digit."""
    low = word.lower()
    if not numeral.in_digits or len(word) != 1:
        return None
    if low in units.ATTACHED_MINUTES:
        return Tail("duration", end, _either_letter(low))
    if low in ("p", "c"):
        unit = "GBP" if low == "p" else units.MINOR
        return Tail("money", end, _of_money(unit, Decimal("0.01")))
    return Tail("quantity", end, _of_measure(low)) if low in units.ATTACHED else None


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") else word


@lru_cache(maxsize=256)
def _of_money(unit: str, share: Decimal = Decimal(1)) -> Callable[[Decimal], tuple[Amount, ...]]:
    return lambda value: (Amount("money", value * share, unit),)


def _percent(value: Decimal) -> tuple[Amount, ...]:
    return (Amount("percent", value),)


def _of_quantity(unit: str, factor: Decimal) -> Callable[[Decimal], tuple[Amount, ...]]:
    return lambda value: (Amount("quantity", value * factor, unit),)


@lru_cache(maxsize=256)
def _of_measure(name: str) -> Callable[[Decimal], tuple[Amount, ...]]:
    unit = units.MEASURES.get(name) or units.ATTACHED[name]
    return _of_quantity(f"{unit.dimension}:{unit.factor}", unit.factor)


def _either(word: str, name: str) -> Callable[[Decimal], tuple[Amount, ...]]:
    """Pounds are money or weight, Ft is forints or feet."""
    money = _of_money("GBP" if name == "pound" else "HUF")
    measure = _of_measure("pound" if name == "pound" else "ft")
    return lambda value: (*money(value), *measure(value))


def _either_letter(letter: str) -> Callable[[Decimal], tuple[Amount, ...]]:
    """5m is minutes, metres or millions."""
    minutes = units.ATTACHED_MINUTES[letter]
    measure = _of_measure(letter) if letter in units.ATTACHED else lambda value: ()
    million = (Decimal(10**6),) if letter == "m" else ()
    return lambda value: (
        Amount("duration", value * minutes),
        *measure(value),
        *(Amount("number", value * size) for size in million),
    )


@lru_cache(maxsize=256)
def of_time(name: str, *, working: bool = False) -> Callable[[Decimal], tuple[Amount, ...]]:
    """The lengths that n of a unit may have: a month has 28 to 31 days."""
    if name in units.MINUTES:
        lengths = [units.MINUTES[name]]
        if name in ("day", "week"):
            lengths += [lengths[0] * units.WORKING_DAY_SHARE] if working else []
    else:
        lengths = [days * 1440 for days in units.DAYS_OF_LONG_UNITS[name]]
    return lambda value: tuple(Amount("duration", _neat(value * n)) for n in lengths)


def _neat(minutes: Decimal) -> Decimal:
    """Thirds of a minute and twelfths of a year, brought to one form."""
    return minutes.quantize(Decimal("0.001")).normalize()


def _with_tail(numeral: Numeral, tail: Tail) -> Figure:
    readings = tuple(reading for value in numeral.values for reading in tail.amounts(value))
    lesser = amounts("number", (*numeral.values, *numeral.parts))
    end = max(numeral.end, tail.end)
    return Figure(tail.kind, numeral.start, end, readings, lesser)


# -- ranges and compounds -----------------------------------------------------------------------


def _tail_of_range(text: str, numeral: Numeral) -> Tail | None:
    """The 3 of "3 to 5 days" counts days as well; its span stays its own."""
    link = _LINK.match(text, numeral.end)
    if link is None:
        return None
    following = numeral_at(text, link.end())
    if following is None:
        return None
    tail = tail_after(text, with_scale(text, following))
    return None if tail is None else tail._replace(end=numeral.end)


def numeral_at(text: str, at: int) -> Numeral | None:
    """A number in digits or words that begins at `at`."""
    if not text[at : at + 1].isalnum():
        return None
    if text[at].isdigit():
        return numeral_in_digits(text, at)
    return numeral_in_words(text, at)


def _compound(text: str, figure: Figure) -> Figure:
    """2 hours and 30 minutes; 1 h 20; 3 dollars 20 cents."""
    for part in _smaller_parts(text, figure):
        sums = {
            _neat(a.value + b.value) if a.kind == "duration" else a.value + b.value: a
            for a, b in product(figure.readings, part.readings)
            if isinstance(a, Amount) and isinstance(b, Amount) and a.kind == b.kind
        }
        readings = tuple(a._replace(value=value) for value, a in sums.items())
        lesser = (*figure.lesser, *figure.readings, *part.readings, *part.lesser)
        figure = figure._replace(end=part.end, readings=readings, lesser=lesser)
    return figure


def _smaller_parts(text: str, figure: Figure) -> Iterator[Figure]:
    at = figure.end
    for _ in range(3):
        part = _part_at(text, at)
        if part is None or part.kind != figure.kind or not _is_smaller(part, figure):
            return
        yield part
        at = part.end


def _part_at(text: str, at: int) -> Figure | None:
    joint = _JOINT.match(text, at)
    numeral = numeral_at(text, joint.end()) if joint else None
    if numeral is None:
        return None
    if tail := tail_after(text, numeral):
        return _with_tail(numeral, tail)
    if text[at - 1 : at].lower() == "h" and (minutes := _CLOCK_MINUTES.match(text, at)):
        value = Decimal(minutes.group(1))
        readings = (Amount("duration", value),)
        return Figure("duration", at, minutes.end(), readings, amounts("number", (value,)))
    return None


def _is_smaller(part: Figure, figure: Figure) -> bool:
    """30 minutes after 2 hours, not 2 hours after 30 minutes; 20 cents after 3 dollars."""
    first, second = figure.readings[0], part.readings[0]
    if not isinstance(first, Amount) or not isinstance(second, Amount):
        return False
    number = next(r.value for r in figure.lesser if isinstance(r, Amount))
    own = next((r.value for r in part.lesser if isinstance(r, Amount)), None)
    if not number or not own:
        return False
    return abs(second.value / own) < abs(first.value / number)
