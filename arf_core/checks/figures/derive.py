"""What follows from the figures of a conversation: sums, differences, shares, times between.

Everything is derivable from enough figures. So each rule takes few, and few rules are taken: each
of them accounts for summaries that people called right.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations, permutations

from arf_core.checks.figures.model import Day

_MOST = 8
"""More values than this are not combined."""
_FEW = 3
"""More than this are not combined by two steps."""
_YEAR_MINUTES = Decimal(365 * 1440)
_DAY_MINUTES = 1440


def money(
    amounts: Collection[Decimal], numbers: Iterable[Decimal], percents: Collection[Decimal]
) -> frozenset[Decimal]:
    """Sums and differences of two or three amounts and of all; small multiples; parts; shares."""
    values = [value for value in amounts if value]
    found = set(combined(values))
    if len(values) > _MOST:
        return frozenset(found)
    found.update(sum(three, Decimal(0)) for three in combinations(values, 3))
    counts = [n for n in numbers if 2 <= n <= 60 and n % 1 == 0][: 2 * _MOST]
    for value in values:
        for count in counts:
            found.update((value * count, _to_cents(value / count)))
        for percent in percents:
            share = _to_cents(value * percent / 100)
            found.update((share, value - share, value + share))
    found.update(_less_multiples(values, [n for n in counts if n not in amounts]))
    return frozenset(found)


def _less_multiples(values: list[Decimal], counts: list[Decimal]) -> Iterator[Decimal]:
    """Three at 20, 5 off each: 60 less three times 5. Of very few figures alone: with more, nearly
    everything would follow."""
    if len(values) <= _FEW and len(counts) <= _FEW:
        for whole, part in permutations(values, 2):
            for count in counts:
                yield abs(whole - part * count)
                yield (whole - part) * count


def combined(values: Collection[Decimal]) -> Iterator[Decimal]:
    """Sums and differences of any two of a few, and the sum of all."""
    if len(values) <= _MOST:
        for a, b in combinations(values, 2):
            yield a + b
            yield abs(a - b)
    if len(values) > 1:
        yield sum(values, Decimal(0))


def _to_cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01")) if abs(value) < 10**15 else value


def years(days: Iterable[Day], durations: Iterable[Decimal]) -> frozenset[Decimal]:
    """The years that lie a whole number of years, as said, from a year that is said."""
    lengths = {
        n // _YEAR_MINUTES for n in durations if n >= _YEAR_MINUTES and not n % _YEAR_MINUTES
    }
    said = {day.year for day in days if day.year}
    return frozenset(year + sign * n for year in said for n in lengths for sign in (1, -1))


def durations(
    lengths: Collection[Decimal], clocks: Collection[int], days: Iterable[Day]
) -> frozenset[Decimal]:
    """Sums and differences of lengths of time; from one time of day, or date, to another."""
    found = set(combined(lengths))
    if len(clocks) <= _MOST:
        found.update(Decimal((a - b) % _DAY_MINUTES) for a in clocks for b in clocks if a != b)
    numbers = {n for day in days for n in _ordinals(day)}
    if len(numbers) <= _MOST:
        apart = {abs(a - b) for a, b in combinations(numbers, 2)}
        found.update(Decimal(n * _DAY_MINUTES) for d in apart for n in (d, d + 1))
    said = {day.year for day in days if day.year}
    if len(said) <= _MOST:
        found.update(abs(a - b) * _YEAR_MINUTES for a, b in combinations(said, 2))
    return frozenset(found)


def _ordinals(day: Day) -> Iterator[int]:
    """The number of the day in the calendar; of a day without a year, in a year like another."""
    if day.month and day.day:
        try:
            yield date(day.year or 2001, day.month, day.day).toordinal()
        except ValueError:  # the 29th of February of such a year
            return
