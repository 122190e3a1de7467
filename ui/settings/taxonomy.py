"""Settings, Categories: edit the taxonomy as a draft, see what it would change, save it.

The draft is YAML text, so that the form and the text below it are two views of one thing, and a
draft with faults can be held and shown.
"""

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any, get_args

import streamlit as st
import yaml

from arf_core.checks import CATEGORIES
from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.project.taxonomy import FactKind
from arf_core.project.taxonomy_edit import (
    FILE,
    CategoryChange,
    Preview,
    preview,
    save_taxonomy,
    taxonomy_text,
    use_shipped,
)
from ui import loaders, widgets
from ui.settings.page import PROJECT, act, line
from ui.state import state

Rows = list[dict[str, Any]]
SEVERITIES = {3: "3 · misleads", 2: "2 · misinforms", 1: "1 · costs time"}
EXAMPLE = ("conversation", "summary", "why")
TASKS = {"detect": "Detector", "edit": "Editor", "verify": "Verifier"}
FIELDS = {
    "detect": "how to find it",
    "correct": "how to correct it",
    "omission_of": "missing facts",
}


@loaders.reads
def _preview(project: Project, text: str) -> Preview:
    return preview(project, text, CATEGORIES)


def draw(project: Project) -> None:
    """The categories, the form of the chosen one, and what a draft would change."""
    own = (project.path / FILE).exists()
    st.caption(
        "What detectors look for and editors correct. "
        + ("This project has categories of its own." if own else "These are the shipped ones.")
    )
    draft = state().settings.drafts.get(str(project.path))
    text = draft if draft is not None else taxonomy_text(project)
    form, source = st.tabs(["Form", "As YAML"])
    with form:
        rows = _rows(text)
        if rows is None:
            st.info("The text is no list of categories at present; mend it under As YAML.")
        else:
            _form(project, rows)
    with source:
        _source(project, text)
    if draft is not None:
        _draft(project, draft)
    elif own:
        st.button(
            "Use the shipped categories",
            key="taxonomy-shipped",
            type="tertiary",
            on_click=_shipped,
            args=(project,),
        )


def _shipped(project: Project) -> None:
    act(
        project,
        "The shipped categories are used again.",
        line(project, "taxonomy", PROJECT, "--shipped"),
        lambda: use_shipped(project),
    )


def _rows(text: str) -> Rows | None:
    """The draft's categories as they stand, faulty ones too; None where it holds no such list."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    rows = data.get("categories") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        return None
    return rows


def _keep(project: Project, rows: Rows) -> None:
    state().settings.drafts[str(project.path)] = yaml.safe_dump(
        {"categories": rows}, sort_keys=False, allow_unicode=True, width=100
    )


# -- the form -------------------------------------------------------------------------------------


def _form(project: Project, rows: Rows) -> None:
    at = min(st.session_state.get("category") or 0, len(rows) - 1)
    st.session_state["category"] = at
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.selectbox(
            "Category",
            range(len(rows)),
            key="category",
            format_func=lambda i: widgets.seen(rows[i].get("name") or rows[i].get("id") or "new"),
        )
        with st.container(horizontal=True):
            for words, icon, do in (
                ("Add", "add", lambda: _add(project, rows)),
                ("Remove", "delete", lambda: _take_out(project, rows, at)),
                ("Up", "arrow_upward", lambda: _move(project, rows, at, -1)),
                ("Down", "arrow_downward", lambda: _move(project, rows, at, 1)),
            ):
                st.button(
                    f":material/{icon}:",
                    key=f"category-{words.lower()}",
                    help=words,
                    on_click=do,
                )
        for row in rows:
            widgets.chip(str(row.get("id", "")), project.taxonomy)
    with right:
        _fields(project, rows, at)


def _fields(project: Project, rows: Rows, at: int) -> None:
    row = rows[at]
    shown = f"{at}-{row.get('id')}"  # other widgets for another category
    with st.form(f"category-{shown}"):
        made = {
            "id": st.text_input("Id (stored with findings)", row.get("id", ""), key=f"id-{shown}"),
            "name": st.text_input("Name", row.get("name", ""), key=f"name-{shown}"),
            "severity": st.selectbox(
                "Severity",
                list(SEVERITIES),
                index=list(SEVERITIES).index(row.get("severity", 2)),
                format_func=SEVERITIES.__getitem__,
                key=f"severity-{shown}",
            ),
            "definition": _area("Definition", row.get("definition"), f"definition-{shown}"),
            "example": _example("An error", row.get("example"), f"example-{shown}"),
            "counterexample": _example(
                "No error", row.get("counterexample"), f"counterexample-{shown}"
            ),
            "detect": _area("How to find it (detector)", row.get("detect"), f"detect-{shown}"),
            "correct": _area("How to correct it (editor)", row.get("correct"), f"correct-{shown}"),
        }
        kinds = st.multiselect(
            "An omission of these key facts (then findings have no span)",
            get_args(FactKind),
            [k for k in row.get("omission_of", ()) if k in get_args(FactKind)],
            key=f"omission-{shown}",
        )
        if kinds:
            made["omission_of"] = kinds
        if st.form_submit_button("See what this changes", key=f"category-see-{at}", type="primary"):
            rows[at] = made
            _keep(project, rows)
            st.rerun()


def _area(words: str, value: object, key: str) -> str:
    # one paragraph: a folded block of YAML ends in a line break
    return st.text_area(words, " ".join(str(value or "").split()), key=key, height=96).strip()


def _example(words: str, value: object, key: str) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    with st.container(border=True):
        st.caption(words)
        return {
            part: st.text_input(part.capitalize(), given.get(part, ""), key=f"{key}-{part}").strip()
            for part in EXAMPLE
        }


def _add(project: Project, rows: Rows) -> None:
    blank = dict.fromkeys(EXAMPLE, "")
    taken = {row.get("id") for row in rows}
    name = next(n for i in range(len(rows) + 1) if (n := f"new_category{i or ''}") not in taken)
    rows.append(
        {"id": name, "name": "", "severity": 2, "definition": "", "example": dict(blank),
         "counterexample": dict(blank), "detect": "", "correct": ""}
    )  # fmt: skip
    _keep(project, rows)
    st.session_state["category"] = len(rows) - 1


def _take_out(project: Project, rows: Rows, at: int) -> None:
    del rows[at]
    _keep(project, rows)
    st.session_state["category"] = max(0, at - 1)


def _move(project: Project, rows: Rows, at: int, by: int) -> None:
    to = at + by
    if 0 <= to < len(rows):
        rows[at], rows[to] = rows[to], rows[at]
        _keep(project, rows)
        st.session_state["category"] = to


def _source(project: Project, text: str) -> None:
    key = f"taxonomy-text-{hash(text)}"
    words = st.text_area("taxonomy.yaml", text, key=key, height=420, label_visibility="collapsed")
    if words is not None and words != text:
        state().settings.drafts[str(project.path)] = words
        st.rerun()


# -- the draft ------------------------------------------------------------------------------------


def _draft(project: Project, draft: str) -> None:
    st.subheader("What this draft changes")
    try:
        seen = _preview(project, draft)
    except ArfError as fault:
        widgets.error(fault)
        _buttons(project, draft, valid=False)
        return
    if seen.changes_nothing:
        st.caption("No category changes.")
    for change in seen.categories:
        widgets.text(_told(change))
    _prompts(seen)
    _analyses(project, seen)
    _buttons(project, draft, valid=True)


def _told(change: CategoryChange) -> str:
    fields = ", ".join(FIELDS.get(f, f) for f in change.fields)
    return f"{change.id}: {change.kind}{f' ({fields})' if fields else ''}"


def _prompts(seen: Preview) -> None:
    for prompt in seen.prompts:
        with st.expander(f"{TASKS[prompt.task]}: its instructions change", key=prompt.task):
            st.caption("Only the lines that change, with what they say instead.")
            for before, after in changed_lines(prompt.before, prompt.after):
                widgets.diff(before, after)
    if seen.categories and not seen.prompts:
        st.caption("No prompt changes.")


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """The parts of a long text that differ, in whole lines, as they are and as they would be."""
    old, new = before.splitlines(), after.splitlines()
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [
        ("\n".join(old[a:b]).strip("\n"), "\n".join(new[c:d]).strip("\n"))
        for tag, a, b, c, d in steps
        if tag != "equal"
    ]


def _analyses(project: Project, seen: Preview) -> None:
    names = loaders.names(project)
    for old in seen.outdated:
        st.caption(
            f"{old.summaries:,} summaries by {widgets.label(names.get(old.system, old.system))} "
            f"were read by {widgets.label(old.detector)} with other categories. They keep their "
            "findings and their version, until they are analyzed again."
        )
    for category, n in seen.orphaned:
        st.warning(
            f"{n:,} findings are of {widgets.label(category)}, which the draft does not have: they "
            "stay, under that name.",
            icon=":material/warning:",
        )
    if seen.unruled:
        st.caption(f"The rules will look for no {widgets.label(', '.join(seen.unruled))}.")


def _buttons(project: Project, draft: str, *, valid: bool) -> None:
    def discard() -> None:
        state().settings.drafts.pop(str(project.path), None)

    def save() -> None:
        command = line(project, "taxonomy", PROJECT, "--use", FILE)
        done: Callable[[], object] = lambda: save_taxonomy(project, draft)  # noqa: E731
        if act(project, "The categories are saved.", command, done):
            discard()

    with st.container(horizontal=True):
        if valid:
            st.button(
                "Save the categories",
                key="taxonomy-save",
                type="primary",
                icon=":material/save:",
                on_click=save,
            )
        st.button("Discard the draft", key="taxonomy-discard", on_click=discard)
        st.download_button(
            "Download as YAML",
            draft.encode(),
            FILE,
            "text/yaml",
            key="taxonomy-download",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
