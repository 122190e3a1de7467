"""What a revision round did, counted from the stored outcome of each summary (review_status.py).

Kept by blocks of conversations (blocks.py), so that after a decision only one of them is counted
again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from arf_core.records import Action, Record, Split
from arf_core.store.blocks import round_part
from arf_core.store.database import Store
from arf_core.store.review_status import REVIEW_STATUSES, ReviewStatus, results_of


class ReviewCounts(Record):
    """How many of a round's summaries have the same decision, status and split."""

    decision: Action
    status: ReviewStatus
    split: Split
    summaries: int = 0
    edited: int = 0
    unchanged: int = 0
    failed: int = 0
    flagged: int = 0
    categories: dict[str, int]
    """Summaries with an error of the category, answered or brought in."""
    results: dict[str, dict[str, int]]
    """Findings, by category and result."""


class CategoryOutcome(Record):
    """What a revision round did with the findings of one category."""

    system: str
    category: str
    fixed: int = 0
    not_fixed: int = 0
    unchecked: int = 0
    """No verifier could judge it, or none has looked."""
    new_errors: int = 0

    @property
    def asked(self) -> int:
        """Findings that the round was to answer."""
        return self.fixed + self.not_fixed + self.unchecked


class RoundOutcome(Record):
    """What a revision round did with summaries and findings."""

    edited: int = 0
    unchanged: int = 0
    failed: int = 0
    flagged: int = 0
    fixed: int = 0
    not_fixed: int = 0
    unchecked: int = 0
    """Findings that a verifier could not judge, or that none has checked yet."""
    new_errors: int = 0


_Counter = Counter[tuple[str, int, str, str, str, str]]
"""By decision, risk, split, the field of ReviewCounts, category and result."""


def review_counts(store: Store, system: str) -> list[ReviewCounts]:
    """All summaries of round `system`, counted by decision, status and split. Empty where `system`
    is no round."""

    def count(conn: Connection, first: int, last: int) -> bytes:
        return orjson.dumps([[*key, n] for key, n in _count(conn, system, first, last).items()])

    total: _Counter = Counter()
    for content in store.blocks(round_part(system), count):
        for *key, n in orjson.loads(content):
            total[tuple(key)] += n
    groups: dict[tuple[str, int, str], dict[str, Any]] = {}
    for (decision, risk, split, field, category, result), n in total.items():
        group = groups.setdefault((decision, risk, split), {"categories": {}, "results": {}})
        if result:
            group[field].setdefault(category, {})[result] = n
        elif category:
            group[field][category] = n
        else:
            group[field] = n
    return [
        ReviewCounts(decision=decision, status=REVIEW_STATUSES[risk], split=split, **group)
        for (decision, risk, split), group in sorted(groups.items(), key=lambda item: item[0])
    ]


_OF_BLOCK = """
SELECT decision, risk, split, outcome, status, flagged FROM revision
WHERE system = ? AND conversation BETWEEN ? AND ? AND current = 1
"""


def _count(conn: Connection, system: str, first: int, last: int) -> _Counter:
    # counted here: SQLite would sort these columns, which takes three times as long
    rows = conn.exec_driver_sql(_OF_BLOCK, (system, first, last))
    counts: _Counter = Counter()
    for (decision, risk, split, outcome, status, flagged), n in Counter(map(tuple, rows)).items():
        key = (decision, risk, split)
        results = results_of(outcome)
        counts[*key, "summaries", "", ""] += n
        counts[*key, status, "", ""] += n
        counts[*key, "flagged", "", ""] += n * flagged
        for category in {category for category, _ in results}:
            counts[*key, "categories", category, ""] += n
        for category, result in results:
            counts[*key, "results", category, result] += n
    return counts


def category_outcomes(system: str, counts: Iterable[ReviewCounts]) -> list[CategoryOutcome]:
    """What the round did with the findings of each category, most findings first."""
    by_category: dict[str, Counter[str]] = {}
    for group in counts:
        for category, results in group.results.items():
            by_category.setdefault(category, Counter()).update(_fields(results))
    found = [CategoryOutcome(system=system, category=c, **n) for c, n in by_category.items()]
    return sorted(found, key=lambda o: (-o.asked, -o.new_errors, o.category))


def outcomes_by_category(store: Store, system: str) -> list[CategoryOutcome]:
    """The outcome of round `system` by category, most findings first. Empty where the round had no
    findings to answer, or `system` is no round."""
    return category_outcomes(system, review_counts(store, system))


def round_outcome(store: Store, system: str) -> RoundOutcome:
    """What round `system` did with its summaries and findings."""
    total: Counter[str] = Counter()
    for group in review_counts(store, system):
        for field in ("edited", "unchanged", "failed", "flagged"):
            total[field] += getattr(group, field)
        for results in group.results.values():
            total.update(_fields(results))
    return RoundOutcome(**total)


def _fields(results: Mapping[str, int]) -> dict[str, int]:
    """Numbers of findings by result, named as the outcomes' fields."""
    return {"new_errors" if r == "new_error" else r: n for r, n in results.items()}
