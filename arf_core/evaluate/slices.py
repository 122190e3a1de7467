"""How often a system errs by the value of an attribute: channel, product, month, …"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from arf_core.evaluate.rates import ErrorRates, grouped_rates
from arf_core.records import SPLITS, Record, Split
from arf_core.store import arrays
from arf_core.store.arrays import FindingColumns, Numbers
from arf_core.store.database import Store
from arf_core.store.filters import TOP, Scope, Slices, findings_in, slices_of


class SliceRates(Record):
    """Error rates of the summaries that share a value of an attribute."""

    attribute: str
    value: str
    kind: Literal["value", "other", "missing"] = "value"
    """`other` combines the rarer values; `missing` holds conversations without a value."""
    rates: ErrorRates

    @property
    def total(self) -> int:
        """Summaries of the slice that the detector has read."""
        return self.rates.any_error.total


def attribute_names(store: Store) -> list[str]:
    """Attributes of the conversations that can be sliced by."""
    return list(arrays.conversation_columns(store).attributes)


def error_rates_by(
    store: Store,
    system: str,
    detector: str,
    attribute: str,
    splits: Sequence[Split] = SPLITS,
    top: int = TOP,
) -> list[SliceRates]:
    """Error rates for each value of the attribute, over the summaries that the detector has read.

    Dates and numbers come in ascending order, binned by month, year or range if there are more
    than `top` values. Other values come by frequency, the rarer ones combined. Conversations
    without a value come last. Slices without a summary read are left out. Raises InputError if no
    conversation has the attribute.
    """
    found = findings_in(store, system, detector, Scope(splits=tuple(splits)))
    return rates_by(found, slices_of(store, attribute, top))


def rates_by(found: FindingColumns, slices: Slices) -> list[SliceRates]:
    """Error rates of each slice of which something was read."""
    read, findings = (_slice_numbers(slices, n) for n in (found.read, found.conversation))
    rates = grouped_rates(found, read, findings, len(slices.groups))
    return [
        SliceRates(attribute=slices.attribute, value=group.label, kind=group.kind, rates=of)
        for group, of in zip(slices.groups, rates, strict=True)
        if of.any_error.total
    ]


def _slice_numbers(slices: Slices, conversations: Numbers) -> Numbers:
    """The slice of each conversation: the last (no value) if it was added after slicing."""
    last = len(slices.groups) - 1
    if not len(slices.of):
        return np.full(len(conversations), last)
    known = conversations < len(slices.of)
    return np.where(known, np.take(slices.of, conversations, mode="clip"), last)
