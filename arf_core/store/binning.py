"""Group an attribute's values into the few bins that a chart can show."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

MOST_MONTHS = 24
"""More months are shown by year."""
RANGES = 5
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?\Z")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")


class Bin(NamedTuple):
    """One or several values under one label; `members` are their indexes in the list of values."""

    label: str
    kind: Literal["value", "other", "missing"]
    members: tuple[int, ...]


def binned(values: Sequence[str], sizes: Sequence[int], top: int) -> list[Bin]:
    """At most about `top` bins that hold every value once.

    Dates and numbers keep their order: by month, year or range where there are more than `top`.
    Other values come by size, those beyond `top` in one bin. `sizes` are counts of rows.
    """
    few = len(values) <= top
    if values and all(_DATE.match(v) for v in values):
        return _by_label(values, str if few else _month_or_year(values))
    if values and all(_NUMBER.match(v) for v in values):
        return _by_number(values) if few else _ranges(values, sizes)
    return _by_size(values, sizes, top)


def _by_label(values: Sequence[str], label: Callable[[str], str]) -> list[Bin]:
    members: dict[str, list[int]] = {}
    for i in sorted(range(len(values)), key=values.__getitem__):
        members.setdefault(label(values[i]), []).append(i)
    return [Bin(name, "value", tuple(indexes)) for name, indexes in members.items()]


def _month_or_year(values: Sequence[str]) -> Callable[[str], str]:
    months = {v[:7] for v in values}
    width = 7 if len(months) <= MOST_MONTHS else 4
    return lambda value: value[:width]


def _by_number(values: Sequence[str]) -> list[Bin]:
    order = sorted(range(len(values)), key=lambda i: float(values[i]))
    return [Bin(values[i], "value", (i,)) for i in order]


def _ranges(values: Sequence[str], sizes: Sequence[int]) -> list[Bin]:
    """Ranges of about equal size, named by the lowest and highest value in each."""
    order = sorted(range(len(values)), key=lambda i: float(values[i]))
    weights = np.array([sizes[i] for i in order], dtype=float) + 1e-9
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    members: dict[int, list[int]] = {}
    for index, part in zip(order, (middle * RANGES).astype(int), strict=True):
        members.setdefault(int(part), []).append(index)
    return [
        Bin(_range(values[indexes[0]], values[indexes[-1]]), "value", tuple(indexes))
        for indexes in members.values()
    ]


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _by_size(values: Sequence[str], sizes: Sequence[int], top: int) -> list[Bin]:
    order = sorted(range(len(values)), key=lambda i: (-sizes[i], values[i]))
    # a bin of one rare value would hide its name for nothing
    kept = len(order) if len(order) <= top + 1 else top
    bins = [Bin(values[i], "value", (i,)) for i in order[:kept]]
    rare = tuple(order[kept:])
    return [*bins, Bin(f"{len(rare)} other values", "other", rare)] if rare else bins
