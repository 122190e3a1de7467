"""How every chart looks: one template for light and one for dark, titles, empty charts.

Backgrounds are transparent, so a figure takes on the page that it stands in. Data colours serve
both themes; `in_theme` swaps the rest. In Streamlit: `st.plotly_chart(figure, theme=None)`.
"""

import textwrap
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go

from arf_core.report.charts.palette import CATEGORY_COLOURS

Theme = Literal["light", "dark"]
TITLE_WIDTH = 54
"""Characters of a title's line, so that it fits a figure 640 pixels wide."""
FONT = '"Source Sans", "Source Sans Pro", "Segoe UI", system-ui, Helvetica, Arial, sans-serif'
CLEAR = "rgba(0,0,0,0)"


class _Tones(NamedTuple):
    """What differs between light and dark."""

    text: str
    muted: str
    grid: str
    line: str
    hover: str
    veil: str
    """Behind words that stand among points."""
    scale: tuple[str, ...]
    """From no errors to many."""


TONES: dict[Theme, _Tones] = {
    "light": _Tones(
        text="#1d2330",
        muted="#566072",
        grid="#e4e8ee",
        line="#a3acba",
        hover="#ffffff",
        veil="rgba(255,255,255,0.75)",
        scale=("#fdf5ec", "#f8d3ab", "#ec9d5b", "#cf6a26", "#9c4110", "#652605"),
    ),
    "dark": _Tones(
        text="#f1f3f7",
        muted="#aab3c2",
        grid="#272d38",
        line="#566072",
        hover="#1b212c",
        veil="rgba(14,17,23,0.75)",
        scale=("#1f1a18", "#4a2a15", "#824317", "#bd6526", "#ea9a58", "#fdd6ae"),
    ),
}


def _template(theme: Theme) -> go.layout.Template:
    tones = TONES[theme]
    small = {"size": 14, "color": tones.muted}
    axis = {
        "gridcolor": tones.grid,
        "linecolor": tones.line,
        "zeroline": False,
        "tickfont": {"size": 14, "color": tones.text},
        "title": {"font": small},
        "automargin": True,
        "ticks": "",
        "ticklabelstandoff": 10,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 14, "color": tones.text},
            "title": {"font": {"size": 18, "weight": 600}, "subtitle": {"font": small}},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "colorway": list(CATEGORY_COLOURS),
            "colorscale": {"sequential": [list(stop) for stop in _stops(tones.scale)]},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"font": {"size": 14}, "bgcolor": CLEAR},
            "hoverlabel": {
                "bgcolor": tones.hover,
                "bordercolor": tones.line,
                "font": {"size": 14, "family": FONT, "color": tones.text},
                "align": "left",
            },
            "coloraxis": {
                "colorbar": {
                    "outlinewidth": 0,
                    "thickness": 14,
                    "tickfont": small,
                }
            },
            "annotationdefaults": {"font": small, "bgcolor": tones.veil},
            "shapedefaults": {"line": {"color": tones.line}},
        }
    )


def _stops(colours: Sequence[str]) -> list[tuple[float, str]]:
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


TEMPLATES: dict[Theme, go.layout.Template] = {t: _template(t) for t in TONES}


def in_theme(figure: go.Figure, theme: Theme) -> go.Figure:
    """The same figure for a light or a dark page."""
    return go.Figure(figure).update_layout(template=TEMPLATES[theme])


def drawn(
    traces: Sequence[Any],
    title: str,
    subtitle: str = "",
    *,
    height: int,
    legend: Literal["above", "below", "none"] = "above",
    **layout: Any,
) -> go.Figure:
    """A figure with its title as a sentence, the legend below it, and room for both.

    `height` is that of the plot itself, in pixels; the width follows the page.
    """
    lines = _lines(title, TITLE_WIDTH)
    sub = _lines(subtitle, TITLE_WIDTH + 14)
    figure = go.Figure(list(traces))
    rows = _legend_rows([t.name for t in figure.data if t.name]) if legend == "above" else 0
    top = 24 + 25 * len(lines) + 20 * len(sub) + 26 * rows
    return figure.update_layout(
        template=TEMPLATES["light"],
        title={
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(sub)},
            "x": 0,
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            # plotly places a title of several lines higher than one of a single line
            "pad": {"t": 12 if len(lines) == 1 else 28, "l": 8},
        },
        height=height + top + BOTTOM,
        margin={"t": top, "r": 24, "b": BOTTOM, "l": 8},
        showlegend=legend != "none",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1 if legend == "above" else -0.02,
            "yanchor": "bottom" if legend == "above" else "top",
        },
    ).update_layout(**layout)


BOTTOM = 56


def narrow(figure: go.Figure, width: int = 34) -> go.Figure:
    """The same figure with its title in lines of at most `width` characters, for half a page."""
    made = go.Figure(figure)
    title, subtitle = made.layout.title.text, made.layout.title.subtitle.text
    if not title:
        return made
    lines, sub = _again(title, width), _again(subtitle or "", width + 10)
    more = 25 * (len(lines) - title.count("<br>") - 1)
    more += 20 * (len(sub) - len(subtitle.split("<br>"))) if subtitle else 0
    return made.update_layout(
        title={
            "text": "<br>".join(lines),
            "subtitle": {"text": "<br>".join(sub)},
            "pad": {"t": 12 if len(lines) == 1 else 28, "l": 8},
        },
        height=made.layout.height + more,
        margin={"t": made.layout.margin.t + more},
    )


def _again(text: str, width: int) -> list[str]:
    return _lines(text.replace("<br>", " "), width)


def _legend_rows(names: Sequence[str]) -> int:
    """Rows of a legend over a plot 420 pixels wide, as one beside long labels is."""
    rows, used = 1, 0
    for name in names:
        width = 46 + 8 * len(name)
        rows, used = (rows + 1, width) if used and used + width > 420 else (rows, used + width)
    return rows


def _lines(text: str, width: int) -> list[str]:
    """Lines of about equal length, so that no word is left over on the last."""

    def wrap(width: int) -> list[str]:
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)

    lines = wrap(width)
    while width > 20 and len(balanced := wrap(width - 1)) == len(lines):
        lines, width = balanced, width - 1
    return lines


def empty(sentence: str) -> go.Figure:
    """A figure that says in its middle what to do, where there is nothing to draw yet."""
    figure = drawn([], "", height=120, legend="none")
    figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    return figure.add_annotation(
        text="<br>".join(_lines(sentence, TITLE_WIDTH)),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 16},
        bgcolor=CLEAR,
    )
