"""Drawing that pages share. The only place where untrusted text becomes HTML.

Everything goes through `escaped` before it reaches `st.html`. Where Streamlit reads Markdown
(labels, captions, tabs, expanders, buttons, toasts), untrusted text goes through `label` first.
"""

from ui.escape import defused, escaped, label, seen
from ui.widgets.page_parts import command, empty, error, errors_shown, page_link
from ui.widgets.tables import csv_of, download, figure
from ui.widgets.texts import (
    Mark,
    chip,
    chip_html,
    conversation,
    diff,
    focus,
    html,
    marks,
    summary,
    text,
)

__all__ = [
    "Mark",
    "chip",
    "chip_html",
    "command",
    "conversation",
    "csv_of",
    "defused",
    "diff",
    "download",
    "empty",
    "error",
    "errors_shown",
    "escaped",
    "figure",
    "focus",
    "html",
    "label",
    "marks",
    "page_link",
    "seen",
    "summary",
    "text",
]
