"""Home: open, create or remove projects; start one from a file."""

import re
from pathlib import Path

import streamlit as st

from arf_core.jobs.demo import CLOSED_WORLD, SUPPORT, ExampleProject, open_example
from arf_core.jobs.kinds import DemoJob
from arf_core.jobs.queue import start
from arf_core.project import SETTINGS_FILE, Project
from ui import frame, loaders, uploads, widgets
from ui.recent_projects import forget, recent_projects
from ui.state import DataState, state

DATA = "pages/1_Data.py"


def draw(expanded: bool) -> None:
    """The recent projects, and three ways to another."""
    with st.expander("Projects", icon=":material/folder_open:", expanded=expanded, key="projects"):
        _recent()
        left, middle, right = st.columns(3, gap="large")
        with left:
            _open_form()
        with middle:
            _create_form()
        with right:
            _examples()


def _recent() -> None:
    """Recent projects, each with buttons to open it or take it off the list."""
    here = state().project
    for path in recent_projects():
        words, actions = st.columns([2, 1], vertical_alignment="center")
        with words:
            name = widgets.escaped(loaders.project_name(path))
            folder = widgets.escaped(path)
            mark = " · open" if str(path) == here else ""
            widgets.html(f"<b>{name}</b>{mark}<div class='arf-muted arf-text'>{folder}</div>")
        with actions, st.container(horizontal=True, horizontal_alignment="right"):
            if str(path) != here:
                st.button("Open", key=f"open-{path}", on_click=frame.enter, args=(path,))
            st.button(
                "Remove from list",
                key=f"forget-{path}",
                type="tertiary",
                help="Nothing in the folder is deleted.",
                on_click=_forget,
                args=(path,),
            )


def _forget(path: Path) -> None:
    forget(path)
    if state().project == str(path):
        frame.leave()


def projects_folder() -> Path:
    """The folder for new projects."""
    return Path.home() / "arf-projects"


def _open_form() -> None:
    with st.form("open-project", border=False):
        st.markdown("**Open a project**")
        given = st.text_input("Folder", key="open-path", placeholder="/data/chats")
        if st.form_submit_button("Open project", key="open-do"):
            with widgets.errors_shown():
                frame.enter(loaders.project_at(Path(given)).path)
                st.rerun()


def _create_form() -> None:
    with st.form("new-project", border=False):
        st.markdown("**Create a project**")
        name = st.text_input("Name", key="new-name", placeholder="Spring chats")
        if st.form_submit_button("Create project", key="new-do"):
            with widgets.errors_shown():
                frame.enter(create(name or "Project").path)
                st.rerun()


def _examples() -> None:
    with st.container(key="examples"):
        st.markdown("**Try an example**")
        st.caption(
            "120 written conversations, taken through every stage with recorded replies. No key, "
            "no network."
        )
        if st.button("Create sample project", key="sample-do"):
            with widgets.errors_shown():
                _create_example(SUPPORT, "sample", DemoJob())
        st.caption(
            "1,600 generated conversations whose facts are known, with summaries by five trained "
            "students."
        )
        if st.button("Create closed world", key="closed-world-do"):
            with widgets.errors_shown():
                _create_example(CLOSED_WORLD, "closed-world", DemoJob(example="closed_world"))


def _create_example(example: ExampleProject, name: str, work: DemoJob) -> None:
    path = projects_folder() / name
    exists = (path / SETTINGS_FILE).exists()
    with open_example(path, example) as project:
        if not exists:
            start(project, work)
    frame.enter(path)
    st.rerun()


def create(name: str) -> Project:
    """Create a project in a new folder named after it. Raises ArfError if that fails."""
    stem = re.sub(r"[^\w\-]+", "-", name.strip().lower()).strip("-")[:60] or "project"
    folder = projects_folder()
    numbers = (folder / f"{stem}{n}" for n in ("", *(f"-{i}" for i in range(2, 1000))))
    path = next(p for p in numbers if not p.exists())
    return Project.create(path, name.strip() or stem)


def drop() -> None:
    """Files dropped here start a project; the page Data then shows how they would be read."""
    files = st.file_uploader(
        "Drop files of conversations here to start a project",
        accept_multiple_files=True,
        key="home-drop",
        help=uploads.FORMATS,
    )
    if not files:
        return
    with widgets.errors_shown():
        project = create(Path(files[0].name).stem)
        paths = uploads.keep(project, files)
        frame.enter(project.path)
        state().data = DataState(project=str(project.path), paths=[str(p) for p in paths])
        st.switch_page(DATA, query_params={"project": str(project.path)})
