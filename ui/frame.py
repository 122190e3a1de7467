"""The frame around every page: its title, the way to the others, the project, the jobs at work.

Each page begins with `project = frame.page("Analyze")`. Nothing that a page needs is done
elsewhere, so every page can be the first that is opened on a fresh server.
"""

from pathlib import Path
from typing import NamedTuple, NoReturn

import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import Project
from ui import job_bar as jobs
from ui import loaders, widgets
from ui import recent_projects as known
from ui.state import state

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


class Page(NamedTuple):
    """A place to go to. One whose file is not there is not shown."""

    title: str
    file: str
    icon: str


SECTIONS: dict[str, tuple[Page, ...]] = {
    "": (Page("Home", "app.py", ":material/home:"),),
    "Look": (
        Page("Data", "pages/1_Data.py", ":material/forum:"),
        Page("Analyze", "pages/2_Analyze.py", ":material/troubleshoot:"),
    ),
    "Correct": (Page("Revise", "pages/3_Revise.py", ":material/edit_note:"),),
    "Teach": (
        Page("Finetune", "pages/4_Finetune.py", ":material/model_training:"),
        Page("Evaluate", "pages/5_Evaluate.py", ":material/balance:"),
    ),
    "Guide": (Page("Guidance", "pages/6_Guidance.py", ":material/explore:"),),
    "Set up": (Page("Settings", "pages/7_Settings.py", ":material/settings:"),),
}


def page(title: str) -> Project:
    """Begin a page of the open project. Stops with a word about what to do where there is none."""
    project = home(title)
    if project is None:
        widgets.empty(
            "No project is open",
            "Open or make one on the home page, or drop a file of conversations there.",
            "app.py",
            "Home",
        )
        st.stop()
    return project


def home(title: str = "Home") -> Project | None:
    """Begin a page that does without a project, too. Stops where the project cannot be opened."""
    st.set_page_config(
        page_title=f"{title} · ARF Studio", page_icon=str(HERE / "icon.png"), layout="wide"
    )
    st.html(HERE / "style.css")
    st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "icon.png"))
    try:
        project = _open()
    except ArfError as fault:
        _navigation(None)
        _refused(fault)
    _navigation(project)
    if project is not None:
        jobs.strip(project)
    return project


def _open() -> Project | None:
    """The project of the address, else the session's, else the first that the app knows."""
    asked = st.query_params.get("project")
    if asked is None:
        chosen = state().project or next((str(p) for p in known.known_projects()), None)
        if chosen is None:
            return None
        asked = chosen
    project = loaders.project_at(Path(asked))
    project.store.revision()  # a database that cannot be read is told here, not in the middle
    enter(project.path)
    return project


def enter(path: Path) -> None:
    """Make the project in `path` the open one: in the session, the address and the known list."""
    resolved = str(path.resolve())
    state().project = resolved
    if st.query_params.get("project") != resolved:
        st.query_params["project"] = resolved
    known.remember(path)


def leave() -> None:
    """Open no project."""
    state().project = None
    st.query_params.pop("project", None)


def _refused(fault: ArfError) -> NoReturn:
    widgets.error(fault)
    others = known.known_projects()
    if others:
        st.caption("Other projects:")
    for n, path in enumerate(others[:10]):
        st.button(widgets.label(path), key=f"open-other-{n}", on_click=enter, args=(path,))
    st.stop()


def _navigation(project: Project | None) -> None:
    with st.sidebar:
        for section, pages in SECTIONS.items():
            there = [p for p in pages if (ROOT / p.file).exists()]
            if there and section:
                st.caption(section)
            for place in there:
                widgets.page_link(place.file, place.title, icon=place.icon)
        _picker(project)


def _picker(project: Project | None) -> None:
    """The open project, and the way to another."""
    try:
        paths = [str(p) for p in known.known_projects()]
    except ArfError as fault:
        widgets.error(fault)
        return
    if project is None or not paths:
        return
    here = str(project.path)
    paths = list(dict.fromkeys([here, *paths]))
    st.selectbox(
        "Project",
        paths,
        index=0,
        key=f"project-picker-{here}",
        format_func=_project_name,
        on_change=lambda: enter(Path(st.session_state[f"project-picker-{here}"])),
    )


def _project_name(path: str) -> str:
    """The project's own name, with its folder where two could be confused."""
    try:
        name = loaders.project_name(Path(path))
    except ArfError:
        return f"{Path(path).name} (cannot be opened)"
    return f"{widgets.seen(name)} · {Path(path).name}" if name != Path(path).name else name
