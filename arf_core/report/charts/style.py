"""How every chart looks: a light and a dark template, titles, empty charts.

Backgrounds are transparent, so a figure fits any page. Data colours serve both themes; `in_theme`
changes the rest. In Streamlit: `st.plotly_chart(figure, theme=None)`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import plotly.graph_objects as go

from arf_core.report.charts.palette import CATEGORY_COLOURS
from arf_core.report.charts.wording import lines

Theme = Literal["light", "dark"]
TITLE_WIDTH = 54
"""Characters per line of a title, to fit a figure 640 pixels wide."""
NARROW_WIDTH = 34
"""The same for half a page."""
BOTTOM = 56
FONT = '"Source Sans", "Source Sans Pro", "Segoe UI", system-ui, Helvetica, Arial, sans-serif'
CLEAR = "rgba(0,0,0,0)"


TONES: dict[Theme, dict[str, Any]] = json.loads(
    Path(__file__).with_name("themes.json").read_text(encoding="utf-8")
)
"""What differs between the themes: `veil` lies behind labels among points; `scale` goes from few
errors to many."""


def _template(theme: Theme) -> go.layout.Template:
    tones = TONES[theme]
    small = {"size": 14, "color": tones["muted"]}
    axis = {
        "gridcolor": tones["grid"],
        "linecolor": tones["line"],
        "zeroline": False,
        "tickfont": {"size": 14, "color": tones["text"]},
        "title": {"font": small},
        "automargin": True,
        "ticks": "",
        "ticklabelstandoff": 10,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 14, "color": tones["text"]},
            "title": {"font": {"size": 18, "weight": 600}, "subtitle": {"font": small}},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "colorway": list(CATEGORY_COLOURS),
            "colorscale": {"sequential": tones["scale"]},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"font": {"size": 14}, "bgcolor": CLEAR},
            "hoverlabel": {
                "bgcolor": tones["hover"],
                "bordercolor": tones["line"],
                "font": {"size": 14, "family": FONT, "color": tones["text"]},
                "align": "left",
            },
            "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 14, "tickfont": small}},
            "annotationdefaults": {"font": small, "bgcolor": tones["veil"]},
            "shapedefaults": {"line": {"color": tones["line"]}},
        }
    )


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
    """A figure with its title as a sentence, a legend, and room for both.

    `height` is that of the plot itself, in pixels; the width follows the page.
    """
    figure = go.Figure(list(traces))
    rows = _legend_rows([t.name for t in figure.data if t.name]) if legend == "above" else 0
    top = 24 + 26 * rows
    figure.update_layout(
        template=TEMPLATES["light"],
        title={"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"},
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
    )
    return _set_title(figure, title, subtitle, TITLE_WIDTH).update_layout(**layout)


def narrow(figure: go.Figure) -> go.Figure:
    """The same figure with its title in shorter lines, for half a page."""
    title = figure.layout.title
    text, subtitle = (t.text.replace("<br>", " ") for t in (title, title.subtitle))
    return _set_title(go.Figure(figure), text, subtitle, NARROW_WIDTH)


def _set_title(figure: go.Figure, title: str, subtitle: str, width: int) -> go.Figure:
    """Set or replace the title, in lines of at most `width` characters; the plot keeps its size."""
    rows, subrows = _even_lines(title, width), _even_lines(subtitle, width * 5 // 4)
    layout = figure.layout
    more = 25 * (len(rows) - _count_lines(layout.title.text))
    more += 20 * (len(subrows) - _count_lines(layout.title.subtitle.text))
    return figure.update_layout(
        title={
            "text": "<br>".join(rows),
            "subtitle": {"text": "<br>".join(subrows)},
            # plotly places a title of several lines higher than one of a single line
            "pad": {"t": 12 if len(rows) == 1 else 28, "l": 8},
        },
        height=layout.height + more,
        margin={"t": layout.margin.t + more},
    )


def _count_lines(text: str | None) -> int:
    return text.count("<br>") + 1 if text else 0


def _legend_rows(names: Sequence[str]) -> int:
    """Rows of a legend above a plot 420 pixels wide, as one beside long labels is."""
    rows, used = 1, 0
    for name in names:
        width = 46 + 8 * len(name)
        rows, used = (rows + 1, width) if used and used + width > 420 else (rows, used + width)
    return rows


def _even_lines(text: str, width: int) -> list[str]:
    """Lines of about equal length, so that no single word is left on the last."""
    found = lines(text, width)
    while width > 20 and len(evener := lines(text, width - 1)) == len(found):
        found, width = evener, width - 1
    return found


def empty(sentence: str) -> go.Figure:
    """A figure without data that says in its middle what to do."""
    figure = drawn([], "", height=120, legend="none")
    figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    return figure.add_annotation(
        text="<br>".join(_even_lines(sentence, TITLE_WIDTH)),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": 16},
        bgcolor=CLEAR,
    )
