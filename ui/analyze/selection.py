"""Analyze: which systems, which detector and which part of the data the page shows.

Every choice is a widget bound to the address, so that a link opens the same view.
"""

from typing import NamedTuple

import streamlit as st

from arf_core.project import Project
from arf_core.records import SPLITS, Split
from arf_core.report.charts import percent, reader_name
from arf_core.store.filters import Scope
from ui import loaders, widgets
from ui.analyze import queries
from ui.names import detector_name

NONE = ""
"""The choice of nothing in a select box."""
HIDDEN: Split = "test"
"""Hidden unless chosen: what a headline is measured on should not steer the work. Shown alone for a
system that was read on no other split, as students mostly are: they are only compared."""


class Selection(NamedTuple):
    """What the page shows."""

    system: str
    against: str | None
    """The system to compare with."""
    detector: str
    scope: Scope
    categories: tuple[str, ...]
    words: str
    """Only findings with these words."""

    @property
    def systems(self) -> list[str]:
        return [self.system, *([self.against] if self.against else [])]


def choose(project: Project) -> Selection | None:
    """Draw the filters. None if no detector has read the chosen system."""
    systems = [s.name for s in loaders.systems(project) if loaders.summaries(project, s.name)]
    with st.container(horizontal=True, key="analyze-who"):
        system, against = _systems(project, systems)
        readers = queries.readers(project, system)
        if not readers:
            return None
        detector = st.selectbox(
            "Detector", readers, key="by", bind="query-params", format_func=detector_name
        )
    if against and detector not in loaders.detectors(project, against):
        against = None
    chosen = [system, against] if against else [system]
    usual = _usual_splits(project, chosen, detector)
    scope, categories, words = _filters(project, usual)
    return Selection(system, against, detector, scope, categories, words)


def _systems(project: Project, systems: list[str]) -> tuple[str, str | None]:
    names = loaders.names(project)

    def name(system: str) -> str:
        return widgets.seen(names.get(system, system)) if system else "none"

    system = st.selectbox("System", systems, key="system", bind="query-params", format_func=name)
    others = [NONE, *(s for s in systems if s != system)]
    against = st.selectbox(
        "Compare with",
        others,
        index=others.index(_usual_comparison(project, system, others)),
        key="against",
        bind="query-params",
        format_func=name,
    )
    return system, against or None


def _usual_comparison(project: Project, system: str, others: list[str]) -> str:
    """The newest student that the system's first reader has read, since training it was the aim;
    otherwise the next system."""
    students = {s.name for s in loaders.systems(project) if s.kind == "student"}
    first = queries.readers(project, system)[:1]
    read = [s for s in others if s in students and {*first} & {*loaders.detectors(project, s)}]
    if read and system not in students:
        return read[-1]
    return others[min(1, len(others) - 1)]


def _usual_splits(project: Project, systems: list[str], detector: str) -> list[Split]:
    """The splits shown until others are chosen."""
    if any(queries.splits_read(project, s, detector) == (HIDDEN,) for s in systems):
        return [HIDDEN]
    return [s for s in SPLITS if s != HIDDEN]


# -- filters -------------------------------------------------------------------------------------


def _filters(project: Project, usual: list[Split]) -> tuple[Scope, tuple[str, ...], str]:
    names = {c.id: c.name for c in project.taxonomy.categories}
    with st.container(horizontal=True, vertical_alignment="bottom", key="analyze-filters"):
        categories = st.multiselect(
            "Categories",
            list(names),
            key="category",
            bind="query-params",
            format_func=lambda c: widgets.seen(names[c]),
            placeholder="all",
            width=190,
        )
        attribute, value = _slice(project)
        words = st.text_input(
            "Search findings", key="words", bind="query-params", placeholder="any words", width=150
        )
        with st.popover("More filters", icon=":material/tune:", key="more-filters"):
            splits, confidence = _splits(usual), _confidence()
    scope = Scope(
        splits=tuple(s for s in SPLITS if s in splits),
        attribute=attribute,
        value=value,
        confidence=confidence,
    )
    return scope, tuple(categories), (words or "").strip()


def _slice(project: Project) -> tuple[str | None, str | None]:
    """An attribute and one of its slices."""
    attribute = st.selectbox(
        "Slice by",
        [NONE, *queries.attributes(project)],
        key="slice",
        bind="query-params",
        format_func=lambda a: widgets.seen(a) if a else "none",
        width=135,
    )
    value = st.selectbox(
        "Slice",
        [NONE, *(queries.slice_labels(project, attribute) if attribute else ())],
        key="only",
        bind="query-params",
        format_func=lambda v: widgets.seen(v) if v else "all",
        disabled=not attribute,
        width=150,
    )
    return attribute or None, value or None


def _splits(usual: list[Split]) -> list[Split]:
    session = st.session_state
    before = session.get("usual-splits", usual)
    if before != usual and session.get("split") == before:
        session["split"] = usual  # nobody chose them, so they follow the systems
    session["usual-splits"] = usual
    return st.multiselect(
        "Splits",
        list(SPLITS),
        default=usual,
        key="split",
        bind="query-params",
        help="The test split stays hidden until you add it. A system read on no other split, such "
        "as a student, shows the test split alone.",
    )


def _confidence() -> float:
    return st.number_input(
        "Minimum confidence",
        0.0,
        1.0,
        0.0,
        step=0.05,
        key="confidence",
        bind="query-params",
        help="Findings below it do not count. Findings without a confidence always count.",
    )


# -- the line below the filters ------------------------------------------------------------------


def sentence(project: Project, selection: Selection) -> str:
    """ "Summaries with errors: Teacher 42 % of 80, …, according to second-reader (LLM)." """
    names = loaders.names(project)
    rates = []
    for system in selection.systems:
        rate = queries.rates(project, system, selection.detector, selection.scope).any_error
        share = "none read" if rate.share is None else f"{percent(rate.share)} of {rate.total:,}"
        rates.append(f"{names[system]} {share}")
    by = reader_name(selection.detector)
    note = _split_note(selection.scope)
    return f"Summaries with errors: {', '.join(rates)}, according to {by}.{note}"


def _split_note(scope: Scope) -> str:
    if scope.splits == (HIDDEN,):
        return " Test split only."
    return "" if HIDDEN in scope.splits else " Test split hidden (More filters)."
