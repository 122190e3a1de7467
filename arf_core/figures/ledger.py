"""All that the figures of a conversation say, arranged to be looked up by what a claim says."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import combinations, permutations

from arf_core.figures.model import Amount, Clock, Day, Figure, Reading

_MOST_TO_COMBINE = 40
"""More figures than this are not summed in pairs: anything would be derivable."""
_MOST_TO_SUM_BY_THREES = 12


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
        """Sums and differences of two amounts, some of one times a small number, their shares."""
        values = [v for v in self.money if v]
        if len(values) > _MOST_TO_COMBINE:
            return frozenset()
        found = set(_combined(values))
        if len(values) <= _MOST_TO_SUM_BY_THREES:
            found.update(sum(three, Decimal(0)) for three in combinations(values, 3))
        counts = [n for n in self.all_numbers if 2 <= n <= 60 and n % 1 == 0][:_MOST_TO_COMBINE]
        for value in values:
            found.update(value * n for n in counts)
            found.update(_cents(value / n) for n in counts)
            for percent in self.percents:
                share = _cents(value * percent / 100)
                found.update((share, value - share, value + share))
        return frozenset(found)

    @cached_property
    def numbers_derived(self) -> frozenset[Decimal]:
        """Sums and differences of two numbers."""
        values = list(self.all_numbers)
        return frozenset(_combined(values)) if len(values) <= _MOST_TO_COMBINE else frozenset()

    @cached_property
    def durations_derived(self) -> frozenset[Decimal]:
        """Sums, differences and small multiples of lengths of time; time between two clocks."""
        values = list(self.durations)
        found: set[Decimal] = set()
        if len(values) <= _MOST_TO_COMBINE:
            found.update(_combined(values))
        counts = [n for n in self.all_numbers if 2 <= n <= 31 and n % 1 == 0][:_MOST_TO_COMBINE]
        found.update(value * n for value in values[:_MOST_TO_COMBINE] for n in counts)
        clocks = sorted(self.clocks)[:_MOST_TO_COMBINE]
        found.update(Decimal((a - b) % 1440) for a, b in permutations(clocks, 2))
        return frozenset(found)

    def has_money(self, value: Decimal, unit: str) -> bool:
        return any(compatible(unit, other) for other in self.money.get(value, ()))

    def of_kind(self, claim: Figure) -> list[Figure]:
        """The figures that may be meant like the claim: of the same kind, in a compatible unit."""
        return [figure for figure in self.figures if comparable(claim, figure)]


def _combined(values: list[Decimal]) -> Iterable[Decimal]:
    for a, b in combinations(values, 2):
        yield a + b
        yield abs(a - b)
    yield sum(values, Decimal(0))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01")) if abs(value) < 10**15 else value


@lru_cache(maxsize=1024)
def compatible(first: str, second: str) -> bool:
    """May two units be the same? An unspecified one may be any."""
    return not first or not second or bool(set(first.split()) & set(second.split()))


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
