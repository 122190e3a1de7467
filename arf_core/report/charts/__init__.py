"""Charts: each is a function from plain records to a plotly figure, and none reads the store.

Page, notebook and report draw with the same functions. Empty input gives a figure that says what to
do. Figures use the light theme; `in_theme(figure, "dark")` changes it.
"""

from arf_core.report.charts.clusters import clusters
from arf_core.report.charts.distributions import lengths, values
from arf_core.report.charts.palette import category_colour
from arf_core.report.charts.rates import error_rates, severity
from arf_core.report.charts.rounds import against_reference, round_outcome
from arf_core.report.charts.style import empty, in_theme, narrow
from arf_core.report.charts.tables import cooccurrence, error_heatmap
from arf_core.report.charts.training import loss
from arf_core.report.charts.wording import percent, rate_text, reader_name, system_names

__all__ = [
    "against_reference",
    "category_colour",
    "clusters",
    "cooccurrence",
    "empty",
    "error_heatmap",
    "error_rates",
    "in_theme",
    "lengths",
    "loss",
    "narrow",
    "percent",
    "rate_text",
    "reader_name",
    "round_outcome",
    "severity",
    "system_names",
    "values",
]
