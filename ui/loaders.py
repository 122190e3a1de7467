"""Every cached read, kept until the project changes.

    @reads
    def rates(project: Project, system: str, detector: str) -> ErrorRates:
        return error_rates(project.store, system, detector)

The cache key is the project's folder, the store's revision, the taxonomy and the other arguments,
which Streamlit must be able to hash: strings, numbers, tuples. What a job stores changes the
revision; its heartbeat does not.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import read_settings
from arf_core.records import System
from arf_core.report.charts import system_names
from arf_core.report.charts.wording import KINDS
from arf_core.store.queries import count_summaries, detectors_of

P = ParamSpec("P")
R = TypeVar("R")
KEPT = 128
"""Results kept for each loader."""


def reads(
    function: Callable[Concatenate[Project, P], R],
) -> Callable[Concatenate[Project, P], R]:
    """Cache a read of the project until the project changes."""

    def keyed(_project: Project, version: object, args: Any, kwargs: Any) -> R:
        return function(_project, *args, **kwargs)

    # Streamlit distinguishes cached functions by these names
    keyed.__module__, keyed.__qualname__ = function.__module__, function.__qualname__
    cached = st.cache_data(show_spinner=False, max_entries=KEPT)(keyed)

    @wraps(function)
    def read(project: Project, /, *args: P.args, **kwargs: P.kwargs) -> R:
        version = (str(project.path), project.store.revision(), project.taxonomy.hash)
        result: R = cached(project, version, args, kwargs)
        return result

    return read


def project_at(path: Path) -> Project:
    """The project in a folder, opened again when its settings or taxonomy change.

    Raises ArfError if there is none, or it cannot be opened.
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
    project.taxonomy  # noqa: B018 (a faulty one fails here, not halfway down a page)
    return project


def project_name(path: Path) -> str:
    """A project's name, without opening it; its folder's if the settings cannot be read."""
    file = path / SETTINGS_FILE
    try:
        return _name(file, file.stat().st_mtime_ns)
    except (ArfError, OSError):
        return f"{path.name} (cannot be opened)"


@st.cache_data(show_spinner=False, max_entries=256)
def _name(file: Path, changed: int) -> str:
    return read_settings(file).name


# -- reads shared by several pages ----------------------------------------------------------------


@reads
def systems(project: Project) -> list[System]:
    """All systems, in order of arrival."""
    return project.store.all(System)


@reads
def names(project: Project) -> dict[str, str]:
    """What people call each system: "Teacher", "Corrected (r1)"."""
    return system_names(project.store.all(System))


def system_name(project: Project, system: str) -> str:
    """What people call a system; of one not imported yet, too."""
    return names(project).get(system) or KINDS.get(system, system)


@reads
def summaries(project: Project, system: str) -> int:
    """Number of a system's summaries."""
    return count_summaries(project.store, system)


@reads
def detectors(project: Project, system: str) -> list[str]:
    """Detectors, people included, that have read a system's summaries."""
    return detectors_of(project.store, system)
