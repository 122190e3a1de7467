"""Settings, Project: its name, folder and split, and how the app looks."""

import streamlit as st

from arf_core.project import Project
from ui import widgets
from ui.settings.changes import PROJECT, command, set_values
from ui.state import bound

SPLITS = ("train", "dev", "test")


def draw(project: Project) -> None:
    """Name and folder, split, appearance."""
    key = bound("project-name", project.settings.name)

    def rename() -> None:
        name = st.session_state[key].strip() or project.path.name
        set_values(project, f"The project is now called {name}.", {"name": name})

    st.text_input("Name", key=key, on_change=rename, max_chars=120)
    st.caption("Everything in this project is stored in one folder:")
    st.code(widgets.seen(project.path), language=None, wrap_lines=True)
    widgets.command(command(project, "status", PROJECT))
    _split(project)
    st.subheader("Appearance")
    st.caption(
        "The app follows your system's light or dark mode. Categories and systems keep their "
        "colours in both, chosen so that colour-blind readers can distinguish them."
    )


def _split(project: Project) -> None:
    st.subheader("Split")
    st.caption(
        "How conversations without a split of their own are divided. A change applies to later "
        "imports; conversations already imported never move."
    )
    shares = project.settings.split
    with st.form("split", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        for name in SPLITS:
            value = bound(f"split-{name}", round(100 * getattr(shares, name)))
            st.number_input(f"{name.capitalize()} (%)", 0, 100, key=value, width=140)
        st.form_submit_button("Save split", key="split-now", on_click=_set_split, args=(project,))


def _set_split(project: Project) -> None:
    shares = {n: st.session_state[f"split-{n}"] / 100 for n in SPLITS}
    words = ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items())
    set_values(project, f"Split: {words}.", {f"split.{n}": s for n, s in shares.items()})
