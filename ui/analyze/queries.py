"""What the page Analyze reads from the store, cached.

Columns of numbers are large: a few are kept, once for all sessions, without copies. What is counted
from them is small, and cached like every other read.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st

from arf_core.analysis.annotations import PERSON
from arf_core.evaluate.agreement import Agreement, agreement
from arf_core.evaluate.clusters import Clustering, cluster_findings, findings_drawn
from arf_core.evaluate.rates import ErrorRates, rates_of
from arf_core.evaluate.slices import SliceRates, rates_by
from arf_core.project import Project
from arf_core.records import SPLITS, Split
from arf_core.report.overview import taking_part
from arf_core.store import arrays, filters, finding_list
from arf_core.store.arrays import ConversationColumns, FindingColumns, Numbers
from arf_core.store.filters import Scope, Slices
from arf_core.store.finding_list import FindingOrder
from arf_core.store.patterns import ErrorPatterns, patterns_of
from ui import loaders

P = ParamSpec("P")
R = TypeVar("R")
LARGE_KEPT = 4
"""Large results kept of each kind: some 20 MB each at a million findings."""
CLUSTERED = 3_000
"""Findings clustered at most; a sample stands for more, so that the page stays quick."""


def _large(
    function: Callable[Concatenate[Project, P], R],
) -> Callable[Concatenate[Project, P], R]:
    """Cache the result itself for all sessions, until the project changes. Never modify it."""

    def keyed(_project: Project, key: tuple[str, int], args: tuple[object, ...]) -> R:
        return function(_project, *args)  # type: ignore[arg-type,call-arg]

    keyed.__module__, keyed.__qualname__ = function.__module__, function.__qualname__
    kept = st.cache_resource(show_spinner=False, max_entries=LARGE_KEPT)(keyed)

    @wraps(function)
    def read(project: Project, /, *args: P.args, **kwargs: P.kwargs) -> R:
        assert not kwargs, "the key is made of positions"
        found: R = kept(project, (str(project.path), project.store.revision()), args)
        return found

    return read


@_large
def _all_found(project: Project, system: str, detector: str) -> FindingColumns:
    return arrays.finding_columns(project.store, system, detector)


@_large
def _about(project: Project) -> ConversationColumns:
    return arrays.conversation_columns(project.store)


@_large
def _slices(project: Project, attribute: str) -> Slices:
    return filters.slices_of(project.store, attribute)


@_large
def found(project: Project, system: str, detector: str, scope: Scope) -> FindingColumns:
    """What the detector found in the system's summaries, within the scope."""
    everything = _all_found(project, system, detector)
    if scope == Scope():
        return everything
    by = _slices(project, scope.attribute) if scope.attribute and scope.value else None
    inside = filters.conversations_in(_about(project), scope, by)
    return filters.restrict(everything, inside, scope.confidence)


def attributes(project: Project) -> tuple[str, ...]:
    """The attributes of conversations that make slices."""
    return _about(project).attributes


def slice_labels(project: Project, attribute: str) -> list[str]:
    """The slices of an attribute."""
    return [group.label for group in _slices(project, attribute).groups]


@loaders.reads
def readers(project: Project, system: str) -> list[str]:
    """The detectors that have read the system, independent ones first, rules and people last."""
    involved = taking_part(project.store, [s for s in loaders.systems(project) if s.parent])
    return sorted(
        loaders.detectors(project, system),
        key=lambda d: (d.startswith(PERSON), d == "rules", d in involved, d),
    )


@loaders.reads
def splits_read(project: Project, system: str, detector: str) -> tuple[Split, ...]:
    """The splits in which this detector has read at least one of the system's summaries."""
    read = _about(project).split[_all_found(project, system, detector).read]
    return tuple(s for i, s in enumerate(SPLITS) if (read == i).any())


@loaders.reads
def rates(project: Project, system: str, detector: str, scope: Scope) -> ErrorRates:
    return rates_of(found(project, system, detector, scope))


@loaders.reads
def patterns(project: Project, system: str, detector: str, scope: Scope) -> ErrorPatterns:
    return patterns_of(found(project, system, detector, scope))


@loaders.reads
def by_slice(
    project: Project, system: str, detector: str, scope: Scope, attribute: str
) -> list[SliceRates]:
    return rates_by(found(project, system, detector, scope), _slices(project, attribute))


@_large
def matching(
    project: Project,
    system: str,
    detector: str,
    scope: Scope,
    categories: tuple[str, ...],
    words: str,
    order: FindingOrder,
) -> Numbers:
    """The numbers of the listed findings, in order."""
    seqs = finding_list.listed(found(project, system, detector, scope), categories, order)
    return finding_list.with_words(project.store, seqs, words)


@_large
def clustering(
    project: Project, system: str, detector: str, scope: Scope, categories: tuple[str, ...]
) -> Clustering:
    """Clusters of the findings, or of a sample of them."""
    chosen = filters.of_categories(found(project, system, detector, scope), categories)
    sample = findings_drawn(project.store, chosen, most=CLUSTERED)
    return cluster_findings(sample.findings, project.taxonomy, sample.of)


@loaders.reads
def agreements(
    project: Project, system: str, splits: tuple[Split, ...], person: str
) -> list[Agreement]:
    """Each detector against a person, over what both have read."""
    return [
        agreement(project.store, system, detector, person, splits)
        for detector in loaders.detectors(project, system)
        if not detector.startswith(PERSON)
    ]
