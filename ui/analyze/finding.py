"""Analyze, Findings: one finding, its summary and its conversation.

The address names the open finding, so that it can be shared as a link.
"""

import streamlit as st

from arf_core.project import Project
from arf_core.records import Finding
from arf_core.store.finding_list import FindingCard, Neighbours
from arf_core.store.search import summaries_of
from ui import loaders, widgets
from ui.analyze.selection import Selection
from ui.names import detector_name
from ui.widgets import escaped


def opened() -> int | None:
    """The number of the open finding."""
    asked = st.query_params.get("finding", "")
    return int(asked) if asked.isascii() and asked.isdigit() else None


def open_finding(seq: int) -> None:
    """Open a finding."""
    st.query_params["finding"] = str(seq)


def close() -> None:
    """Go back to the list."""
    st.query_params.pop("finding", None)


def draw(project: Project, selection: Selection, card: FindingCard, at: Neighbours) -> None:
    """Summary and findings on the left, the conversation on the right."""
    _steps(at)
    left, right = st.columns(2, gap="large")
    with left:
        _heading(project, card)
        _findings(project, card)
        widgets.text(f"Detector: {detector_name(card.detector)}", muted=True)
        _comparison(project, selection, card)
        _links(card)
    with right:
        widgets.conversation(card.item.conversation, card.finding.evidence, height=620)


def _steps(at: Neighbours) -> None:
    """Buttons to the list, the finding before and the one after."""
    with st.container(horizontal=True, vertical_alignment="center", key="reader-steps"):
        st.button(
            "Back to list", key="back", icon=":material/list:", on_click=close, shortcut="Escape"
        )
        for name, seq, key, icon in (
            ("Previous", at.before, "k", "chevron_left"),
            ("Next", at.after, "j", "chevron_right"),
        ):
            st.button(
                name,
                key=name.lower(),
                icon=f":material/{icon}:",
                disabled=seq is None,
                on_click=open_finding,
                args=(seq,),
                shortcut=key,
            )
        position = "Not in the list" if at.index is None else f"{at.index + 1:,} of {at.total:,}"
        widgets.text(position, muted=True)


def _heading(project: Project, card: FindingCard) -> None:
    name = loaders.names(project).get(card.system, card.system)
    widgets.text(f"{name}, conversation {card.item.conversation.external_id}", muted=True)
    if not card.current:
        st.info("A newer analysis has replaced this one.", icon=":material/history:")


def _findings(project: Project, card: FindingCard) -> None:
    """The summary with its findings marked, then each finding; the open one first."""
    shown = card.findings if card.current else (card.finding,)
    marks = widgets.marks(shown, project.taxonomy, card.finding.id)
    widgets.summary(card.item.summary.text, marks)
    numbered = sorted(enumerate(shown, start=1), key=lambda nf: nf[1].id != card.finding.id)
    for n, finding in numbered:
        _finding(project, finding, n, chosen=finding.id == card.finding.id)


def _finding(project: Project, finding: Finding, number: int, chosen: bool) -> None:
    details = [f"“{finding.quote}”" if finding.quote else "omission"]
    if finding.evidence:
        turns = ", ".join(map(str, finding.evidence))
        details.append(f"evidence: turn{'s' if len(finding.evidence) > 1 else ''} {turns}")
    if finding.confidence is not None:
        details.append(f"confidence {finding.confidence:.2f}")
    style = "arf-finding arf-chosen" if chosen else "arf-finding"
    widgets.html(
        f'<div class="{style}">'
        f"<div>{widgets.chip_html(finding.category, project.taxonomy)} <b>{number}</b></div>"
        f'<div class="arf-text">{escaped(finding.explanation)}</div>'
        f'<div class="arf-text arf-muted">{escaped(" · ".join(details))}</div></div>'
    )


def _comparison(project: Project, selection: Selection, card: FindingCard) -> None:
    """How the other system's summary of the conversation differs."""
    other = next((s for s in selection.systems if s != card.system), None)
    if other is None:
        return
    written = summaries_of(project.store, card.item.conversation.id)
    summary = next((s for s in written if s.system == other), None)
    if summary is None:
        return
    name = widgets.label(loaders.names(project)[other])
    with st.expander(f"Compare with {name}", key="other-version"):
        widgets.diff(card.item.summary.text, summary.text)


def _links(card: FindingCard) -> None:
    """To the conversation in Data, and to its correction in Revise."""
    conversation = card.item.conversation
    with st.container(horizontal=True):
        widgets.page_link(
            "pages/1_Data.py",
            "Open conversation in Data",
            icon=":material/forum:",
            conversation=conversation.id,
        )
        if card.corrected is not None:
            widgets.page_link(
                "pages/3_Revise.py",
                "Open correction in Revise",
                icon=":material/edit_note:",
                round=card.corrected,
                conversation=conversation.external_id,
            )
