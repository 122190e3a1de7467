"""Data, Overview: counts, lengths and distributions."""

import pandas as pd
import streamlit as st

from arf_core.evaluate.slices import attribute_names
from arf_core.project import Project
from arf_core.report import charts
from arf_core.report.dataset_stats import (
    Holdings,
    ValueCounts,
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
def _values(project: Project, of: str) -> ValueCounts:
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
    counts = held(project)
    names = loaders.names(project)
    with st.container(horizontal=True):
        st.metric("Conversations", f"{counts.conversations:,}", border=True)
        for system, n in counts.summaries:
            st.metric(f"Summaries by {widgets.label(names[system])}", f"{n:,}", border=True)
    left, right = st.columns(2, gap="large")
    with left:
        _lengths("turn-lengths", [_turns(project)], names)
    with right:
        systems = [s for s, n in counts.summaries if n][:MOST_SYSTEMS]
        if systems:
            _lengths("word-lengths", [_words(project, s) for s in systems], names)
        else:
            st.caption("There are no summaries yet. Import a file that has them.")
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        st.caption("Students learn from train only. Test is held out for the final comparison.")
    with right:
        chosen = _chosen_attribute(project)
    left, right = st.columns(2, gap="large")
    with left:
        _distribution(_values(project, "split"), "by-split")
    with right:
        _distribution(_values(project, chosen), "by-attribute")


def _lengths(key: str, tables: list[TextLengths], names: dict[str, str]) -> None:
    rows = [(t.of, t.unit, n, count * t.step) for t in tables for n, count in t.counts.items()]
    data = pd.DataFrame(sorted(rows), columns=["of", "unit", "length", "texts"])
    widgets.figure(charts.narrow(charts.lengths(tables, names)), key, data=data)


def _chosen_attribute(project: Project) -> str:
    chosen: str = st.selectbox(
        "Group conversations by",
        [*_attributes(project), SOURCE],
        key="by",
        bind="query-params",
        format_func=widgets.seen,
        help="Any attribute of the imported files.",
    )
    return chosen


def _distribution(values: ValueCounts, key: str) -> None:
    data = pd.DataFrame(
        [(c.label, c.conversations) for c in values.counts], columns=[values.of, "conversations"]
    )
    widgets.figure(charts.narrow(charts.values(values)), key, data=data)
