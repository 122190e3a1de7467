"""Categories against something else: slices of the data, or each other."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import plotly.graph_objects as go

from arf_core.evaluate.rates import Rate
from arf_core.evaluate.slices import SliceRates
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import plain_text
from arf_core.report.charts.palette import category_colour
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    plain,
    rate_text,
    reader_name,
    thousands,
    wrapped,
)
from arf_core.store.patterns import ErrorPatterns

FEW = 10
"""Cells of fewer summaries are drawn grey: their rate says next to nothing."""
MOST_UPRIGHT = 5
"""Columns whose labels stand upright."""
GREY_MEANS = f". Grey: fewer than {FEW}, too few to compare"
GREY = "rgba(125,133,144,0.16)"
MARK = "■"


class _Cell(NamedTuple):
    rate: Rate
    hover: str


_Cells = Sequence[Sequence[_Cell | None]]


def error_heatmap(slices: Sequence[SliceRates], taxonomy: Taxonomy) -> go.Figure:
    """Category by slice: the colour is the share of the slice's summaries, the figure their number.

    Slices of fewer than 10 summaries are grey. Cells carry (category id, slice value) as
    customdata, "" for any error.
    """
    if not slices:
        return empty("No summaries have been read yet. Run Analyze, then choose an attribute.")
    categories = _in_order(taxonomy, {c for s in slices for c in s.by_category})
    cells = [[_slice_cell(s, c) for s in slices] for c in categories]
    few = any(s.total < FEW for s in slices)
    first = slices[0]
    return _table(
        cells,
        rows=[_label(taxonomy, c) for c in categories],
        columns=[f"{plain(_short(s.value, 24))} ({thousands(s.total)})" for s in slices],
        data=[[[c, s.value] for s in slices] for c in categories],
        title=f"Summaries with each kind of error, by {plain(first.attribute)}",
        subtitle=f"Colour: their share of all summaries of that {plain(first.attribute)} (in "
        f"brackets), as read by {plain(reader_name(first.detector))}" + (GREY_MEANS if few else ""),
    )


def _slice_cell(part: SliceRates, category: str) -> _Cell:
    nothing = Rate(count=0, total=part.total)
    rate = part.any_error if category == "" else part.by_category.get(category, nothing)
    return _Cell(rate, f"{escape(part.value, quote=False)}<br>{rate_text(rate)}")


def cooccurrence(patterns: ErrorPatterns, taxonomy: Taxonomy) -> go.Figure:
    """Which errors come together: of the summaries with the row's error, how many have the other.

    Rows of fewer than 10 summaries are grey. Cells carry (category id, category id) as customdata.
    """
    counts, pairs = patterns.by_category(), patterns.pairs()
    if not pairs:
        return empty("No summary has two kinds of error, so there is nothing that comes together.")
    categories = _in_order(taxonomy, set(counts))[1:]
    cells = [
        [
            _pair_cell(taxonomy, row, column, Rate(count=pairs[_pair(row, column)], total=n))
            if row != column
            else None
            for column in categories
        ]
        for row, n in ((c, counts[c]) for c in categories)
    ]
    few = any(n < FEW for n in counts.values())
    return _table(
        cells,
        rows=[f"{_label(taxonomy, c)} ({thousands(counts[c])})" for c in categories],
        columns=[category_name(taxonomy, c) for c in categories],
        data=[[[row, column] for column in categories] for row in categories],
        title="Which errors come together in one summary",
        subtitle="Of the summaries with the error on the left (in brackets), those that also have "
        "the one below; colour: their share" + (GREY_MEANS if few else ""),
    )


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _pair_cell(taxonomy: Taxonomy, row: str, column: str, rate: Rate) -> _Cell:
    with_row, with_column = (category_name(taxonomy, c) for c in (row, column))
    return _Cell(rate, f"of those with “{with_row}”,<br>with “{with_column}”: {rate_text(rate)}")


def _in_order(taxonomy: Taxonomy, found: set[str]) -> list[str]:
    """Any error, then the categories found, as the taxonomy has them; unknown ones last."""
    return ["", *(c for c in taxonomy.by_id if c in found), *sorted(found - set(taxonomy.by_id))]


def _label(taxonomy: Taxonomy, category: str) -> str:
    """A row's label, with the colour that its category has everywhere."""
    if category == "":
        return "<b>Any error</b>"
    name = wrapped(category_name(taxonomy, category), 24)
    colour = category_colour(taxonomy, category)
    return f'{name} <span style="color:{colour};font-size:17px">{MARK}</span>'


def _table(
    cells: _Cells,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    data: Sequence[Sequence[Sequence[str]]],
    title: str,
    subtitle: str,
) -> go.Figure:
    """Two layers: cells with enough summaries in the colour of their share, the others in grey."""
    in_colour = _layer(cells, data, lambda rate: rate.total >= FEW)
    in_colour.coloraxis = "coloraxis"
    in_grey = _layer(cells, data, lambda rate: rate.total < FEW)
    in_grey.update(colorscale=[[0, GREY], [1, GREY]], showscale=False, text=None, texttemplate="")
    few = [
        (x, y, thousands(cell.rate.count))
        for y, row in enumerate(cells)
        for x, cell in enumerate(row)
        if cell and cell.rate.total < FEW
    ]
    return drawn(
        [in_colour, in_grey, plain_text(few)],
        title,
        subtitle,
        height=44 * len(rows) + 30,
        legend="none",
        xaxis=_columns(columns),
        yaxis={**_labelled(rows), "autorange": "reversed"},
        coloraxis={"cmin": 0, "colorbar": {"ticksuffix": " %"}},
    )


def _columns(labels: Sequence[str]) -> dict[str, object]:
    """Labels in lines where there is room for them, else slanting."""
    if len(labels) <= MOST_UPRIGHT:
        return {**_labelled([wrapped(label, 12) for label in labels]), "tickangle": 0}
    return {**_labelled([_short(label) for label in labels]), "tickangle": -40}


def _short(label: str, longest: int = 30) -> str:
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "…"


def _labelled(labels: Sequence[str]) -> dict[str, object]:
    # by place, not by label: two long names may wrap into the same text
    return {"tickvals": list(range(len(labels))), "ticktext": list(labels), "showgrid": False}


def _layer(
    cells: _Cells, data: Sequence[Sequence[Sequence[str]]], wanted: Callable[[Rate], bool]
) -> go.Heatmap:
    """The cells whose rate is wanted; the others are left open."""

    def shown(cell: _Cell | None) -> float | None:
        return 100 * (cell.rate.share or 0) if cell and wanted(cell.rate) else None

    return go.Heatmap(
        z=[[shown(c) for c in row] for row in cells],
        text=[
            [thousands(c.rate.count) if c and wanted(c.rate) else "" for c in row] for row in cells
        ],
        texttemplate="%{text}",
        textfont={"size": 15},
        xgap=3,
        ygap=3,
        hovertext=[[c.hover if c else "" for c in row] for row in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverongaps=False,
        customdata=data,
    )
