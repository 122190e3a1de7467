"""Printing the estimate of a run."""

from collections.abc import Mapping

from arf_core.cli.output import print_json, print_line, print_table
from arf_core.models.estimate import Estimate, Range

MINUTE, HOUR = 60, 3600


def print_estimates(estimates: Mapping[str, Estimate], as_json: bool) -> None:
    """Print a command's estimates by stage."""
    if as_json:
        dumped = {
            stage: e.model_dump() | {"within_budget": e.within_budget}
            for stage, e in estimates.items()
        }
        print_json({"estimate": dumped})
        return
    for stage, estimate in estimates.items():
        _print(stage, estimate)


def _print(stage: str, e: Estimate) -> None:
    rows = [("calls", *_three(e.calls)), ("tokens in", *_three(e.prompt_tokens))]
    rows.append(("tokens out", *_three(e.completion_tokens)))
    if e.cost:
        rows.append((e.currency, *(f"{x:.4g}" for x in _ends(e.cost))))
    if e.seconds:
        rows.append(("time", *map(duration, _ends(e.seconds))))
    title = f"{stage} with {e.who}: {e.items:,} summaries to do"
    print_table(title, ("", "#at least", "#likely", "#at most"), rows)
    if e.stored:
        print_line(f"About {e.stored:,.0f} more have stored replies and are not sent.")
    if e.within_budget:
        print_line(f"Budget left: {e.budget_left:.4g} {e.currency}. Enough: {e.within_budget}.")
    for sentence in e.rests_on:
        print_line(f"Rests on: {sentence}" if sentence == e.rests_on[0] else sentence)


def _ends(of: Range) -> tuple[float, float, float]:
    return of.low, of.likely, of.high


def _three(of: Range) -> tuple[str, ...]:
    return tuple(f"{round(x):,}" for x in _ends(of))


def duration(seconds: float) -> str:
    """Seconds in the best unit: 40 s, 3 min, 2.5 h."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"
