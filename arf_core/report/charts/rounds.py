"""What a revision round did, and how far detectors agree with people."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from arf_core.evaluate.agreement import Agreement, Counts
from arf_core.evaluate.rates import Rate
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import interval_marks, round_step
from arf_core.report.charts.palette import FIXED, NEW, NOT_FIXED, UNCHECKED, ink_on
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    listed,
    plain,
    rate_text,
    reader_name,
    thousands,
    wrapped,
)
from arf_core.store.round_counts import CategoryOutcome

ANSWERS = (
    ("fixed", "fixed", FIXED),
    ("not_fixed", "not fixed", NOT_FIXED),
    ("unchecked", "unchecked", UNCHECKED),
)


def round_outcome(outcomes: Sequence[CategoryOutcome], taxonomy: Taxonomy) -> go.Figure:
    """What became of a round's findings by category, and to the left the errors that came in."""
    if not outcomes:
        return empty("This round had no findings to answer, or nothing was revised yet.")
    rows = sorted(outcomes, key=lambda o: (-o.asked, -o.new_errors))
    labels = [wrapped(category_name(taxonomy, o.category)) for o in rows]
    bars = [
        _outcome_bar(name, colour, rows, [getattr(o, field) for o in rows])
        for field, name, colour in ANSWERS
    ]
    new = [o.new_errors for o in rows]
    bars.append(_outcome_bar("new error", NEW, rows, new, sign=-1))
    most = max(max(o.asked for o in rows), 1)
    return drawn(
        bars,
        _outcome_title(rows),
        "By category. Unchecked: no verifier could judge it, or none has looked"
        + ("; new errors stand to the left" if any(new) else ""),
        height=34 * len(rows) + 20,
        barmode="relative",
        bargap=0.35,
        xaxis={
            "title": {"text": "findings"},
            "range": [-1.08 * max(new) if any(new) else 0, 1.04 * most],
            **_counts_axis(-max(new), most),
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": labels,
            "autorange": "reversed",
            "showgrid": False,
        },
        legend_traceorder="normal",
    )


def _outcome_bar(
    name: str, colour: str, rows: Sequence[CategoryOutcome], counts: Sequence[int], sign: int = 1
) -> go.Bar:
    return go.Bar(
        name=name,
        orientation="h",
        x=[sign * n for n in counts],
        y=list(range(len(rows))),
        marker={"color": colour, "line": {"width": 0}},
        text=[thousands(n) if n else "" for n in counts],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 15, "color": ink_on(colour)},
        customdata=[[o.system, o.category] for o in rows],
        hovertext=[f"{name}: {thousands(n)}" for n in counts],
        hovertemplate="<b>%{hovertext}</b><extra></extra>",
    )


def _outcome_title(rows: Sequence[CategoryOutcome]) -> str:
    asked, fixed = sum(o.asked for o in rows), sum(o.fixed for o in rows)
    new = sum(o.new_errors for o in rows)
    came = {0: "no new error", 1: "1 new error"}.get(new, f"{thousands(new)} new errors")
    return (
        f"{thousands(fixed)} of {thousands(asked)} findings are verified as fixed; {came} came in"
    )


def _counts_axis(low: int, high: int) -> dict[str, list[object]]:
    """Ticks at round numbers, those left of zero without a sign."""
    step = round_step((high - low) / 6)
    ticks = [*range(-step * (-low // step), 0, step), *range(0, high + 1, step)]
    return {"tickvals": [*ticks], "ticktext": [thousands(abs(t)) for t in ticks]}


Compared = Literal["findings", "places", "has_error"]
COMPARED: dict[Compared, str] = {
    "findings": "findings, by category and sentence",
    "places": "findings, by sentence, whatever their category",
    "has_error": "summaries with any error",
}


def against_reference(agreements: Sequence[Agreement], by: Compared = "findings") -> go.Figure:
    """Precision and recall of each detector against a reference, with 95 % Wilson intervals.

    `by` says what is compared: findings with their category, their places alone, or the plain
    question whether a summary has an error.
    """
    shown = [a for a in agreements if a.summaries]
    if not shown:
        return empty(
            "No summary has been read by both a detector and a person yet. Label some summaries "
            "to see how far the detectors are right."
        )
    counts: list[Counts] = [getattr(a, by) for a in shown]
    right = [Rate(count=c.hits, total=c.hits + c.false_alarms) for c in counts]
    found = [Rate(count=c.hits, total=c.hits + c.misses) for c in counts]
    references = listed([plain(reader_name(r)) for r in sorted({a.reference for a in shown})])
    return drawn(
        [_shares("precision", right, shown, 0), _shares("recall", found, shown, 1)],
        f"How far detectors agree with {references}",
        f"Precision: of what a detector reports, the share that is right. Recall: of what is "
        f"there, the share that it finds. Compared: {COMPARED[by]}",
        height=64 * len(shown) + 10,
        xaxis={
            "title": {"text": "share, with 95 % interval"},
            "ticksuffix": " %",
            "range": [0, 101],
        },
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": [
                f"{wrapped(plain(reader_name(a.detector)))}<br>{thousands(a.summaries)} summaries"
                for a in shown
            ],
            "range": [len(shown) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def _shares(name: str, rates: Sequence[Rate], shown: Sequence[Agreement], place: int) -> go.Scatter:
    """One mark a detector; where nothing was reported or there was nothing to find, none."""
    return go.Scatter(
        name=name,
        **interval_marks(rates, [i + (place - 0.5) * 0.28 for i in range(len(shown))], place + 1),
        customdata=[a.detector for a in shown],
        hovertext=[plain(reader_name(a.detector)) for a in shown],
        text=[rate_text(r) for r in rates],
        hovertemplate=f"<b>{name}</b><br>%{{text}}<extra>%{{hovertext}}</extra>",
    )
