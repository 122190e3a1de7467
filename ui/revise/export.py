"""Revise, Export: write a training set; which rows are exported, which are left out, and why."""

from pathlib import Path

import streamlit as st

from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.records import System
from arf_core.review.status import reviewed_name
from arf_core.training.export import ExportSettings, Outlook, outlook
from arf_core.training.training_rows import WHY
from ui import job_bar as jobs
from ui import loaders, widgets
from ui.revise.rounds import counts
from ui.widgets import escaped

REASONS = WHY | {"test": "test split: never trained on"}


def draw(project: Project, system: System) -> None:
    """What to export, its rows by reason, and the start."""
    reviewed = _reviewed(project, system)
    everything = st.toggle(
        "Include unconfirmed rows",
        key="export-everything",
        help="Rows that neither a verifier nor a person has confirmed.",
    )
    ahead = outlook(counts(project, system.name), reviewed)
    _reasons(ahead, everything)
    exported = reviewed_name(system.name) if reviewed else system.name
    usual = f"exports/{exported}"
    folder = st.text_input(
        "Folder in the project", value=usual, key=f"export-folder-{exported}"
    ).strip()
    work = ExportSettings(system=exported, into=Path(folder or usual), everything=everything)
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


def _reviewed(project: Project, system: System) -> bool:
    """Are the decisions applied?"""
    name = widgets.label(loaders.names(project)[system.name])
    return bool(
        st.radio(
            "Summaries",
            [True, False],
            key="export-what",
            format_func=lambda reviewed: (
                "With your decisions applied: Corrected, reviewed"
                if reviewed
                else f"As the round made them: {name}"
            ),
            captions=[
                "The revision if accepted, the earlier text if rejected, your text if reworded.",
                "Accepted or verified revisions. Rejected and reworded ones are left out.",
            ],
        )
    )


def _reasons(ahead: Outlook, everything: bool) -> None:
    """Two tables of counts by reason: exported and left out."""
    exported = ahead.goes | (ahead.stays if everything else {})
    left_out = {} if everything else dict(ahead.stays)
    if ahead.test:
        left_out["test"] = ahead.test
    left, right = st.columns(2, gap="medium")
    for column, title, rows in ((left, "Exported", exported), (right, "Left out", left_out)):
        with column:
            st.markdown(f"**{title}: {sum(rows.values()):,}**")
            _table(rows)


def _table(counts: dict[str, int]) -> None:
    if not counts:
        st.caption("No rows.")
        return
    rows = sorted(counts.items(), key=lambda kv: -kv[1])
    cells = (f"<span>{n:,}</span><span>{escaped(REASONS[origin])}</span>" for origin, n in rows)
    widgets.html(f'<div class="arf-reasons">{"".join(cells)}</div>')
