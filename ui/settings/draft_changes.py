"""Settings, Categories: what a draft would change, and the buttons to save or discard it."""

from difflib import SequenceMatcher

import streamlit as st

from arf_core.checks import CATEGORIES
from arf_core.errors import ArfError
from arf_core.project import TAXONOMY_FILE, Project
from arf_core.project.taxonomy_edit import CategoryChange, TaxonomyPreview, preview, save_taxonomy
from ui import loaders, widgets
from ui.names import category_name, detector_name
from ui.settings import drafts
from ui.settings.changes import PROJECT, apply, command

TASKS = {"detect": "detector", "edit": "editor", "verify": "verifier"}
FIELDS = {
    "detect": "detector instructions",
    "correct": "editor instructions",
    "omission_of": "key facts",
}


@loaders.reads
def _preview(project: Project, text: str) -> TaxonomyPreview:
    return preview(project, text, CATEGORIES)


def draw(project: Project, draft: str) -> None:
    """Changed categories and prompts, findings affected, and the buttons."""
    st.subheader("Changes in this draft")
    try:
        seen = _preview(project, draft)
    except ArfError as fault:
        widgets.error(fault)
        _buttons(project, draft, valid=False)
        return
    if seen.changes_nothing:
        st.caption("No category changes.")
    for change in seen.categories:
        widgets.text(_in_words(project, change))
    _prompts(seen)
    _analyses(project, seen)
    _buttons(project, draft, valid=True)


def _in_words(project: Project, change: CategoryChange) -> str:
    name = category_name(change.id, project.taxonomy)
    fields = ", ".join(FIELDS.get(f, f) for f in change.fields)
    return f"{name}: {change.kind}{f' ({fields})' if fields else ''}"


def _prompts(seen: TaxonomyPreview) -> None:
    for prompt in seen.prompts:
        with st.expander(f"Changes to the {TASKS[prompt.task]}'s prompt", key=prompt.task):
            st.caption("Only the changed lines are shown.")
            for before, after in changed_lines(prompt.before, prompt.after):
                widgets.diff(before, after)
    if seen.categories and not seen.prompts:
        st.caption("No prompt changes.")


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """The parts of a text that differ, in whole lines: (before, after)."""
    old, new = before.splitlines(), after.splitlines()
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [
        ("\n".join(old[a:b]).strip("\n"), "\n".join(new[c:d]).strip("\n"))
        for tag, a, b, c, d in steps
        if tag != "equal"
    ]


def _analyses(project: Project, seen: TaxonomyPreview) -> None:
    if seen.outdated:
        st.caption(
            "Detectors have read these summaries with other categories. Their findings stay until "
            "you analyze the summaries again."
        )
    for old in seen.outdated:
        author = widgets.label(loaders.system_name(project, old.system))
        detector = widgets.label(detector_name(old.detector))
        st.caption(f"- {detector}: {old.summaries:,} summaries by {author}")
    for lost, n in seen.orphaned:
        category = category_name(lost, project.taxonomy)
        st.warning(
            f"{n:,} findings are in a category that this draft lacks: {widgets.label(category)}. "
            "They stay, under that name.",
            icon=":material/warning:",
        )
    if seen.unruled:
        lost_names = (category_name(c, project.taxonomy) for c in seen.unruled)
        st.caption(f"The rules will not look for: {widgets.label(', '.join(lost_names))}.")


def _buttons(project: Project, draft: str, *, valid: bool) -> None:
    with st.container(horizontal=True):
        if valid:
            st.button(
                "Save categories",
                key="taxonomy-save",
                type="primary",
                icon=":material/save:",
                on_click=_save,
                args=(project, draft),
            )
        st.button("Discard draft", key="taxonomy-discard", on_click=drafts.discard, args=(project,))
        st.download_button(
            "Download as YAML",
            draft.encode(),
            TAXONOMY_FILE,
            "text/yaml",
            key="taxonomy-download",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def _save(project: Project, draft: str) -> None:
    shell = command(project, "taxonomy", PROJECT, "--use", TAXONOMY_FILE)
    if apply(project, "Categories saved.", shell, lambda: save_taxonomy(project, draft)):
        drafts.discard(project)
