"""Data, Overview: how much there is, how long it is, and how it is spread."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.slices import attribute_names
from arf_core.project import Project
from arf_core.report import charts
from arf_core.report.dataset_stats import (
    Holdings,
    Values,
    attribute_counts,
    attributes_by_interest,
    holdings,
    source_counts,
    split_counts,
)
from arf_core.store.lengths import TextLengths, turn_lengths, word_lengths
from ui import loaders, widgets

MOST_SYSTEMS = 3
SOURCE = "source"


@loaders.reads
def held(project: Project) -> Holdings:
    """How much the project holds."""
    return holdings(project.store)


@loaders.reads
def _attributes(project: Project) -> list[str]:
    return attributes_by_interest(attribute_names(project.store))


@loaders.reads
def _values(project: Project, of: str) -> Values:
    if of == "split":
        return split_counts(project.store)
    if of == SOURCE:
        return source_counts(project.store)
    return attribute_counts(project.store, of)


@loaders.reads
def _turns(project: Project) -> TextLengths:
    return turn_lengths(project.store)


@loaders.reads
def _words(project: Project, system: str) -> TextLengths:
    return word_lengths(project.store, system)


def draw(project: Project) -> None:
    """Counts above, distributions below."""
    there = held(project)
    names = loaders.names(project)
    with st.container(horizontal=True):
        st.metric("conversations", f"{there.conversations:,}", border=True)
        for system, n in there.summaries:
            st.metric(f"summaries by {widgets.label(names[system])}", f"{n:,}", border=True)
    left, right = st.columns(2, gap="large")
    with left:
        lengths("turn-lengths", [_turns(project)], names)
    with right:
        systems = [s for s, n in there.summaries if n][:MOST_SYSTEMS]
        if systems:
            lengths("word-lengths", [_words(project, s) for s in systems], names)
        else:
            st.caption("There are no summaries yet: import a file that holds some.")
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        st.caption("Only train is ever learnt from; test is kept for the comparison at the end.")
    with right:
        chosen = _chosen_attribute(project)
    left, right = st.columns(2, gap="large")
    with left:
        _spread(_values(project, "split"), "by-split")
    with right:
        _spread(_values(project, chosen), "by-attribute")


def lengths(key: str, tables: list[TextLengths], names: dict[str, str]) -> None:
    """A chart of lengths, and its figures to save."""
    rows = [(t.of, t.unit, n, count * t.step) for t in tables for n, count in t.counts.items()]
    data = pd.DataFrame(sorted(rows), columns=["of", "unit", "length", "texts"])
    widgets.figure(charts.narrow(charts.lengths(tables, names)), key, data=data)


def _chosen_attribute(project: Project) -> str:
    chosen: str = st.selectbox(
        "Conversations by",
        [*_attributes(project), SOURCE],
        key="by",
        bind="query-params",
        format_func=widgets.seen,
        help="Any attribute that the files have; channel and language come first.",
    )
    return chosen


def _spread(values: Values, key: str) -> None:
    data = pd.DataFrame(
        [(c.label, c.conversations) for c in values.counts], columns=[values.of, "conversations"]
    )
    widgets.figure(charts.narrow(charts.values(values)), key, data=data)
