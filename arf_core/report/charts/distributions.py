"""Distributions: conversations by value of an attribute, texts by length."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from arf_core.report.charts.marks import round_step, rows_axis
from arf_core.report.charts.palette import SYSTEM_COLOURS, UNKNOWN
from arf_core.report.charts.style import BOTTOM, drawn, empty
from arf_core.report.charts.wording import name_of, percent, plain, shortened, wrapped
from arf_core.report.dataset_stats import ValueCounts
from arf_core.store.lengths import TextLengths

MARGIN = 16
BARS = 40


def values(table: ValueCounts) -> go.Figure:
    """Conversations by value, one bar each, in the order of the table.

    Bars carry the value as customdata. Rare and missing values are grey.
    """
    if not table.total:
        return empty("There are no conversations yet. Import a file on the Data page.")
    total, counts = table.total, [c.conversations for c in table.counts]
    colours = [SYSTEM_COLOURS[0] if c.kind == "value" else UNKNOWN for c in table.counts]
    bars = go.Bar(
        orientation="h",
        y=list(range(len(counts))),
        x=counts,
        marker={"color": colours, "line": {"width": 0}},
        text=[f"{n:,} · {percent(n / total)}" for n in counts],
        textposition="outside",
        cliponaxis=False,
        textfont={"size": 14},
        customdata=[c.label for c in table.counts],
        hovertemplate="%{text}<extra></extra>",
    )
    return drawn(
        [bars],
        _values_title(table),
        f"{total:,} conversations",
        # there is no axis below the bars, so it needs no room
        height=34 * len(counts) + MARGIN - BOTTOM,
        margin_b=MARGIN,
        legend="none",
        bargap=0.32,
        yaxis=rows_axis([wrapped(plain(shortened(c.label, 60))) for c in table.counts]),
        # room for the text beside the longest bar
        xaxis={"visible": False, "range": [0, 1.35 * max(counts)]},
    )


def _values_title(table: ValueCounts) -> str:
    named = [c for c in table.counts if c.kind == "value"]
    title = f"Conversations by {plain(shortened(table.of, 32))}"
    if not named:
        return title
    most = max(named, key=lambda c: c.conversations)
    share = percent(most.conversations / table.total)
    return f"{title}: {share} {plain(shortened(most.label, 32))}"


def lengths(tables: Sequence[TextLengths], names: Mapping[str, str] = {}) -> go.Figure:
    """The distribution of lengths, one outline per system (or the conversations), with its median.

    Raises ValueError if the tables differ in their unit.
    """
    tables = [t for t in tables if t.counts]
    if not tables:
        return empty("There are no texts to measure yet. Import a file on the Data page.")
    units = {t.unit for t in tables}
    if len(units) > 1:
        raise ValueError(f"lengths of different units do not share an axis: {sorted(units)}")
    unit = units.pop()
    bins = _bins(tables)
    sample = max(t.step for t in tables)
    return drawn(
        [_outline(t, i, bins, names) for i, t in enumerate(tables)],
        _lengths_title(tables, names),
        f"Share of texts by number of {unit}"
        + (f", measured on every {sample}th" if sample > 1 else "")
        + (", longer ones in the last bar" if bins.cut else ""),
        height=280,
        legend="above" if len(tables) > 1 else "none",
        xaxis={
            "title": {"text": unit},
            "range": [-0.5, (bins.last + 1) * bins.width],
            "showgrid": False,
        },
        yaxis={"title": {"text": "share of texts"}, "ticksuffix": " %", "rangemode": "tozero"},
        hovermode="x unified",
    )


def _lengths_title(tables: Sequence[TextLengths], names: Mapping[str, str]) -> str:
    medians = [_quantile(t, 0.5) for t in tables]
    if tables[0].unit == "turns":
        return f"Median conversation length: {medians[0]:,} turns"
    parts = [f"{name_of(t.of, names)} {m:,}" for m, t in zip(medians, tables, strict=True)]
    return f"Median summary length: {', '.join(parts)} words"


class _Bins(NamedTuple):
    """Bins from 0 on."""

    width: int
    last: int
    cut: bool
    """The last bin holds longer texts, too."""


def _bins(tables: Sequence[TextLengths]) -> _Bins:
    """Bins of a round width: about 40 reach the 99th percentile, at most 20 more go beyond."""
    width = round_step((max(_quantile(t, 0.99) for t in tables) + 1) / BARS)
    needed = max(max(t.counts) for t in tables) // width
    last = min(needed, BARS * 3 // 2)
    return _Bins(width, last, cut=needed > last)


def _quantile(table: TextLengths, share: float) -> int:
    """The smallest length that this share of the texts does not exceed."""
    ordered = sorted(table.counts)
    reached = np.cumsum([table.counts[v] for v in ordered])
    return ordered[int(np.searchsorted(reached, share * reached[-1]))]


def _outline(table: TextLengths, i: int, bins: _Bins, names: Mapping[str, str]) -> go.Scatter:
    counts = Counter[int]()
    for length, n in table.counts.items():
        counts[min(length // bins.width, bins.last)] += n
    drawn_bins = range(min(counts), max(counts) + 1)
    shares = [counts[k] / counts.total() for k in drawn_bins]
    colour = SYSTEM_COLOURS[i % len(SYSTEM_COLOURS)]
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    texts = [
        f"{_bin_name(k, bins)} {table.unit}: {counts[k] * table.step:,}, {percent(share)}"
        for k, share in zip(drawn_bins, shares, strict=True)
    ]
    return go.Scatter(
        name=name_of(table.of, names),
        # one more point, so that the last bin has a width and the outline comes down to zero
        x=[k * bins.width - 0.5 for k in (*drawn_bins, drawn_bins[-1] + 1)],
        y=[*(100 * share for share in shares), 0],
        line={
            "shape": "hv",
            "color": colour,
            "width": 2.5,
            "dash": ("solid", "dash", "dot")[i % 3],
        },
        fill="tozeroy",
        fillcolor=f"rgba({red},{green},{blue},0.14)",
        mode="lines",
        text=[*texts, ""],
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
    )


def _bin_name(number: int, bins: _Bins) -> str:
    first = number * bins.width
    if bins.cut and number == bins.last:
        return f"{first} or more"
    return f"{first} to {first + bins.width - 1}" if bins.width > 1 else f"{first}"
