"""Data, Import: what was imported and rejected, and what the rules found."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import streamlit as st
from pydantic_core import from_json

from arf_core.evaluate.rates import ErrorRates, error_rates
from arf_core.importing import SHAPES, ImportReport
from arf_core.jobs import queue
from arf_core.jobs.queue import Job
from arf_core.project import Project
from ui import loaders, widgets
from ui.data.mapping import LABELS
from ui.names import without_flags

LISTED = 50
SHOWN = 20
"""Rejected rows in the table; the download has all."""
REJECTED = ("file", "line", "reason", "seen")


def draw(project: Project) -> None:
    """The report of the newest import, and a menu of earlier ones."""
    listed = queue.jobs(project.store, LISTED)
    done = [j for j in listed if j.kind == "import" and j.state == "done"]
    if not done:
        return
    st.subheader("Import report")
    chosen = done[0]
    if len(done) > 1:
        ids = {job.id: job for job in done}
        chosen = ids[
            st.selectbox(
                "Import",
                list(ids),
                key="report-of",
                format_func=lambda i: (
                    f"{ids[i].created:%Y-%m-%d %H:%M} · " + widgets.seen(ids[i].title)
                ),
            )
        ]
    report = queue.report_of(project.store, chosen.id, ImportReport)
    if report is not None:
        _report(project, chosen, report)
        _findings(project, report)


def _report(project: Project, job: Job, report: ImportReport) -> None:
    rejected = sum(report.rejected_by_reason.values())
    with st.container(horizontal=True):
        for words, n in (
            ("Conversations", report.conversations),
            ("Messages", report.messages),
            ("Summaries", report.summaries),
            ("Already imported", report.duplicates),
            ("Rejected rows", rejected),
        ):
            st.metric(words, f"{n:,}", border=True)
    if rejected:
        _rejects(project, job, report, rejected)
    else:
        st.caption("No row was rejected.")
    for note in report.notes:
        widgets.text(without_flags(note), muted=True)
    with st.expander("Column mapping", key="report-mapping"):
        for mapping in report.mappings:
            files = ", ".join(mapping.files)
            widgets.text(f"{files}: {SHAPES[mapping.shape]}.")
            rows = [(LABELS.get(r.field, r.field), r.column or "–", r.why) for r in mapping.reasons]
            table = pd.DataFrame(rows, columns=["Field", "Column", "Reason"])
            st.dataframe(table.map(widgets.seen), hide_index=True)
    widgets.command(job.command)


def _rejects(project: Project, job: Job, report: ImportReport, rejected: int) -> None:
    for reason, n in report.rejected_by_reason.most_common():
        widgets.text(f"{n:,} × {reason}")
    table = pd.DataFrame([r.model_dump() for r in report.rejected[:SHOWN]], columns=[*REJECTED])
    table = table.map(_seen).rename(columns=str.capitalize)
    st.dataframe(table, hide_index=True, key="rejects", column_config={"Seen": "Value"})
    if rejected > SHOWN:
        st.caption(f"The first {SHOWN} of {rejected:,} rejected rows.")
    file = queue.folder_of(project, job.id) / "rejects.jsonl"
    if file.exists():
        name = f"rejected-{job.id}.csv"
        widgets.download("Download all as CSV", lambda: rejects_csv(file), name, key="rejects-csv")


def _seen(cell: object) -> object:
    return widgets.seen(cell) if isinstance(cell, str) else cell


def rejects_csv(file: Path) -> bytes:
    """All rejected rows of an import as CSV, with formulas defused."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(REJECTED)
    table.writerows([widgets.defused(row[name]) for name in REJECTED] for row in _rows(file))
    return out.getvalue().encode("utf-8-sig", "replace")


def _rows(file: Path) -> Iterator[dict[str, object]]:
    with file.open("rb") as lines:
        for line in lines:
            row: dict[str, object] = from_json(line)
            yield {"seen": ""} | row


# -- what the rules found -------------------------------------------------------------------------


@loaders.reads
def _rates(project: Project, system: str) -> ErrorRates:
    return error_rates(project.store, system, "rules")


def _findings(project: Project, report: ImportReport) -> None:
    """What the rules found in the imported systems, and what they cannot see."""
    systems = list(report.summaries_by_system)
    if not systems:
        if not loaders.systems(project):
            st.info(
                "There are no summaries to analyze yet. Import a file of summaries with the ids of "
                "these conversations.",
                icon=":material/info:",
            )
        return
    st.subheader("What the rules found")
    read = False
    for system in systems:
        rates = _rates(project, system)
        total, count = rates.any_error.total, rates.any_error.count
        if not total:
            continue
        read = True
        who = widgets.label(loaders.system_name(project, system))
        findings = sum(rates.findings.values())
        st.markdown(
            f"The rules found errors in **{count:,} of {total:,}** summaries by {who}: "
            f"{findings:,} finding{'' if findings == 1 else 's'}."
        )
    if not read:
        st.caption("The rules have not read the summaries yet. They start after the import.")
        return
    widgets.page_link("pages/2_Analyze.py", "View the findings", icon=":material/search:")
    if not project.settings.models:
        st.info(
            "The rules find only what they can prove: figures and names that the conversation does "
            "not have, repetition, personal data. Connect a model to find the rest, such as wrong "
            "causes or missing steps.",
            icon=":material/lightbulb:",
        )
        widgets.page_link("pages/7_Settings.py", "Connect a model", icon=":material/add:")
