"""People's readings from a file: a person is a detector, named `person:<name>`.

One JSON object a line: `{"id": external id of the conversation, "findings": [{"category", "quote"
(null for an omission), "evidence": [turn numbers], "explanation"}]}`. A line with no findings says
that the person read the summary and found it clean.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from arf_core.analysis.analyze import finding
from arf_core.analysis.citations import at_quote, cited
from arf_core.analysis.detectors import Found
from arf_core.errors import InputError, ReplyError, validation_message
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Analysis, Item, Reading, Record, digest, now
from arf_core.store import schema
from arf_core.store.database import chunks
from arf_core.store.queries import find_system, items

PERSON = "person:"
"""Begins the name of a detector that is a person."""


class LabelledFinding(BaseModel):
    category: str
    quote: str | None = None
    evidence: list[int] = []
    explanation: str


class LabelledSummary(BaseModel):
    id: str
    findings: list[LabelledFinding]


class LabelReport(Record):
    """What a file of labels held."""

    summaries: int
    findings: int
    rejected: tuple[str, ...] = ()
    """`line: reason`"""


def load_labels(project: Project, file: Path, by: str, system: str) -> LabelReport:
    """Store a person's readings of `system`'s summaries as detector `person:<by>`.

    Raises InputError where the file cannot be read, or nothing in it fits.
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


def reading_of(
    project: Project, item: Item, by: str, findings: Sequence[LabelledFinding]
) -> Reading:
    """A person's complete reading of a summary; no findings say that it is clean.

    Raises InputError for a category that is not there, ReplyError for words that do not stand in
    the summary or turns that do not exist.
    """
    analysis = Analysis(
        id=uuid4().hex,
        summary_id=item.summary.id,
        detector=PERSON + by,
        settings_hash=digest("person", by),
        taxonomy_hash=project.taxonomy.hash,
        status="done",
        at=now(),
    )
    found = [found_of(f, item, project.taxonomy) for f in findings]
    return Reading(
        item=item,
        analysis=analysis,
        findings=tuple(finding(f, analysis.id, n) for n, f in enumerate(found)),
    )


def _item(project: Project, external_id: str, system: str) -> Item:
    by_id = schema.conversation.c.external_id == external_id
    page = next(items(project.store, system, by_id), [])
    if len(page) != 1:
        what = f"{len(page)} conversations have" if page else f"no summary of {system!r} has"
        raise InputError(f"{what} the id {external_id!r}")
    return page[0]


def found_of(label: LabelledFinding, item: Item, taxonomy: Taxonomy) -> Found:
    """A finding that a person noted, with its place in the summary. Raises as `reading_of` does."""
    found = Found(
        category=taxonomy[label.category].id,
        evidence=cited(label.evidence, item.conversation),
        explanation=label.explanation,
    )
    return found if label.quote is None else at_quote(found, label.quote, item.summary.text)
