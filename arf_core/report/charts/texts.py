"""What the texts are like: their lengths, and what findings have in common."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from arf_core.evaluate.clusters import Clustering, Point
from arf_core.evaluate.embedding import UNCLUSTERED
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import round_step
from arf_core.report.charts.palette import CATEGORY_SYMBOLS, SYSTEM_COLOURS, category_colour
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    listed,
    name_of,
    percent,
    thousands,
    wrapped,
)
from arf_core.store.lengths import TextLengths

BARS = 40
MOST_POINTS = 5_000
NAMED = 8
"""Clusters whose name stands in the drawing."""


def lengths(tables: Sequence[TextLengths], names: Mapping[str, str] | None = None) -> go.Figure:
    """The distribution of lengths, one outline a system (or the conversations), with its median.

    All tables must have the same unit.
    """
    tables = [t for t in tables if t.counts]
    if not tables:
        return empty("There are no texts to measure yet. Import a file on the Data page.")
    units = {t.unit for t in tables}
    if len(units) > 1:
        raise ValueError(f"lengths of different units do not share an axis: {sorted(units)}")
    unit = units.pop()
    scale = _scale(tables)
    sample = max(t.step for t in tables)
    return drawn(
        [_outline(t, i, scale, names) for i, t in enumerate(tables)],
        _lengths_title(tables, names),
        f"Share of texts by their number of {unit}"
        + (f", measured on every {sample}th" if sample > 1 else "")
        + (", longer ones in the last bar" if scale.cut else ""),
        height=280,
        legend="above" if len(tables) > 1 else "none",
        xaxis={"title": {"text": unit}, "range": [-0.5, scale.end], "showgrid": False},
        yaxis={"title": {"text": "share of texts"}, "ticksuffix": " %", "rangemode": "tozero"},
        hovermode="x unified",
    )


def _lengths_title(tables: Sequence[TextLengths], names: Mapping[str, str] | None) -> str:
    unit = tables[0].unit
    medians = [_quantile(t, 0.5) for t in tables]
    if unit == "turns":
        return f"Conversations have a median of {thousands(medians[0])} turns"
    whose = [
        f"{thousands(m)} {unit} by {name_of(t.of, names)}"
        for m, t in zip(medians, tables, strict=True)
    ]
    return f"Summaries have a median of {listed(whose)}"


class _Scale(NamedTuple):
    """Bars from 0 on: how wide each is, which is the last, and whether that holds longer texts."""

    width: int
    last: int
    cut: bool

    @property
    def end(self) -> int:
        return (self.last + 1) * self.width


def _scale(tables: Sequence[TextLengths]) -> _Scale:
    """Round widths, so that about 40 bars reach the 99th percentile, and 20 more what is beyond."""
    width = round_step((max(_quantile(t, 0.99) for t in tables) + 1) / BARS)
    needed = max(max(t.counts) for t in tables) // width
    last = min(needed, BARS * 3 // 2)
    return _Scale(width, last, cut=needed > last)


def _quantile(table: TextLengths, share: float) -> int:
    values = sorted(table.counts)
    reached = np.cumsum([table.counts[v] for v in values])
    return values[int(np.searchsorted(reached, share * reached[-1]))]


def _outline(
    table: TextLengths, i: int, scale: _Scale, names: Mapping[str, str] | None
) -> go.Scatter:
    bars = Counter[int]()
    for length, n in table.counts.items():
        bars[min(length // scale.width, scale.last)] += n
    places = range(min(bars), max(bars) + 1)
    total = bars.total()
    colour = SYSTEM_COLOURS[i % len(SYSTEM_COLOURS)]
    return go.Scatter(
        name=name_of(table.of, names),
        # one more step, so that the last bar has a width and the outline comes down to zero
        x=[k * scale.width - 0.5 for k in (*places, places[-1] + 1)],
        y=[100 * bars[k] / total for k in places] + [0],
        line={
            "shape": "hv",
            "color": colour,
            "width": 2.5,
            "dash": ("solid", "dash", "dot")[i % 3],
        },
        fill="tozeroy",
        fillcolor=_faint(colour),
        mode="lines",
        text=[
            f"{_bar_name(k, scale)} {table.unit}: {thousands(bars[k] * table.step)}, "
            f"{percent(bars[k] / total)}"
            for k in places
        ]
        + [""],
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
    )


def _bar_name(bar: int, scale: _Scale) -> str:
    first = bar * scale.width
    if scale.cut and bar == scale.last:
        return f"{first} or more"
    return f"{first} to {first + scale.width - 1}" if scale.width > 1 else f"{first}"


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


def clusters(clustering: Clustering, taxonomy: Taxonomy) -> go.Figure:
    """Findings by what they say: near points say alike things. One colour and sign a category.

    At most 5,000 points are drawn. Points carry their finding's id as customdata.
    """
    if not clustering.points:
        return empty("There are no findings to group yet. Run Analyze first.")
    points = _thinned(clustering.points)
    found = {p.category for p in points}
    order = [c for c in taxonomy.by_id if c in found] + sorted(found - set(taxonomy.by_id))
    names = {c.number: c.name for c in clustering.clusters}
    real = sum(number != UNCLUSTERED for number in names)
    figure = drawn(
        [_dots(c, [p for p in points if p.category == c], taxonomy, names) for c in order],
        _clusters_title(real, clustering, len(points)),
        "Near points say alike things; the position has no other meaning. Draw round some to "
        "read them",
        height=520,
        dragmode="lasso",
        xaxis={"visible": False},
        yaxis={"visible": False},
        legend="below",
        legend_itemsizing="constant",
    )
    for number in range(min(NAMED, real)):
        members = [p for p in points if p.cluster == number]
        if members:
            _name_cluster(figure, names[number], members)
    return figure


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most 5,000 of them, evenly taken."""
    step = math.ceil(len(points) / MOST_POINTS)
    return points[:: max(step, 1)]


def _clusters_title(real: int, clustering: Clustering, drawn_points: int) -> str:
    groups = "1 group" if real == 1 else f"{real} groups"
    said = f"What the findings have in common: {groups} in {thousands(clustering.of)} findings"
    if drawn_points < clustering.of:
        said += f" (a sample of {thousands(drawn_points)} is shown)"
    return said


def _dots(
    category: str, points: Sequence[Point], taxonomy: Taxonomy, names: Mapping[int, str]
) -> go.Scatter:
    place = list(taxonomy.by_id).index(category) if category in taxonomy.by_id else -1
    kind = go.Scattergl if len(points) > 1_000 else go.Scatter
    return kind(
        name=category_name(taxonomy, category),
        mode="markers",
        x=[p.x for p in points],
        y=[p.y for p in points],
        marker={
            "color": category_colour(taxonomy, category),
            "symbol": CATEGORY_SYMBOLS[place % len(CATEGORY_SYMBOLS)],
            "size": 10 if len(points) < 300 else 7,
            "opacity": 0.85,
        },
        customdata=[p.finding_id for p in points],
        text=[f"{_short(p.text)}<br><i>{escape(names.get(p.cluster, ''))}</i>" for p in points],
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
    )


def _short(text: str, longest: int = 120) -> str:
    cut = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return wrapped(escape(cut, quote=False), 50)


def _name_cluster(figure: go.Figure, name: str, members: Sequence[Point]) -> None:
    figure.add_annotation(
        x=float(np.median([p.x for p in members])),
        y=float(np.quantile([p.y for p in members], 0.95)),
        text=escape(name, quote=False),
        showarrow=False,
        yshift=14,
        font={"size": 14},
    )
