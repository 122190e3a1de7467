"""How often a system errs, according to one detector, with intervals.

Every error rate that is shown anywhere comes from `grouped_rates`.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from arf_core.records import SPLITS, Record, Split
from arf_core.store.arrays import FindingColumns, Numbers
from arf_core.store.database import Store
from arf_core.store.filters import Scope, findings_in

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal distribution: 95 % lie within ± this."""


class Rate(Record):
    """`count` of `total` summaries."""

    count: int
    total: int

    @property
    def share(self) -> float | None:
        """count / total; None if total is 0."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % Wilson score interval of the share; None if total is 0."""
        return wilson(self.count, self.total) if self.total else None


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion p = count / total (Wilson 1927):

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), n = total, z = 1.96.

    Raises ValueError unless 0 <= count <= total and total > 0.
    """
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"not a proportion: {count} of {total}")
    p, z = count / total, Z95
    centre = p + z * z / (2 * total)
    margin = z * sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # exact at 0 and 1, where rounding may miss
    low = 0.0 if count == 0 else (centre - margin) / scale
    high = 1.0 if count == total else (centre + margin) / scale
    return low, high


class ErrorRates(Record):
    """What one detector found in the summaries of a system that it has read."""

    system: str
    detector: str
    any_error: Rate
    by_category: dict[str, Rate]
    """Summaries with at least one finding of the category; categories without one are left out."""
    findings: dict[str, int]
    """Number of findings by category."""


def error_rates(
    store: Store, system: str, detector: str, splits: Sequence[Split] = SPLITS
) -> ErrorRates:
    """Error rates over the summaries that the detector has read completely."""
    return rates_of(findings_in(store, system, detector, Scope(splits=tuple(splits))))


def rates_of(found: FindingColumns) -> ErrorRates:
    """Error rates over everything in `found`."""
    (rates,) = grouped_rates(found, np.zeros_like(found.read), np.zeros_like(found.conversation), 1)
    return rates


def grouped_rates(
    found: FindingColumns, read_groups: Numbers, finding_groups: Numbers, n: int
) -> list[ErrorRates]:
    """Error rates of each of `n` groups of summaries.

    `read_groups` holds the group (0 to n-1) of each summary read, `finding_groups` that of each
    finding's summary. A summary counts once for each category, however many findings it has.
    """
    totals = np.bincount(read_groups, minlength=n).tolist()

    def erring(groups: Numbers, conversations: Numbers) -> list[Rate]:
        # findings are sorted by conversation, so each summary begins where that changes
        first = np.diff(conversations, prepend=-1) != 0
        counts = np.bincount(groups[first], minlength=n).tolist()
        return [Rate(count=c, total=t) for c, t in zip(counts, totals, strict=True)]

    findings, summaries = {}, {}
    for code, category in enumerate(found.categories):
        own = found.category == code
        groups = finding_groups[own]
        findings[category] = np.bincount(groups, minlength=n).tolist()
        summaries[category] = erring(groups, found.conversation[own])
    return [
        ErrorRates(
            system=found.system,
            detector=found.detector,
            any_error=any_error,
            by_category={c: of[i] for c, of in summaries.items() if of[i].count},
            findings={c: of[i] for c, of in findings.items() if of[i]},
        )
        for i, any_error in enumerate(erring(finding_groups, found.conversation))
    ]
