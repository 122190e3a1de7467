"""The numbers that a conversation holds, and whether a number of the summary follows from them.

It follows if it is there, or if it is what a summariser may make of what is there: rounded,
converted, added up, the day that "tomorrow" was. In doubt it follows: a false alarm costs more than
a miss.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from functools import cached_property
from itertools import combinations

from arf_core.checks.claims import hedge_of, last_place, range_around, stands_in
from arf_core.checks.number import YEARS, Number
from arf_core.checks.numbers import numbers
from arf_core.checks.relative_days import months_named, reachable, speaks_relatively
from arf_core.checks.transcript import Transcript

_FEW = 8
"""Amounts. Nearly everything would follow from the sums of more."""
_CONVERTED = 0.03
_DAY = 1440
_YEAR = 525600


class KnownNumbers:
    """What one conversation holds; most of it is made when it is first asked for."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript

    @cached_property
    def numbers(self) -> list[Number]:
        return numbers(self.transcript.text)

    def bears_out(self, claim: Number, text: str) -> bool:
        """Does the claim, a number of the summary `text`, follow from the conversation?"""
        is_part = text[claim.start - 1 : claim.start] == "-"  # 24 of 2016-24 is a year
        if not is_part and stands_in(self.transcript.text, claim.of(text)):
            return True  # as most do, which spares the rest
        return (
            self._is_there(claim)
            or self._is_written_otherwise(claim, text)
            or self._is_derived(claim)
            or self._is_rounded(claim, text)
            or (claim.kind == "date" and self._is_reckoned_day(claim))
            or (claim.kind == "time" and self._is_reckoned_time(claim))
            or (claim.kind == "weekday" and self._is_reckoned_weekday(claim))
        )

    # -- what is there ---------------------------------------------------------------------------

    @cached_property
    def _plain(self) -> set[float]:
        """Every number, whatever it counts."""
        found = {v for n in self.numbers for v in (*n.values, *n.groups)}
        return found | {float(day.year) for day in self.transcript.days}

    @cached_property
    def _bare(self) -> set[float]:
        """Numbers of which nothing says what they count."""
        return {v for n in self.numbers if not n.meanings for v in n.values}

    @cached_property
    def _measured(self) -> dict[str, list[float]]:
        """Values by dimension, in order."""
        found: defaultdict[str, set[float]] = defaultdict(set)
        for number in self.numbers:
            for dimension, value in number.meanings:
                found[dimension].add(value)
        return defaultdict(list, {d: sorted(values) for d, values in found.items()})

    @cached_property
    def _digits(self) -> set[str]:
        return {n.digits for n in self.numbers if len(n.digits) >= 3}

    @cached_property
    def _scores(self) -> set[tuple[float, ...]]:
        return {n.groups for n in self.numbers if n.kind == "score"}

    def _is_there(self, claim: Number) -> bool:
        if not claim.meanings:
            return any(v in self._plain for v in claim.values)
        if any(v in self._bare for v in claim.values) and claim.kind != "date":
            return True
        if any(_between(self._measured[d], v, v) for d, v in claim.meanings):
            return True
        return claim.kind == "quantity" and any(
            _is_converted(claim, n) for n in self.numbers if n.kind == "quantity"
        )

    def _is_written_otherwise(self, claim: Number, text: str) -> bool:
        """A code without its separators; 45.20 where somebody typed 4520."""
        digits = claim.digits
        is_code = bool(digits) and (claim.kind == "code" or len(digits) >= 5)
        if is_code and digits in self.transcript.squeezed:
            return True
        if len(digits) >= 3 and digits in self._digits and not claim.units:
            return True
        if range_around(claim, text) in self._digits:
            return True
        written = text[claim.first : claim.last]
        if "." in written:  # 11.1 of 11.1.2
            version = re.compile(rf"(?<![\d.]){re.escape(written)}\.\d")
            if claim.kind == "code" or version.search(self.transcript.text):
                return version.search(self.transcript.text) is not None
        if claim.kind == "score" and (scores := self._scores):
            return claim.groups in scores or claim.groups[::-1] in scores
        letters = re.findall(r"[^\W\d_]+", digits)
        return (
            bool(claim.groups)
            and claim.kind in ("code", "date", "score")
            and claim.groups != claim.values
            and all(g in self._plain for g in claim.groups)
            and all(word in self.transcript.squeezed for word in letters)
        )

    # -- what follows ----------------------------------------------------------------------------

    def _is_derived(self, claim: Number) -> bool:
        if claim.kind == "money":
            currencies = {u.dimension for u in claim.units}
            return any(v in self._sums and self._has_currency(currencies) for v in claim.values)
        if claim.kind == "duration":
            return any(v in self._time_apart for _, v in claim.meanings)
        return any(v in YEARS and v in self._years for v in claim.values)

    def _has_currency(self, dimensions: set[str]) -> bool:
        there = {u.dimension for n in self.numbers if n.kind == "money" for u in n.units}
        return not there or bool(there & dimensions)

    @cached_property
    def _sums(self) -> set[float]:
        """Sums, differences, small multiples and shares of a few amounts of money."""
        money = {v for n in self.numbers if n.kind == "money" for _, v in n.meanings}
        money |= {v for v in self._bare if round(v % 1, 4) and round(v * 100 % 1, 4) == 0}
        if len(money) > _FEW:
            return set()
        found = set(_pairwise(money))
        counts = [v for v in self._plain if 2 <= v <= 60 and v % 1 == 0][: 2 * _FEW]
        found |= {a * count for a in money for count in counts}
        shares = {a * p / 100 for a in money for p in self._measured["percent"]}
        found |= shares | {a - s for a in money for s in shares}
        return {round(v, 2) for v in found}

    @cached_property
    def _years(self) -> set[float]:
        """Years that are a whole number of years, as stated, from a stated one."""
        lengths = {v / _YEAR for v in self._measured["minutes"] if v % _YEAR == 0}
        stated = [v for v in self._bare if v in YEARS][: 2 * _FEW]
        few = len(lengths) * len(stated) <= _FEW // 2
        return {y + sign * n for y in stated for n in lengths for sign in (1, -1) if few}

    @cached_property
    def _time_apart(self) -> set[float]:
        """From one time of day, date or year to another."""
        clocks, dates = self._measured["clock"], self._measured["date"]
        found: set[float] = set()
        hours = [v for v in self._bare if v < 24 and v % 1 and round(v % 1, 2) < 0.6]
        clocks = clocks + [v // 1 * 60 + round(v % 1 * 100) for v in hours]  # 17.10
        if len(clocks) <= 2 * _FEW:
            found |= {(a - b) % _DAY for a in clocks for b in clocks if a != b}
        if len(dates) <= _FEW:
            days = [d.toordinal() for value in dates for d in _days_of(value, 2001)]
            found |= {(abs(a - b) + n) * _DAY for a, b in combinations(days, 2) for n in (0, 1)}
        return found

    def _is_rounded(self, claim: Number, text: str) -> bool:
        """Right to the last digit that is shown, or near to it where the summary says "about"."""
        hedge = hedge_of(claim, text)
        is_round = any(v % 5 == 0 or v <= 10 for v in claim.values)
        low, high = {"over": (1, 1.35), "under": (1 / 1.35, 1)}.get(hedge, (1 / 1.1, 1 / 0.9))
        for v, known in self._alike(claim):
            if hedge and is_round and _between(known, v * low, v * high):
                return True
            if hedge and claim.kind == "time" and _between(known, v - 15, v + 15):
                return True
        if claim.kind in ("money", "number", "percent"):
            step = last_place(claim, text)
            return step > 0 and any(
                _between(known, v - step / 2, v + step, open_end=True)
                for v in claim.values[:1]
                for _, known in self._alike(claim)
            )
        return False

    def _alike(self, claim: Number) -> Iterator[tuple[float, list[float]]]:
        """The claim's values, each with the values there that it may be compared with."""
        if claim.kind in ("number", "money", "percent"):
            known = self._sorted_plain if claim.kind == "number" else self._sorted_bare
            yield from ((v, known) for v in claim.values)
        for dimension, value in claim.meanings:
            yield value, self._measured[dimension]

    @cached_property
    def _sorted_plain(self) -> list[float]:
        return sorted(self._plain)

    @cached_property
    def _sorted_bare(self) -> list[float]:
        return sorted(self._bare)

    # -- dates and times -------------------------------------------------------------------------

    def _is_reckoned_day(self, claim: Number) -> bool:
        """Is it the day that "tomorrow" or "Friday" was, as far as that can be known?"""
        transcript = self.transcript
        days = [divmod(value, 100) for _, value in claim.meanings]
        if any(day in self._ordinals and self._has_month(month) for month, day in days):
            return True
        if not transcript.days:
            return not self._measured["date"] and speaks_relatively(transcript.text)
        near = {d.month * 100.0 + d.day for d in self._days_spoken_of()}
        return any(value in near for _, value in claim.meanings)

    @cached_property
    def _ordinals(self) -> set[float]:
        """Days such as "the 3rd", of which no month is stated."""
        return {v for n in self.numbers if n.kind == "number" and n.end > n.last for v in n.values}

    def _has_month(self, month: float) -> bool:
        """Is the month of any date there, or named alone?"""
        return month in months_named(self.transcript.text) or any(
            v // 100 == month for v in self._measured["date"]
        )

    def _is_reckoned_weekday(self, claim: Number) -> bool:
        """A weekday is wrong only where the conversation names others, and no relative day."""
        transcript = self.transcript
        if not transcript.days:
            return not self._measured["weekday"] or speaks_relatively(transcript.text)
        near = {d.weekday() for d in self._days_spoken_of()}
        return any(value in near for _, value in claim.meanings)

    def _days_spoken_of(self) -> Iterator[date]:
        weekdays, lengths = self._measured["weekday"], self._measured["minutes"][:100]
        for day in self.transcript.days:
            yield from reachable(self.transcript.text, day, weekdays, lengths)

    def _is_reckoned_time(self, claim: Number) -> bool:
        """When a turn was written, in whatever time zone; a length of time after a time there."""
        stamped = {line.at.minute for line in self.transcript.lines if line.at}
        clocks, lengths = self._measured["clock"][:50], self._measured["minutes"][:50]
        for _, value in claim.meanings:
            hour, minute = divmod(value, 60)
            spoken = {hour % 12 + minute / 100, hour * 100 + minute, hour % 12 * 100 + minute}
            if value % 60 in stamped or spoken & self._bare:
                return True
            if minute == 0 and {hour, hour % 12 or 12} & self._bare:
                return True
            if any((value - c) % _DAY in lengths or (c - value) % _DAY in lengths for c in clocks):
                return True
        return False


def _is_converted(claim: Number, number: Number) -> bool:
    """Miles for kilometres, nearly enough."""
    return {u.factor for u in claim.units}.isdisjoint(u.factor for u in number.units) and any(
        d == dimension and abs(v - known) <= _CONVERTED * v
        for d, v in claim.meanings
        for dimension, known in number.meanings
    )


def _pairwise(values: Collection[float]) -> Iterator[float]:
    for a, b in combinations(values, 2):
        yield a + b
        yield abs(a - b)
    if len(values) > 1:
        yield sum(values)


def _between(ordered: list[float], low: float, high: float, *, open_end: bool = False) -> bool:
    """Is one of the values in [low, high], or with `open_end` in [low, high)?"""
    at = bisect_left(ordered, low)
    return at < len(ordered) and (ordered[at] < high or (ordered[at] == high and not open_end))


def _days_of(value: float, year: int) -> Iterator[date]:
    try:
        yield date(year, int(value // 100), int(value % 100))
    except ValueError:  # the 29th of February of such a year
        return
