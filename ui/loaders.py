"""Every cached read. What was read is kept until somebody writes to the project.

    @reads
    def rates(project: Project, system: str, detector: str) -> ErrorRates:
        return error_rates(project.store, system, detector)

`reads` keys the cache by the project's folder, the store's revision, the taxonomy and the other
arguments (which must be hashable by Streamlit: strings, numbers, tuples). A job's heartbeat leaves
the revision alone, what it stores does not.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from arf_core.errors import InputError
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import read_settings
from arf_core.records import System
from arf_core.report.charts import system_names
from arf_core.store.queries import count_summaries, detectors_of

P = ParamSpec("P")
R = TypeVar("R")
Key = tuple[str, int, str]
KEPT = 128
"""Results of each loader that are kept."""


def reads(
    function: Callable[Concatenate[Project, P], R],
) -> Callable[Concatenate[Project, P], R]:
    """Cache a read of the project, until the project changes."""

    def keyed(_project: Project, key: Key, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        return function(_project, *args, **kwargs)

    # Streamlit tells cached functions apart by these names
    keyed.__module__, keyed.__qualname__ = function.__module__, function.__qualname__
    cached = st.cache_data(show_spinner=False, max_entries=KEPT)(keyed)

    @wraps(function)
    def read(project: Project, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (str(project.path), project.store.revision(), project.taxonomy.hash)
        found: R = cached(project, key, args, kwargs)
        return found

    return read


def project_at(path: Path) -> Project:
    """The open project in a folder; opened anew when its settings or taxonomy change.

    Raises ArfError where there is none, or where it cannot be opened.
    """
    path = path.expanduser().resolve()
    changed = tuple(
        (path / name).stat().st_mtime_ns if (path / name).exists() else 0
        for name in (SETTINGS_FILE, "taxonomy.yaml")
    )
    return _opened(path, changed)


@st.cache_resource(show_spinner=False, max_entries=16)
def _opened(path: Path, changed: tuple[int, ...]) -> Project:
    project = Project.open(path)
    project.taxonomy  # noqa: B018 (a faulty one is told now, and not in the middle of a page)
    return project


def project_name(path: Path) -> str:
    """What a project is called, without opening it. Raises ArfError where it has no settings, or
    wrong ones."""
    file = path / SETTINGS_FILE
    if not file.is_file():
        raise InputError(f"{path} holds no project any more.", "Forget it, or bring it back.")
    return _name(file, file.stat().st_mtime_ns)


@st.cache_data(show_spinner=False, max_entries=256)
def _name(file: Path, changed: int) -> str:
    return read_settings(file).name


# -- reads that several pages share ---------------------------------------------------------------


@reads
def systems(project: Project) -> list[System]:
    """All systems, in order of arrival."""
    return project.store.all(System)


@reads
def names(project: Project) -> dict[str, str]:
    """What people call each system: "Teacher", "Corrected (r1)"."""
    return system_names(project.store.all(System))


@reads
def summaries(project: Project, system: str) -> int:
    """How many summaries a system has."""
    return count_summaries(project.store, system)


@reads
def detectors(project: Project, system: str) -> list[str]:
    """Who has read a system's summaries."""
    return detectors_of(project.store, system)
