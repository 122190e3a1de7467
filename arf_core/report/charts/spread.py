"""How conversations are spread over the values of something: channel, language, split, month."""

from html import escape

import plotly.graph_objects as go

from arf_core.report.charts.palette import SYSTEM_COLOURS, UNKNOWN
from arf_core.report.charts.style import BOTTOM, drawn, empty
from arf_core.report.charts.wording import percent, thousands, wrapped
from arf_core.report.dataset_stats import Values

MARGIN = 16


def values(table: Values) -> go.Figure:
    """Conversations by value, one bar each, in the order of the table.

    Bars carry the value as customdata. What has no value, or a rare one, is grey.
    """
    if not table.total:
        return empty("There are no conversations yet. Import a file on the Data page.")
    total, counts = table.total, [c.conversations for c in table.counts]
    return drawn(
        [
            go.Bar(
                orientation="h",
                y=list(range(len(counts))),
                x=counts,
                marker={
                    "color": [
                        SYSTEM_COLOURS[0] if c.kind == "value" else UNKNOWN for c in table.counts
                    ],
                    "line": {"width": 0},
                },
                text=[f"{thousands(n)} · {percent(n / total)}" for n in counts],
                textposition="outside",
                cliponaxis=False,
                textfont={"size": 14},
                customdata=[c.label for c in table.counts],
                hovertemplate="%{text}<extra></extra>",
            )
        ],
        f"Conversations by {_plain(table.of, 32)}",
        f"{thousands(total)} conversations",
        # there is no axis below the bars, so no room is kept for one
        height=34 * len(counts) + MARGIN - BOTTOM,
        margin_b=MARGIN,
        legend="none",
        bargap=0.32,
        yaxis={
            "tickvals": list(range(len(counts))),
            "ticktext": [wrapped(_plain(c.label)) for c in table.counts],
            "range": [len(counts) - 0.5, -0.5],
            "showgrid": False,
        },
        # room behind the longest bar for its figure
        xaxis={"visible": False, "range": [0, 1.35 * max(counts)]},
    )


def _plain(label: str, most: int = 60) -> str:
    """Safe to draw: a chart reads some tags in any text."""
    return escape(label if len(label) <= most else label[: most - 1] + "…", quote=False)
