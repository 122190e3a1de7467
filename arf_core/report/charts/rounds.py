"""What a revision round did, and how far detectors agree with people."""

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from arf_core.evaluate.agreement import Agreement, Confusion
from arf_core.evaluate.rates import Rate
from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts.marks import (
    interval_marks,
    percent_axis,
    round_step,
    rows_axis,
    stacked_bar,
)
from arf_core.report.charts.palette import FIXED, NEW, NOT_FIXED, UNCHECKED
from arf_core.report.charts.style import drawn, empty
from arf_core.report.charts.wording import (
    category_name,
    listed,
    percent,
    plain,
    reader_name,
    wrapped,
)
from arf_core.store.round_counts import CategoryOutcome

OUTCOMES = (
    ("fixed", "fixed", FIXED),
    ("not_fixed", "not fixed", NOT_FIXED),
    ("unchecked", "unchecked", UNCHECKED),
)


def round_outcome(outcomes: Sequence[CategoryOutcome], taxonomy: Taxonomy) -> go.Figure:
    """What became of a round's findings by category, with new errors to the left of zero."""
    if not outcomes:
        return empty("This round has not corrected any findings yet. Run Revise to start.")
    rows = sorted(outcomes, key=lambda o: (-o.asked, -o.new_errors))
    new = [o.new_errors for o in rows]
    most = max(max(o.asked for o in rows), 1)
    bars = [
        _outcome_bar(name, colour, rows, [getattr(o, field) for o in rows])
        for field, name, colour in OUTCOMES
    ]
    return drawn(
        [*bars, _outcome_bar("new error", NEW, rows, new, sign=-1)],
        _outcome_title(rows),
        "By category. Unchecked: not checked yet, or no verifier could judge it"
        + (". New errors are to the left" if any(new) else ""),
        height=34 * len(rows) + 20,
        barmode="relative",
        bargap=0.35,
        xaxis={
            "title": {"text": "findings"},
            "range": [-1.08 * max(new) if any(new) else 0, 1.04 * most],
            **_counts_axis(-max(new), most),
        },
        yaxis=rows_axis([wrapped(category_name(taxonomy, o.category)) for o in rows]),
        legend_traceorder="normal",
    )


def _outcome_bar(
    name: str, colour: str, rows: Sequence[CategoryOutcome], counts: Sequence[int], sign: int = 1
) -> go.Bar:
    return stacked_bar(
        name,
        colour,
        [sign * n for n in counts],
        texts=[f"{n:,}" if n else "" for n in counts],
        hover=[f"<b>{name}: {n:,}</b>" for n in counts],
        data=[[o.system, o.category] for o in rows],
    )


def _outcome_title(rows: Sequence[CategoryOutcome]) -> str:
    asked, fixed = sum(o.asked for o in rows), sum(o.fixed for o in rows)
    new = sum(o.new_errors for o in rows)
    new_errors = {0: "no new error", 1: "1 new error"}.get(new, f"{new:,} new errors")
    return f"{fixed:,} of {asked:,} findings verified as fixed, {new_errors}"


def _counts_axis(low: int, high: int) -> dict[str, list[object]]:
    """Ticks at round numbers, those left of zero without a sign."""
    step = round_step((high - low) / 6)
    ticks = [*range(-step * (-low // step), 0, step), *range(0, high + 1, step)]
    return {"tickvals": [*ticks], "ticktext": [f"{abs(t):,}" for t in ticks]}


Compared = Literal["findings", "places", "has_error"]
COMPARED: dict[Compared, str] = {
    "findings": "findings by category and sentence",
    "places": "findings by sentence, in any category",
    "has_error": "summaries with any error",
}


def against_reference(agreements: Sequence[Agreement], by: Compared = "findings") -> go.Figure:
    """Precision and recall of each detector against a reference, with 95 % Wilson intervals.

    `by` says what is compared: findings with their category, findings by sentence alone, or
    whether a summary has any error.
    """
    agreements = [a for a in agreements if a.summaries]
    if not agreements:
        return empty(
            "No summary has been read by both a detector and a person yet. Label some summaries to "
            "measure the detectors."
        )
    counts: list[Confusion] = [getattr(a, by) for a in agreements]
    precision = [Rate(count=c.hits, total=c.hits + c.false_alarms) for c in counts]
    recall = [Rate(count=c.hits, total=c.hits + c.misses) for c in counts]
    detectors = [a.detector for a in agreements]
    readers = [plain(reader_name(d)) for d in detectors]
    marks = [
        interval_marks(
            name,
            rates,
            [i + offset for i in range(len(rates))],
            series,
            data=detectors,
            labels=readers,
        )
        for name, rates, series, offset in (
            ("precision", precision, 1, -0.14),
            ("recall", recall, 2, 0.14),
        )
    ]
    return drawn(
        marks,
        _agreement_title(agreements, recall),
        "Precision: share of what a detector reports that is right. Recall: share of the errors "
        f"that it finds. Compared: {COMPARED[by]}",
        height=64 * len(agreements) + 10,
        xaxis=percent_axis("share, with 95 % interval", 0, 101),
        yaxis=rows_axis(
            [
                f"{wrapped(reader)}<br>{a.summaries:,} summaries"
                for reader, a in zip(readers, agreements, strict=True)
            ]
        ),
    )


def _agreement_title(agreements: Sequence[Agreement], recall: Sequence[Rate]) -> str:
    references = listed([plain(reader_name(r)) for r in sorted({a.reference for a in agreements})])
    measured = [(r.share, a.detector) for r, a in zip(recall, agreements, strict=True) if r.total]
    if not measured:
        return f"Detectors compared with {references}"
    share, best = max(measured, key=lambda m: m[0] or 0)
    highest = "Highest recall" if len(measured) > 1 else "Recall"
    return f"{highest} against {references}: {percent(share or 0)}, {plain(reader_name(best))}"
