"""Findings grouped by what they say."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from arf_core.evaluate.clusters import Clustering, Point
from arf_core.evaluate.embedding import UNCLUSTERED
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.palette import CATEGORY_SYMBOLS, category_colour
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import category_name, in_order, plain, shortened, wrapped

MOST_POINTS = 5_000
NAMED = 8
"""Clusters with their name in the drawing."""


def clusters(clustering: Clustering, taxonomy: Taxonomy) -> go.Figure:
    """Findings as points: near ones say similar things. One colour and symbol per category.

    At most 5,000 points are drawn. Points carry their finding's id as customdata.
    """
    if not clustering.points:
        return empty("There are no findings to group yet. Run Analyze first.")
    points = clustering.points[:: math.ceil(len(clustering.points) / MOST_POINTS)]
    names = {c.number: c.name for c in clustering.clusters}
    real = sum(number != UNCLUSTERED for number in names)
    figure = drawn(
        [
            _dots(c, [p for p in points if p.category == c], taxonomy, names)
            for c in in_order(taxonomy, {p.category for p in points})
        ],
        _title(real, clustering.of, len(points)),
        "Near points say similar things; the axes mean nothing. Draw around some to read them",
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


def _title(groups: int, findings: int, drawn_points: int) -> str:
    title = f"{groups} {'group' if groups == 1 else 'groups'} of similar findings in {findings:,}"
    return title + (f" (showing {drawn_points:,})" if drawn_points < findings else "")


def _dots(
    category: str, points: Sequence[Point], taxonomy: Taxonomy, names: Mapping[int, str]
) -> go.Scatter:
    position = list(taxonomy.by_id).index(category) if category in taxonomy.by_id else -1
    kind = go.Scattergl if len(points) > 1_000 else go.Scatter
    texts = [wrapped(plain(shortened(p.text, 120)), 50) for p in points]
    clusters_of = [plain(names.get(p.cluster, "")) for p in points]
    return kind(
        name=category_name(taxonomy, category),
        mode="markers",
        x=[p.x for p in points],
        y=[p.y for p in points],
        marker={
            "color": category_colour(taxonomy, category),
            "symbol": CATEGORY_SYMBOLS[position % len(CATEGORY_SYMBOLS)],
            "size": 10 if len(points) < 300 else 7,
            "opacity": 0.85,
        },
        customdata=[p.finding_id for p in points],
        text=[f"{text}<br><i>{c}</i>" for text, c in zip(texts, clusters_of, strict=True)],
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
    )


def _name_cluster(figure: go.Figure, name: str, members: Sequence[Point]) -> None:
    figure.add_annotation(
        x=float(np.median([p.x for p in members])),
        y=float(np.quantile([p.y for p in members], 0.95)),
        text=plain(name),
        showarrow=False,
        yshift=14,
        font={"size": 14},
    )
