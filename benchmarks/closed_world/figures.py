"""Rates of the closed world with their intervals: a bootstrap over conversations and seeds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arf_core.records import Record
from benchmarks.closed_world.students import TEACHER

DRAWS = 2000


class Result(Record):
    """One student, or the teacher itself, on the test split."""

    systematic: int
    arm: str
    seed: int
    rows: int
    steps: int
    seconds: float
    wrong: dict[str, tuple[str, ...]]
    """Categories of the errors, by conversation; one that is not here has none."""
    summaries: int

    @property
    def key(self) -> tuple[int, str, int]:
        return self.systematic, self.arm, self.seed


def read_results(file: Path) -> list[Result]:
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Result.model_validate(json.loads(line)) for line in lines]


class Share(NamedTuple):
    """A share, or a difference of two, with its 95 % interval."""

    value: float
    low: float
    high: float


class Figures:
    """All results, as one table of errors by seed and conversation for each arm."""

    def __init__(self, results: Sequence[Result], conversations: Sequence[str]) -> None:
        self._conversations = list(conversations)
        self._results = {r.key: r for r in results}
        self._chance = np.random.default_rng(0)

    def arms(self, systematic: int) -> list[str]:
        return sorted({a for s, a, _ in self._results if s == systematic})

    def seeds(self, systematic: int, arm: str) -> list[int]:
        return sorted(n for s, a, n in self._results if (s, a) == (systematic, arm))

    def errors(
        self, systematic: int, arm: str, seeds: Sequence[int], category: str | None = None
    ) -> np.ndarray:
        """1 where there is an error (of the category), seeds by conversations."""
        rows = []
        for seed in seeds:
            wrong = self._results[systematic, arm, seed].wrong
            rows.append(
                [
                    float(category in wrong[c] if category else True) if c in wrong else 0.0
                    for c in self._conversations
                ]
            )
        return np.array(rows)

    def share(self, systematic: int, arm: str, category: str | None = None) -> Share:
        seeds = self.seeds(systematic, arm)
        return self._interval(self.errors(systematic, arm, seeds, category))

    def difference(self, systematic: int, arm: str, other: str = TEACHER) -> Share:
        """Of the shares of two arms, on the same seeds and conversations."""
        here, there = self.seeds(systematic, arm), self.seeds(systematic, other)
        seeds = sorted(set(here) & set(there))
        return self._interval(
            self.errors(systematic, arm, seeds) - self.errors(systematic, other, seeds)
        )

    def _interval(self, table: np.ndarray) -> Share:
        n, m = table.shape
        draws = [
            table[np.ix_(self._chance.integers(0, n, n), self._chance.integers(0, m, m))].mean()
            for _ in range(DRAWS)
        ]
        low, high = np.quantile(draws, (0.025, 0.975))
        return Share(float(table.mean()), float(low), float(high))
