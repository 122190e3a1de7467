"""Queries that several verbs, pages and reports share."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select

from arf_core.errors import InputError
from arf_core.records import SPLITS, Conversation, Finding, Item, Revision, Split, Summary, System
from arf_core.store import schema
from arf_core.store.database import Store, columns

PAGE = 200
CHECKS = "check:"
"""Prefix of the detector's name for a verifier's reading, which looks only at what an edit touched
and so never counts in a rate."""


def find_system(store: Store, name: str) -> System:
    """Raises InputError that lists the systems there are."""
    system = store.get(System, schema.system.c.name == name)
    if system is None:
        known = ", ".join(s.name for s in store.all(System)) or "none yet: import a file first"
        raise InputError(f"The project has no system {name!r}.", f"It has: {known}.")
    return system


def count_summaries(
    store: Store, system: str, *where: Any, splits: Sequence[Split] = SPLITS
) -> int:
    s, c = schema.summary, schema.conversation
    query = select(func.count()).select_from(s).where(s.c.system == system, *where)
    if where or set(splits) != set(SPLITS):  # else an index alone has the count
        query = query.join(c, c.c.id == s.c.conversation_id).where(c.c.split.in_(splits))
    with store.read() as conn:
        return int(conn.scalar(query) or 0)


def items(
    store: Store, system: str, *where: Any, splits: Sequence[Split] = SPLITS, page: int = PAGE
) -> Iterator[list[Item]]:
    """A system's summaries with their conversations, in pages, in order of arrival."""
    query = items_query().where(
        schema.summary.c.system == system, schema.conversation.c.split.in_(splits), *where
    )
    for rows in store.pages(query, schema.summary.c.seq, page):
        yield [_item(row) for row in rows]


def items_at(store: Store, system: str, numbers: Iterable[int]) -> list[Item]:
    """A system's summaries of some conversations, given by their `seq`: for a few of many, where
    `items` would go through all."""
    c, s = schema.conversation, schema.summary
    with store.read() as conn:
        ids = list(conn.scalars(select(c.c.id).where(c.c.seq.in_(list(numbers)))))
        # not by the system as well: SQLite would then go through all of the system's summaries
        rows = conn.execute(items_query().where(s.c.conversation_id.in_(ids))).all()
    return [_item(row) for row in sorted(rows, key=lambda r: r.seq) if row.s_system == system]


def find_item(store: Store, summary_id: str) -> Item | None:
    """A summary with its conversation; None where the summary was replaced."""
    with store.read() as conn:
        row = conn.execute(items_query().where(schema.summary.c.id == summary_id)).first()
    return None if row is None else _item(row)


def items_query() -> Select[Any]:
    """Rows of `seq`, the conversation's columns (prefixed `c_`) and the summary's (`s_`)."""
    of_conversation = [c.label(f"c_{c.name}") for c in columns(Conversation)]
    of_summary = [c.label(f"s_{c.name}") for c in columns(Summary)]
    return select(schema.summary.c.seq.label("seq"), *of_conversation, *of_summary).join_from(
        schema.summary,
        schema.conversation,
        schema.conversation.c.id == schema.summary.c.conversation_id,
    )


def _item(row: Any) -> Item:
    def part(prefix: str) -> dict[str, Any]:
        return {k[2:]: v for k, v in row._mapping.items() if k.startswith(prefix)}

    return Item(
        conversation=Conversation.model_validate(part("c_")),
        summary=Summary.model_validate(part("s_")),
    )


def is_read(detector: str, settings_hash: str, taxonomy_hash: str) -> Any:
    """Condition on a summary: the detector has completely read it with these very settings."""
    a = schema.analysis
    return exists().where(
        a.c.summary_id == schema.summary.c.id,
        a.c.detector == detector,
        a.c.settings_hash == settings_hash,
        a.c.taxonomy_hash == taxonomy_hash,
        a.c.status == "done",
    )


def require_detectors(store: Store, system: str, named: Sequence[str]) -> None:
    """Raises InputError for a detector that has not read the system, which would else look as if it
    had found nothing."""
    known = detectors_of(store, system, checks=True)
    if unknown := [name for name in named if name not in known]:
        raise InputError(
            f"{unknown[0]} has not read {system!r}.",
            f"Detectors that have: {', '.join(known) or 'none; run arf analyze first'}.",
        )


def detectors_of(store: Store, system: str, checks: bool = False) -> list[str]:
    """The detectors that have read the system's summaries, by name; verifiers, which read only in
    part, are included with `checks`."""
    with store.read() as conn:
        names = conn.exec_driver_sql(_DETECTORS, (system, system)).scalars().all()
    return [name for name in names if checks or not name.startswith(CHECKS)]


# one step along the index for each name, rather than one for each analysis
_DETECTORS = """
WITH RECURSIVE names (name) AS (
    SELECT min(detector) FROM analysis WHERE system = ? AND current = 1
    UNION ALL
    SELECT (SELECT min(detector) FROM analysis
             WHERE system = ? AND current = 1 AND detector > names.name)
      FROM names WHERE name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL
"""


def read_by(store: Store, summary_ids: Iterable[str], detector: str) -> set[str]:
    """Ids of the summaries that the detector has completely read."""
    a = schema.analysis
    query = select(a.c.summary_id).where(
        a.c.summary_id.in_(list(summary_ids)), a.c.detector == detector, a.c.current
    )
    with store.read() as conn:
        return set(conn.scalars(query))


def findings_of(
    store: Store, summary_ids: Iterable[str], detectors: Sequence[str]
) -> dict[str, list[Finding]]:
    """The current findings of some detectors by summary, in the order of the text."""
    f = schema.finding
    query = (
        select(f.c.summary_id, *columns(Finding))
        .where(f.c.summary_id.in_(list(summary_ids)), f.c.detector.in_(detectors), f.c.current)
        .order_by(f.c.summary_id, f.c.start.is_(None), f.c.start, f.c.seq)
    )
    found: dict[str, list[Finding]] = {}
    with store.read() as conn:
        for row in conn.execute(query):
            data = dict(row._mapping)
            found.setdefault(data.pop("summary_id"), []).append(Finding.model_validate(data))
    return found


def findings_by_id(store: Store, ids: Iterable[str]) -> dict[str, Finding]:
    """Findings by id, those of older analyses too."""
    return {f.id: f for f in store.all(Finding, schema.finding.c.id.in_(list(ids)))}


def revisions_of(store: Store, summary_ids: Iterable[str]) -> list[Revision]:
    """How these summaries came about, for those that a revision made."""
    return store.all(Revision, schema.revision.c.summary_id.in_(list(summary_ids)))


def version(store: Store, content_hash: str) -> str | None:
    """Settings, a taxonomy or a prompt as `Store.keep_version` kept it; None where unknown."""
    v = schema.version
    with store.read() as conn:
        return conn.scalar(select(v.c.content).where(v.c.hash == content_hash))
