"""Settings: make a change, show it with its shell command, undo it."""

import shlex
from collections.abc import Callable, Mapping

import streamlit as st

from arf_core.errors import ArfError, of_system
from arf_core.models import open_model
from arf_core.project import Project
from arf_core.project.configure import Value, as_argument, change, restore, settings_files
from ui import widgets
from ui.state import Changed, state

PROJECT = object()
"""Stands for the project's folder in a command."""


def command(project: Project, *words: object) -> str:
    """The shell command: `arf` and the words."""
    return shlex.join(["arf", *(str(project.path) if w is PROJECT else str(w) for w in words)])


def apply(project: Project, message: str, shell: str, action: Callable[[], object]) -> bool:
    """Run an action that changes the project's files, in a callback.

    The page then shows `message` with an undo, or why the action failed. Returns whether it
    succeeded.
    """
    memory = state().settings
    memory.fault, memory.changed = None, None
    try:
        before = settings_files(project)
        action()
        after = settings_files(project)
    except (ArfError, OSError) as error:
        memory.fault = error if isinstance(error, ArfError) else of_system(error)
        return False
    memory.changed = Changed(str(project.path), message, shell, before, after)
    return True


def set_values(project: Project, message: str, values: Mapping[str, Value]) -> None:
    """Change settings, in a callback."""
    words = [as_argument(name, value) for name, value in values.items()]
    shell = command(project, "set", PROJECT, *words)
    apply(project, message, shell, lambda: change(project, values, open_model))


def draw(project: Project) -> None:
    """The last change with its undo and its command, or why it failed."""
    memory = state().settings
    if memory.fault is not None:
        widgets.error(memory.fault)
    last = memory.changed
    if last is None or last.project != str(project.path):
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="changed"):
        widgets.text(last.message)
        if last.before != last.after:
            st.button(
                "Undo",
                key="undo",
                icon=":material/undo:",
                type="tertiary",
                on_click=_undo,
                args=(project, last),
            )
        widgets.command(last.command)


def _undo(project: Project, last: Changed) -> None:
    memory = state().settings
    memory.changed, memory.fault = None, None
    try:
        restore(project, last.before, last.after)
    except (ArfError, OSError) as error:
        memory.fault = error if isinstance(error, ArfError) else of_system(error)
        return
    st.toast("Change undone.", icon=":material/undo:")
