"""How often a system errs, by the value of an attribute: by channel, product, month, …"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from arf_core.evaluate.rates import Rate
from arf_core.records import SPLITS, Record, Split
from arf_core.store.arrays import FindingColumns, Numbers, conversation_columns
from arf_core.store.database import Store
from arf_core.store.filters import TOP, Scope, Slices, findings_in, slices_of


class SliceRates(Record):
    """What one detector found in those of a system's summaries that share an attribute's value."""

    system: str
    detector: str
    attribute: str
    value: str
    kind: Literal["value", "other", "missing"] = "value"
    """`other` holds the rarer values together, `missing` what has no value."""
    any_error: Rate
    by_category: dict[str, Rate]
    """Summaries with at least one finding of the category."""
    findings: dict[str, int]
    """All findings by category."""

    @property
    def total(self) -> int:
        """Summaries of the slice that the detector has read."""
        return self.any_error.total


def attribute_names(store: Store) -> list[str]:
    """The attributes that conversations have and that tell slices apart."""
    return list(conversation_columns(store).attributes)


def error_rates_by(
    store: Store,
    system: str,
    detector: str,
    attribute: str,
    splits: Sequence[Split] = SPLITS,
    top: int = TOP,
) -> list[SliceRates]:
    """Rates for each value of the attribute, over the summaries that the detector has read.

    Dates and numbers come in their order, by month, year or range where there are more than `top`;
    other values by frequency, the rarer ones together. What has no value is the last slice. Slices
    that nobody read are left out. Raises InputError for an attribute that no conversation has.
    """
    found = findings_in(store, system, detector, Scope(splits=tuple(splits)))
    return rates_by(found, slices_of(store, attribute, top))


def rates_by(found: FindingColumns, by: Slices) -> list[SliceRates]:
    """Rates of what was found, for each slice of which something was read."""
    n = len(by.groups)
    of_read = _slice_of(by, found.read)
    of_finding = _slice_of(by, found.conversation)
    first = np.diff(found.conversation, prepend=-1) != 0
    total = np.bincount(of_read, minlength=n)
    erring = np.bincount(of_finding[first], minlength=n)
    findings, summaries = {}, {}
    for code, name in enumerate(found.categories):
        own = found.category == code
        once = np.diff(found.conversation[own], prepend=-1) != 0
        findings[name] = np.bincount(of_finding[own], minlength=n)
        summaries[name] = np.bincount(of_finding[own][once], minlength=n)

    def counts(i: int) -> dict[str, Any]:
        def rate(count: Any) -> Rate:
            return Rate(count=int(count), total=int(total[i]))

        return {
            "any_error": rate(erring[i]),
            "by_category": {c: rate(of[i]) for c, of in summaries.items() if of[i]},
            "findings": {c: int(of[i]) for c, of in findings.items() if of[i]},
        }

    return [
        SliceRates(
            system=found.system,
            detector=found.detector,
            attribute=by.attribute,
            value=group.label,
            kind=group.kind,
            **counts(i),
        )
        for i, group in enumerate(by.groups)
        if total[i]
    ]


def _slice_of(by: Slices, conversations: Numbers) -> Numbers:
    """The slice of each conversation; one that came after the slices were read has no value."""
    known = conversations < len(by.of)
    last = len(by.groups) - 1
    return np.where(known, np.take(by.of, conversations, mode="clip") if len(by.of) else last, last)
