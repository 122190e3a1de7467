"""Data, Import: what imports brought in, what they did not take, and what the rules found."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import streamlit as st
from pydantic_core import from_json

from arf_core.evaluate.rates import ErrorRates, error_rates
from arf_core.importing import SHAPES, ImportReport
from arf_core.jobs import queue as jobs
from arf_core.jobs.queue import Job
from arf_core.project import Project
from ui import frame, loaders, widgets

LISTED = 50
SHOWN = 20
"""Rejected rows in the table; the download has all."""
REJECTED = ("file", "line", "reason", "seen")


def draw(project: Project) -> None:
    """The newest import's report, and a menu of the earlier ones."""
    done = [j for j in jobs.jobs(project.store, LISTED) if j.kind == "import" and j.state == "done"]
    if not done:
        return
    st.subheader("What was imported")
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
    report = jobs.report_of(project.store, chosen.id, ImportReport)
    if report is not None:
        _report(project, chosen, report)
        _findings(project, report)


def _report(project: Project, job: Job, report: ImportReport) -> None:
    rejected = sum(report.rejected_by_reason.values())
    with st.container(horizontal=True):
        for words, n in (
            ("conversations", report.conversations),
            ("messages", report.messages),
            ("summaries", report.summaries),
            ("there already", report.duplicates),
            ("rows not taken", rejected),
        ):
            st.metric(words, f"{n:,}", border=True)
    if rejected:
        _rejects(project, job, report, rejected)
    else:
        st.caption("Every row was taken.")
    for note in report.notes:
        widgets.text(note, muted=True)
    with st.expander("How it was read", key="report-mapping"):
        for mapping in report.mappings:
            files = ", ".join(mapping.files)
            widgets.text(f"{files}: {SHAPES[mapping.shape]}.")
            rows = [(r.field, r.column or "–", r.why) for r in mapping.reasons]
            table = pd.DataFrame(rows, columns=["field", "column", "because"])
            st.dataframe(table.map(widgets.seen), hide_index=True)
    widgets.command(job.command)


def _rejects(project: Project, job: Job, report: ImportReport, rejected: int) -> None:
    for reason, n in report.rejected_by_reason.most_common():
        widgets.text(f"{n:,} × {reason}")
    table = pd.DataFrame([r.model_dump() for r in report.rejected[:SHOWN]], columns=[*REJECTED])
    st.dataframe(table.map(_seen), hide_index=True, key="rejects")
    if rejected > SHOWN:
        st.caption(f"The first {SHOWN} of {rejected:,}.")
    file = jobs.folder_of(project, job.id) / "rejects.jsonl"
    if file.exists():
        name = f"not-taken-{job.id}.csv"
        widgets.download("Save all as CSV", lambda: rejects_csv(file), name, key="rejects-csv")


def _seen(cell: object) -> object:
    return widgets.seen(cell) if isinstance(cell, str) else cell


def rejects_csv(file: Path) -> bytes:
    """All rejected rows of an import, from the file that it wrote, as CSV with formulas defused."""
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
    """What the rules found in the systems that the import brought, and what they cannot see."""
    systems = list(report.summaries_by_system)
    if not systems:
        if not loaders.systems(project):
            st.info(
                "The file holds no summaries, so there is nothing to judge yet. Import a file of "
                "summaries with the conversations' ids; it is joined to these.",
                icon=":material/info:",
            )
        return
    st.subheader("What the rules found")
    names = loaders.names(project)
    read = False
    for system in systems:
        rates = _rates(project, system)
        total, count = rates.any_error.total, rates.any_error.count
        if not total:
            continue
        read = True
        who = widgets.label(names.get(system, system))
        st.markdown(
            f"The rules found errors in **{count:,} of {total:,}** summaries by {who}, "
            f"{sum(rates.findings.values()):,} findings in all."
        )
    if not read:
        st.caption("The rules have not read the summaries yet; that job follows the import.")
        return
    if (frame.ROOT / "pages/2_Analyze.py").exists():
        widgets.page_link("pages/2_Analyze.py", "Look at the findings", icon=":material/search:")
    if not project.settings.models:
        st.info(
            "Rules claim only what they can prove: figures and names that nobody said, "
            "repetitions, personal data. Connect a model to find the rest, such as wrong causes "
            "or missing steps.",
            icon=":material/lightbulb:",
        )
        widgets.page_link("pages/7_Settings.py", "Connect a model", icon=":material/add:")
