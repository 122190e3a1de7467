"""How often a system errs, as one detector sees it, with intervals."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from arf_core.records import SPLITS, Record, Split
from arf_core.store.arrays import FindingColumns, Numbers
from arf_core.store.database import Store
from arf_core.store.filters import Scope, findings_in

Z95 = 1.959963984540054


class Rate(Record):
    """`count` of `total` summaries."""

    count: int
    total: int

    @property
    def share(self) -> float | None:
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % Wilson score interval (Wilson 1927); None where nothing was read."""
        return wilson(self.count, self.total) if self.total else None


def wilson(count: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Wilson score interval of a proportion. Raises ValueError unless 0 <= count <= total > 0."""
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"no proportion: {count} of {total}")
    p = count / total
    centre = p + z * z / (2 * total)
    margin = z * sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # at the ends the bounds are exact, whatever rounding says
    low = 0.0 if count == 0 else (centre - margin) / scale
    high = 1.0 if count == total else (centre + margin) / scale
    return low, high


class ErrorRates(Record):
    """What one detector found in one system's summaries that it has read."""

    system: str
    detector: str
    any_error: Rate
    by_category: dict[str, Rate]
    """Summaries with at least one finding of the category."""
    findings: dict[str, int]
    """All findings by category."""


def error_rates(
    store: Store, system: str, detector: str, splits: Sequence[Split] = SPLITS
) -> ErrorRates:
    """Rates over the summaries that the detector has completely read; the others do not count."""
    return rates_of(findings_in(store, system, detector, Scope(splits=tuple(splits))))


def rates_of(found: FindingColumns) -> ErrorRates:
    """Rates of what was found."""
    total = len(found.read)
    by_category = {
        name: found.conversation[found.category == code]
        for code, name in enumerate(found.categories)
    }
    return ErrorRates(
        system=found.system,
        detector=found.detector,
        any_error=Rate(count=_distinct(found.conversation), total=total),
        by_category={
            name: Rate(count=_distinct(of), total=total)
            for name, of in by_category.items()
            if len(of)
        },
        findings={name: len(of) for name, of in by_category.items() if len(of)},
    )


def _distinct(conversations: Numbers) -> int:
    """How many different ones there are; they come in order."""
    return int(np.count_nonzero(np.diff(conversations, prepend=-1)))
