"""All that a reviewer sees of one revision: the edits, each beside its finding and its checks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from arf_core.records import Check, Decision, Edit, Finding, Item, Record, Revision, Summary
from arf_core.review.queue import QueueItem, find_revision, to_queue_item
from arf_core.store import schema
from arf_core.store.database import Store, columns
from arf_core.store.queries import find_item, findings_by_id


class Answered(Record):
    """A finding, the edits that answer it, and its checks."""

    finding: Finding | None
    """None for edits that answer no finding."""
    edits: tuple[Edit, ...] = ()
    checks: tuple[Check, ...] = ()


class ReviewCard(Record):
    """All that is known of one revised summary."""

    item: Item
    """The conversation with the revised summary."""
    before: Summary | None
    """The summary that it was made from; None where that has another text by now."""
    revision: Revision
    queued: QueueItem
    answered: tuple[Answered, ...]
    new_errors: tuple[Answered, ...]
    decided: Decision | None
    """The decision that counts."""

    @property
    def final_text(self) -> str:
        """The text after the decision."""
        decided = self.decided.text if self.decided else None
        return self.item.summary.text if decided is None else decided


def review_card(store: Store, system: str, summary_id: str) -> ReviewCard:
    """Raises InputError where round `system` holds no such summary."""
    e, c = schema.edit, schema.check
    row = find_revision(store, system, summary_id, *columns(Revision))
    revision = Revision.model_validate({name: row[name] for name in Revision.model_fields})
    item = find_item(store, summary_id)
    assert item is not None  # a current revision has its text
    edits = store.all(Edit, e.c.summary_id == summary_id)
    checks = store.all(Check, c.c.summary_id == summary_id, c.c.current)
    new = [check.finding_id for check in checks if check.result == "new_error"]
    found = findings_by_id(store, [*revision.findings, *(id_ for id_ in new if id_)])
    decision = _newest_decision(store, summary_id)
    return ReviewCard(
        item=item,
        before=store.get(Summary, schema.summary.c.id == item.summary.parent_id),
        revision=revision,
        queued=to_queue_item(row),
        answered=_answered(revision, found, edits, checks),
        new_errors=tuple(
            Answered(finding=found.get(check.finding_id or ""), checks=(check,))
            for check in checks
            if check.result == "new_error"
        ),
        decided=decision if decision and decision.action != "open" else None,
    )


def _newest_decision(store: Store, summary_id: str) -> Decision | None:
    d = schema.decision
    query = select(*columns(Decision)).where(d.c.summary_id == summary_id)
    with store.read() as conn:
        row = conn.execute(query.order_by(d.c.seq.desc()).limit(1)).mappings().first()
    return None if row is None else Decision.model_validate(dict(row))


def _answered(
    revision: Revision,
    found: Mapping[str, Finding],
    edits: Sequence[Edit],
    checks: Sequence[Check],
) -> tuple[Answered, ...]:
    """One for each finding in the order in which the editor was given them, and one for edits that
    answer none."""
    answered = [
        Answered(
            finding=found.get(id_),
            edits=tuple(e for e in edits if e.finding_id == id_),
            checks=tuple(c for c in checks if c.finding_id == id_ and c.result != "new_error"),
        )
        for id_ in revision.findings
    ]
    stray = tuple(e for e in edits if e.finding_id not in revision.findings)
    return (*answered, *((Answered(finding=None, edits=stray),) if stray else ()))
