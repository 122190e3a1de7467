"""What follows a number and says what it counts: a currency, %, a unit of measure or of time."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from arf_core.checks.figures import units
from arf_core.checks.figures.currency import SIGNS, currency_after, singular
from arf_core.checks.figures.model import Amount, Kind, Numeral

AFTER = re.compile(rf"(?:[ \u00a0\n]|-(?=[^\W\d_]))?([%‰{SIGNS}¢°\"]|[^\W\d_]+)")
_PER_CENT = re.compile(r"\s(?:cent|hundred)(?![^\W_])", re.IGNORECASE)
_SIGN_FOLLOWED_BY_DIGIT = re.compile(r"[ ]?\d")


class Tail(NamedTuple):
    """What follows a number and says what it counts."""

    kind: Kind
    end: int
    amounts: Callable[[Decimal], tuple[Amount, ...]]


def tail_after(text: str, numeral: Numeral) -> Tail | None:
    """The unit that follows a number, if any; words like "working" in "5 working days" pass."""
    at = numeral.end
    working = False
    for step in range(3):
        after = AFTER.match(text, at)
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
        scale = AFTER.match(text, end)
        end = scale.end() if scale and scale.group(1) in ("C", "F") else end
        return Tail("quantity", end, _of_quantity("temperature:", Decimal(1)))
    return None


def _word(text: str, word: str, end: int, *, working: bool) -> Tail | None:
    low = word.lower()
    name = singular(low)
    if low in ("percent", "pct", "percentage"):
        return Tail("percent", end, _percent)
    if low == "per" and (cent := _PER_CENT.match(text, end)):
        return Tail("percent", cent.end(), _percent)
    if word == "Ft" or name == "pound":
        return Tail("money", end, _either(word, name))
    if code := currency_after(word):
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
    return lambda value: tuple(Amount("duration", neat(value * n)) for n in lengths)


def neat(minutes: Decimal) -> Decimal:
    """Thirds of a minute and twelfths of a year, brought to one form."""
    return minutes.quantize(Decimal("0.001")).normalize()
