"""All that the figures of a conversation say, arranged to be looked up by what a claim says."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import pairwise

from arf_core.checks.figures import derive
from arf_core.checks.figures.model import Amount, Clock, Day, Figure, Reading

_LINK = 5
_CENTS = 2
"""A number with so many decimals may be an amount, though nobody says of what."""


class Ledger:
    """The readings of many figures, by kind."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.figures = tuple(figures)
        self.plain: set[Decimal] = set()
        """Numbers without a unit."""
        self.all_numbers: set[Decimal] = set()
        """Every number, whatever it counts."""
        self.money: dict[Decimal, set[str]] = {}
        self.percents: set[Decimal] = set()
        self.durations: set[Decimal] = set()
        self.quantities: list[tuple[Decimal, str]] = []
        self.clocks: set[int] = set()
        self.days: list[Day] = []
        self.codes: set[str] = set()
        self.ranges = _ends_of_ranges(self.figures)
        """Lengths of time that are one end of a range: two to three days make no five."""
        for figure in self.figures:
            for reading in figure.readings:
                self._enter(reading, whole=True)
            for reading in figure.lesser:
                self._enter(reading, whole=False)

    def _enter(self, reading: Reading, *, whole: bool) -> None:
        if isinstance(reading, Amount):
            self._enter_amount(reading, whole=whole)
        elif isinstance(reading, Day):
            self.days.append(reading)
        elif isinstance(reading, Clock):
            self.clocks.add(reading.minute)
        else:
            self.codes.add(reading.text)

    def _enter_amount(self, amount: Amount, *, whole: bool) -> None:
        kind, value = amount.kind, amount.value
        if kind in ("number", "ordinal"):
            self.all_numbers.add(value)
            if whole:
                self.plain.add(value)
        elif kind == "money":
            self.money.setdefault(value, set()).add(amount.unit)
        elif kind == "percent":
            self.percents.add(value)
        elif kind == "duration":
            self.durations.add(value)
        else:
            self.quantities.append((value, amount.unit))

    @cached_property
    def money_derived(self) -> frozenset[Decimal]:
        priced = {n for n in self.plain if n.as_tuple().exponent == -_CENTS}
        return derive.money(priced | self.money.keys(), sorted(self.all_numbers), self.percents)

    @cached_property
    def numbers_derived(self) -> frozenset[Decimal]:
        years = derive.years(self.days, self.durations)
        return years | frozenset(derive.combined(self.plain))

    @cached_property
    def durations_derived(self) -> frozenset[Decimal]:
        return derive.durations(self.durations - self.ranges, self.clocks, self.days)

    def has_currency(self, unit: str) -> bool:
        """Is there any money in that currency, or none at all?"""
        said = [other for others in self.money.values() for other in others]
        return not said or any(compatible(unit, other) for other in said)

    def has_money(self, value: Decimal, unit: str) -> bool:
        return any(compatible(unit, other) for other in self.money.get(value, ()))


@lru_cache(maxsize=1024)
def compatible(first: str, second: str) -> bool:
    """May two units be the same? An unspecified one may be any."""
    return not first or not second or bool(set(first.split()) & set(second.split()))


def _ends_of_ranges(figures: tuple[Figure, ...]) -> set[Decimal]:
    return {
        reading.value
        for first, second in pairwise(figures)
        if first.kind == second.kind == "duration" and second.start - first.end <= _LINK
        for reading in (*first.readings, *second.readings)
        if isinstance(reading, Amount)
    }


def comparable(claim: Figure, other: Figure) -> bool:
    """Is any reading of one like a reading of the other, but for its value?"""
    return any(_alike(a, b) for a in claim.readings for b in other.readings)


def _alike(a: Reading, b: Reading) -> bool:
    if isinstance(a, Amount) and isinstance(b, Amount):
        if a.kind == "quantity" and b.kind == "quantity":
            return a.unit.partition(":")[0] == b.unit.partition(":")[0]
        return a.kind == b.kind and compatible(a.unit, b.unit)
    return type(a) is type(b) and (not isinstance(a, Day) or _same_parts(a, b))


def _same_parts(a: Day, b: Reading) -> bool:
    """Do two dates say the same kind of thing, a day of a month, a year, a weekday?"""
    return isinstance(b, Day) and (
        (a.day is not None and b.day is not None and a.month is not None)
        or (a.day is None and b.day is None and (a.year is None) == (b.year is None))
    )
