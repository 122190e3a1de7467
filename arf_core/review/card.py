"""All that a reviewer sees of one revision: the edits, each beside its finding and its checks."""

from collections.abc import Sequence

from arf_core.records import Check, Decision, Edit, Finding, Item, Record, Revision, Summary
from arf_core.review.queue import Queued, queued
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import findings_by_id, items


class Answered(Record):
    """A finding, the edits that answer it, and what verifiers say of it."""

    finding: Finding | None
    """None for edits that answer no finding."""
    edits: tuple[Edit, ...] = ()
    checks: tuple[Check, ...] = ()


class Card(Record):
    """All that is known of one revised summary."""

    item: Item
    """The conversation with the revised summary."""
    before: Summary | None
    """The summary that it was made from; None where that has another text by now."""
    revision: Revision
    queued: Queued
    answered: tuple[Answered, ...]
    new_errors: tuple[Answered, ...]
    decided: Decision | None
    """The decision that counts."""

    @property
    def stands(self) -> str:
        """The text that stands after the decision."""
        decided = self.decided.text if self.decided else None
        return self.item.summary.text if decided is None else decided


def card(store: Store, system: str, summary_id: str) -> Card:
    """Raises InputError where round `system` holds no such summary."""
    place = queued(store, system, summary_id)
    revision = store.get(Revision, schema.revision.c.summary_id == summary_id)
    ((item,),) = items(store, system, schema.summary.c.id == summary_id)
    assert revision is not None  # else it would not be in the queue
    d, e = schema.decision, schema.edit
    edits = store.all(Edit, e.c.summary_id == summary_id)
    said = store.all(Check, schema.check.c.summary_id == summary_id, schema.check.c.current)
    decisions = store.all(Decision, d.c.summary_id == summary_id)
    last = decisions[-1] if decisions else None
    return Card(
        item=item,
        before=store.get(Summary, schema.summary.c.id == item.summary.parent_id),
        revision=revision,
        queued=place,
        answered=_answered(store, revision, edits, said),
        new_errors=_new_errors(store, said),
        decided=last if last and last.action != "open" else None,
    )


def _answered(
    store: Store, revision: Revision, edits: Sequence[Edit], checks: Sequence[Check]
) -> tuple[Answered, ...]:
    """One for each finding in the order in which the editor was given them, and one for edits that
    answer none."""
    found = findings_by_id(store, revision.findings)
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


def _new_errors(store: Store, checks: Sequence[Check]) -> tuple[Answered, ...]:
    new = [c for c in checks if c.result == "new_error"]
    found = findings_by_id(store, [c.finding_id for c in new if c.finding_id])
    return tuple(Answered(finding=found.get(c.finding_id or ""), checks=(c,)) for c in new)
