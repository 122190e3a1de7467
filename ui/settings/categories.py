"""Settings, Categories: edit the taxonomy as a draft, see what it would change, save it."""

import streamlit as st

from arf_core.project import TAXONOMY_FILE, Project
from arf_core.project.taxonomy_edit import taxonomy_text, use_shipped
from ui.settings import category_form, draft_changes, drafts
from ui.settings.changes import PROJECT, apply, command


def draw(project: Project) -> None:
    """The form of the chosen category, the YAML, and what a draft would change."""
    own = (project.path / TAXONOMY_FILE).exists()
    st.caption(
        "What detectors look for and editors correct. "
        + ("This project has its own categories." if own else "These are the built-in categories.")
    )
    draft = drafts.find(project)
    text = draft if draft is not None else taxonomy_text(project)
    form, source = st.tabs(["Form", "YAML"])
    with form:
        categories = drafts.categories_in(text)
        if categories is None:
            st.info("The YAML is not a list of categories. Fix it on the YAML tab.")
        else:
            category_form.draw(project, categories)
    with source:
        _source(project, text)
    if draft is not None:
        draft_changes.draw(project, draft)
    elif own:
        st.button(
            "Restore built-in categories",
            key="taxonomy-shipped",
            type="tertiary",
            on_click=_restore,
            args=(project,),
        )


def _restore(project: Project) -> None:
    apply(
        project,
        "Built-in categories restored.",
        command(project, "taxonomy", PROJECT, "--shipped"),
        lambda: use_shipped(project),
    )


def _source(project: Project, text: str) -> None:
    key = f"taxonomy-text-{hash(text)}"
    edited = st.text_area("taxonomy.yaml", text, key=key, height=420, label_visibility="collapsed")
    if edited is not None and edited != text:
        drafts.keep_text(project, edited)
        st.rerun()
