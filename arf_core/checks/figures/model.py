"""What a figure is: a place in a text, and every way in which it may be meant.

"03/04" is the third of April, the fourth of March or three quarters; "1.200" is 1200 or 1.2;
"5 pounds" is money or weight. So a figure has a set of readings, and two figures agree if any of
their readings do.
"""

from decimal import Decimal
from typing import Literal, NamedTuple

Kind = Literal[
    "number", "ordinal", "money", "percent", "quantity", "duration", "date", "time", "code"
]
AmountKind = Literal["number", "ordinal", "money", "percent", "quantity", "duration"]


class Amount(NamedTuple):
    """A number with what it counts.

    money: in whole units of the currency, `unit` the ISO codes it may be, separated by spaces.
    duration: in minutes. quantity: in the base of its dimension, `unit` as "length:km".
    """

    kind: AmountKind
    value: Decimal
    unit: str = ""


class Day(NamedTuple):
    """A date, as far as it is said. Weekdays count from Monday = 0."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None


class Clock(NamedTuple):
    """A time of day in minutes after midnight."""

    minute: int


class Code(NamedTuple):
    """An order number, a version, a phone number: capitals and digits, without separators."""

    text: str


Reading = Amount | Day | Clock | Code


class Figure(NamedTuple):
    """A figure in a text, at [start, end)."""

    kind: Kind
    """The likeliest reading's."""
    start: int
    end: int
    readings: tuple[Reading, ...]
    lesser: tuple[Reading, ...] = ()
    """What its parts say: 12, 5 and 2025 in "12/05/2025", 2 hours in "2 hours 30 minutes"."""
    firm: bool = True
    """False where the number is implied ("a week") or vague ("the 90s"): no claim to be proved."""

    def of(self, text: str) -> str:
        return text[self.start : self.end]


class Numeral(NamedTuple):
    """A number at [start, end), in digits or words, before anything is known of what it counts."""

    start: int
    end: int
    values: tuple[Decimal, ...]
    """All it may mean, the likeliest first."""
    parts: tuple[Decimal, ...] = ()
    """Other numbers that stand in it: 2 and 500 in "2 500"."""
    in_digits: bool = True
