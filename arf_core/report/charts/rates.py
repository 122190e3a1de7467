"""How often systems err: by category, and by severity."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from arf_core.evaluate.rates import ErrorRates, Rate
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import (
    interval_marks,
    percent_axis,
    plain_text,
    rows_axis,
    stacked_bar,
)
from arf_core.report.charts.palette import CLEAN, SEVERITY_COLOURS, UNKNOWN
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    in_order,
    name_of,
    percent,
    rate_text,
    rates_title,
    readers_subtitle,
    wrapped,
)
from arf_core.store.patterns import ErrorPatterns

ANY = ""
"""The row of any error; no category has this id."""


def error_rates(
    rates: Sequence[ErrorRates], taxonomy: Taxonomy, names: Mapping[str, str] = {}
) -> go.Figure:
    """Share of each system's summaries with an error of each category, and with any.

    One mark per system, with its 95 % Wilson interval; rows sorted by the first system's rate.
    Points carry (system, category id) as customdata, "" for any error. `names` are display names.
    """
    rates = [r for r in rates if r.any_error.total]
    if not rates:
        return empty("No summaries have been read yet. Run Analyze to find their errors.")
    categories = in_order(taxonomy, {c for r in rates for c in r.by_category})
    categories.sort(key=lambda c: [-_rate(r, c).count / r.any_error.total for r in rates])
    rows = [ANY, *categories]
    bounds = [_rate(r, c).interval or (0, 0) for r in rates for c in rows]
    furthest = 100 * max(high for _, high in bounds)
    systems = [name_of(r.system, names) for r in rates]
    gap = min(0.24, 0.7 / len(rates))
    offsets = [(i - (len(rates) - 1) / 2) * gap for i in range(len(rates))]
    figure = drawn(
        [
            interval_marks(
                systems[i],
                [_rate(r, c) for c in rows],
                [row + offsets[i] for row in range(len(rows))],
                i,
                data=[[r.system, c] for c in rows],
            )
            for i, r in enumerate(rates)
        ],
        rates_title("errs", [r.any_error.share or 0 for r in rates], systems),
        readers_subtitle([r.any_error.total for r in rates], [r.detector for r in rates]),
        height=max(34, 14 * len(rates) + 16) * len(rows),
        legend="above" if len(rates) > 1 else "none",
        yaxis=rows_axis(
            ["<b>Any error</b>", *(wrapped(category_name(taxonomy, c)) for c in categories)]
        ),
        # room for a mark at 0, and a little beyond the longest interval
        xaxis=percent_axis(
            "share of summaries, with 95 % interval", -0.02 * furthest, 1.03 * furthest
        ),
    )
    return figure.add_hline(y=0.5, line_width=1)


def _rate(rates: ErrorRates, category: str) -> Rate:
    if category == ANY:
        return rates.any_error
    return rates.by_category.get(category, Rate(count=0, total=rates.any_error.total))


SEVERITIES = {3: "misleads", 2: "misinforms", 1: "costs time", 0: "unknown category"}


def severity(
    patterns: Sequence[ErrorPatterns], taxonomy: Taxonomy, names: Mapping[str, str] = {}
) -> go.Figure:
    """Summaries by their most severe error: one bar per system, scaled to all its summaries."""
    patterns = [p for p in patterns if p.total]
    if not patterns:
        return empty("No summaries have been read yet. Run Analyze to see how severe errors are.")
    counts = [_by_worst_error(p, taxonomy) for p in patterns]
    parts = [
        _part(label, SEVERITY_COLOURS.get(level, UNKNOWN), [c[level] for c in counts], patterns)
        for level, label in SEVERITIES.items()
        if level or any(c[level] for c in counts)
    ]
    parts.append(_part("no error found", CLEAN, [p.clean for p in patterns], patterns))
    clean = [p.clean / p.total for p in patterns]
    systems = [name_of(p.system, names) for p in patterns]
    readers = readers_subtitle([p.total for p in patterns], [p.detector for p in patterns])
    return drawn(
        [*parts, plain_text([(100 - 50 * s, i, _inside(s)) for i, s in enumerate(clean)])],
        rates_title(
            "misleads", [c[3] / p.total for c, p in zip(counts, patterns, strict=True)], systems
        ),
        f"Each summary counts once, by its most severe error. {readers}",
        height=54 * len(patterns) + 10,
        barmode="stack",
        bargap=0.3,
        yaxis=rows_axis([wrapped(system) for system in systems]),
        xaxis=percent_axis("share of summaries", 0, 100),
        legend_traceorder="normal",
    )


def _by_worst_error(patterns: ErrorPatterns, taxonomy: Taxonomy) -> dict[int, int]:
    """Erring summaries by the severity of their worst error; 0 if no category is known."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for pattern in patterns.patterns:
        known = [taxonomy.by_id[c].severity for c in pattern.categories if c in taxonomy.by_id]
        counts[max(known, default=0)] += pattern.summaries
    return counts


def _part(
    label: str, colour: str, counts: Sequence[int], patterns: Sequence[ErrorPatterns]
) -> go.Bar:
    rates = [Rate(count=n, total=p.total) for n, p in zip(counts, patterns, strict=True)]
    shares = [r.share or 0 for r in rates]
    return stacked_bar(
        label,
        colour,
        [100 * share for share in shares],
        # the theme's own colour is needed on the clear part: see `plain_text`
        texts=[_inside(share) if colour != CLEAN else "" for share in shares],
        hover=[f"<b>{label}</b><br>{rate_text(r)}" for r in rates],
        data=[p.system for p in patterns],
    )


def _inside(share: float) -> str:
    """The number inside a part of a bar, if it is wide enough."""
    return percent(share) if share >= 0.08 else ""
