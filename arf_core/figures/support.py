"""Does a figure of the summary rest on the conversation?

It does if any of its readings equals one there, or follows from what is there by what a summariser
rightfully does: rounding, converting, adding up, naming the day that "tomorrow" was. In doubt it
does: a false alarm costs more than a miss.
"""

import re
from collections.abc import Iterable
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cached_property

from arf_core.figures.codes import squeezed
from arf_core.figures.ledger import Ledger, compatible
from arf_core.figures.model import Amount, Clock, Code, Day, Figure, Reading
from arf_core.figures.when import agree, as_day, reachable, speaks_relatively
from arf_core.said import Said

SMALL = 12
"""Whole numbers up to this that count something are no claims: the summariser may have counted."""

_HEDGE = re.compile(
    r"(?:(?P<about>about|around|approximately|approx\.?|roughly|circa|ca\.?|some|nearly|almost|"
    r"close to|~|≈|estimated|estimated at)"
    r"|(?P<over>over|more than|above|upwards of|exceeding|greater than|longer than|in excess of)"
    r"|(?P<under>under|less than|below|fewer than|shorter than))"
    r" ?(?:the |a |an )?[$€£¥₹]?\Z",
    re.IGNORECASE,
)
_PLUS = re.compile(r" ?(?:\+|plus\b|or (?:more|so|less|older|younger)\b|-odd\b|ish\b)")
_NEAR = Decimal("0.1")
_FAR = Decimal("1.5")
_CONVERTED = Decimal("0.03")
_IDIOMS = frozenset({"24/7", "50/50", "100%", "one hundred percent", "360", "9/11", "911", "101"})
_SCALED = re.compile(
    r"\d ?(?:[kmb]|bn|mn|thousand|million|billion|trillion|lakhs?|crores?)\b", re.IGNORECASE
)
_GOES_BEFORE = re.compile(r"[^\W_]\Z|\d[.,:/'-]\Z")
_GOES_ON = re.compile(
    r"[^\W_]|[.,:/'-]\d| ?(?:[km]|bn|mn|thousand|million|billion|trillion|lakhs?|crores?)\b"
    r"| ?(?:%|percent|per cent)",
    re.IGNORECASE,
)
_DAY = 1440


class Support:
    """Judges claims by one conversation."""

    def __init__(self, said: Said) -> None:
        self.said = said

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
        return any(_same_quantity(amount, *other) for other in ledger.quantities)

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
        hedge = hedge_of(claim, text) if _is_round(claim) else ""
        scaled = _SCALED.search(text, claim.start, claim.end) is not None
        return any(
            _rounds_to(value, amount.value, scaled=scaled)
            or (hedge and _within(value, amount.value, hedge))
            for amount in claim.readings
            if isinstance(amount, Amount)
            for value in self._values_like(amount)
        )

    def _retyped(self, claim: Figure, text: str) -> bool:
        """45.20 where somebody typed 4520, 3:15 for 315, 19/09 for 1909; 11.1 of 11.1.2."""
        said = claim.of(text)
        digits = re.sub(r"\D", "", said)
        if 3 <= len(digits) <= 12 and Decimal(digits) in self.ledger.all_numbers:
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


def stands_in(text: str, words: str) -> bool:
    """Do these very words stand in the text, and not as part of a longer figure?"""
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        if not (_GOES_BEFORE.search(text, max(0, at - 2), at) or _GOES_ON.match(text, end)):
            return True
        at = text.find(words, at + 1)
    return False


def hedge_of(claim: Figure, text: str) -> str:
    """ "about", "over" or "under" where the summary marks the figure as rounded, else nothing."""
    before = _HEDGE.search(text, max(0, claim.start - 24), claim.start)
    if before:
        return str(before.lastgroup)
    return "about" if _PLUS.match(text, claim.end) else ""


def _is_round(claim: Figure) -> bool:
    """Is it a number that one rounds to: 300, 25, 7, 2.5? Nobody means about 300 by 307."""
    values = [r.value for r in claim.lesser if isinstance(r, Amount) and r.kind == "number"]
    values += [r.value for r in claim.readings if isinstance(r, Amount) and r.kind == "number"]
    return any(v % 5 == 0 or v <= 10 for v in values)


def _within(value: Decimal, claimed: Decimal, hedge: str) -> bool:
    if hedge == "over":
        return claimed <= value <= claimed * _FAR
    if hedge == "under":
        return claimed / _FAR <= value <= claimed
    return abs(value - claimed) <= abs(value) * _NEAR


def _rounds_to(value: Decimal, claimed: Decimal, *, scaled: bool) -> bool:
    """$45 for $44.99, 181.7 million for 181,674,817: right to the last digit that is said.

    `scaled`: the claim is said in thousands or millions. 1200 alone is no way to say 1234.
    """
    place = _last_place(claimed)
    shown = place <= 0 or (scaled and len(claimed.normalize().as_tuple().digits) > 1)
    if not shown or abs(value) >= 10**18 or _last_place(value) >= place:
        return False
    quantum = Decimal(1).scaleb(place)
    ways = (ROUND_HALF_UP, ROUND_FLOOR)
    return any((value / quantum).to_integral_value(way) * quantum == claimed for way in ways)


def _last_place(value: Decimal) -> int:
    """The power of ten of its last digit that is not nought."""
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _same_quantity(claim: Amount, value: Decimal, unit: str) -> bool:
    if claim.unit == unit:
        return claim.value == value
    if claim.unit.partition(":")[0] != unit.partition(":")[0]:
        return False
    return abs(claim.value - value) <= abs(value) * _CONVERTED


def _any_fits(unit: str, others: Iterable[str]) -> bool:
    return any(compatible(unit, other) for other in others)


def _is_version(claim: Figure) -> bool:
    return any(isinstance(r, Code) and "." in r.text for r in claim.readings)


def sayable(figure: Figure) -> bool:
    """Would a speaker of another language write it in words: 5, 40, 2000, May, noon?"""
    values = [r.value for r in figure.lesser if isinstance(r, Amount) and r.kind == "number"]
    values += [r.value for r in figure.readings if isinstance(r, Amount) and r.kind == "number"]
    if figure.kind == "code":
        return False
    return figure.kind in ("date", "time") or any(v <= 100 or v % 100 == 0 for v in values)


def _is_name(figure: Figure, text: str) -> bool:
    """Eighty Mile Beach, One Direction: a number word with a capital inside a sentence."""
    said = figure.of(text)
    inside = text[max(0, figure.start - 2) : figure.start].strip()[-1:].isalpha()
    return (
        figure.kind not in ("date", "code")
        and inside
        and said[:1].isupper()
        and said[:1].isalpha()
        and len(said) > 2
    )


# -- claims -------------------------------------------------------------------------------------


def is_claim(figure: Figure, text: str) -> bool:
    """Is it more than a count of a few things, an idiom, or a number within a name?"""
    if not figure.firm or figure.of(text).lower() in _IDIOMS or _is_name(figure, text):
        return False
    if figure.kind in ("number", "ordinal"):
        amounts = [r.value for r in figure.readings if isinstance(r, Amount)]
        return not any(v == v.to_integral_value() and v <= SMALL for v in amounts)
    if figure.kind == "code":
        said = squeezed(figure.of(text))
        return sum(c.isdigit() for c in said) >= 2 and len(said) >= 3
    return True
