"""Data, Import: the import being prepared, as the session remembers it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from arf_core.errors import InputError
from arf_core.importing import ImportSettings
from arf_core.project import Project
from ui.state import DataState, state


def of(project: Project) -> DataState:
    """The import prepared for this project; a fresh one if it was for another."""
    memory = state().data
    if memory.project != str(project.path):
        memory = state().data = DataState(project=str(project.path))
    return memory


def choose(project: Project, paths: Sequence[Path | str]) -> None:
    """Take files, folders or names of data sets to import next."""
    memory = of(project)
    memory.paths = [str(p) for p in paths]
    memory.options, memory.earlier = ImportSettings(), []
    memory.fault = None


def change(memory: DataState, what: str, **update: object) -> None:
    """Change import options, in a callback; `what` names the change beside the undo."""
    try:
        options = ImportSettings.of(memory.options, update)
    except InputError as fault:
        memory.fault = fault
        return
    memory.fault = None
    memory.earlier.append((what, memory.options))
    memory.options = options


def undo(memory: DataState) -> None:
    """Take back the last change."""
    _, memory.options = memory.earlier.pop()
    memory.fault = None


def start_next(memory: DataState) -> None:
    """Begin the next import with an empty upload."""
    state().data = DataState(project=memory.project, round=memory.round + 1)


def discard(project: Project, memory: DataState) -> None:
    """Give up this import, and delete what was uploaded for it."""
    delete_uploads(project, memory)
    start_next(memory)


def delete_uploads(project: Project, memory: DataState) -> None:
    """Delete what was uploaded and not imported."""
    for folder in {Path(p).parent for p in memory.paths}:
        if folder.parent == project.path / "uploads" and folder.exists():
            shutil.rmtree(folder)
