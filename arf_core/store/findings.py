"""Findings and corrections as people and other programs read them."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from arf_core.records import SPLITS, Record, Split
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import detectors_of, findings_of, items


class FindingRow(Record):
    """A finding beside its summary."""

    external_id: str
    summary: str
    category: str
    quote: str | None
    start: int | None
    end: int | None
    evidence: tuple[int, ...]
    explanation: str
    confidence: float | None
    detector: str


def finding_rows(
    store: Store,
    system: str,
    detectors: Sequence[str] = (),
    categories: Sequence[str] = (),
    splits: Sequence[Split] = SPLITS,
) -> Iterator[FindingRow]:
    """A system's current findings in the order of its summaries; all detectors and categories
    where none are named."""
    for detector in detectors or detectors_of(store, system):
        for page in items(store, system, splits=splits):
            found = findings_of(store, [i.summary.id for i in page], [detector])
            for item in page:
                for finding in found.get(item.summary.id, ()):
                    if categories and finding.category not in categories:
                        continue
                    yield FindingRow(
                        external_id=item.conversation.external_id,
                        summary=item.summary.text,
                        detector=detector,
                        **finding.model_dump(exclude={"id", "analysis_id"}),
                    )


class RoundOutcome(Record):
    """What a revision round did with summaries and findings."""

    edited: int = 0
    unchanged: int = 0
    failed: int = 0
    flagged: int = 0
    fixed: int = 0
    not_fixed: int = 0
    unchecked: int = 0
    """Findings that a verifier could not judge, or that nobody has checked yet."""
    new_errors: int = 0


def round_outcome(store: Store, system: str) -> RoundOutcome:
    """Count a round's summaries by status, and its findings by what the checks say.

    A finding counts once: not fixed if any verifier says so, else fixed if one does.
    """
    s, r, c = schema.summary, schema.revision, schema.check
    of_round = select(s.c.id).where(s.c.system == system).scalar_subquery()
    with store.read() as conn:
        by_status = select(r.c.status, func.count()).where(r.c.summary_id.in_(of_round))
        statuses = {row[0]: row[1] for row in conn.execute(by_status.group_by(r.c.status))}
        flagged = conn.scalar(select(func.count()).where(r.c.summary_id.in_(of_round), r.c.flagged))
        asked = conn.scalars(select(r.c.findings).where(r.c.summary_id.in_(of_round))).all()
        checks = conn.execute(
            select(c.c.summary_id, c.c.finding_id, c.c.result).where(
                c.c.summary_id.in_(of_round), c.c.current
            )
        ).all()
    said: dict[str, set[str]] = {finding: set() for ids in asked for finding in ids}
    new_errors = 0
    for _, finding, result in checks:
        if result == "new_error":
            new_errors += 1
        else:
            said[finding].add(result)
    results = [
        next((x for x in ("not_fixed", "fixed") if x in results), "unchecked")
        for results in said.values()
    ]
    return RoundOutcome(
        **statuses,
        flagged=flagged or 0,
        fixed=results.count("fixed"),
        not_fixed=results.count("not_fixed"),
        unchecked=results.count("unchecked"),
        new_errors=new_errors,
    )
