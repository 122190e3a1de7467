"""A system's summaries as chats to learn from, each with its origin: why it may be trusted."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from arf_core.project import Project
from arf_core.records import Action, Item, Record, Split, System
from arf_core.review.decisions import apply_decisions
from arf_core.review.status import round_of
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import detectors_of, find_system, findings_of, items, read_by
from arf_core.store.review_status import REVIEW_STATUSES, ReviewStatus

GOOD = ("accepted", "reworded", "kept", "verified", "clean")
"""Origins of rows that a verifier, a reviewer or a detector supports."""
WHY = {
    "accepted": "a person accepted the revised summary",
    "reworded": "a person reworded it",
    "kept": "a person rejected the revision, so the text before it stands",
    "verified": "edited; a verifier found every finding fixed and nothing new",
    "clean": "no finding by any detector that read it for this round",
    "rejected": "a person rejected it",
    "replaced": "a person reworded it: that text is in the reviewed system",
    "failed": "the editor failed; it is the parent's text",
    "flagged": "changed more than its findings ask for; needs a review",
    "new_error": "the verifier found a new error",
    "not_fixed": "a finding is not fixed",
    "unchecked": "the verifier could not judge a finding, or has not looked",
    "not_read": "no detector has read it",
    "has_findings": "a detector found errors in it",
}
_DECIDED = {"accept": "accepted", "reject": "rejected", "reword": "replaced"}
_APPLIED = {"accept": "accepted", "reject": "kept", "reword": "reworded"}
"""The same in a reviewed system, where the decisions are applied."""


class ExportRow(Record):
    """One training example."""

    conversation: str
    split: Split
    system: str
    origin: str
    """A key of WHY."""
    messages: tuple[dict[str, str], ...]


def current_system(project: Project, system: str) -> System:
    """The system; of a reviewed one, the latest decisions are applied first.

    Raises InputError for an unknown name.
    """
    reviewed = round_of(project.store, system)
    if reviewed is not None:
        apply_decisions(project.store, reviewed)
    return find_system(project.store, system)


def chat_rows(
    project: Project, system: System, splits: Sequence[Split], *, everything: bool = False
) -> tuple[list[ExportRow], Counter[str]]:
    """The system's rows, and the number of rows left out by origin."""
    left_out: Counter[str] = Counter()
    rows = []
    for item, origin in _origins(project.store, system, splits):
        if everything or origin in GOOD:
            rows.append(_row(project, item, origin))
        else:
            left_out[origin] += 1
    return rows, left_out


def origin_of(decision: Action, status: ReviewStatus, reviewed: bool = False) -> str:
    """The origin of a revised summary; a reviewer's decision outranks the verifier."""
    if decision != "open":
        return (_APPLIED if reviewed else _DECIDED)[decision]
    return "verified" if status == "large_change" else status


def _origins(store: Store, system: System, splits: Sequence[Split]) -> Iterator[tuple[Item, str]]:
    detectors = detectors_of(store, system.name)
    for page in items(store, system.name, splits=splits):
        ids = [item.summary.id for item in page]
        revised = _revised(store, system, page)
        read = set().union(*(read_by(store, ids, d) for d in detectors)) if detectors else set()
        found = findings_of(store, ids, detectors)
        for item in page:
            id_ = item.summary.id
            if id_ in revised:
                yield item, revised[id_]
            elif id_ not in read:
                yield item, "not_read"
            else:
                yield item, "has_findings" if id_ in found else "clean"


def _revised(store: Store, system: System, page: Sequence[Item]) -> dict[str, str]:
    """Origins of the summaries that a revision made. A reviewed summary has the decision and the
    review status of the summary that it was made from."""
    reviewed = system.kind == "reviewed"
    of = {str(i.summary.parent_id if reviewed else i.summary.id): i.summary.id for i in page}
    r = schema.revision
    query = select(r.c.summary_id, r.c.decision, r.c.risk).where(r.c.summary_id.in_(list(of)))
    with store.read() as conn:
        rows = conn.execute(query).all()
    return {
        of[row.summary_id]: origin_of(row.decision, REVIEW_STATUSES[row.risk], reviewed)
        for row in rows
    }


def _row(project: Project, item: Item, origin: str) -> ExportRow:
    prompt = project.prompt("summarise").render(conversation=item.conversation)
    return ExportRow(
        conversation=item.conversation.external_id,
        split=item.conversation.split,
        system=item.summary.system,
        origin=origin,
        messages=(*prompt, {"role": "assistant", "content": item.summary.text}),
    )
