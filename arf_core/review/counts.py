"""How many of a round's summaries stand where, and what is decided: the counts around the queue.

Counted by blocks of conversations (blocks.py), so that after a decision only one of them is
counted again.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection

from arf_core.records import Action, Record, Split
from arf_core.store.blocks import Block, changes_of, read_blocks
from arf_core.store.database import Store
from arf_core.store.patterns import CategoryOutcome
from arf_core.store.review_status import STANDINGS, Standing, part_standing
from arf_core.store.schema import BLOCK

WAITING: tuple[Standing, ...] = STANDINGS[:-1]
"""What a person is asked to decide: all but what nobody changed."""


class Wanted(Record):
    """Which part of the queue."""

    decision: Action = "open"
    standings: tuple[Standing, ...] = WAITING
    category: str | None = None
    """Only revisions with an error of this category, answered or brought in."""
    split: Split | None = None


class Tally(Record):
    """How many of a round's summaries have the same decision, standing and split."""

    decision: Action
    standing: Standing
    split: Split
    summaries: int
    edited: int
    unchanged: int
    flagged: int
    categories: dict[str, int]
    """Summaries with an error of the category, answered or brought in."""
    results: dict[str, dict[str, int]]
    """Findings, by category and result."""

    def fitting(self, wanted: Wanted) -> int:
        """How many of them belong to this part of the queue."""
        if (
            self.decision != wanted.decision
            or self.standing not in wanted.standings
            or wanted.split not in (None, self.split)
        ):
            return 0
        return (
            self.summaries if wanted.category is None else self.categories.get(wanted.category, 0)
        )


def tallies(store: Store, system: str) -> list[Tally]:
    """All summaries of round `system`, counted by decision, standing and split. Empty where
    `system` is no round."""

    def count(conn: Connection, block: int) -> Block:
        return _packed(_count(conn, system, block))

    total: _Counts = {}
    for block in read_blocks(store, part_standing(system), changes_of, count):
        for said in block.names["tallies"]:
            _add(total, Tally.model_validate_json(said))
    return [_tally(key, counter) for key, counter in sorted(total.items())]


_Key = tuple[str, int, str]
_Counts = dict[_Key, Counter[tuple[str, str, str]]]
"""By decision, risk and split: numbers by what is counted, of which category, with which result."""
_PLAIN = ("summaries", "edited", "unchanged", "flagged")


def _count(conn: Connection, system: str, block: int) -> _Counts:
    # counted here: SQLite would sort these columns, which takes three times as long
    rows = conn.exec_driver_sql(_OF_BLOCK, (system, block * BLOCK, (block + 1) * BLOCK - 1))
    counts: _Counts = {}
    for alike, n in Counter(map(tuple, rows)).items():
        decision, risk, split, outcome, status, flagged = alike
        counter = counts.setdefault((decision, risk, split), Counter())
        counter["summaries", "", ""] += n
        counter[status, "", ""] += n
        counter["flagged", "", ""] += n * flagged
        results = results_of(outcome)
        for category in {category for category, _ in results}:
            counter["category", category, ""] += n
        for category, result in results:
            counter["result", category, result] += n
    return counts


_OF_BLOCK = """
SELECT decision, risk, split, outcome, status, flagged FROM revision
WHERE system = ? AND conversation BETWEEN ? AND ? AND current = 1
"""


def results_of(outcome: str) -> tuple[tuple[str, str], ...]:
    """The stored outcome, as (category, result) for each finding."""
    pairs = (said.partition("=") for said in outcome.split())
    return tuple((category, result) for category, _, result in pairs)


def _tally(key: _Key, counter: Counter[tuple[str, str, str]]) -> Tally:
    decision, risk, split = key
    results: dict[str, dict[str, int]] = {}
    for (what, category, result), n in counter.items():
        if what == "result":
            results.setdefault(category, {})[result] = n
    return Tally.model_validate(
        {
            "decision": decision,
            "standing": STANDINGS[risk],
            "split": split,
            **{name: counter[name, "", ""] for name in _PLAIN},
            "categories": {c: n for (what, c, _), n in counter.items() if what == "category"},
            "results": results,
        }
    )


def _packed(counts: _Counts) -> Block:
    said = [_tally(key, counter).model_dump_json() for key, counter in counts.items()]
    return Block({"tallies": said}, {})


def _add(total: _Counts, tally: Tally) -> None:
    key = (tally.decision, STANDINGS.index(tally.standing), tally.split)
    counter = total.setdefault(key, Counter())
    for name in _PLAIN:
        counter[name, "", ""] += getattr(tally, name)
    for category, n in tally.categories.items():
        counter["category", category, ""] += n
    for category, results in tally.results.items():
        for result, n in results.items():
            counter["result", category, result] += n


def outcomes(system: str, counted: Iterable[Tally]) -> list[CategoryOutcome]:
    """What the round did with the findings of each category, most findings first."""
    by_category: dict[str, Counter[str]] = {}
    for tally in counted:
        for category, results in tally.results.items():
            counter = by_category.setdefault(category, Counter())
            for result, n in results.items():
                counter["new_errors" if result == "new_error" else result] += n
    found = [CategoryOutcome(system=system, category=c, **n) for c, n in by_category.items()]
    return sorted(found, key=lambda o: (-o.asked, -o.new_errors, o.category))
