"""People's readings of summaries, from a file or from the app.

A person is a detector, named `person:<name>`. A file holds one JSON object a line: `{"id": external
id of the conversation, "findings": [{"category", "quote" (null for an omission), "evidence": [turn
numbers], "explanation"}]}`. A line without findings says that the person found the summary clean.

The queue in the app follows the ids of the summaries, which are hashes. So whoever stops anywhere
has read a random sample, and precision and recall measured on it are fair.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, exists, func, select

from arf_core.analysis.analyze import identified, new_analysis
from arf_core.errors import InputError, ReplyError, validation_message
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding, Item, Reading, Record, Split, digest
from arf_core.store import schema
from arf_core.store.database import Store, chunks
from arf_core.store.queries import find_system, items
from arf_core.text import at_quote, cited_turns

PERSON = "person:"
"""Prefix of a detector that is a person."""


class LabelledFinding(BaseModel):
    category: str
    quote: str | None = None
    evidence: list[int] = []
    explanation: str


class LabelledSummary(BaseModel):
    id: str
    findings: list[LabelledFinding]


class LabelReport(Record):
    """Result of reading a file of labels."""

    summaries: int
    findings: int
    rejected: tuple[str, ...] = ()
    """`line: reason`"""


# -- from a file --------------------------------------------------------------------------------


def load_labels(project: Project, file: Path, by: str, system: str) -> LabelReport:
    """Store a person's readings of `system`'s summaries as detector `person:<by>`.

    Raises InputError where the file cannot be read, or no line fits.
    """
    find_system(project.store, system)
    readings: list[Reading] = []
    rejected: list[str] = []
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            readings.append(_reading(project, json.loads(line), by, system))
        except ValidationError as error:
            rejected.append(f"{number}: {validation_message(error)}")
        except (ValueError, InputError, ReplyError) as error:
            rejected.append(f"{number}: {error}")
    if not readings:
        reason = rejected[0] if rejected else "it is empty"
        raise InputError(f"{file} holds no labels that fit: {reason}")
    content = project.taxonomy.content
    project.store.keep_version("taxonomy", content, project.taxonomy.hash)
    for part in chunks(readings, 200):
        project.store.put_readings(part)
    return LabelReport(
        summaries=len(readings),
        findings=sum(len(r.findings) for r in readings),
        rejected=tuple(rejected),
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}.", "Give a UTF-8 JSONL file.") from error


def _reading(project: Project, data: Any, by: str, system: str) -> Reading:
    label = LabelledSummary.model_validate(data)
    return reading_of(project, _item(project, label.id, system), by, label.findings)


# -- one reading ----------------------------------------------------------------------------------


def reading_of(
    project: Project, item: Item, by: str, findings: Sequence[LabelledFinding]
) -> Reading:
    """A person's complete reading of a summary; no findings means that it is clean.

    Raises InputError for an unknown category, ReplyError for a quote that is not in the summary or
    a turn that does not exist.
    """
    analysis = new_analysis(item, PERSON + by, digest("person", by), project.taxonomy)
    found = [annotated_finding(f, item, project.taxonomy) for f in findings]
    return Reading(item=item, analysis=analysis, findings=identified(found, analysis))


def _item(project: Project, external_id: str, system: str) -> Item:
    by_id = schema.conversation.c.external_id == external_id
    page = next(items(project.store, system, by_id), [])
    if len(page) != 1:
        what = f"{len(page)} conversations have" if page else f"no summary of {system!r} has"
        raise InputError(f"{what} the id {external_id!r}")
    return page[0]


def annotated_finding(label: LabelledFinding, item: Item, taxonomy: Taxonomy) -> Finding:
    """The label as a finding with its span. Raises the errors of `reading_of`."""
    finding = Finding(
        category=taxonomy[label.category].id,
        evidence=cited_turns(label.evidence, item.conversation),
        explanation=label.explanation,
    )
    return finding if label.quote is None else at_quote(finding, label.quote, item.summary.text)


def label_of(finding: Finding) -> LabelledFinding:
    """A stored finding in the form that a person edits."""
    return LabelledFinding(
        category=finding.category,
        quote=finding.quote,
        evidence=list(finding.evidence),
        explanation=finding.explanation,
    )


def record(project: Project, item: Item, by: str, findings: Sequence[LabelledFinding]) -> Reading:
    """Store a person's complete reading; it replaces their earlier one.

    Raises InputError without a name, and the errors of `reading_of`.
    """
    if not by.strip():
        raise InputError("No reader is named.", "Give a name.")
    reading = reading_of(project, item, by.strip(), findings)
    project.store.keep_version("taxonomy", project.taxonomy.content, project.taxonomy.hash)
    project.store.put_readings([reading])
    return reading


# -- the queue ------------------------------------------------------------------------------------


def next_unread(
    store: Store, system: str, by: str, splits: Sequence[Split], after: str = ""
) -> Item | None:
    """The next summary of `system` that this person has not read, or None.

    `after` is the id of a skipped summary: the ones after it come first.
    """
    s, c, a = schema.summary, schema.conversation, schema.analysis
    read = exists().where(a.c.summary_id == s.c.id, a.c.detector == PERSON + by, a.c.current)
    split = select(c.c.split).where(c.c.id == s.c.conversation_id).scalar_subquery()
    query = (
        select(s.c.id)
        # concat keeps SQLite on the index of the ids, which is the order: with the system's index
        # it would sort all summaries
        .where(s.c.system.concat("") == system, split.in_(splits), ~read)
        .order_by(s.c.id)
        .limit(1)
    )
    with store.read() as conn:
        found = conn.scalar(query.where(s.c.id > after)) or conn.scalar(query)
    return None if found is None else item_of(store, system, found)


def item_of(store: Store, system: str, summary_id: str) -> Item:
    """A summary with its conversation. Raises InputError where the system has no such summary."""
    page = next(items(store, system, schema.summary.c.id == summary_id), [])
    if not page:
        raise InputError(
            "This summary has been replaced by another text of its system.",
            "Continue with the next one.",
        )
    return page[0]


def last_read(store: Store, system: str, by: str) -> Item | None:
    """The summary that this person read last, or None."""
    a = schema.analysis
    query = select(a.c.summary_id).where(*_read_by(system, by))
    with store.read() as conn:
        found = conn.scalar(query.order_by(a.c.seq.desc()).limit(1))
    return None if found is None else item_of(store, system, found)


def count_read(store: Store, system: str, by: str) -> int:
    """Number of the system's summaries that this person has read."""
    query = select(func.count()).where(*_read_by(system, by))
    with store.read() as conn:
        return conn.scalar(query) or 0


def _read_by(system: str, by: str) -> tuple[ColumnElement[bool], ...]:
    a = schema.analysis
    return a.c.system == system, a.c.detector == PERSON + by, a.c.current
