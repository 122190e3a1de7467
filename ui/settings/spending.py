"""Settings, Spending: budget, prices, cost of calls, and what was sent where."""

import pandas as pd
import streamlit as st

from arf_core.models.cost import CostRow, Entry, costs, ledger, spent
from arf_core.project import Project
from ui import loaders, widgets
from ui.settings.changes import PROJECT, command, set_values
from ui.state import bound

NEWEST = 200


@loaders.reads
def _spent(project: Project) -> float:
    return spent(project.store)


@loaders.reads
def _costs(project: Project) -> list[CostRow]:
    return costs(project.store)


@loaders.reads
def _ledger(project: Project, newest: int) -> list[Entry]:
    return ledger(project.store, newest)


def draw(project: Project) -> None:
    """Budget and prices, then the two tables."""
    _budget(project)
    _prices(project)
    _cost_table(project)
    _ledger_table(project)


def _budget(project: Project) -> None:
    limits = project.settings.limits
    total = _spent(project)
    key, currency = bound("budget", limits.budget), bound("currency", limits.currency)
    left, middle, right = st.columns(3)
    left.metric("Spent so far", f"{total:,.2f} {widgets.label(limits.currency)}", border=True)
    middle.number_input(
        "Total budget",
        min_value=0.0,
        value=None,
        key=key,
        placeholder="no limit",
        help="A run stops before it exceeds the budget, and keeps finished work. Leave it empty "
        "for no limit.",
        on_change=lambda: set_values(
            project,
            "The budget is removed."
            if st.session_state[key] is None
            else f"The budget is {st.session_state[key]:g} {limits.currency}.",
            {"limits.budget": st.session_state[key]},
        ),
    )
    right.text_input(
        "Currency",
        key=currency,
        max_chars=12,
        on_change=lambda: set_values(
            project,
            f"The currency is {st.session_state[currency] or 'USD'}.",
            {"limits.currency": st.session_state[currency] or None},
        ),
    )
    if limits.budget:
        st.progress(
            min(1.0, total / limits.budget),
            text=f"{total:,.2f} of {limits.budget:,.2f} {widgets.label(limits.currency)}",
        )


def _prices(project: Project) -> None:
    """Two prices for each model on a server."""
    models = {n: o for n, o in project.settings.models.items() if o["provider"] == "openai_api"}
    if not models:
        return
    st.subheader("Prices")
    st.caption("Per million tokens. 0 is free; empty is unknown, and then no budget can hold.")
    for name, options in models.items():
        price = options.get("price") or {}
        what, first, second = st.columns([2, 1, 1], vertical_alignment="bottom")
        with what:
            widgets.html(f"<b>{widgets.escaped(name)}</b>")
        keys = {
            part: bound(f"price-{part}-{name}", price.get(part))
            for part in ("prompt", "completion")
        }
        for column, part, words in ((first, "prompt", "Input"), (second, "completion", "Output")):
            column.number_input(
                f"{words} tokens",
                min_value=0.0,
                value=None,
                format="%.3f",
                key=keys[part],
                placeholder="unknown",
                on_change=_set_price,
                args=(project, name, keys),
            )


def _set_price(project: Project, name: str, keys: dict[str, str]) -> None:
    """Both prices together: settings need both, so an unknown one becomes 0."""
    given = {part: st.session_state[key] for part, key in keys.items()}
    if all(value is None for value in given.values()):
        set_values(project, f"The price of {name} is unknown.", {f"models.{name}.price": None})
        return
    prices = {f"models.{name}.price.{part}": value or 0.0 for part, value in given.items()}
    set_values(project, f"The price of {name} is set.", prices)


def _cost_table(project: Project) -> None:
    st.subheader("Cost of calls")
    rows = _costs(project)
    if not rows:
        st.caption("No model has been called yet.")
        return
    frame = pd.DataFrame([r.model_dump() | {"per_thousand": r.per_thousand} for r in rows]).rename(
        columns=lambda name: name.replace("_", " ")
    )
    st.dataframe(
        _shown(project, frame),
        hide_index=True,
        key="costs",
        column_config={
            "Cost": st.column_config.NumberColumn(format="%.4f"),
            "Per thousand": st.column_config.NumberColumn("Per 1,000 calls", format="%.2f"),
        },
        placeholder="no price",
    )
    if any(r.cost is None for r in rows):
        st.caption("Calls without a known price are not counted as spent.")
    with st.container(horizontal=True):
        widgets.download("Download as CSV", frame, "costs.csv")
        widgets.command(command(project, "cost", PROJECT))


def _ledger_table(project: Project) -> None:
    st.subheader("Data sent to models")
    rows = _ledger(project, NEWEST)
    if not rows:
        st.caption("Nothing has been sent yet.")
        return
    frame = pd.DataFrame([r.model_dump() for r in rows])
    frame = frame.rename(columns=lambda name: name.replace("_", " "))
    st.dataframe(
        _shown(project, frame),
        hide_index=True,
        key="ledger",
        height=320,
        column_config={
            "At": st.column_config.DatetimeColumn("Time (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            "Bytes": st.column_config.NumberColumn("Bytes sent", format="localized"),
            "Cost": st.column_config.NumberColumn(format="%.4f"),
        },
        placeholder="no price",
    )
    if len(rows) == NEWEST:
        st.caption(f"The latest {NEWEST} entries.")
    with st.container(horizontal=True):
        widgets.download("Download as CSV", frame, "ledger.csv")
        widgets.command(command(project, "ledger", PROJECT))


def _shown(project: Project, frame: pd.DataFrame) -> pd.DataFrame:
    """The table as people read it: headings, names of systems, no hidden characters."""
    named = frame.assign(system=frame["system"].replace(loaders.names(project)))
    named = named.replace("this process", "this machine").rename(columns=str.capitalize)
    return named.map(lambda cell: widgets.seen(cell) if isinstance(cell, str) else cell)
