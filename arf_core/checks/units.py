"""The table of what may stand beside a number: `units.yaml`, in the form that reading needs."""

from pathlib import Path
from typing import NamedTuple

import yaml

_TABLE = yaml.safe_load(Path(__file__).with_name("units.yaml").read_text(encoding="utf-8"))


class Unit(NamedTuple):
    """One meaning of a unit's name."""

    kind: str
    """money, percent, duration or quantity."""
    dimension: str
    factor: float
    """Base units of the dimension that it holds."""


def _units() -> dict[str, tuple[Unit, ...]]:
    found: dict[str, tuple[Unit, ...]] = {}
    for kind in ("money", "percent", "duration", "quantity"):
        for dimension, names in _TABLE[kind].items():
            for name, factors in names.items():
                several = factors if isinstance(factors, list) else [factors]
                made = tuple(Unit(kind, dimension, factor) for factor in several)
                found[name] = found.get(name, ()) + made
    return found


def _numbered(names: str, first: int) -> dict[str, int]:
    return {name: n for n, name in enumerate(names.split(), first)}


UNITS = _units()
SCALES: dict[str, float] = _TABLE["scales"]
BETWEEN = frozenset(_TABLE["between"].split())
MONTHS = _numbered(_TABLE["months"], 1)
MONTHS |= {name[:3]: n for name, n in MONTHS.items()} | {"sept": 9}
WEEKDAYS = _numbered(_TABLE["weekdays"], 0)
WEEKDAYS |= {name[:3]: n for name, n in WEEKDAYS.items()} | {"tues": 1, "thur": 3, "thurs": 3}
CARDINALS: list[str] = _TABLE["cardinals"].split()
ORDINALS: list[str] = _TABLE["ordinals"].split()
CLOCK: dict[str, int] = _TABLE["clock"]
SHARES: dict[str, int] = _TABLE["shares"]
PARTS_OF_HOUR: dict[str, int] = _TABLE["parts_of_hour"]
SIGNS = "".join(name for name in UNITS if len(name) == 1 and not name.isalpha() and name != "%")


def unit_of(word: str) -> tuple[Unit, ...]:
    """The meanings of a word as a unit; none of any other word."""
    low = word.lower()
    return UNITS.get(low) or (UNITS.get(low[:-1], ()) if len(low) > 2 and low[-1] == "s" else ())
