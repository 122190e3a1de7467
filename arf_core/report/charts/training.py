"""The course of a training: loss by step."""

from collections.abc import Sequence

import plotly.graph_objects as go

from arf_core.report.charts.palette import SYSTEM_COLOURS
from arf_core.report.charts.style import drawn, empty
from arf_core.training.training_records import StepRow


def loss(steps: Sequence[StepRow]) -> go.Figure:
    """Loss of the training rows and of the dev split, by step."""
    training = [(row.step, row.loss) for row in steps if row.loss is not None]
    dev = [(row.step, row.eval_loss) for row in steps if row.eval_loss is not None]
    if not training:
        return empty("No training step has finished yet. Start the training, or check its log.")
    total = steps[-1].total
    mode = "lines" if len(training) > 1 else "lines+markers"  # a line of one point is invisible
    traces = [_line("training", training, SYSTEM_COLOURS[0], mode)]
    if dev:
        traces.append(_line("dev split", dev, SYSTEM_COLOURS[1], "lines+markers"))
    step, last = training[-1]
    return drawn(
        traces,
        f"Training loss {last:.3f} at step {step:,} of {total:,}",
        "Computed on the summaries alone, not on the prompts",
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
