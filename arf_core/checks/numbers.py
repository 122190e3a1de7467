"""The numbers in a text: amounts, measures, dates, times of day and codes, with all they may mean.

"03/04" is two dates, "1.200" two amounts, "5 pounds" money or weight. So a number has a set of
meanings, and two numbers agree where they share one.
"""

import re

from arf_core.checks.digits import in_digits
from arf_core.checks.number import Number, meanings_of
from arf_core.checks.number_words import in_words

_APART = 8
_LINK = re.compile(r" ?(?:-|–|to|or|and|through) ?")


def numbers(text: str) -> list[Number]:
    """All numbers of a text, in order; none overlaps another."""
    found: list[Number] = []
    at = 0
    for number in sorted([*in_digits(text), *in_words(text)], key=lambda n: (n.start, -n.end)):
        if number.start >= at:
            found.append(number)
            at = number.end
    return _with_shared_units(found, text)


def _with_shared_units(found: list[Number], text: str) -> list[Number]:
    """3 to 5 days are 3 days to 5 days, $40-50 two amounts of money, 12 and 14 May two dates."""
    for i in range(len(found) - 1):
        one, two = found[i], found[i + 1]
        if two.start - one.end > _APART or not _LINK.fullmatch(text, one.end, two.start):
            continue
        if one.kind == "number" and two.kind in (
            "money",
            "percent",
            "duration",
            "quantity",
            "date",
        ):
            found[i] = _like(one, two)
        elif two.kind == "number" and one.kind in ("money", "date"):
            found[i + 1] = _like(two, one)
    return found


def _like(number: Number, other: Number) -> Number:
    """The number, of the unit or the month of the other."""
    if other.kind != "date":
        meanings = meanings_of(number.values, other.units)
        return number._replace(kind=other.kind, units=other.units, meanings=meanings)
    if not number.values or not 1 <= number.values[0] <= 31:
        return number
    months = {value // 100 for _, value in other.meanings}
    meanings = frozenset(("date", 100 * month + number.values[0]) for month in months)
    return number._replace(kind="date", meanings=meanings, groups=number.values)
