"""Findings as people and other programs read them."""

from collections.abc import Iterator, Sequence

from arf_core.records import SPLITS, Record, Split
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
