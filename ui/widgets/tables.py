"""Charts, and tables to download as CSV files."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from arf_core.records import Record
from arf_core.report.charts import in_theme
from ui.escape import defused


def figure(
    chart: go.Figure,
    key: str,
    *,
    data: pd.DataFrame | None = None,
    on_select: Callable[[], None] | Literal["ignore", "rerun"] = "ignore",
) -> Any:
    """A chart in the page's theme, with a button that downloads `data` as CSV.

    Returns the selection, unless `on_select` is "ignore".
    """
    chosen = st.plotly_chart(
        in_theme(chart, _theme()),
        theme=None,
        key=key,
        on_select=on_select,
        config={
            "displaylogo": False,
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
        },
    )
    if data is not None:
        download("Download as CSV", data, f"{key}.csv", key=f"{key}-csv")
    return chosen


def _theme() -> Literal["light", "dark"]:
    return st.context.theme.type or "light"


def csv_of(rows: pd.DataFrame | Sequence[Record]) -> bytes:
    """A table as CSV for spreadsheets: UTF-8 with a byte-order mark, formulas defused."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([r.model_dump() for r in rows])
    safe = frame.map(defused).rename(columns=lambda name: defused(str(name)))
    return safe.to_csv(index=False).encode("utf-8-sig", "replace")


def download(
    words: str,
    rows: pd.DataFrame | Sequence[Record] | Callable[[], bytes],
    name: str,
    *,
    key: str | None = None,
) -> None:
    """A button that downloads a table as CSV; the file is made when it is pressed."""
    make = rows if callable(rows) else lambda: csv_of(rows)
    st.download_button(
        words,
        data=make,
        file_name=name,
        mime="text/csv",
        key=key or f"download-{name}",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )
