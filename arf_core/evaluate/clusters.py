"""Clusters of findings that say similar things: why a system errs, beyond how often.

What each finding says is embedded, clustered by density (see `embedding`), and each cluster is
named by the terms that set it apart. The same findings give the same clusters.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import orjson
from sqlalchemy import func, select

from arf_core.evaluate.embedding import (
    SEED,
    UNCLUSTERED,
    WORD,
    ClusterLabels,
    cluster,
    coordinates,
    embed,
    stop_words,
)
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import SPLITS, Finding, Record, Split
from arf_core.store import schema
from arf_core.store.arrays import FindingColumns
from arf_core.store.database import Store, columns
from arf_core.store.filters import Scope, findings_in

MOST = 20_000
"""Findings to cluster at most; a sample is taken of more."""
TERMS = 3
"""Terms in a cluster's name, at most."""
WIDESPREAD = 0.2
"""A term must occur in this share of a cluster's findings to name it."""


class Cluster(Record):
    """Findings that say similar things."""

    number: int
    """From 0, the largest first; -1 for findings that fit nowhere."""
    name: str
    """Its most distinctive terms, or "unclustered"."""
    size: int
    categories: dict[str, int]
    """Findings by category, most frequent first."""


class Point(Record):
    """A finding in the drawing. Near points say similar things; the axes mean nothing."""

    finding_id: str
    category: str
    cluster: int
    x: float
    y: float
    text: str
    """The finding's explanation."""


class Clustering(Record):
    """Clusters of findings. Each clustered finding is one point and belongs to one cluster."""

    clusters: tuple[Cluster, ...]
    points: tuple[Point, ...]
    of: int
    """Findings in all; more than points if a sample was taken."""


class FindingSample(Record):
    """A sample of findings, and how many there are in all."""

    findings: tuple[Finding, ...]
    of: int


def sample_findings(
    store: Store,
    system: str,
    detector: str,
    splits: Sequence[Split] = SPLITS,
    most: int = MOST,
) -> FindingSample:
    """A detector's current findings on a system; if there are more than `most`, a uniform sample of
    about that many. The same project gives the same sample."""
    return findings_drawn(
        store, findings_in(store, system, detector, Scope(splits=tuple(splits))), most
    )


def findings_drawn(store: Store, found: FindingColumns, most: int = MOST) -> FindingSample:
    """The findings in `found`, or a uniform sample of about `most`."""
    f, of = schema.finding, len(found.seq)
    # Knuth's multiplicative hash spreads the sequence numbers over 0 … 2^32
    hashed = found.seq.astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2**32)
    drawn = np.sort(found.seq[hashed < 2**32 * min(1.0, most / max(of, 1))])
    numbers = orjson.dumps(drawn.tolist()).decode()
    seqs = select(func.json_each(numbers).table_valued("value").c.value)
    with store.read() as conn:
        rows = conn.execute(select(*columns(Finding)).where(f.c.seq.in_(seqs)).order_by(f.c.seq))
        findings = tuple(Finding.model_validate(dict(row._mapping)) for row in rows)
    return FindingSample(findings=findings, of=of)


def cluster_findings(
    findings: Sequence[Finding], taxonomy: Taxonomy, of: int | None = None
) -> Clustering:
    """Cluster findings by what they say, with coordinates to draw them.

    `of` is the number of findings in all if these are a sample. At most 20,000 are clustered; fewer
    than five never form a cluster.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    of = len(findings) if of is None else of
    if len(findings) > MOST:
        chosen = np.random.default_rng(SEED).choice(len(findings), MOST, replace=False)
        findings = [findings[i] for i in sorted(chosen.tolist())]
    # one thread gives the same numbers everywhere, and several are slower on a busy machine
    with threadpool_limits(1):
        names = [_category_name(f.category, taxonomy) for f in findings]
        texts = [f"{_text(f)} {name}" for f, name in zip(findings, names, strict=True)]
        space, known = embed(texts)
        labels = cluster(space, known)
        positions = coordinates(space)
    points = tuple(
        Point(
            finding_id=f.id,
            category=f.category,
            cluster=int(label),
            x=round(float(x), 4),
            y=round(float(y), 4),
            text=f.explanation,
        )
        for f, label, (x, y) in zip(findings, labels, positions, strict=True)
    )
    clusters = tuple(_described(findings, labels, taxonomy))
    return Clustering(clusters=clusters, points=points, of=of)


def _text(finding: Finding) -> str:
    return f"{finding.explanation} {finding.quote or ''}"


def _category_name(category: str, taxonomy: Taxonomy) -> str:
    known = taxonomy.by_id.get(category)
    return known.name if known else category


def _described(
    findings: Sequence[Finding], labels: ClusterLabels, taxonomy: Taxonomy
) -> list[Cluster]:
    """Clusters by size, the unclustered last."""
    terms = _distinctive_terms([_text(f) for f in findings], labels)
    described = []
    for number in sorted(set(labels.tolist()), key=lambda k: (k == UNCLUSTERED, k)):
        rows = np.flatnonzero(labels == number)
        categories = Counter(findings[int(i)].category for i in rows).most_common()
        described.append(
            Cluster(
                number=number,
                name=_name(number, terms.get(number, ()), categories[0][0], taxonomy),
                size=len(rows),
                categories=dict(categories),
            )
        )
    return described


def _name(number: int, terms: Sequence[str], category: str, taxonomy: Taxonomy) -> str:
    if number == UNCLUSTERED:
        return "unclustered"
    return " · ".join(terms) or _category_name(category, taxonomy).lower()


def _distinctive_terms(texts: Sequence[str], labels: ClusterLabels) -> dict[int, tuple[str, ...]]:
    """The terms that set each cluster apart: class-based TF-IDF (Grootendorst 2022) on whether a
    text has a term."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(
        stop_words=stop_words(),
        token_pattern=WORD,
        ngram_range=(1, 2),
        binary=True,
        max_features=50_000,
    )
    analyzer = vectorizer.build_analyzer()
    if not any(analyzer(text) for text in texts):
        return {}
    present = vectorizer.fit_transform(texts)
    vocabulary = vectorizer.get_feature_names_out()
    overall = np.asarray(present.sum(axis=0)).ravel()
    distinctive = {}
    for number in sorted(set(labels.tolist()) - {UNCLUSTERED}):
        own = labels == number
        counts = np.asarray(present[own].sum(axis=0)).ravel()
        weights = counts / own.sum() * np.log1p(len(texts) / overall)
        weights[counts < max(2, WIDESPREAD * own.sum())] = 0
        order = np.argsort(-weights, kind="stable")[:30]
        distinctive[number] = _disjoint([str(vocabulary[i]) for i in order if weights[i] > 0])
    return distinctive


def _disjoint(terms: Sequence[str]) -> tuple[str, ...]:
    """The first few terms, skipping any that shares a word with an earlier one."""
    kept: list[str] = []
    for term in terms:
        words = set(term.split())
        if len(kept) < TERMS and not any(words & set(k.split()) for k in kept):
            kept.append(term)
    return tuple(kept)
