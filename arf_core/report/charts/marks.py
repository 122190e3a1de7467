"""Marks that several charts share."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arf_core.evaluate.rates import Rate
from arf_core.report.charts.palette import SYSTEM_COLOURS, SYSTEM_SYMBOLS


def interval_marks(rates: Sequence[Rate], at: Sequence[float], series: int) -> dict[str, Any]:
    """The fields of a scatter trace that draw rates in percent with their intervals.

    `at` are places on the vertical axis; `series` picks colour and symbol. A rate of nothing has
    no mark.
    """
    colour = SYSTEM_COLOURS[series % len(SYSTEM_COLOURS)]
    shares = [None if r.share is None else 100 * r.share for r in rates]
    bounds = [_around(r) for r in rates]
    return {
        "mode": "markers",
        "cliponaxis": False,
        "x": shares,
        "y": list(at),
        "marker": {
            "color": colour,
            "symbol": SYSTEM_SYMBOLS[series % len(SYSTEM_SYMBOLS)],
            "size": 12,
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "arrayminus": [below for below, _ in bounds],
            "array": [above for _, above in bounds],
            "thickness": 2.5,
            "width": 0,
            "color": colour,
        },
    }


def plain_text(items: Sequence[tuple[float, float, str]]) -> go.Scatter:
    """Texts at places, in the theme's own colour: for what stands on a clear or grey ground."""
    return go.Scatter(
        x=[x for x, _, _ in items],
        y=[y for _, y, _ in items],
        text=[text for _, _, text in items],
        mode="text",
        textfont={"size": 15},
        hoverinfo="skip",
        showlegend=False,
    )


def _around(rate: Rate) -> tuple[float, float]:
    """How far the interval reaches below and above the rate, in percent."""
    if rate.share is None or rate.interval is None:
        return 0.0, 0.0
    low, high = rate.interval
    return 100 * (rate.share - low), 100 * (high - rate.share)


def round_step(wanted: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that is not below `wanted`."""
    power = int(10 ** math.floor(math.log10(max(wanted, 1))))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wanted)
