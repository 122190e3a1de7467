"""Numbers with what they count: money, percentages, lengths of time, quantities."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import product

from arf_core.checks.figures.currency import confirmed, currency_before, narrower
from arf_core.checks.figures.model import Amount, Figure, Kind, Numeral, Reading
from arf_core.checks.figures.numerals import (
    numeral_in_digits,
    numeral_in_words,
    with_money_scale,
    with_scale,
)
from arf_core.checks.figures.tails import AFTER, Tail, neat, tail_after

_NOTHING_FOLLOWS = frozenset(("", ".", ",", ";", ":", ")", "!", "?", "\x00"))
_LINK = re.compile(r" ?(?:-|/) ?| (?:to|or|and|till|until) | ?& ?", re.IGNORECASE)
_JOINT = re.compile(r",? (?:and )?| ?", re.IGNORECASE)
_CLOCK_MINUTES = re.compile(r" ?([0-5]\d)(?![\d\w])")


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


def _money_figure(text: str, numeral: Numeral, start: int, unit: str) -> Figure:
    """$45, $45 USD, US$1.2 million."""
    end = numeral.end
    after = AFTER.match(text, end)
    if after and (code := confirmed(after.group(1))):
        unit, end = narrower(unit, code), after.end()
    readings = amounts("money", numeral.values, unit)
    lesser = (*amounts("number", numeral.values), *amounts("number", numeral.parts))
    return Figure("money", start, end, readings, lesser)


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
            neat(a.value + b.value) if a.kind == "duration" else a.value + b.value: a
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
