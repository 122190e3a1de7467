"""Make untrusted text safe to show: visible, and read neither as HTML, Markdown nor a formula."""

import re
from html import escape

_PICTURES = {c: chr(0x2400 + c) for c in range(32) if c not in (9, 10)} | {127: "\u2421"}
_HIDDEN = {c: f"[U+{c:04X}]" for c in (*range(0x80, 0xA0), *range(0x202A, 0x202F), 0x2028, 0x2029)}
_LONE = dict.fromkeys(range(55296, 57344), "�")
VISIBLE = _PICTURES | _HIDDEN | _LONE
"""Invisible characters, and those that turn the text around them, as visible ones."""
_ADDRESS = re.compile(r"(https?:|www|@)(?=\S)", re.IGNORECASE)
"""What Streamlit turns into a link even where it is escaped; an invisible word joiner behind it
prevents that."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=&@/])")
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def seen(text: object) -> str:
    """Text with its control characters made visible; line breaks and tabs stay."""
    return str(text).replace("\r\n", "\n").translate(VISIBLE)


def escaped(text: object) -> str:
    """Text as HTML that shows just this text."""
    return escape(seen(text))


def label(text: object, most: int = 120) -> str:
    """Text for where Streamlit reads Markdown: shown as it is, on one line, `most` characters."""
    line = " ".join(seen(text).split())
    if len(line) > most:
        line = line[: most - 1] + "…"
    line = _ADDRESS.sub("\\1\u2060", line)
    return _MARKDOWN.sub(r"\\\1", line)


def defused(cell: object) -> object:
    """A cell, with an apostrophe before it if a spreadsheet would run it as a formula."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
