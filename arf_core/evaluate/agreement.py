"""How far a detector agrees with a reference, usually a person.

A finding is right if the reference has one of the same category in the same sentence of the same
summary (an omission: in the same summary). Each finding of the reference confirms at most one of
the detector's. Two looser comparisons show why findings differ: the same without the category, and
whether the summary has any error at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from arf_core.records import SPLITS, Finding, Item, Record, Split
from arf_core.store.database import Store, chunks
from arf_core.store.filters import Scope, findings_in
from arf_core.store.queries import PAGE, findings_of, items_at
from arf_core.text import Span, sentences


class Confusion(Record):
    """Confusion counts of one class against a reference."""

    hits: int = 0
    """True positives."""
    false_alarms: int = 0
    """False positives."""
    misses: int = 0
    """False negatives."""
    rejections: int | None = None
    """True negatives; None for findings, since there is no fixed set of possible findings."""

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None if nothing was reported."""
        return _share(self.hits, self.false_alarms)

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN); None if there was nothing to find."""
        return _share(self.hits, self.misses)

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of recall and specificity, TN / (TN + FP); None if either is unknown."""
        if self.rejections is None or self.recall is None:
            return None
        specificity = _share(self.rejections, self.false_alarms)
        return None if specificity is None else (self.recall + specificity) / 2

    def __add__(self, other: "Confusion") -> "Confusion":
        known = [r for r in (self.rejections, other.rejections) if r is not None]
        return Confusion(
            hits=self.hits + other.hits,
            false_alarms=self.false_alarms + other.false_alarms,
            misses=self.misses + other.misses,
            rejections=sum(known) if known else None,
        )


def _share(right: int, wrong: int) -> float | None:
    return right / (right + wrong) if right + wrong else None


class Agreement(Record):
    """A detector against a reference, over the summaries that both have read."""

    detector: str
    reference: str
    summaries: int
    findings: Confusion
    """Same category, same sentence."""
    places: Confusion
    """Same sentence, any category; omissions match omissions."""
    has_error: Confusion
    """By summary: does it have any error?"""
    by_category: dict[str, Confusion]


def agreement(
    store: Store,
    system: str,
    detector: str,
    reference: str,
    splits: Sequence[Split] = SPLITS,
) -> Agreement:
    """Compare a detector's current findings with a reference's."""
    places, has_error = Confusion(), Confusion()
    by_category: dict[str, Confusion] = defaultdict(Confusion)
    summaries = 0
    for page in _read_by_both(store, system, (detector, reference), splits):
        ids = [item.summary.id for item in page]
        reported_in, true_in = (findings_of(store, ids, [name]) for name in (detector, reference))
        for item in page:
            spans = sentences(item.summary.text)
            reported = reported_in.get(item.summary.id, [])
            true = true_in.get(item.summary.id, [])
            for category in {f.category for f in (*reported, *true)}:
                own = ([f for f in of if f.category == category] for of in (reported, true))
                by_category[category] += _match(spans, *own)
            places += _match(spans, reported, true)
            has_error += _summary_confusion(bool(reported), bool(true))
        summaries += len(page)
    return Agreement(
        detector=detector,
        reference=reference,
        summaries=summaries,
        findings=sum(by_category.values(), Confusion()),
        places=places,
        has_error=has_error,
        by_category=dict(by_category),
    )


def _read_by_both(
    store: Store, system: str, detectors: Sequence[str], splits: Sequence[Split]
) -> Iterator[list[Item]]:
    """Pages of the summaries that all detectors have read. Only these are loaded, since a person
    reads few of many."""
    scope = Scope(splits=tuple(splits))
    read = [findings_in(store, system, name, scope).read.tolist() for name in detectors]
    for numbers in chunks(sorted(set.intersection(*map(set, read))), PAGE):
        yield items_at(store, system, numbers)


def _summary_confusion(reported: bool, true: bool) -> Confusion:
    return Confusion(
        hits=reported and true,
        false_alarms=reported and not true,
        misses=true and not reported,
        rejections=not reported and not true,
    )


def _match(
    spans: Sequence[Span], reported: Iterable[Finding], true: Iterable[Finding]
) -> Confusion:
    """Pair findings by sentence, each at most once; omissions pair with omissions."""
    unmatched = [_sentences_of(f, spans) for f in true]
    hits = false_alarms = 0
    for finding in reported:
        at = _sentences_of(finding, spans)
        pair = next((other for other in unmatched if at & other or (not at and not other)), None)
        if pair is None:
            false_alarms += 1
        else:
            unmatched.remove(pair)
            hits += 1
    return Confusion(hits=hits, false_alarms=false_alarms, misses=len(unmatched))


def _sentences_of(finding: Finding, spans: Sequence[Span]) -> frozenset[int]:
    """The sentences that a finding's span touches; none for an omission."""
    if finding.start is None or finding.end is None:
        return frozenset()
    at = Span(finding.start, finding.end)
    return frozenset(i for i, sentence in enumerate(spans) if sentence.overlaps(at))
