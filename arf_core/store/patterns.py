"""Counts for charts, made by the database: error patterns, outcomes of a round, lengths."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Integer, Select, String, Table, case, func, literal, select

from arf_core.records import SPLITS, Record, Split
from arf_core.store import schema
from arf_core.store.blocks import Found, Numbers
from arf_core.store.database import Store
from arf_core.store.filters import Scope, look


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
    return patterns_of(look(store, system, detector, Scope(splits=tuple(splits))))


def patterns_of(found: Found) -> ErrorPatterns:
    """Count summaries by the set of categories found in them; the most frequent set first."""
    counts: list[Pattern] = []
    if len(found.conversation):
        # each summary's set as bits, some words of 62 where there are many categories
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
    if categories <= _FEW:  # then every possible set has a place, and nothing needs to be sorted
        of = np.bincount(words[0])
        return [([int(bits)], int(of[bits])) for bits in np.flatnonzero(of)]
    sets, sizes = np.unique(np.stack(words), axis=1, return_counts=True)
    return list(zip(sets.T.tolist(), sizes.tolist(), strict=True))


def _bits(category: Numbers, first: int) -> Numbers:
    """For each finding, the bit of its category among those from `first` on."""
    place = category.astype(np.int64) - first
    return np.where((place >= 0) & (place < _WORD), np.int64(1) << np.clip(place, 0, _WORD - 1), 0)


def _named(categories: Sequence[str], words: Sequence[int]) -> tuple[str, ...]:
    """The categories whose bits are set, in alphabetical order as `categories` are."""
    return tuple(c for i, c in enumerate(categories) if words[i // _WORD] >> i % _WORD & 1)


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


def outcomes_by_category(store: Store, system: str) -> list[CategoryOutcome]:
    """The outcome of round `system`, most findings first.

    A finding counts once: not fixed if any verifier says so, else fixed if one does. Empty where
    the round had no findings to answer, or `system` is no round.
    """
    asked, new = _asked(system), _new_errors(system)
    counts: dict[str, dict[str, int]] = {}
    with store.read() as conn:
        for category, result, n in (*conn.execute(asked), *conn.execute(new)):
            counts.setdefault(category, {})[result] = n
    outcomes = [CategoryOutcome(system=system, category=c, **n) for c, n in counts.items()]
    return sorted(outcomes, key=lambda o: (-o.asked, -o.new_errors, o.category))


def _asked(system: str) -> Select[Any]:
    """Category, result and number of the findings that the round was to answer."""
    s, r, c, f = schema.summary, schema.revision, schema.check, schema.finding
    to_answer = func.json_each(r.c.findings).table_valued("value")
    said = (
        select(
            f.c.category,
            case(
                (func.sum(c.c.result == "not_fixed") > 0, "not_fixed"),
                (func.sum(c.c.result == "fixed") > 0, "fixed"),
                else_="unchecked",
            ).label("result"),
        )
        .select_from(s)
        .join(r, r.c.summary_id == s.c.id)
        .join(to_answer, to_answer.c.value.is_not(None))
        .join(f, f.c.id == to_answer.c.value)
        .outerjoin(c, (c.c.finding_id == f.c.id) & (c.c.summary_id == s.c.id) & c.c.current)
        .where(s.c.system == system)
        .group_by(s.c.id, f.c.id)
        .subquery()
    )
    return select(said.c.category, said.c.result, func.count()).group_by(
        said.c.category, said.c.result
    )


def _new_errors(system: str) -> Select[Any]:
    s, c, f = schema.summary, schema.check, schema.finding
    return (
        select(f.c.category, c.c.result.concat("s"), func.count())
        .select_from(s)
        .join(c, c.c.summary_id == s.c.id)
        .join(f, f.c.id == c.c.finding_id)
        .where(s.c.system == system, c.c.current, c.c.result == "new_error")
        .group_by(f.c.category, c.c.result)
    )


class Lengths(Record):
    """How many texts have which length."""

    of: str
    """A system, or `conversations`."""
    unit: Literal["turns", "words"]
    counts: dict[int, int]
    """Texts by length."""
    step: int = 1
    """Every so many texts were measured; 1 is all of them."""


def turn_lengths(store: Store, splits: Sequence[Split] = SPLITS) -> Lengths:
    """Turns of the conversations; of about 20,000 where there are more."""
    c = schema.conversation
    step = _step(store, select(func.count()).select_from(c))
    query = select(c.c.n_turns, func.count()).where(c.c.split.in_(splits), *_sampled(c, step))
    return Lengths(
        of="conversations",
        unit="turns",
        counts=_counted(store, query.group_by(c.c.n_turns)),
        step=step,
    )


def word_lengths(store: Store, system: str, splits: Sequence[Split] = SPLITS) -> Lengths:
    """Words of a system's summaries, counted by the spaces and line breaks between them; of about
    20,000 summaries where there are more.

    So a text with runs of spaces counts a few too many, and one without spaces is one word.
    """
    s, c = schema.summary, schema.conversation
    step = _step(store, select(func.count()).where(s.c.system == system))
    text = func.trim(s.c.text, " \n", type_=String)
    solid = func.replace(func.replace(text, " ", ""), "\n", "")
    gaps = func.length(text, type_=Integer) - func.length(solid, type_=Integer)
    words = case((text == "", 0), else_=gaps + 1).label("words")
    query = (
        select(words, func.count())
        .join_from(s, c, c.c.id == s.c.conversation_id)
        .where(s.c.system == system, *_sampled(s, step), c.c.split.in_(splits))
    )
    counts = _counted(store, query.group_by(words))
    return Lengths(of=system, unit="words", counts=counts, step=step)


MEASURED = 20_000


def _step(store: Store, count: Select[Any]) -> int:
    with store.read() as conn:
        return max(1, round((conn.scalar(count) or 0) / MEASURED))


def _sampled(table: Table, step: int) -> list[ColumnElement[bool]]:
    """Conditions on every `step`th row: the rows are looked up one by one, since a remainder would
    be asked of them all."""
    if step == 1:
        return []
    last = select(func.max(table.c.seq)).scalar_subquery()
    every = select(literal(step).label("seq")).cte("every", recursive=True)
    every = every.union_all(select(every.c.seq + step).where(every.c.seq + step <= last))
    return [table.c.seq.in_(select(every.c.seq))]


def _counted(store: Store, query: Select[Any]) -> dict[int, int]:
    with store.read() as conn:
        return {row[0]: row[1] for row in conn.execute(query)}
