"""Projects on the home page: the known ones, a new one, the sample, and a file that starts one."""

import re
from pathlib import Path

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs.demo import CLOSED_WORLD, SUPPORT, Example, open_example
from arf_core.jobs.kinds import DemoJob
from arf_core.jobs.queue import start
from arf_core.project import SETTINGS_FILE, Project
from ui import frame, loaders, uploads, widgets
from ui import recent_projects as known
from ui.state import DataState, state

DATA = "pages/1_Data.py"


def draw(open_now: bool) -> None:
    """All that can be done with projects; unfolded where none is open."""
    with st.expander("Projects", icon=":material/folder_open:", expanded=open_now, key="projects"):
        listed()
        open_one, new, sample = st.columns(3, gap="large")
        with open_one:
            _open_form()
        with new:
            _new_form()
        with sample:
            _sample_form()


def listed() -> None:
    """The known projects, each to be opened or forgotten."""
    here = state().project
    for path in known.known_projects():
        words, to_open, to_forget = st.columns([6, 1, 1], vertical_alignment="center")
        with words:
            name = widgets.escaped(_name(path))
            folder = widgets.escaped(path)
            mark = " · open" if str(path) == here else ""
            widgets.html(f"<b>{name}</b>{mark}<div class='arf-muted arf-text'>{folder}</div>")
        if str(path) != here:
            to_open.button("Open", key=f"open-{path}", on_click=frame.enter, args=(path,))
        to_forget.button(
            "Forget",
            key=f"forget-{path}",
            type="tertiary",
            help="Takes it off this list. Nothing in the folder is touched.",
            on_click=_forget,
            args=(path,),
        )


def _name(path: Path) -> str:
    try:
        return loaders.project_name(path)
    except ArfError:
        return f"{path.name} (cannot be opened)"


def _forget(path: Path) -> None:
    known.forget(path)
    if state().project == str(path):
        frame.leave()


def home_of_projects() -> Path:
    """Where new projects are put, unless another folder is named."""
    return Path.home() / "arf-projects"


def _open_form() -> None:
    with st.form("open-project", border=False):
        st.markdown("**Open a folder**")
        given = st.text_input("Its path", key="open-path", placeholder="/data/chats")
        if st.form_submit_button("Open", key="open-do"):
            with widgets.told():
                frame.enter(loaders.project_at(Path(given)).path)
                st.rerun()


def _new_form() -> None:
    with st.form("new-project", border=False):
        st.markdown("**Make a project**")
        name = st.text_input("Its name", key="new-name", placeholder="Chats of spring")
        if st.form_submit_button("Make", key="new-do"):
            with widgets.told():
                frame.enter(made(name or "Project").path)
                st.rerun()


def _sample_form() -> None:
    with st.container(key="examples"):
        st.markdown("**Look at an example**")
        st.caption(
            "120 written conversations, taken the whole way with recorded replies: no key, no "
            "network."
        )
        if st.button("Make the sample project", key="sample-do"):
            with widgets.told():
                _make(SUPPORT, "sample", DemoJob())
        st.caption(
            "1,600 generated conversations whose truth is known, with what five trained students "
            "wrote."
        )
        if st.button("Make the closed world", key="closed-world-do"):
            with widgets.told():
                _make(CLOSED_WORLD, "closed-world", DemoJob(example="closed_world"))


def _make(example: Example, name: str, work: DemoJob) -> None:
    path = home_of_projects() / name
    there = (path / SETTINGS_FILE).exists()
    with open_example(path, example) as project:
        if not there:
            start(project, work)
    frame.enter(path)
    st.rerun()


def made(name: str) -> Project:
    """A new project of this name in a folder of its own. Raises ArfError where it cannot be."""
    stem = re.sub(r"[^\w\-]+", "-", name.strip().lower()).strip("-")[:60] or "project"
    folder = home_of_projects()
    numbers = (folder / f"{stem}{n}" for n in ("", *(f"-{i}" for i in range(2, 1000))))
    path = next(p for p in numbers if not p.exists())
    return Project.create(path, name.strip() or stem)


def drop() -> None:
    """A file dropped here starts a project: it is kept there, and Data shows how it is read."""
    files = st.file_uploader(
        "Drop a file of conversations here to start a project",
        accept_multiple_files=True,
        key="home-drop",
        help="CSV, TSV, JSON, JSONL, Parquet, also zipped.",
    )
    if not files:
        return
    with widgets.told():
        project = made(Path(files[0].name).stem)
        paths = uploads.keep(project, files)
        frame.enter(project.path)
        state().data = DataState(project=str(project.path), paths=[str(p) for p in paths])
        st.switch_page(DATA, query_params={"project": str(project.path)})
