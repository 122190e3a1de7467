"""Data, Import: the first conversations as they would be stored."""

import streamlit as st

from arf_core.importing import ImportPreview
from arf_core.project import Project
from ui import loaders, widgets
from ui.names import without_flags


def draw(project: Project, seen: ImportPreview) -> None:
    """Notes, rejected rows, and one of the first conversations with its summaries."""
    st.subheader("Preview of the first conversations")
    for note in seen.notes:
        widgets.text(without_flags(note), muted=True)
    if seen.rejected:
        first = seen.rejected[0]
        value = f" ({widgets.label(first.seen)})" if first.seen else ""
        st.warning(
            f"{len(seen.rejected):,} of the first rows would be rejected. First: line "
            f"{first.line:,} of {widgets.label(first.file)}: {widgets.label(first.reason)}{value}.",
            icon=":material/warning:",
        )
    if not seen.conversations:
        st.caption("None of the first rows makes a conversation. Change the mapping above.")
        return
    at = st.segmented_control(
        "Conversation",
        range(len(seen.conversations)),
        default=0,
        required=True,
        key="preview-which",
        format_func=lambda i: str(i + 1),
        label_visibility="collapsed",
    )
    shown = seen.conversations[min(at or 0, len(seen.conversations) - 1)]
    left, right = st.columns([3, 2], gap="large")
    with left:
        widgets.conversation(shown, height=360)
    with right:
        facts = {"id": shown.external_id, "split": shown.split} | shown.attributes
        widgets.text("\n".join(f"{k}: {v}" for k, v in facts.items()), muted=True)
        summaries = [s for s in seen.summaries if s.conversation_id == shown.id]
        for summary in summaries:
            author = loaders.system_name(project, summary.system)
            st.caption(f"Summary by {widgets.label(author)}")
            widgets.summary(summary.text)
        if not summaries:
            st.caption("No summary.")
