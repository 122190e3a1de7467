"""Drawing that pages share. The one place where text that strangers wrote becomes HTML.

Everything goes through `escaped` before it reaches `st.html`. Where Streamlit reads Markdown
(labels, captions, tabs, expanders, buttons, toasts), untrusted text goes through `label` first.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from arf_core.errors import ArfError
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Conversation, Finding, Record, digest
from arf_core.report.charts import category_colour, in_theme
from arf_core.text import Part, word_diff

SIDES = {"agent": "arf-right", "bot": "arf-right"}
CONVERSATION_HEIGHT = 460
"""Pixels; longer conversations scroll."""

# -- text that strangers wrote --------------------------------------------------------------------

_PICTURES = {c: chr(0x2400 + c) for c in range(32) if c not in (9, 10)} | {127: "\u2421"}
_HIDDEN = {c: f"[U+{c:04X}]" for c in (*range(0x80, 0xA0), *range(0x202A, 0x202F), 0x2028, 0x2029)}
_LONE = dict.fromkeys(range(55296, 57344), "�")
VISIBLE = _PICTURES | _HIDDEN | _LONE
"""What would not be seen, or would turn the text around it, as something that is seen."""
_ADDRESS = re.compile(r"(https?:|www|@)(?=\S)", re.IGNORECASE)
"""What becomes a link by itself, even where it is escaped; a word joiner behind it, which nobody
sees, prevents that."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=&@/])")


def seen(text: object) -> str:
    """Text with its control characters made visible; line breaks and tabs stay."""
    return str(text).replace("\r\n", "\n").translate(VISIBLE)


def escaped(text: object) -> str:
    """Text as HTML that shows just this text."""
    return escape(seen(text))


def label(text: object, most: int = 120) -> str:
    """Text for a place where Streamlit reads Markdown: shown as it is, on one line, not long."""
    line = " ".join(seen(text).split())
    if len(line) > most:
        line = line[: most - 1] + "…"
    line = _ADDRESS.sub("\\1\u2060", line)
    return _MARKDOWN.sub(r"\\\1", line)


def html(body: str) -> None:
    """HTML of our own making; every strange text in it went through `escaped`."""
    st.html(body)


def text(value: object, muted: bool = False) -> None:
    """A strange text as a paragraph, line breaks kept."""
    html(f'<div class="arf-text{" arf-muted" if muted else ""}">{escaped(value)}</div>')


# -- conversations, summaries, differences --------------------------------------------------------


def conversation(
    conversation: Conversation,
    evidence: Iterable[int] = (),
    *,
    height: int = CONVERSATION_HEIGHT,
) -> None:
    """A conversation as a chat; the turns of `evidence` (from 0) outlined, the first in view."""
    marked = frozenset(evidence)
    turns = "".join(
        _turn(n, turn.speaker, turn.text, n in marked) for n, turn in enumerate(conversation.turns)
    )
    mark = digest(conversation.id, *map(str, sorted(marked)))
    html(
        f'<div class="arf-chat" style="max-height:{height}px" tabindex="0" role="log" '
        f'aria-label="Conversation" data-arf="{mark}">{turns}</div>'
    )
    if marked:
        _scroll(mark)


def _turn(number: int, speaker: str, words: str, marked: bool) -> str:
    classes = f"arf-turn {SIDES.get(speaker, '')} {'arf-evidence' if marked else ''}"
    flag = '<span class="arf-flag">evidence</span>' if marked else ""
    who = speaker.capitalize() if speaker in ("customer", "agent", "bot") else speaker
    return (
        f'<div class="{classes}"><div class="arf-who">{escaped(who)}'
        f'<span class="arf-number">turn {number}</span>{flag}</div>'
        f'<div class="arf-text">{escaped(words)}</div></div>'
    )


def _scroll(mark: str) -> None:
    """Bring the first evidence into view. The script is ours, and `mark` a hash."""
    st.html(
        f"<script>(() => {{ const box = document.querySelector('[data-arf=\"{mark}\"]');"
        "const turn = box && box.querySelector('.arf-evidence');"
        "if (turn) box.scrollTop = turn.offsetTop - box.offsetTop - 40; })();</script>",
        unsafe_allow_javascript=True,
    )


def focus(key: str) -> None:
    """Put the cursor into the text area of the container with this key. The script is ours, and
    `key` is written in our own code."""
    st.html(
        "<script>setTimeout(() => { const field = document.querySelector("
        f"'.st-key-{key} textarea'); if (field) field.focus(); }}, 60);</script>",
        unsafe_allow_javascript=True,
    )


class Mark(NamedTuple):
    """A span of a summary to be marked: characters [start, end)."""

    start: int
    end: int
    colour: str
    """#rrggbb"""
    title: str
    """Shown when the mouse rests on it."""
    number: str = ""
    """Drawn behind it, so that colour is not the only difference."""
    strong: bool = False


def marks(findings: Iterable[Finding], taxonomy: Taxonomy, chosen: str | None = None) -> list[Mark]:
    """The findings' spans in the colours of their categories, numbered as listed; `chosen` is the
    id of one that stands out. Omissions have no span, and no mark."""
    found = []
    for number, finding in enumerate(findings, start=1):
        if finding.start is None or finding.end is None:
            continue
        category = taxonomy.by_id.get(finding.category)
        name = category.name if category else finding.category
        found.append(
            Mark(
                finding.start,
                finding.end,
                category_colour(taxonomy, finding.category),
                f"{name}: {finding.explanation}",
                str(number),
                finding.id == chosen,
            )
        )
    return found


def summary(words: str, marks: Iterable[Mark] = (), *, box: bool = True) -> None:
    """A summary with spans marked; they may overlap."""
    body = marked_text(words, marks)
    html(f'<div class="arf-text{" arf-box" if box else ""}">{body}</div>')


def marked_text(words: str, marks: Iterable[Mark]) -> str:
    """A text's HTML with spans marked; where they overlap the shorter one shows."""
    spans = [m for m in marks if 0 <= m.start < m.end <= len(words)]
    borders = sorted({0, len(words), *(m.start for m in spans), *(m.end for m in spans)})
    parts = []
    for start, end in pairwise(borders):
        over = [m for m in spans if m.start <= start and end <= m.end]
        piece = escaped(words[start:end])
        if over:
            piece = _marked(piece, over, end)
        parts.append(piece)
    return "".join(parts)


def _marked(piece: str, over: Sequence[Mark], end: int) -> str:
    top = min(over, key=lambda m: (not m.strong, m.end - m.start))
    numbers = ",".join(m.number for m in over if m.number and m.end == end)
    sup = f"<sup>{escaped(numbers)}</sup>" if numbers else ""
    strong = " arf-strong" if any(m.strong for m in over) else ""
    title = escaped("\n".join(m.title for m in over))
    return (
        f'<mark class="arf-mark{strong}" style="--arf-colour:{top.colour}" title="{title}">'
        f"{piece}{sup}</mark>"
    )


def chip(category: str, taxonomy: Taxonomy) -> None:
    """A category's name beside its colour."""
    html(chip_html(category, taxonomy))


def chip_html(category: str, taxonomy: Taxonomy) -> str:
    known = taxonomy.by_id.get(category)
    colour = category_colour(taxonomy, category)
    name = escaped(known.name if known else category)
    return f'<span class="arf-chip" style="--arf-colour:{colour}">{name}</span>'


def diff(before: str, after: str, *, side_by_side: bool = False) -> None:
    """What changed from one version to the other, word by word: in one text, or side by side."""
    parts = word_diff(before, after)
    if not side_by_side:
        html(f'<div class="arf-text arf-box">{_diff_html(parts)}</div>')
        return
    old = _diff_html(p for p in parts if p.kind != "inserted")
    new = _diff_html(p for p in parts if p.kind != "deleted")
    html(
        '<div class="arf-sides">'
        f'<div><div class="arf-muted">Before</div><div class="arf-text arf-box">{old}</div></div>'
        f'<div><div class="arf-muted">After</div><div class="arf-text arf-box">{new}</div></div>'
        "</div>"
    )


_TAGS = {"same": "{}", "deleted": "<del>{}</del>", "inserted": "<ins>{}</ins>"}


def _diff_html(parts: Iterable[Part]) -> str:
    return "".join(_TAGS[p.kind].format(escaped(p.text)) for p in parts)


# -- what every page needs ------------------------------------------------------------------------


def empty(title: str, words: str, page: str | None = None, to: str = "Open", **query: str) -> None:
    """Says why there is nothing, and what to do; `page` is the file of the page where to do it."""
    html(f'<div class="arf-empty"><h3>{escaped(title)}</h3><p>{escaped(words)}</p></div>')
    if page:
        with st.container(horizontal=True, horizontal_alignment="center"):
            page_link(page, to, icon=":material/arrow_forward:", **query)


def page_link(page: str, words: str, *, icon: str | None = None, **query: str) -> None:
    """A link to another page of the same project."""
    from ui.state import state

    project = state().project
    kept = ({"project": project} if project else {}) | query
    st.page_link(page, label=words, icon=icon, query_params=kept)


def error(fault: ArfError) -> None:
    """An error that the user can mend: what happened, and what to do."""
    st.error(f"{label(fault.message, 1000)}  \n{label(fault.hint, 1000)}", icon=":material/error:")


@contextmanager
def told() -> Iterator[None]:
    """Around what a click does: an error that the user can mend is shown in its place."""
    try:
        yield
    except ArfError as fault:
        error(fault)


def command(line: str) -> None:
    """The line for a terminal that does the same as the action beside it."""
    with st.popover("In a terminal", icon=":material/terminal:", type="tertiary"):
        st.code(seen(line), language=None, wrap_lines=True)


def figure(
    chart: go.Figure,
    key: str,
    *,
    data: pd.DataFrame | None = None,
    on_select: Callable[[], None] | Literal["ignore", "rerun"] = "ignore",
) -> Any:
    """A chart in the page's theme. Its menu saves it as a picture, `data` as a CSV file.

    Returns what is selected in it, where `on_select` is not "ignore".
    """
    chosen = st.plotly_chart(
        in_theme(chart, theme()),
        theme=None,
        key=key,
        on_select=on_select,
        config={
            "displaylogo": False,
            "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
        },
    )
    if data is not None:
        download("Figures as CSV", data, f"{key}.csv", key=f"{key}-csv")
    return chosen


def theme() -> Any:
    """ "light" or "dark", as the page is."""
    return st.context.theme.type or "light"


_FORMULA = re.compile(r"^[=+\-@\t\r]")


def defused(cell: object) -> object:
    """A cell that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def csv_of(rows: pd.DataFrame | Sequence[Record]) -> bytes:
    """A table as CSV that spreadsheets read as text: UTF-8 with a mark, formulas defused."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([r.model_dump() for r in rows])
    safe = frame.map(defused).rename(columns=lambda name: defused(str(name)))
    return safe.to_csv(index=False).encode("utf-8-sig", "replace")


def download(
    words: str,
    rows: pd.DataFrame | Sequence[Record] | Callable[[], bytes],
    name: str,
    *,
    key: str | None = None,
) -> None:
    """A button that saves a table as a CSV file; it is made when the button is pressed."""
    make = rows if callable(rows) else lambda: csv_of(rows)
    st.download_button(
        words,
        data=make,
        file_name=name,
        mime="text/csv",
        key=key or f"download-{name}",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )
