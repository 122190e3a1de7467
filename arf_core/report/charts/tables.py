"""Heat maps of categories: by slice of the data, or against each other."""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from arf_core.evaluate.rates import Rate
from arf_core.evaluate.slices import SliceRates
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import labelled, plain_text, rows_axis
from arf_core.report.charts.palette import category_colour
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    in_order,
    percent,
    plain,
    rate_text,
    reader_name,
    shortened,
    wrapped,
)
from arf_core.store.patterns import ErrorPatterns

FEW = 10
"""Cells of fewer summaries are grey: their rate means next to nothing."""
MOST_UPRIGHT = 5
"""With more columns than this, their labels slant."""
GREY_MEANS = f". Grey: fewer than {FEW}, too few to compare"
GREY = "rgba(125,133,144,0.16)"


class _HeatCell(NamedTuple):
    data: tuple[str, str]
    rate: Rate | None = None
    """None leaves the cell open."""
    hover: str = ""

    def drawn_as(self, *, few: bool) -> Rate | None:
        """Its rate, if it counts as one of few summaries or not."""
        return self.rate if self.rate and (self.rate.total < FEW) == few else None


_HeatRows = Sequence[Sequence[_HeatCell]]


def error_heatmap(slices: Sequence[SliceRates], taxonomy: Taxonomy) -> go.Figure:
    """Category by slice: colour is the share of the slice's summaries, the text their number.

    Slices of fewer than 10 summaries are grey. Cells carry (category id, slice value) as
    customdata, "" for any error.
    """
    if not slices:
        return empty("No summaries have been read yet. Run Analyze, then choose an attribute.")
    categories = ["", *in_order(taxonomy, {c for s in slices for c in s.rates.by_category})]
    first = slices[0]
    attribute = plain(shortened(first.attribute, 40))
    few = any(s.total < FEW for s in slices)
    return _heatmap(
        [[_slice_cell(s, c) for s in slices] for c in categories],
        rows=[_row_label(taxonomy, c) for c in categories],
        columns=[f"{plain(shortened(s.value, 24))} ({s.total:,})" for s in slices],
        title=_slices_title(slices, attribute),
        subtitle=f"Number of summaries with the error. Colour: share of all summaries of that "
        f"{attribute} (in brackets), read by {plain(reader_name(first.rates.detector))}"
        + (GREY_MEANS if few else ""),
    )


def _slices_title(slices: Sequence[SliceRates], attribute: str) -> str:
    """The slices that err most and least, of those with enough summaries to compare."""
    shares = [(s.rates.any_error.share or 0, s.value) for s in slices if s.total >= FEW]
    if len(shares) < 2:
        return f"Errors by {attribute}"
    least, most = (
        f"{plain(shortened(value, 24))} ({percent(share)})"
        for share, value in (min(shares), max(shares))
    )
    return f"Errors by {attribute}: most in {most}, least in {least}"


def _slice_cell(part: SliceRates, category: str) -> _HeatCell:
    nothing = Rate(count=0, total=part.total)
    rates = part.rates
    rate = rates.by_category.get(category, nothing) if category else rates.any_error
    return _HeatCell((category, part.value), rate, f"{plain(part.value)}<br>{rate_text(rate)}")


def cooccurrence(patterns: ErrorPatterns, taxonomy: Taxonomy) -> go.Figure:
    """Which errors occur together: of the summaries with the row's error, how many have the other.

    Rows of fewer than 10 summaries are grey. Cells carry (category id, category id) as customdata.
    """
    counts, pairs = patterns.by_category(), patterns.pairs()
    if not pairs:
        return empty("No summary has two kinds of error, so no errors occur together.")
    categories = in_order(taxonomy, set(counts))
    names = {c: category_name(taxonomy, c) for c in categories}

    def cell(row: str, column: str) -> _HeatCell:
        if row == column:
            return _HeatCell((row, column))
        one, other = sorted((row, column))
        rate = Rate(count=pairs[one, other], total=counts[row])
        hover = f"of those with “{names[row]}”,<br>with “{names[column]}”: {rate_text(rate)}"
        return _HeatCell((row, column), rate, hover)

    (one, other), n = pairs.most_common(1)[0]
    few = any(n < FEW for n in counts.values())
    return _heatmap(
        [[cell(row, column) for column in categories] for row in categories],
        rows=[f"{_row_label(taxonomy, c)} ({counts[c]:,})" for c in categories],
        columns=list(names.values()),
        title=f"“{names[one]}” and “{names[other]}” occur together most often, in {n:,} "
        + ("summaries" if n > 1 else "summary"),
        subtitle="Of the summaries with the error on the left (in brackets), those that also have "
        "the one below. Colour: their share" + (GREY_MEANS if few else ""),
    )


def _row_label(taxonomy: Taxonomy, category: str) -> str:
    """A row's label with the category's own colour."""
    if not category:
        return "<b>Any error</b>"
    name = wrapped(category_name(taxonomy, category), 24)
    colour = category_colour(taxonomy, category)
    return f'{name} <span style="color:{colour};font-size:17px">■</span>'


def _heatmap(
    cells: _HeatRows, *, rows: Sequence[str], columns: Sequence[str], title: str, subtitle: str
) -> go.Figure:
    """Two layers: cells with enough summaries coloured by their share, the others grey."""
    coloured, grey = _layer(cells, few=False), _layer(cells, few=True)
    coloured.coloraxis = "coloraxis"
    grey.update(colorscale=[[0, GREY], [1, GREY]], showscale=False, text=None, texttemplate="")
    grey_texts = [
        (x, y, f"{rate.count:,}")
        for y, row in enumerate(cells)
        for x, cell in enumerate(row)
        if (rate := cell.drawn_as(few=True))
    ]
    return drawn(
        [coloured, grey, plain_text(grey_texts)],
        title,
        subtitle,
        height=44 * len(rows) + 30,
        legend="none",
        xaxis=_columns_axis(columns),
        yaxis=rows_axis(rows),
        coloraxis={"cmin": 0, "colorbar": {"ticksuffix": " %"}},
    )


def _columns_axis(labels: Sequence[str]) -> dict[str, object]:
    if len(labels) <= MOST_UPRIGHT:
        return {**labelled([wrapped(label, 12) for label in labels]), "tickangle": 0}
    return {**labelled([shortened(label, 30) for label in labels]), "tickangle": -40}


def _layer(cells: _HeatRows, *, few: bool) -> go.Heatmap:
    """The cells of few summaries, or those of enough; the others stay open."""
    rates = [[cell.drawn_as(few=few) for cell in row] for row in cells]
    return go.Heatmap(
        z=[[100 * (r.share or 0) if r else None for r in row] for row in rates],
        text=[[f"{r.count:,}" if r else "" for r in row] for row in rates],
        texttemplate="%{text}",
        textfont={"size": 15},
        xgap=3,
        ygap=3,
        hovertext=[[cell.hover for cell in row] for row in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverongaps=False,
        customdata=[[cell.data for cell in row] for row in cells],
    )
