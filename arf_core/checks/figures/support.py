"""Does a figure of the summary rest on the conversation?

It does if any of its readings equals one there, or follows from what is there by what a summariser
rightfully does: rounding, converting, adding up, naming the day that "tomorrow" was. In doubt it
does: a false alarm costs more than a miss.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from arf_core.checks.figures.claims import hedge_of
from arf_core.checks.figures.codes import squeezed
from arf_core.checks.figures.ledger import Ledger, compatible
from arf_core.checks.figures.model import Amount, Clock, Code, Day, Figure, Reading
from arf_core.checks.figures.numerals import plainly
from arf_core.checks.figures.rounding import SCALED, is_round, rounds_to, same_quantity, within
from arf_core.checks.figures.when import agree, as_day, reachable, speaks_relatively
from arf_core.checks.said import Said

_ABOUT_MINUTES = 15
_GOES_BEFORE = re.compile(r"[^\W_]\Z|\d[.,:/'-]\Z")
_GOES_ON = re.compile(
    r"[^\W_]|[.,:/'-]\d| ?(?:[km]|bn|mn|thousand|million|billion|trillion|lakhs?|crores?)\b"
    r"| ?(?:%|percent|per cent)",
    re.IGNORECASE,
)
_DAY = 1440
_FEWEST_TYPED = 3
_MOST_PLACES = 50
_RANGE_BEFORE = re.compile(r"\d+ ?- ?\Z")
_RANGE_AFTER = re.compile(r" ?- ?\d+")


class Support:
    """Judges claims by one conversation."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self.contexts: list[tuple[Figure, frozenset[str]]] = []
        """The figures with the words around them, once somebody has asked for them."""

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.said.figures)

    def of(self, claim: Figure, text: str) -> bool:
        """Does the claim, a figure of the summary `text`, rest on the conversation?"""
        if stands_in(self.said.text, claim.of(text)):  # as most do, which spares the rest
            return True
        if any(self._reading(reading, claim) for reading in claim.readings):
            return True
        if self._nearly(claim, text) or self._retyped(claim, text):
            return True
        if (claim.kind == "code" and not _is_version(claim)) or (
            claim.kind == "date" and "/" in claim.of(text)
        ):
            return self._by_groups(claim, text)
        return False

    def _reading(self, reading: Reading, claim: Figure) -> bool:
        if isinstance(reading, Amount):
            return self._amount(reading, claim)
        if isinstance(reading, Day):
            return self._day(reading)
        if isinstance(reading, Clock):
            return self._clock(reading)
        return self._code(reading)

    # -- amounts -------------------------------------------------------------------------------

    def _amount(self, amount: Amount, claim: Figure) -> bool:
        value, ledger = amount.value, self.ledger
        if amount.kind in ("number", "ordinal"):
            return self._number(value)
        if amount.kind == "money":
            return (
                ledger.has_money(value, amount.unit)
                or value in ledger.plain
                or (value in ledger.money_derived and ledger.has_currency(amount.unit))
            )
        if amount.kind == "percent":
            shares = ledger.percents
            return value in shares or value in ledger.plain or 100 - value in shares
        if self._bare(claim):
            return True
        if amount.kind == "duration":
            return value in ledger.durations or value in ledger.durations_derived
        return any(same_quantity(amount, *other) for other in ledger.quantities)

    def _number(self, value: Decimal) -> bool:
        ledger = self.ledger
        return (
            value in ledger.all_numbers
            or value in ledger.money
            or value in ledger.percents
            or value in ledger.numbers_derived
            or self._is_year(value)
        )

    def _is_year(self, value: Decimal) -> bool:
        return any(day.year == value for day in self.said.days) or (
            1900 <= value <= 2100 and any(day.year == value for day in self.ledger.days)
        )

    def _bare(self, claim: Figure) -> bool:
        """5 days, where the conversation says 5 without saying of what."""
        numbers = [r.value for r in claim.lesser if isinstance(r, Amount) and r.kind == "number"]
        return bool(numbers) and all(n in self.ledger.plain for n in numbers)

    def _nearly(self, claim: Figure, text: str) -> bool:
        """Is it a value of the conversation, rounded as the summary says or shows?"""
        hedge = hedge_of(claim, text)
        if hedge and any(isinstance(r, Clock) and self._about(r) for r in claim.readings):
            return True
        hedge = hedge if is_round(claim) else ""
        scaled = SCALED.search(text, claim.start, claim.end) is not None
        return any(
            rounds_to(value, amount.value, scaled=scaled)
            or (hedge and within(value, amount.value, hedge))
            for amount in claim.readings
            if isinstance(amount, Amount)
            for value in self._values_like(amount)
        )

    def _retyped(self, claim: Figure, text: str) -> bool:
        """45.20 where somebody typed 4520, 3:15 for 315, 24-48 for 2448; 11.1 of 11.1.2."""
        said = claim.of(text)
        for written, fewest in ((said, _FEWEST_TYPED), (_range_around(claim, text), 2)):
            digits = re.sub(r"\D", "", written)
            if fewest <= len(digits) <= 12 and Decimal(digits) in self.ledger.all_numbers:
                return True
        return "." in said and any(code.startswith(f"{said}.") for code in self.ledger.codes)

    def _values_like(self, amount: Amount) -> Iterable[Decimal]:
        ledger = self.ledger
        if amount.kind in ("number", "ordinal"):
            return ledger.all_numbers
        if amount.kind == "money":
            same = (v for v, units in ledger.money.items() if _any_fits(amount.unit, units))
            return [*same, *ledger.plain]
        if amount.kind == "percent":
            return ledger.percents | ledger.plain
        if amount.kind == "duration":
            return ledger.durations
        dimension = amount.unit.partition(":")[0]
        return [value for value, unit in ledger.quantities if unit.startswith(dimension)]

    # -- dates and times -----------------------------------------------------------------------

    def _day(self, day: Day) -> bool:
        said, ledger = self.said, self.ledger
        if any(agree(day, other) for other in ledger.days):
            return True
        if day.day is not None and Decimal(day.day) in ledger.plain and self._has_month(day):
            return True
        if not said.days:
            return speaks_relatively(said.text, day)
        return any(
            agree(day, as_day(other))
            for anchor in said.days
            for other in reachable(said.text, anchor, ledger.durations, ledger.days)
        )

    def _has_month(self, day: Day) -> bool:
        """Is its month said anywhere, or no month at all?"""
        months = {other.month for other in self.ledger.days if other.month}
        return day.month is None or not months or day.month in months

    def _clock(self, clock: Clock) -> bool:
        ledger = self.ledger
        hour, minute = divmod(clock.minute, 60)
        small_hour = Decimal(hour % 12 or 12)
        spoken = {small_hour + Decimal(minute) / 100, Decimal(hour * 100 + minute)}
        if clock.minute in ledger.clocks or spoken & ledger.plain:
            return True
        if minute == 0 and (small_hour in ledger.plain or Decimal(hour) in ledger.plain):
            return True
        if any(line.at and line.at.minute == minute for line in self.said.lines):
            return True  # when a turn was written, whatever the time zone
        lengths = [int(n) for n in ledger.durations if n < _DAY]
        later = ((c + n) % _DAY for c in ledger.clocks for n in lengths)
        earlier = ((c - n) % _DAY for c in ledger.clocks for n in lengths)
        return clock.minute in later or clock.minute in earlier

    def _about(self, clock: Clock) -> bool:
        apart = ((clock.minute - said) % _DAY for said in self.ledger.clocks)
        return any(min(n, _DAY - n) <= _ABOUT_MINUTES for n in apart)

    # -- codes ---------------------------------------------------------------------------------

    def _code(self, code: Code) -> bool:
        if "." in code.text:
            return any(
                c.startswith(code.text) or code.text.startswith(c) for c in self.ledger.codes
            )
        return code.text in self.said.squeezed or code.text in self.ledger.codes

    def _by_groups(self, claim: Figure, text: str) -> bool:
        """Each of its groups of digits stands in the conversation, and each of its letters'."""
        numbers = {r.value for r in claim.lesser if isinstance(r, Amount) and r.kind == "number"}
        letters = re.findall(r"[^\W\d_]+", claim.of(text))
        return (
            bool(numbers)
            and numbers <= self.ledger.all_numbers
            and all(squeezed(word) in self.said.squeezed for word in letters)
        )


def _range_around(claim: Figure, text: str) -> str:
    """The whole of "24-48 hours", of which the claim is one end."""
    plain = plainly(text)
    before = _RANGE_BEFORE.search(plain, max(0, claim.start - 8), claim.start)
    after = _RANGE_AFTER.match(plain, claim.end)
    start = before.start() if before else claim.start
    return plain[start : after.end() if after else claim.end] if before or after else ""


def stands_in(text: str, words: str) -> bool:
    """Do these very words stand in the text, and not as part of a longer figure?"""
    at = -1
    for _ in range(_MOST_PLACES):
        at = text.find(words, at + 1)
        if at < 0:
            return False
        before = _GOES_BEFORE.search(text, max(0, at - 2), at)
        if before is None and not _GOES_ON.match(text, at + len(words)):
            return True
    return False


def _any_fits(unit: str, others: Iterable[str]) -> bool:
    return any(compatible(unit, other) for other in others)


def _is_version(claim: Figure) -> bool:
    return any(isinstance(r, Code) and "." in r.text for r in claim.readings)
