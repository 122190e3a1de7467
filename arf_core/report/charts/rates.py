"""How often systems err: by category, and by how much harm an error does."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from arf_core.evaluate.rates import ErrorRates, Rate
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Record
from arf_core.report.charts.marks import interval_marks, plain_text
from arf_core.report.charts.palette import CLEAN, SEVERITY_COLOURS, UNKNOWN, ink_on
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    listed,
    name_of,
    percent,
    plain,
    rate_text,
    reader_name,
    thousands,
    wrapped,
)
from arf_core.store.patterns import ErrorPatterns

ANY = ""
"""Stands for the row of any error, as no category can."""
MOST_NAMED = 4
"""Systems that a title names one by one."""


def error_rates(
    rates: Sequence[ErrorRates], taxonomy: Taxonomy, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Share of each system's summaries with an error of each category, and with any.

    One mark a system, with its 95 % Wilson interval; rows by the first system's rate. Points carry
    (system, category id) as customdata, "" for any error. `names` are systems as people read them.
    """
    rates = [r for r in rates if r.any_error.total]
    if not rates:
        return empty("No summaries have been read yet. Run Analyze to see which errors they have.")
    rows = [ANY, *_by_frequency(rates, taxonomy)]
    step = max(34, 14 * len(rates) + 16)
    figure = drawn(
        [_marks(r, i, len(rates), rows, names) for i, r in enumerate(rates)],
        _rates_title(rates, names),
        _read_by([r.any_error.total for r in rates], [r.detector for r in rates]),
        height=step * len(rows),
        legend="above" if len(rates) > 1 else "none",
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [_row_label(c, taxonomy) for c in rows],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
        },
        xaxis={
            "title": {"text": "share of summaries, with 95 % interval"},
            "ticksuffix": " %",
            "range": _range(rates),
        },
    )
    return figure.add_hline(y=0.5, line_width=1)


def _range(rates: Sequence[ErrorRates]) -> list[float]:
    """The axis in percent: room for a mark at 0, and a little beyond the longest interval."""
    every = [r.any_error for r in rates] + [c for r in rates for c in r.by_category.values()]
    furthest = 100 * max(high for _, high in (r.interval or (0, 0) for r in every))
    return [-0.02 * furthest, 1.03 * furthest]


def _by_frequency(rates: Sequence[ErrorRates], taxonomy: Taxonomy) -> list[str]:
    """Categories that any system errs in, the first system's most frequent ahead."""
    found = {c for r in rates for c in r.by_category}
    order = [c for c in taxonomy.by_id if c in found] + sorted(found - set(taxonomy.by_id))
    return sorted(order, key=lambda c: [-_rate(r, c).count / r.any_error.total for r in rates])


def _rate(rates: ErrorRates, category: str) -> Rate:
    if category == ANY:
        return rates.any_error
    return rates.by_category.get(category, Rate(count=0, total=rates.any_error.total))


def _marks(
    rates: ErrorRates, i: int, n: int, rows: Sequence[str], names: Mapping[str, str] | None
) -> go.Scatter:
    every = [_rate(rates, c) for c in rows]
    offset = (i - (n - 1) / 2) * min(0.24, 0.7 / n)
    name = name_of(rates.system, names)
    return go.Scatter(
        name=name,
        **interval_marks(every, [row + offset for row in range(len(rows))], i),
        customdata=[[rates.system, c] for c in rows],
        text=[rate_text(r) for r in every],
        hovertemplate=f"<b>{name}</b><br>%{{text}}<extra></extra>",
    )


def _row_label(category: str, taxonomy: Taxonomy) -> str:
    if category == ANY:
        return "<b>Any error</b>"
    return wrapped(category_name(taxonomy, category))


def _rates_title(rates: Sequence[ErrorRates], names: Mapping[str, str] | None) -> str:
    if len(rates) > MOST_NAMED:
        return "How many of each system's summaries have an error, and of which kind"
    shares = [(percent(r.any_error.share or 0), name_of(r.system, names)) for r in rates]
    if len(shares) == 1:
        return f"{shares[0][0]} of the summaries by {shares[0][1]} have an error"
    (first, whose), *others = shares
    parts = [f"{first} of summaries by {whose}", *(f"{share} by {who}" for share, who in others)]
    return f"An error in {listed(parts)}"


def _read_by(totals: Sequence[int], readers: Sequence[str]) -> str:
    """How many summaries were read, by whom: one figure where it is the same for all systems."""
    many = " to ".join(thousands(n) for n in sorted({min(totals), max(totals)}))
    each = " each" if len(totals) > 1 and len(set(totals)) == 1 else ""
    by = listed([plain(reader_name(r)) for r in sorted(set(readers))])
    return f"{many} summaries{each}, read by {by}"


class _Part(Record):
    """One part of a bar: summaries whose worst error has this severity."""

    label: str
    colour: str
    counts: tuple[int, ...]


SEVERITIES = {3: "misleads", 2: "misinforms", 1: "costs time"}


def severity(
    patterns: Sequence[ErrorPatterns], taxonomy: Taxonomy, names: Mapping[str, str] | None = None
) -> go.Figure:
    """Summaries by their worst error: one bar a system, all its summaries long."""
    patterns = [p for p in patterns if p.total]
    if not patterns:
        return empty("No summaries have been read yet. Run Analyze to see how grave errors are.")
    worst = [_worst(p, taxonomy) for p in patterns]
    parts = [
        _Part(label=label, colour=SEVERITY_COLOURS[s], counts=tuple(w[s] for w in worst))
        for s, label in SEVERITIES.items()
    ]
    if any(w[0] for w in worst):
        left = tuple(w[0] for w in worst)
        parts.append(_Part(label="category no longer known", colour=UNKNOWN, counts=left))
    clean = tuple(p.clean for p in patterns)
    parts.append(_Part(label="no error found", colour=CLEAN, counts=clean))
    totals, readers = [p.total for p in patterns], [p.detector for p in patterns]
    labels = [wrapped(name_of(p.system, names)) for p in patterns]
    return drawn(
        [*(_bar(part, patterns) for part in parts), _clean_shares(patterns)],
        _severity_title(worst, patterns, names),
        f"A summary counts once, by its worst error. {_read_by(totals, readers)}",
        height=54 * len(patterns) + 10,
        barmode="stack",
        bargap=0.3,
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "autorange": "reversed",
            "showgrid": False,
        },
        xaxis={"title": {"text": "share of summaries"}, "ticksuffix": " %", "range": [0, 100]},
        legend_traceorder="normal",
    )


def _worst(patterns: ErrorPatterns, taxonomy: Taxonomy) -> dict[int, int]:
    """Erring summaries by the severity of their worst error; 0 where no category is known."""
    counts = dict.fromkeys((0, *SEVERITIES), 0)
    for pattern in patterns.patterns:
        known = [taxonomy.by_id[c].severity for c in pattern.categories if c in taxonomy.by_id]
        counts[max(known, default=0)] += pattern.summaries
    return counts


def _bar(part: _Part, patterns: Sequence[ErrorPatterns]) -> go.Bar:
    rates = [Rate(count=n, total=p.total) for n, p in zip(part.counts, patterns, strict=True)]
    shares = [r.share or 0 for r in rates]
    return go.Bar(
        name=part.label,
        orientation="h",
        y=list(range(len(patterns))),
        x=[100 * share for share in shares],
        marker={"color": part.colour, "line": {"width": 0}},
        text=["" if part.colour == CLEAN else _inside(share) for share in shares],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 15, "color": ink_on(part.colour)},
        hovertext=[rate_text(r) for r in rates],
        hovertemplate=f"<b>{part.label}</b><br>%{{hovertext}}<extra></extra>",
        customdata=[p.system for p in patterns],
    )


def _clean_shares(patterns: Sequence[ErrorPatterns]) -> go.Scatter:
    shares = [p.clean / p.total for p in patterns]
    return plain_text([(100 - 50 * s, i, _inside(s)) for i, s in enumerate(shares)])


def _inside(share: float) -> str:
    """The figure inside a part of a bar, where the part is wide enough to hold it."""
    return percent(share) if share >= 0.08 else ""


def _severity_title(
    worst: Sequence[Mapping[int, int]],
    patterns: Sequence[ErrorPatterns],
    names: Mapping[str, str] | None,
) -> str:
    if len(patterns) > MOST_NAMED:
        return "How grave the worst error of each summary is"
    shares = [
        f"{percent(w[3] / p.total)} {'' if i else 'of summaries '}by {name_of(p.system, names)}"
        for i, (w, p) in enumerate(zip(worst, patterns, strict=True))
    ]
    return f"An error that misleads in {listed(shares)}"
