"""What the page Analyze reads. Columns of numbers are kept once for all sessions, a few at a time;
what is counted from them is small, and cached as every other read."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import streamlit as st

from arf_core.evaluate.agreement import Agreement, agreement
from arf_core.evaluate.clusters import Clustering, cluster_findings, findings_drawn
from arf_core.evaluate.rates import ErrorRates, rates_of
from arf_core.evaluate.slices import SliceRates, rates_by
from arf_core.project import Project
from arf_core.records import SPLITS, Split
from arf_core.report.overview import PEOPLE, taking_part
from arf_core.store import arrays, finding_list
from arf_core.store import filters as scope
from arf_core.store.arrays import ConversationColumns, FindingColumns, Numbers
from arf_core.store.filters import Scope, Slices
from arf_core.store.finding_list import FindingOrder
from arf_core.store.patterns import ErrorPatterns, patterns_of
from ui import loaders

P = ParamSpec("P")
R = TypeVar("R")
LARGE_KEPT = 4
"""Large results of each kind that are kept: some 20 MB each at a million findings."""
CLUSTERED = 3_000
"""Findings that are clustered; more are looked at by a sample, so that nobody waits."""


class View(NamedTuple):
    """What is looked at, beside the choice of system and detector."""

    splits: tuple[Split, ...] = SPLITS
    attribute: str | None = None
    value: str | None = None
    confidence: float = 0.0

    @property
    def scope(self) -> Scope:
        return Scope(**self._asdict())


def _large(
    function: Callable[Concatenate[Project, P], R],
) -> Callable[Concatenate[Project, P], R]:
    """Keep the result itself for all sessions, and no copies: nobody may change it."""

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
def _everything(project: Project, system: str, detector: str) -> FindingColumns:
    return arrays.finding_columns(project.store, system, detector)


@_large
def _about(project: Project) -> ConversationColumns:
    return arrays.conversation_columns(project.store)


@_large
def _slices(project: Project, attribute: str) -> Slices:
    return scope.slices_of(project.store, attribute)


@_large
def found(project: Project, system: str, detector: str, view: View) -> FindingColumns:
    """What the detector found in the system's summaries, as far as it is looked at."""
    everything = _everything(project, system, detector)
    if view == View():
        return everything
    by = _slices(project, view.attribute) if view.attribute and view.value else None
    inside = scope.conversations_in(_about(project), view.scope, by)
    return scope.restrict(everything, inside, view.confidence)


def attributes(project: Project) -> tuple[str, ...]:
    """What conversations can be told apart by."""
    return _about(project).attributes


def slice_labels(project: Project, attribute: str) -> list[str]:
    """The slices of an attribute."""
    return [group.label for group in _slices(project, attribute).groups]


@loaders.reads
def readers(project: Project, system: str) -> list[str]:
    """Who has read the system: first whose figures say most, the rules and people last."""
    involved = taking_part(project.store, [s for s in loaders.systems(project) if s.parent])
    return sorted(
        loaders.detectors(project, system),
        key=lambda d: (d.startswith(PEOPLE), d == "rules", d in involved, d),
    )


@loaders.reads
def splits_read(project: Project, system: str, detector: str) -> tuple[Split, ...]:
    """The splits of which this detector has read the system's summaries, all or some."""
    found = _about(project).split[_everything(project, system, detector).read]
    return tuple(s for i, s in enumerate(SPLITS) if (found == i).any())


@loaders.reads
def rates(project: Project, system: str, detector: str, view: View) -> ErrorRates:
    return rates_of(found(project, system, detector, view))


@loaders.reads
def patterns(project: Project, system: str, detector: str, view: View) -> ErrorPatterns:
    return patterns_of(found(project, system, detector, view))


@loaders.reads
def by_slice(
    project: Project, system: str, detector: str, view: View, attribute: str
) -> list[SliceRates]:
    return rates_by(found(project, system, detector, view), _slices(project, attribute))


@_large
def matching(
    project: Project,
    system: str,
    detector: str,
    view: View,
    categories: tuple[str, ...],
    words: str,
    order: FindingOrder,
) -> Numbers:
    """The numbers of the findings in the list, in its order."""
    seqs = finding_list.listed(found(project, system, detector, view), categories, order)
    return finding_list.with_words(project.store, seqs, words)


@_large
def clustering(
    project: Project, system: str, detector: str, view: View, categories: tuple[str, ...]
) -> Clustering:
    """Clusters of the findings, or of a sample of them."""
    looked_at = found(project, system, detector, view)
    sample = findings_drawn(
        project.store, scope.of_categories(looked_at, categories), most=CLUSTERED
    )
    return cluster_findings(sample.findings, project.taxonomy, sample.of)


@loaders.reads
def agreements(
    project: Project, system: str, splits: tuple[Split, ...], person: str
) -> list[Agreement]:
    """Each detector against a person, over what both have read."""
    return [
        agreement(project.store, system, detector, person, splits)
        for detector in loaders.detectors(project, system)
        if not detector.startswith(PEOPLE)
    ]
