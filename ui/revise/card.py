"""Revise, Review: one revision, its difference, and every edit beside its finding and its check."""

import streamlit as st

from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Check, Edit
from arf_core.review.card import Answered, ReviewCard
from arf_core.store.review_status import ReviewStatus
from ui import widgets
from ui.names import detector_name
from ui.revise.rounds import STATUS
from ui.widgets import escaped

CHECKED = {
    "fixed": ("✓", "fixed", "good"),
    "not_fixed": ("✗", "not fixed", "bad"),
    "unchecked": ("?", "unchecked", "open"),
    "new_error": ("!", "new error", "bad"),
}
TONES: dict[ReviewStatus, str] = {
    "new_error": "bad",
    "not_fixed": "bad",
    "failed": "bad",
    "flagged": "open",
    "unchecked": "open",
    "large_change": "open",
    "verified": "good",
    "clean": "good",
}
WHY: dict[ReviewStatus, str] = {
    "new_error": "The verifier found an error that the edit introduced.",
    "not_fixed": "The verifier still sees a finding that the edit should fix.",
    "failed": "The editor returned no usable edit, so the text is unchanged.",
    "flagged": "The edit changes far more than the findings require.",
    "unchecked": "No verifier has confirmed every fix.",
    "large_change": "Every finding is fixed, but much of the text changed.",
    "verified": "Every finding is fixed and no new error was found.",
    "clean": "There were no findings to fix.",
}
DECIDED = {"accept": "accepted", "reject": "rejected", "reword": "reworded"}


def heading(card: ReviewCard) -> None:
    """The conversation, the status, and the reason for the status."""
    q = card.queued
    widgets.html(
        f'<div class="arf-row"><b>{escaped(q.external_id)}</b>'
        f"{badge(STATUS[q.status], TONES[q.status])}"
        f'<span class="arf-muted">{escaped(WHY[q.status])}</span></div>'
    )


def decision(card: ReviewCard) -> None:
    """Who decided what, and the final text where it differs from the revision."""
    d = card.decided
    if d is None:
        return
    words = f"{d.annotator} {DECIDED[d.action]} this on {d.at:%d %B %Y}."
    if d.action == "reject":
        words += " The text from before the revision is kept."
    widgets.text(words, muted=True)
    if d.action == "reword":
        st.caption("From the revision to the final text")
        widgets.diff(card.item.summary.text, card.final_text)


def badge(words: str, tone: str) -> str:
    """HTML of words in a box; the tone is good, bad or open."""
    return f'<span class="arf-badge arf-{tone}">{escaped(words)}</span>'


def difference(card: ReviewCard, side_by_side: bool) -> None:
    """The text before and after."""
    if card.before is None:
        st.caption("The original summary has been replaced since.")
        widgets.summary(card.item.summary.text)
        return
    widgets.diff(card.before.text, card.item.summary.text, side_by_side=side_by_side)


def reasons(card: ReviewCard, taxonomy: Taxonomy) -> None:
    """Every finding, the edits that fix it, and the checks."""
    rows = [_row(card, a, taxonomy) for a in (*card.new_errors, *card.answered)]
    if not rows:
        st.caption("There were no findings to fix.")
        return
    widgets.html(f'<div class="arf-findings">{"".join(rows)}</div>')


def _row(card: ReviewCard, answered: Answered, taxonomy: Taxonomy) -> str:
    finding = answered.finding
    if finding is None:
        what = '<span class="arf-muted">Edits without a finding</span>'
    else:
        turns = ", ".join(map(str, finding.evidence))
        word = "turn" if len(finding.evidence) == 1 else "turns"
        where = f'<span class="arf-muted"> {word} {escaped(turns)}</span>' if turns else ""
        what = (
            f"{widgets.chip_html(finding.category, taxonomy)}{where}"
            f'<div class="arf-text">{escaped(finding.explanation)}</div>'
        )
    edits = "".join(_edit(card, e) for e in answered.edits)
    checks = "".join(map(_check, answered.checks)) or badge("? unchecked", "open")
    return (
        f"<div><div>{what}</div><div>{edits or _no_edit(answered)}</div><div>{checks}</div></div>"
    )


def _no_edit(answered: Answered) -> str:
    is_new = any(c.result == "new_error" for c in answered.checks)
    words = "introduced by the edit" if is_new else "no edit"
    return f'<span class="arf-muted">{words}</span>'


def _edit(card: ReviewCard, edit: Edit) -> str:
    """The old words and the new ones."""
    before = card.before.text[edit.start : edit.end] if card.before else ""
    old = f"<del>{escaped(before)}</del> " if before.strip() else ""
    new = f"<ins>{escaped(edit.text)}</ins>" if edit.text.strip() else ""
    return f'<div class="arf-text">{old}{new or "<i>removed</i>"}</div>'


def _check(check: Check) -> str:
    sign, words, tone = CHECKED[check.result]
    reason = f'<div class="arf-text">{escaped(check.reason)}</div>' if check.reason else ""
    by = f'<span class="arf-muted"> {escaped(detector_name(check.verifier))}</span>'
    return f"<div>{badge(f'{sign} {words}', tone)}{by}{reason}</div>"


def evidence(card: ReviewCard) -> tuple[int, ...]:
    """The evidence turns of all its findings."""
    found = (a.finding for a in (*card.new_errors, *card.answered) if a.finding)
    return tuple(sorted({turn for f in found for turn in f.evidence}))
