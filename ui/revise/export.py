"""Revise: write a training set, with what goes out and what stays back by reason."""

import streamlit as st

from arf_core.finetune.export import WHY, Outlook, outlook
from arf_core.jobs.kinds import ExportJob, command_of
from arf_core.project import Project
from arf_core.records import System
from arf_core.review.apply_decisions import reviewed_name
from ui import job_bar as jobs
from ui import loaders, widgets
from ui.revise.page import tallied
from ui.widgets import escaped


def draw(project: Project, system: System) -> None:
    """What an export would hold, and its start."""
    names = loaders.names(project)
    reviewed = st.radio(
        "What is exported",
        [True, False],
        key="export-what",
        format_func=lambda r: (
            "With the decisions applied (Corrected, reviewed)"
            if r
            else f"As the round left it ({widgets.label(names[system.name])})"
        ),
        captions=[
            "Accepted as it is, rejected with the text before, reworded with the new text.",
            "Only what was accepted or verified; what was rejected or reworded stays back.",
        ],
    )
    everything = st.toggle(
        "Also take what nobody stands behind",
        key="export-everything",
        help="Rows that no verifier and no person has confirmed.",
    )
    ahead = outlook(tallied(project, system.name), bool(reviewed))
    _reasons(ahead, everything)
    of = reviewed_name(system.name) if reviewed else system.name
    folder = st.text_input(
        "Folder, inside the project", value=f"exports/{of}", key=f"export-folder-{of}"
    )
    work = ExportJob(system=of, into=folder.strip() or f"exports/{of}", everything=everything)
    rows = sum(ahead.goes.values()) + (sum(ahead.stays.values()) if everything else 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(
            f"Export {rows:,} rows",
            key="export-start",
            type="primary",
            icon=":material/file_export:",
            disabled=not rows,
        )
        widgets.command(command_of(work, project.path))
    if start:
        jobs.start(project, work)
    jobs.history(project)


def _reasons(ahead: Outlook, everything: bool) -> None:
    """Two tables: what goes out, and what stays back, each with its reason."""
    goes = ahead.goes | (ahead.stays if everything else {})
    stays = {} if everything else ahead.stays
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Goes out: {sum(goes.values()):,}**")
        _table(goes)
    with right:
        st.markdown(f"**Stays back: {sum(stays.values()) + ahead.test:,}**")
        _table(stays | ({"test": ahead.test} if ahead.test else {}))


REASONS = WHY | {"test": "test split: a student must not be trained on it"}


def _table(counts: dict[str, int]) -> None:
    if not counts:
        st.caption("Nothing.")
        return
    rows = sorted(counts.items(), key=lambda kv: -kv[1])
    cells = (f"<span>{n:,}</span><span>{escaped(REASONS[origin])}</span>" for origin, n in rows)
    widgets.html(f'<div class="arf-reasons">{"".join(cells)}</div>')
