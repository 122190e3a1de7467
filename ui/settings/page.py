"""What every part of the page Settings does with a change: make it, tell it, undo it."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from arf_core.errors import ArfError, of_system
from arf_core.models import open_model
from arf_core.project import Project
from arf_core.project.configure import Value, as_argument, change, restore, settings_files
from ui import widgets
from ui.state import Changed, state


def line(project: Project, *words: object) -> str:
    """The line for a terminal: `arf` with the words; the project's folder stands for PROJECT."""
    return shlex.join(["arf", *(str(project.path) if w is PROJECT else str(w) for w in words)])


PROJECT = object()


def act(project: Project, said: str, command: str, do: Callable[[], object]) -> bool:
    """Do something that changes the project's files, in a callback; tells what came of it."""
    memory = state().settings
    memory.fault, memory.changed = None, None
    try:
        before = settings_files(project)
        do()
        after = settings_files(project)
    except (ArfError, OSError) as error:
        memory.fault = error if isinstance(error, ArfError) else of_system(error)
        return False
    memory.changed = Changed(str(project.path), said, command, before, after)
    return True


def set_now(project: Project, said: str, values: Mapping[str, Value]) -> None:
    """Change settings, in a callback; `said` is told when it is done."""
    words = [as_argument(name, value) for name, value in values.items()]
    command = line(project, "set", PROJECT, *words)
    act(project, said, command, lambda: change(project, values, open_model))


def bound(key: str, value: Any) -> str:
    """Let a widget show what the file says, also after a refusal or an undo; returns its key."""
    st.session_state[key] = value
    return key


def changed(project: Project) -> None:
    """The last change, with its undo and its line for a terminal; or why it was refused."""
    memory = state().settings
    if memory.fault is not None:
        widgets.error(memory.fault)
    last = memory.changed
    if last is None or last.project != str(project.path):
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="changed"):
        widgets.html(f'<div class="arf-text">{widgets.escaped(last.said)}</div>')
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
    st.toast("Undone.", icon=":material/undo:")
