"""Analyze, Label: the summary that is read, and the errors that were noted in it."""

import streamlit as st

from arf_core.analysis.annotations import LabelledFinding, annotated_finding
from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.records import Finding, Item
from ui import widgets
from ui.state import state
from ui.widgets import escaped


def draft(item: Item) -> list[LabelledFinding]:
    """What was noted of a summary, and is not stored yet."""
    return state().labels.drafts.get(item.summary.id, [])


def cited(item: Item) -> list[int]:
    """The turns that show what was noted."""
    return sorted({turn for label in draft(item) for turn in label.evidence})


def summary(project: Project, item: Item) -> None:
    """The summary with the noted errors marked, these one by one, and a form for another."""
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
        quote = f"“{finding.quote}”" if finding.quote else "left out"
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
    """Note an error: its category, the words that are wrong, where the conversation says so."""
    known = project.taxonomy.by_id
    mark = f"{item.summary.id}-{len(draft(item))}"
    with st.form(f"label-form-{mark}", border=True):
        st.selectbox(
            "An error",
            list(known),
            key=f"label-category-{mark}",
            format_func=lambda c: widgets.seen(known[c].name),
            help="What each category means stands on the page Settings, under Categories.",
        )
        st.text_input(
            "The words that are wrong, copied from the summary",
            key=f"label-quote-{mark}",
            placeholder="empty where something is left out",
        )
        st.multiselect(
            "The turns that show it",
            range(len(item.conversation.turns)),
            key=f"label-turns-{mark}",
            placeholder="their numbers",
        )
        st.text_input("Why it is an error", key=f"label-why-{mark}")
        st.form_submit_button(
            "Note it", key=f"label-note-{mark}", on_click=_note, args=(project, item, mark)
        )


def _note(project: Project, item: Item, mark: str) -> None:
    """Take what the form holds, where it fits the texts."""
    given = {name: st.session_state[f"label-{name}-{mark}"] for name in FIELDS}
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


FIELDS = ("category", "quote", "turns", "why")
