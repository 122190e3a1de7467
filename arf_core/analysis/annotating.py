"""The labelling queue: a person reads summaries in the app, and what they find is stored.

The order is that of the summaries' ids, which are hashes: so whoever stops at any place has read a
random sample, and precision and recall measured on it are fair.
"""

from collections.abc import Sequence

from sqlalchemy import exists, func, select

from arf_core.analysis.annotations import PERSON, LabelledFinding, reading_of
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Finding, Item, Reading, Split
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import items


def next_unread(
    store: Store, system: str, by: str, splits: Sequence[Split], after: str = ""
) -> Item | None:
    """The next summary of `system` that this person has not read; None where all are.

    `after` is the id of a summary that was put off: those behind it come first.
    """
    s, c, a = schema.summary, schema.conversation, schema.analysis
    read = exists().where(a.c.summary_id == s.c.id, a.c.detector == PERSON + by, a.c.current)
    split = select(c.c.split).where(c.c.id == s.c.conversation_id).scalar_subquery()
    query = (
        select(s.c.id)
        # written so that SQLite goes by the index of the ids, which is the order: by that of the
        # system, or by conversations, it would have to sort all of them
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
            "The summary is there no longer: its system has another text by now.",
            "Go on with the next one.",
        )
    return page[0]


def last_read(store: Store, system: str, by: str) -> Item | None:
    """The summary that this person read last, to look at it again."""
    a = schema.analysis
    query = select(a.c.summary_id).where(
        a.c.system == system, a.c.detector == PERSON + by, a.c.current
    )
    with store.read() as conn:
        found = conn.scalar(query.order_by(a.c.seq.desc()).limit(1))
    return None if found is None else item_of(store, system, found)


def count_read(store: Store, system: str, by: str) -> int:
    """How many of the system's summaries this person has read."""
    a = schema.analysis
    query = select(func.count()).where(
        a.c.system == system, a.c.detector == PERSON + by, a.c.current
    )
    with store.read() as conn:
        return conn.scalar(query) or 0


def label_of(finding: Finding) -> LabelledFinding:
    """A stored finding as it can be changed."""
    return LabelledFinding(
        category=finding.category,
        quote=finding.quote,
        evidence=list(finding.evidence),
        explanation=finding.explanation,
    )


def record(project: Project, item: Item, by: str, findings: Sequence[LabelledFinding]) -> Reading:
    """Store a person's complete reading; an earlier one of theirs counts no longer.

    Raises InputError without a name, and as `reading_of` does.
    """
    if not by.strip():
        raise InputError("Nobody is named as the reader.", "Give a name.")
    reading = reading_of(project, item, by.strip(), findings)
    project.store.keep_version("taxonomy", project.taxonomy.content, project.taxonomy.hash)
    project.store.put_readings([reading])
    return reading
