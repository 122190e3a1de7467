"""Conversations, summaries and differences as HTML."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import streamlit as st

from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Conversation, Finding, digest
from arf_core.report.charts import category_colour
from arf_core.text import Part, word_diff
from ui.escape import escaped
from ui.names import category_name

SIDES = {"agent": "arf-right", "bot": "arf-right"}
CONVERSATION_HEIGHT = 460
"""Pixels; longer conversations scroll."""
_TAGS = {"same": "{}", "deleted": "<del>{}</del>", "inserted": "<ins>{}</ins>"}


def html(body: str) -> None:
    """Draw HTML of our own; every untrusted text in it went through `escaped`."""
    st.html(body)


def text(value: object, muted: bool = False) -> None:
    """Untrusted text as a paragraph, line breaks kept."""
    html(f'<div class="arf-text{" arf-muted" if muted else ""}">{escaped(value)}</div>')


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
    """Scroll the first evidence into view. The script is our own, and `mark` is a hash."""
    st.html(
        f"<script>(() => {{ const box = document.querySelector('[data-arf=\"{mark}\"]');"
        "const turn = box && box.querySelector('.arf-evidence');"
        "if (turn) box.scrollTop = turn.offsetTop - box.offsetTop - 40; })();</script>",
        unsafe_allow_javascript=True,
    )


def focus(key: str) -> None:
    """Put the cursor into the text area of the container with this key. The script and the key are
    our own."""
    st.html(
        "<script>setTimeout(() => { const field = document.querySelector("
        f"'.st-key-{key} textarea'); if (field) field.focus(); }}, 60);</script>",
        unsafe_allow_javascript=True,
    )


class Mark(NamedTuple):
    """A span of a summary to mark: characters [start, end)."""

    start: int
    end: int
    colour: str
    """#rrggbb"""
    title: str
    """Shown when the mouse rests on it."""
    number: str = ""
    """Drawn behind it, so that marks differ by more than colour."""
    strong: bool = False


def marks(findings: Iterable[Finding], taxonomy: Taxonomy, chosen: str | None = None) -> list[Mark]:
    """The findings' spans in the colours of their categories, numbered as listed.

    `chosen` is the id of the one to emphasise. An omission has no span, so it gets no mark.
    """
    found = []
    for number, finding in enumerate(findings, start=1):
        if finding.start is None or finding.end is None:
            continue
        name = category_name(finding.category, taxonomy)
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
    """A summary with marked spans, which may overlap."""
    body = _marked_text(words, marks)
    html(f'<div class="arf-text{" arf-box" if box else ""}">{body}</div>')


def _marked_text(words: str, marks: Iterable[Mark]) -> str:
    """HTML with spans marked; where they overlap, the shortest shows."""
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
    """The HTML of a chip, to put into a line."""
    colour = category_colour(taxonomy, category)
    name = escaped(category_name(category, taxonomy))
    return f'<span class="arf-chip" style="--arf-colour:{colour}">{name}</span>'


def diff(before: str, after: str, *, side_by_side: bool = False) -> None:
    """What changed between two versions, word by word: in one text, or side by side."""
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


def _diff_html(parts: Iterable[Part]) -> str:
    return "".join(_TAGS[p.kind].format(escaped(p.text)) for p in parts)
