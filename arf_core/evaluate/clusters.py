"""Findings that say alike things, together: why a system errs, beyond how often.

TF-IDF of what each finding says, reduced to at most 50 dimensions (latent semantic analysis),
clustered by density (HDBSCAN, Campello et al. 2013) and named by the words that set a cluster
apart. The same findings give the same clusters.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import orjson
from sqlalchemy import func, select

from arf_core.evaluate.embedding import (
    REPORTING,
    SEED,
    UNCLUSTERED,
    WORD,
    Labels,
    Matrix,
    groups,
    meanings,
    places,
)
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import SPLITS, Finding, Record, Split
from arf_core.store import schema
from arf_core.store.arrays import FindingColumns
from arf_core.store.database import Store, columns
from arf_core.store.filters import Scope, findings_in

MOST = 20_000
"""Findings beyond this are clustered by a sample."""
TERMS, EXAMPLES = 3, 5
WIDESPREAD = 0.2
"""Share of a cluster's findings that a term must be in to name it."""


class Cluster(Record):
    """Findings that say alike things."""

    number: int
    """From 0, the largest first; -1 for those that fit nowhere."""
    name: str
    """Its most telling terms, or "unclustered"."""
    terms: tuple[str, ...]
    size: int
    categories: dict[str, int]
    """Findings by category, most frequent first."""
    examples: tuple[str, ...]
    """Ids of the findings nearest to the middle."""


class Point(Record):
    """A finding's place in the drawing. Near points say alike things; the axes mean nothing."""

    finding_id: str
    category: str
    cluster: int
    x: float
    y: float
    text: str
    """What the finding says."""


class Clustering(Record):
    """Every finding that was looked at is one point, and in one cluster."""

    clusters: tuple[Cluster, ...]
    points: tuple[Point, ...]
    of: int
    """Findings there are; more than there are points where a sample was taken."""

    @property
    def sampled(self) -> bool:
        return self.of > len(self.points)


class FindingSample(Record):
    """Findings, and how many there are in all."""

    findings: tuple[Finding, ...]
    of: int


def sample_findings(
    store: Store,
    system: str,
    detector: str,
    splits: Sequence[Split] = SPLITS,
    most: int = MOST,
) -> FindingSample:
    """A detector's current findings on a system; about `most`, evenly drawn, where there are more.

    The same project gives the same sample.
    """
    return findings_drawn(
        store, findings_in(store, system, detector, Scope(splits=tuple(splits))), most
    )


def findings_drawn(store: Store, found: FindingColumns, most: int = MOST) -> FindingSample:
    """The findings of what was found; about `most` of them where there are more."""
    f, of = schema.finding, len(found.seq)
    # Knuth's multiplicative hash scatters the running numbers over 0 … 2^32
    scattered = found.seq.astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2**32)
    drawn = np.sort(found.seq[scattered < 2**32 * min(1.0, most / max(of, 1))])
    numbers = orjson.dumps(drawn.tolist()).decode()
    wanted = select(func.json_each(numbers).table_valued("value").c.value)
    with store.read() as conn:
        rows = conn.execute(select(*columns(Finding)).where(f.c.seq.in_(wanted)).order_by(f.c.seq))
        findings = tuple(Finding.model_validate(dict(row._mapping)) for row in rows)
    return FindingSample(findings=findings, of=of)


def cluster_findings(
    findings: Sequence[Finding], taxonomy: Taxonomy, of: int | None = None
) -> Clustering:
    """Cluster findings by what they say, and place each for drawing.

    `of` is how many there are where these are a sample. Above 20,000 only so many are looked at.
    Fewer than five are never a cluster.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    of = len(findings) if of is None else of
    findings = _sample(findings)
    # several threads are slower where the machine is busy, and other work is waiting for them
    with threadpool_limits(1):
        space, known = meanings([_whole(f, taxonomy) for f in findings])
        labels = _by_size(groups(space, known))
    return Clustering(
        clusters=tuple(_described(findings, labels, space, taxonomy)),
        points=tuple(
            Point(
                finding_id=f.id,
                category=f.category,
                cluster=int(label),
                x=round(float(x), 4),
                y=round(float(y), 4),
                text=f.explanation,
            )
            for f, label, (x, y) in zip(findings, labels, places(space), strict=True)
        ),
        of=of,
    )


def _sample(findings: Sequence[Finding]) -> Sequence[Finding]:
    if len(findings) <= MOST:
        return findings
    drawn = np.random.default_rng(SEED).choice(len(findings), MOST, replace=False)
    return [findings[int(i)] for i in sorted(drawn)]


def _said(finding: Finding) -> str:
    return f"{finding.explanation} {finding.quote or ''}"


def _whole(finding: Finding, taxonomy: Taxonomy) -> str:
    return f"{_said(finding)} {_category_name(finding.category, taxonomy)}"


def _category_name(category: str, taxonomy: Taxonomy) -> str:
    known = taxonomy.by_id.get(category)
    return known.name if known else category


def _by_size(labels: Labels) -> Labels:
    """The same clusters, the largest as 0; of equal ones the first to appear."""
    numbers, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(
        (-count, at, number)
        for number, at, count in zip(numbers, first, counts, strict=True)
        if number != UNCLUSTERED
    )
    renumbered = np.full(len(labels), UNCLUSTERED)
    for new, (_, _, old) in enumerate(order):
        renumbered[labels == old] = new
    return renumbered


def _described(
    findings: Sequence[Finding], labels: Labels, space: Matrix, taxonomy: Taxonomy
) -> list[Cluster]:
    """Clusters by size, the unclustered last."""
    terms = _telling_terms([_said(f) for f in findings], labels)
    described = []
    for number in sorted(set(labels.tolist()), key=lambda k: (k == UNCLUSTERED, k)):
        rows = np.flatnonzero(labels == number)
        middle = space[rows].mean(axis=0)
        nearest = rows[np.argsort(((space[rows] - middle) ** 2).sum(axis=1), kind="stable")]
        own = terms.get(number, ())
        categories = Counter(findings[int(i)].category for i in rows).most_common()
        described.append(
            Cluster(
                number=number,
                name=_name(number, own, categories[0][0], taxonomy),
                terms=own,
                size=len(rows),
                categories=dict(categories),
                examples=tuple(findings[int(i)].id for i in nearest[:EXAMPLES]),
            )
        )
    return described


def _name(number: int, terms: Sequence[str], category: str, taxonomy: Taxonomy) -> str:
    if number == UNCLUSTERED:
        return "unclustered"
    return " · ".join(terms) or _category_name(category, taxonomy).lower()


def _telling_terms(texts: Sequence[str], labels: Labels) -> dict[int, tuple[str, ...]]:
    """Each cluster's terms that set it apart: class-based TF-IDF (Grootendorst 2022)."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    counter = CountVectorizer(
        stop_words=list(ENGLISH_STOP_WORDS | REPORTING),
        token_pattern=WORD,
        ngram_range=(1, 2),
        binary=True,
        max_features=50_000,
    )
    analyzer = counter.build_analyzer()
    if not any(analyzer(text) for text in texts):
        return {}
    there = counter.fit_transform(texts)
    vocabulary = counter.get_feature_names_out()
    overall = np.asarray(there.sum(axis=0)).ravel()
    telling = {}
    for number in sorted(set(labels.tolist()) - {UNCLUSTERED}):
        own = labels == number
        counts = np.asarray(there[own].sum(axis=0)).ravel()
        weights = counts / own.sum() * np.log1p(len(texts) / overall)
        weights[counts < max(2, WIDESPREAD * own.sum())] = 0
        order = np.argsort(-weights, kind="stable")
        telling[number] = _distinct([str(vocabulary[i]) for i in order[:30] if weights[i] > 0])
    return telling


def _distinct(terms: Sequence[str]) -> tuple[str, ...]:
    """The first few terms of which none shares a word with one before it."""
    kept: list[str] = []
    for term in terms:
        words = set(term.split())
        if len(kept) < TERMS and not any(words & set(k.split()) for k in kept):
            kept.append(term)
    return tuple(kept)
