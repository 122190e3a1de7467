"""Is one number the other, rounded or converted?"""

import re
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache

from arf_core.checks.figures.model import Amount, Figure

_NEAR = Decimal("0.1")
_FAR = Decimal("1.5")
_CONVERTED = Decimal("0.03")
SCALED = re.compile(
    r"\d ?(?:[kmb]|bn|mn|thousand|million|billion|trillion|lakhs?|crores?)\b", re.IGNORECASE
)


def is_round(claim: Figure) -> bool:
    """Is it a number that one rounds to: 300, 25, 7, 2.5? Nobody means about 300 by 307."""
    values = [r.value for r in claim.lesser if isinstance(r, Amount) and r.kind == "number"]
    values += [r.value for r in claim.readings if isinstance(r, Amount) and r.kind == "number"]
    return any(v % 5 == 0 or v <= 10 for v in values)


def within(value: Decimal, claimed: Decimal, hedge: str) -> bool:
    if hedge == "over":
        return claimed <= value <= claimed * _FAR
    if hedge == "under":
        return claimed / _FAR <= value <= claimed
    return abs(value - claimed) <= abs(value) * _NEAR


def rounds_to(value: Decimal, claimed: Decimal, *, scaled: bool) -> bool:
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


@lru_cache(maxsize=4096)
def _last_place(value: Decimal) -> int:
    """The power of ten of its last digit that is not nought."""
    exponent = value.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def same_quantity(claim: Amount, value: Decimal, unit: str) -> bool:
    if claim.unit == unit:
        return claim.value == value
    if claim.unit.partition(":")[0] != unit.partition(":")[0]:
        return False
    return abs(claim.value - value) <= abs(value) * _CONVERTED
