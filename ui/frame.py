"""The frame around every page: title, navigation, project and jobs.

Each page begins with `project = frame.page("Analyze")` and depends on no other page, so any page
can be the first to open on a fresh server.
"""

from pathlib import Path
from typing import NamedTuple, NoReturn

import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import Project
from ui import job_bar, loaders, widgets
from ui.recent_projects import recent_projects, remember
from ui.state import state

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


class Page(NamedTuple):
    """A page in the navigation, shown if its file exists."""

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
    """Begin a page of the open project. If none is open, say what to do and stop."""
    project = home(title)
    if project is None:
        widgets.empty(
            "No project is open",
            "Open or create one on the home page, or start one from a file of conversations.",
            "app.py",
            "Go to Home",
        )
        st.stop()
    return project


def home(title: str = "Home") -> Project | None:
    """Begin a page that also works without a project. Stops if the project cannot be opened."""
    st.set_page_config(
        page_title=f"{title} · ARF Studio", page_icon=str(HERE / "icon.png"), layout="wide"
    )
    st.html(HERE / "style.css")
    st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "icon.png"))
    try:
        project = _open()
    except ArfError as fault:
        _navigation(None)
        _unopened(fault)
    _navigation(project)
    if project is not None:
        job_bar.draw(project)
    return project


def _open() -> Project | None:
    """The project in the address, else the session's, else the most recent one."""
    path = st.query_params.get("project") or state().project
    path = path or next((str(p) for p in recent_projects()), None)
    if path is None:
        return None
    project = loaders.project_at(Path(path))
    project.store.revision()  # an unreadable database fails here, not halfway down the page
    enter(project.path)
    return project


def enter(path: Path) -> None:
    """Open the project in `path`: in the session, the address and the recent list."""
    resolved = str(path.resolve())
    state().project = resolved
    if st.query_params.get("project") != resolved:
        st.query_params["project"] = resolved
    remember(path)


def leave() -> None:
    """Close the project."""
    state().project = None
    st.query_params.pop("project", None)


def _unopened(fault: ArfError) -> NoReturn:
    widgets.error(fault)
    others = recent_projects()
    if others:
        st.caption("Open another project:")
    for n, path in enumerate(others[:10]):
        st.button(
            widgets.label(_project_name(str(path))),
            key=f"open-other-{n}",
            on_click=enter,
            args=(path,),
        )
    st.stop()


def _navigation(project: Project | None) -> None:
    with st.sidebar, st.container(key="navigation", gap="xsmall"):
        for section, pages in SECTIONS.items():
            existing = [p for p in pages if (ROOT / p.file).exists()]
            if existing and section:
                st.caption(section)
            for target in existing:
                widgets.page_link(target.file, target.title, icon=target.icon)
        _picker(project)


def _picker(project: Project | None) -> None:
    """The open project, and a menu to open another."""
    try:
        paths = [str(p) for p in recent_projects()]
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
    """The project's name, and its folder where that differs."""
    name, folder = loaders.project_name(Path(path)), Path(path).name
    return widgets.seen(name if name.startswith(folder) else f"{name} · {folder}")
