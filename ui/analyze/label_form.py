"""Analyze, Label: the summary being read, the errors noted in it, and the form for another."""

import streamlit as st

from arf_core.analysis.annotations import LabelledFinding, annotated_finding
from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.records import Finding, Item
from ui import widgets
from ui.state import state
from ui.widgets import escaped

FIELDS = ("category", "quote", "turns", "why")


def draft(item: Item) -> list[LabelledFinding]:
    """The errors noted in a summary and not saved yet."""
    return state().labels.drafts.get(item.summary.id, [])


def cited(item: Item) -> list[int]:
    """The evidence turns of what was noted."""
    return sorted({turn for label in draft(item) for turn in label.evidence})


def draw(project: Project, item: Item) -> None:
    """The summary with the noted errors marked, a line for each of them, and the form."""
    widgets.html(f'<div class="arf-row"><b>{escaped(item.conversation.external_id)}</b></div>')
    noted = [
        annotated_finding(label, item, project.taxonomy).model_copy(update={"id": str(n)})
        for n, label in enumerate(draft(item))
    ]
    widgets.summary(item.summary.text, widgets.marks(noted, project.taxonomy))
    for n, finding in enumerate(noted):
        _noted(project, item, n, finding)
    _form(project, item)


def _noted(project: Project, item: Item, n: int, finding: Finding) -> None:
    words, button = st.columns([8, 1], vertical_alignment="center")
    with words:
        quote = f"“{finding.quote}”" if finding.quote else "omission"
        widgets.html(
            f"<div>{n + 1} {widgets.chip_html(finding.category, project.taxonomy)} "
            f'<span class="arf-text">{escaped(f"{quote} {finding.explanation}")}</span></div>'
        )
    button.button(
        "Remove",
        key=f"label-remove-{item.summary.id}-{n}",
        icon=":material/close:",
        type="tertiary",
        on_click=_remove,
        args=(item, n),
    )


def _remove(item: Item, n: int) -> None:
    del state().labels.drafts[item.summary.id][n]


def _form(project: Project, item: Item) -> None:
    """An error: its category, the wrong words, and the turns that show it."""
    known = project.taxonomy.by_id
    key = f"{item.summary.id}-{len(draft(item))}"
    with st.form(f"label-form-{key}", border=True):
        st.selectbox(
            "Category",
            list(known),
            key=f"label-category-{key}",
            format_func=lambda c: widgets.seen(known[c].name),
            help="Settings, Categories defines each one.",
        )
        st.text_input(
            "Wrong words, copied from the summary",
            key=f"label-quote-{key}",
            placeholder="empty for an omission",
        )
        st.multiselect(
            "Evidence",
            range(len(item.conversation.turns)),
            key=f"label-turns-{key}",
            format_func=lambda turn: f"turn {turn}",
            placeholder="turns that show the error",
        )
        st.text_input("Explanation", key=f"label-why-{key}")
        st.form_submit_button(
            "Add finding", key=f"label-note-{key}", on_click=_add, args=(project, item, key)
        )


def _add(project: Project, item: Item, key: str) -> None:
    """Note the error in the form if it fits the summary and the conversation."""
    given = {name: st.session_state[f"label-{name}-{key}"] for name in FIELDS}
    label = LabelledFinding(
        category=given["category"],
        quote=given["quote"].strip() or None,
        evidence=sorted(given["turns"]),
        explanation=given["why"].strip() or project.taxonomy[given["category"]].name,
    )
    try:
        annotated_finding(label, item, project.taxonomy)
    except ArfError as fault:
        state().labels.fault = fault
        return
    state().labels.drafts.setdefault(item.summary.id, []).append(label)
