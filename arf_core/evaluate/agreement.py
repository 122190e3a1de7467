"""How far a detector agrees with a reference, usually a person.

A finding of the detector is right if the reference has one of the same category in the same
sentence of the same summary (for omissions: in the same summary). Each of the reference's findings
can confirm one of the detector's. Beside it the same without the category, and the plain question
whether the summary has any error at all, since detectors that point at the right words under
another name differ from those that point at nothing.
"""

from collections.abc import Iterable, Iterator, Sequence

from arf_core.records import SPLITS, Finding, Item, Record, Split
from arf_core.store.database import Store, chunks
from arf_core.store.filters import Scope, findings_in
from arf_core.store.queries import PAGE, findings_of, items_at
from arf_core.text import Span, sentences


class Counts(Record):
    """Of one class against a reference."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    rejections: int | None = None
    """Rightly left alone; None where there is no fixed set of things to judge, as of findings."""

    @property
    def precision(self) -> float | None:
        """None where nothing was reported."""
        reported = self.hits + self.false_alarms
        return self.hits / reported if reported else None

    @property
    def recall(self) -> float | None:
        """None where there was nothing to find."""
        there = self.hits + self.misses
        return self.hits / there if there else None

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the recall on both classes; None where one is empty or unknown."""
        if self.recall is None or self.rejections is None:
            return None
        right = self.rejections + self.false_alarms
        return (self.recall + self.rejections / right) / 2 if right else None

    def __add__(self, other: "Counts") -> "Counts":
        known = [r for r in (self.rejections, other.rejections) if r is not None]
        return Counts(
            hits=self.hits + other.hits,
            false_alarms=self.false_alarms + other.false_alarms,
            misses=self.misses + other.misses,
            rejections=sum(known) if known else None,
        )


class Agreement(Record):
    """A detector against a reference, over the summaries that both have read."""

    detector: str
    reference: str
    summaries: int
    findings: Counts
    """Same category, same sentence."""
    places: Counts
    """Same sentence, whatever the category; omissions match omissions."""
    has_error: Counts
    """By summary: is there any error?"""
    by_category: dict[str, Counts]


def agreement(
    store: Store,
    system: str,
    detector: str,
    reference: str,
    splits: Sequence[Split] = SPLITS,
) -> Agreement:
    """Compare a detector's current findings with a reference's."""
    total, places, has_error = Counts(), Counts(), Counts()
    by_category: dict[str, Counts] = {}
    n = 0
    for page in _read_by_both(store, system, (detector, reference), splits):
        ids = [item.summary.id for item in page]
        ours, theirs = (findings_of(store, ids, [name]) for name in (detector, reference))
        for item in page:
            n += 1
            text = item.summary.text
            said, true = (fs.get(item.summary.id, []) for fs in (ours, theirs))
            for category in {f.category for f in (*said, *true)}:
                counts = _match(
                    text,
                    [f for f in said if f.category == category],
                    [f for f in true if f.category == category],
                )
                by_category[category] = by_category.get(category, Counts()) + counts
                total += counts
            places += _match(text, said, true)
            has_error += _one(bool(said), bool(true))
    return Agreement(
        detector=detector,
        reference=reference,
        summaries=n,
        findings=total,
        places=places,
        has_error=has_error,
        by_category=by_category,
    )


def _read_by_both(
    store: Store, system: str, detectors: Sequence[str], splits: Sequence[Split]
) -> Iterator[list[Item]]:
    """The summaries that all the detectors have read, in pages. A person reads few of many, so
    these are looked up, and the others not looked at."""
    scope = Scope(splits=tuple(splits))
    read = [findings_in(store, system, name, scope).read.tolist() for name in detectors]
    for numbers in chunks(sorted(set.intersection(*map(set, read))), PAGE):
        yield items_at(store, system, numbers)


def _one(said: bool, true: bool) -> Counts:
    return Counts(
        hits=said and true,
        false_alarms=said and not true,
        misses=true and not said,
        rejections=not said and not true,
    )


def _match(text: str, said: Iterable[Finding], true: Iterable[Finding]) -> Counts:
    """Pair findings by sentence, each at most once; omissions pair with omissions."""
    where = sentences(text)
    left = [_sentences_of(f, where) for f in true]
    hits = false_alarms = 0
    for finding in said:
        at = _sentences_of(finding, where)
        pair = next((other for other in left if at & other or (not at and not other)), None)
        if pair is None:
            false_alarms += 1
        else:
            left.remove(pair)
            hits += 1
    return Counts(hits=hits, false_alarms=false_alarms, misses=len(left))


def _sentences_of(finding: Finding, where: Sequence[Span]) -> frozenset[int]:
    """The sentences that a finding's span touches; none for an omission."""
    if finding.start is None or finding.end is None:
        return frozenset()
    at = Span(finding.start, finding.end)
    return frozenset(i for i, sentence in enumerate(where) if sentence.overlaps(at))
