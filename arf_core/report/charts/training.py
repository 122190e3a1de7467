"""How a training goes: the loss by step."""

from collections.abc import Sequence

import plotly.graph_objects as go

from arf_core.finetune.training_records import StepRow
from arf_core.report.charts.palette import SYSTEM_COLOURS
from arf_core.report.charts.style import drawn, empty


def loss(steps: Sequence[StepRow]) -> go.Figure:
    """Loss of the rows that are learnt from, and of the dev split, by step."""
    learnt = [(row.step, row.loss) for row in steps if row.loss is not None]
    held = [(row.step, row.eval_loss) for row in steps if row.eval_loss is not None]
    if not learnt:
        return empty("No step has been made yet. Start the training, or see its log.")
    total = steps[-1].total
    mode = "lines" if len(learnt) > 1 else "lines+markers"  # a line of one point is none
    traces = [_line("learnt from", learnt, SYSTEM_COLOURS[0], mode)]
    if held:
        traces.append(_line("dev split", held, SYSTEM_COLOURS[1], "lines+markers"))
    step, last = learnt[-1]
    return drawn(
        traces,
        f"Loss {last:.3f} at step {step:,} of {total:,}",
        "counted on the answers alone",
        height=260,
        xaxis={"title": {"text": "step"}, "range": [0, total + 0.5]},
        yaxis={"title": {"text": "loss"}, "rangemode": "tozero"},
    )


def _line(name: str, points: Sequence[tuple[int, float]], colour: str, mode: str) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode=mode,
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 8},
        hovertemplate="step %{x}: %{y:.4f}<extra>" + name + "</extra>",
    )
