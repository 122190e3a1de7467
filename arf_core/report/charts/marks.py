"""Marks and axes that several charts share."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from arf_core.evaluate.rates import Rate
from arf_core.report.charts.palette import SYSTEM_COLOURS, SYSTEM_SYMBOLS, ink_on
from arf_core.report.charts.wording import rate_text


def interval_marks(
    name: str,
    rates: Sequence[Rate],
    at: Sequence[float],
    series: int,
    *,
    data: Sequence[object],
    labels: Sequence[str] | None = None,
) -> go.Scatter:
    """Rates in percent with their 95 % intervals; `data` becomes customdata.

    `at` are positions on the vertical axis; `series` picks colour and symbol; `labels` are shown
    beside the hover text. A rate without data has no mark.
    """
    colour = SYSTEM_COLOURS[series % len(SYSTEM_COLOURS)]
    bounds = [(r.share or 0, *(r.interval or (0, 0))) for r in rates]
    beside = "%{hovertext}" if labels else ""
    symbol = SYSTEM_SYMBOLS[series % len(SYSTEM_SYMBOLS)]
    return go.Scatter(
        name=name,
        mode="markers",
        cliponaxis=False,
        x=[None if r.share is None else 100 * r.share for r in rates],
        y=list(at),
        marker={"color": colour, "symbol": symbol, "size": 12},
        error_x={
            "type": "data",
            "symmetric": False,
            "arrayminus": [100 * (share - low) for share, low, _ in bounds],
            "array": [100 * (high - share) for share, _, high in bounds],
            "thickness": 2.5,
            "width": 0,
            "color": colour,
        },
        customdata=list(data),
        hovertext=labels,
        text=[rate_text(r) for r in rates],
        hovertemplate=f"<b>{name}</b><br>%{{text}}<extra>{beside}</extra>",
    )


def stacked_bar(
    name: str,
    colour: str,
    lengths: Sequence[float],
    *,
    texts: Sequence[str],
    hover: Sequence[str],
    data: Sequence[object],
) -> go.Bar:
    """One part of horizontal bars, with a text inside each, and `data` as customdata."""
    return go.Bar(
        name=name,
        orientation="h",
        x=list(lengths),
        y=list(range(len(lengths))),
        marker={"color": colour, "line": {"width": 0}},
        text=list(texts),
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 15, "color": ink_on(colour)},
        hovertext=list(hover),
        hovertemplate="%{hovertext}<extra></extra>",
        customdata=list(data),
    )


def plain_text(items: Sequence[tuple[float, float, str]]) -> go.Scatter:
    """Texts at (x, y) in the theme's own colour, for a clear or grey background."""
    return go.Scatter(
        x=[x for x, _, _ in items],
        y=[y for _, y, _ in items],
        text=[text for _, _, text in items],
        mode="text",
        textfont={"size": 15},
        hoverinfo="skip",
        showlegend=False,
    )


def labelled(labels: Sequence[str]) -> dict[str, Any]:
    """An axis of labels, by position: two long labels may wrap into the same text."""
    return {"tickvals": list(range(len(labels))), "ticktext": list(labels), "showgrid": False}


def rows_axis(labels: Sequence[str]) -> dict[str, Any]:
    """A vertical axis of labels, the first on top."""
    return {**labelled(labels), "range": [len(labels) - 0.5, -0.5]}


def percent_axis(title: str, low: float, high: float) -> dict[str, Any]:
    """A horizontal axis in percent."""
    return {"title": {"text": title}, "ticksuffix": " %", "range": [low, high]}


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that is not below `least`."""
    power = int(10 ** math.floor(math.log10(max(least, 1))))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
