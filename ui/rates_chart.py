"""The chart of error rates, shown on the pages Analyze and Revise."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd

from arf_core.evaluate.rates import ErrorRates, Rate
from arf_core.project import Project
from arf_core.report import charts
from ui import loaders, widgets


def draw(
    project: Project,
    rates: Sequence[ErrorRates],
    key: str,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
) -> None:
    """The chart, with its numbers to download."""
    chart = charts.error_rates(rates, project.taxonomy, loaders.names(project))
    widgets.figure(chart, key, data=_table(rates), on_select=on_select)


def _table(rates: Sequence[ErrorRates]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(of_system, category, rate)
            for of_system in rates
            for category, rate in (
                ("any error", of_system.any_error),
                *of_system.by_category.items(),
            )
        ]
    )


def _row(rates: ErrorRates, category: str, rate: Rate) -> dict[str, Any]:
    low, high = rate.interval or (None, None)
    return {
        "system": rates.system,
        "detector": rates.detector,
        "category": category,
        "summaries": rate.count,
        "of": rate.total,
        "share": rate.share,
        "low": low,
        "high": high,
        "findings": rates.findings.get(category),
    }
