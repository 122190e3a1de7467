"""Settings, Categories: the form of one category, and the list around it."""

from typing import get_args

import streamlit as st

from arf_core.project import Project
from arf_core.project.taxonomy import FactKind
from ui import widgets
from ui.settings.drafts import CategoryFields, keep

SEVERITIES = {3: "3 · misleads", 2: "2 · misinforms", 1: "1 · costs time"}
EXAMPLE = ("conversation", "summary", "why")


def draw(project: Project, rows: list[CategoryFields]) -> None:
    """Choose, add, remove and reorder categories; edit the chosen one."""
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
            for key, words, icon, action in (
                ("add", "Add", "add", lambda: _add(project, rows)),
                ("remove", "Remove", "delete", lambda: _remove(project, rows, at)),
                ("up", "Move up", "arrow_upward", lambda: _move(project, rows, at, -1)),
                ("down", "Move down", "arrow_downward", lambda: _move(project, rows, at, 1)),
            ):
                st.button(words, key=f"category-{key}", icon=f":material/{icon}:", on_click=action)
        for row in rows:
            widgets.chip(str(row.get("id", "")), project.taxonomy)
    with right:
        _fields(project, rows, at)


def _fields(project: Project, rows: list[CategoryFields], at: int) -> None:
    row = rows[at]
    shown = f"{at}-{row.get('id')}"  # each category has its own widgets
    with st.form(f"category-{shown}"):
        made = {
            "id": st.text_input("Id, stored with findings", row.get("id", ""), key=f"id-{shown}"),
            "name": st.text_input("Name", row.get("name", ""), key=f"name-{shown}"),
            "severity": st.selectbox(
                "Severity",
                list(SEVERITIES),
                index=list(SEVERITIES).index(row.get("severity", 2)),
                format_func=SEVERITIES.__getitem__,
                key=f"severity-{shown}",
            ),
            "definition": _area("Definition", row.get("definition"), f"definition-{shown}"),
            "example": _example("Example of this error", row.get("example"), f"example-{shown}"),
            "counterexample": _example(
                "Example without this error", row.get("counterexample"), f"counterexample-{shown}"
            ),
            "detect": _area("Instructions for the detector", row.get("detect"), f"detect-{shown}"),
            "correct": _area("Instructions for the editor", row.get("correct"), f"correct-{shown}"),
        }
        kinds = st.multiselect(
            "Key facts whose omission is this error",
            get_args(FactKind),
            [k for k in row.get("omission_of", ()) if k in get_args(FactKind)],
            key=f"omission-{shown}",
            format_func=lambda kind: kind.replace("_", " "),
            placeholder="none",
            help="Findings of an omission mark no words of the summary.",
        )
        if kinds:
            made["omission_of"] = kinds
        if st.form_submit_button("Preview changes", key=f"category-see-{at}", type="primary"):
            rows[at] = made
            keep(project, rows)
            st.rerun()


def _area(words: str, value: object, key: str) -> str:
    # as one paragraph: a folded YAML block ends in a line break
    return st.text_area(
        words, " ".join(str(value or "").split()), key=key, height="content"
    ).strip()


def _example(words: str, value: object, key: str) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    with st.container(border=True):
        st.caption(words)
        return {
            part: st.text_input(part.capitalize(), given.get(part, ""), key=f"{key}-{part}").strip()
            for part in EXAMPLE
        }


def _add(project: Project, rows: list[CategoryFields]) -> None:
    blank = dict.fromkeys(EXAMPLE, "")
    taken = {row.get("id") for row in rows}
    name = next(n for i in range(len(rows) + 1) if (n := f"new_category{i or ''}") not in taken)
    rows.append(
        {"id": name, "name": "", "severity": 2, "definition": "", "example": dict(blank),
         "counterexample": dict(blank), "detect": "", "correct": ""}
    )  # fmt: skip
    keep(project, rows)
    st.session_state["category"] = len(rows) - 1


def _remove(project: Project, rows: list[CategoryFields], at: int) -> None:
    del rows[at]
    keep(project, rows)
    st.session_state["category"] = max(0, at - 1)


def _move(project: Project, rows: list[CategoryFields], at: int, by: int) -> None:
    to = at + by
    if 0 <= to < len(rows):
        rows[at], rows[to] = rows[to], rows[at]
        keep(project, rows)
        st.session_state["category"] = to
