"""The findings of a detector as a list: by category and words, a page at a time, each with its
neighbours and with all that is needed to judge it."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Select, func, or_, select

from arf_core.errors import InputError
from arf_core.records import Finding, Item, Record, Split
from arf_core.store import schema
from arf_core.store.arrays import FindingColumns, Numbers
from arf_core.store.database import Store, columns
from arf_core.store.filters import of_categories
from arf_core.store.queries import find_item, findings_of

PAGE = 50
MOST_HITS = 2_000
"""Findings that a search for words lists, so that a common word is not sought in all of them."""
ROWS_PER_SEARCH = 50_000
THREADS = 2
FindingOrder = Literal["file", "sure", "unsure"]
"""As the conversations came, or by the detector's confidence; findings without one come last."""


class FindingListItem(Record):
    """A finding as the list shows it."""

    seq: int
    id: str
    external_id: str
    """Of the conversation."""
    split: Split
    category: str
    explanation: str
    quote: str | None
    confidence: float | None


class FindingCard(Record):
    """A finding with what is needed to judge it."""

    finding: Finding
    item: Item
    system: str
    detector: str
    findings: tuple[Finding, ...]
    """All of the detector's findings in this summary, this one included, in order of the text."""
    current: bool
    """False where the summary was read again or rewritten since."""
    corrected: str | None
    """The newest round that revised this summary, or made it."""


class Neighbours(Record):
    """A finding's position in a list, and the findings beside it."""

    index: int | None
    """From 0; None where it is not in the list."""
    total: int
    before: int | None
    after: int | None
    """`seq` of the findings beside it."""


def listed(
    found: FindingColumns, categories: Sequence[str] = (), order: FindingOrder = "file"
) -> Numbers:
    """`seq` of the findings of these categories (of all where none is named), in order."""
    found = of_categories(found, categories)
    seq, sure = found.seq, found.confidence
    if order == "file":
        return seq
    unknown = np.isnan(sure)
    return seq[np.lexsort((-sure if order == "sure" else sure, unknown))]


def with_words(store: Store, seqs: Numbers, words: str, most: int = MOST_HITS) -> Numbers:
    """The findings whose explanation or quote has all the words, in the same order; at most the
    first `most` that were written. Case is ignored for ASCII letters."""
    f = schema.finding
    terms = words.split()
    if not terms or not len(seqs):
        return seqs
    # LIKE ignores the case of ASCII letters by itself; lower() would cost as much as the search
    texts = (f.c.explanation, f.c.quote)
    where = [or_(*(c.contains(term, autoescape=True) for c in texts)) for term in terms]
    candidates = np.sort(seqs)

    def search(first: int) -> Numbers:
        near = f.c.seq.between(first, first + ROWS_PER_SEARCH - 1)
        with store.read() as conn:
            return np.array(conn.scalars(select(f.c.seq).where(near, *where)).all(), np.int64)

    hits: list[Numbers] = []
    firsts = range(int(candidates[0]), int(candidates[-1]) + 1, ROWS_PER_SEARCH)
    with ThreadPoolExecutor(THREADS) as threads:  # SQLite searches outside the GIL
        for numbers in threads.map(search, firsts):
            hits.append(np.intersect1d(candidates, numbers, assume_unique=True))
            if sum(map(len, hits)) >= most:
                threads.shutdown(wait=False, cancel_futures=True)
                break
    return seqs[np.isin(seqs, np.concatenate(hits)[:most])]


def _among(seq: ColumnElement[int], seqs: Iterable[int]) -> ColumnElement[bool]:
    numbers = orjson.dumps([int(n) for n in seqs]).decode()
    return seq.in_(select(func.json_each(numbers).table_valued("value").c.value))


def page(store: Store, seqs: Numbers, number: int = 0, size: int = PAGE) -> list[FindingListItem]:
    """One page of a list, from 0."""
    return rows(store, seqs[number * size : (number + 1) * size])


def rows(store: Store, seqs: Numbers) -> list[FindingListItem]:
    """Findings as the list shows them, in the same order."""
    f, c = schema.finding, schema.conversation
    own = [f.c[name] for name in FindingListItem.model_fields if name in f.c]
    query = (
        select(*own, c.c.external_id)
        .join_from(f, c, c.c.seq == f.c.conversation)
        .where(_among(f.c.seq, seqs))
    )
    with store.read() as conn:
        by_seq = {
            r.seq: FindingListItem.model_validate(dict(r._mapping)) for r in conn.execute(query)
        }
    return [by_seq[int(n)] for n in seqs]


def neighbours(seqs: Numbers, seq: int) -> Neighbours:
    """The finding's position in the list, and the findings beside it."""
    at = np.flatnonzero(seqs == seq)
    if not len(at):
        return Neighbours(index=None, total=len(seqs), before=None, after=None)
    i = int(at[0])
    return Neighbours(
        index=i,
        total=len(seqs),
        before=int(seqs[i - 1]) if i else None,
        after=int(seqs[i + 1]) if i + 1 < len(seqs) else None,
    )


def finding_card(store: Store, seq: int) -> FindingCard:
    """A finding with what is needed to judge it. Raises InputError where it is gone."""
    f = schema.finding
    query: Select[tuple[object, ...]] = select(
        *columns(Finding), f.c.summary_id, f.c.system, f.c.detector, f.c.current
    )
    with store.read() as conn:
        row = conn.execute(query.where(f.c.seq == seq)).mappings().first()
    item = find_item(store, row["summary_id"]) if row else None
    if row is None or item is None:
        raise InputError(
            f"There is no finding number {seq}, or its summary was rewritten.",
            "Go back to the list.",
        )
    finding = Finding.model_validate({name: row[name] for name in Finding.model_fields})
    others = findings_of(store, [item.summary.id], [row["detector"]]).get(item.summary.id, [])
    return FindingCard(
        finding=finding,
        item=item,
        system=row["system"],
        detector=row["detector"],
        findings=tuple(others),
        current=bool(row["current"]),
        corrected=_round(store, item.summary.id),
    )


def _round(store: Store, summary_id: str) -> str | None:
    """The newest round that revised the summary, or made it."""
    s, r = schema.summary, schema.revision
    rounds = select(s.c.system).join(r, r.c.summary_id == s.c.id).where(r.c.current)
    rounds = rounds.where(or_(s.c.parent_id == summary_id, s.c.id == summary_id))
    with store.read() as conn:
        return conn.scalar(rounds.order_by(s.c.seq.desc()).limit(1))


def numbers_of(store: Store, ids: Iterable[str]) -> Numbers:
    """`seq` of findings by id, in order of arrival."""
    f = schema.finding
    given = select(func.json_each(orjson.dumps(list(ids)).decode()).table_valued("value").c.value)
    with store.read() as conn:
        return np.array(sorted(conn.scalars(select(f.c.seq).where(f.c.id.in_(given)))), np.int64)
