"""How often a system errs, as one detector sees it, with intervals."""

from collections.abc import Sequence
from math import sqrt

from sqlalchemy import func, select

from arf_core import schema
from arf_core.records import SPLITS, Record, Split
from arf_core.store import Store

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
    a, f = schema.analysis, schema.finding
    of_analyses = (
        a.c.system == system,
        a.c.detector == detector,
        a.c.split.in_(splits),
        a.c.current,
    )
    of_findings = (
        f.c.system == system,
        f.c.detector == detector,
        f.c.split.in_(splits),
        f.c.current,
    )
    with store.read() as conn:
        total = conn.scalar(select(func.count()).where(*of_analyses)) or 0
        erring = conn.scalar(select(func.count()).where(*of_analyses, a.c.n_findings > 0)) or 0
        rows = conn.execute(
            select(f.c.category, func.count(f.c.conversation_id.distinct()), func.count())
            .where(*of_findings)
            .group_by(f.c.category)
        ).all()
    return ErrorRates(
        system=system,
        detector=detector,
        any_error=Rate(count=erring, total=total),
        by_category={category: Rate(count=n, total=total) for category, n, _ in rows},
        findings={category: n for category, _, n in rows},
    )
