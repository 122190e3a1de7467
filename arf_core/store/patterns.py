"""Which errors come together in one summary."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from arf_core.records import SPLITS, Record, Split
from arf_core.store.arrays import FindingColumns, Numbers
from arf_core.store.database import Store
from arf_core.store.filters import Scope, findings_in


class Pattern(Record):
    """The categories that a summary errs in, and how many summaries err in just these."""

    categories: tuple[str, ...]
    summaries: int


class ErrorPatterns(Record):
    """Which errors come together, as one detector sees one system's summaries."""

    system: str
    detector: str
    total: int
    """Summaries that the detector has completely read."""
    patterns: tuple[Pattern, ...]
    """Only of summaries with a finding; the rest of `total` is clean."""

    @property
    def clean(self) -> int:
        return self.total - sum(p.summaries for p in self.patterns)

    def by_category(self) -> Counter[str]:
        """Summaries with at least one finding of the category."""
        counts: Counter[str] = Counter()
        for pattern in self.patterns:
            for category in pattern.categories:
                counts[category] += pattern.summaries
        return counts

    def pairs(self) -> Counter[tuple[str, str]]:
        """Summaries with findings of both categories; the names in alphabetical order."""
        counts: Counter[tuple[str, str]] = Counter()
        for pattern in self.patterns:
            for pair in combinations(sorted(pattern.categories), 2):
                counts[pair] += pattern.summaries
        return counts


def error_patterns(
    store: Store, system: str, detector: str, splits: Sequence[Split] = SPLITS
) -> ErrorPatterns:
    """Count summaries by the set of categories found in them."""
    return patterns_of(findings_in(store, system, detector, Scope(splits=tuple(splits))))


def patterns_of(found: FindingColumns) -> ErrorPatterns:
    """Count summaries by the set of categories found in them; the most frequent set first."""
    counts: list[Pattern] = []
    if len(found.conversation):
        # each summary's set as bits, in several words of 62 where there are many categories
        begins = np.flatnonzero(np.diff(found.conversation, prepend=-1))
        words = [
            np.bitwise_or.reduceat(_bits(found.category, first), begins)
            for first in range(0, len(found.categories), _WORD)
        ]
        counts = [
            Pattern(categories=_named(found.categories, bits), summaries=n)
            for bits, n in _counted_sets(words, len(found.categories))
        ]
    return ErrorPatterns(
        system=found.system,
        detector=found.detector,
        total=len(found.read),
        patterns=tuple(sorted(counts, key=lambda p: (-p.summaries, p.categories))),
    )


_WORD = 62
_FEW = 16


def _counted_sets(words: Sequence[Numbers], categories: int) -> list[tuple[list[int], int]]:
    """The sets there are, as words of bits, and how many summaries have each."""
    if categories <= _FEW:  # then every possible set can be counted, and nothing needs sorting
        sizes = np.bincount(words[0])
        return [([int(bits)], int(sizes[bits])) for bits in np.flatnonzero(sizes)]
    sets, sizes = np.unique(np.stack(words), axis=1, return_counts=True)
    return list(zip(sets.T.tolist(), sizes.tolist(), strict=True))


def _bits(category: Numbers, first: int) -> Numbers:
    """For each finding, the bit of its category among those from `first` on."""
    bit = category.astype(np.int64) - first
    return np.where((bit >= 0) & (bit < _WORD), np.int64(1) << np.clip(bit, 0, _WORD - 1), 0)


def _named(categories: Sequence[str], words: Sequence[int]) -> tuple[str, ...]:
    """The categories whose bits are set, in alphabetical order as `categories` are."""
    return tuple(c for i, c in enumerate(categories) if words[i // _WORD] >> i % _WORD & 1)
