"""Findings that say alike things, together: why a system errs, beyond how often.

TF-IDF of what each finding says, reduced to at most 50 dimensions (latent semantic analysis),
clustered by density (HDBSCAN, Campello et al. 2013) and named by the words that set a cluster
apart. Everything is seeded: the same findings give the same clusters.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from arf_core import schema
from arf_core.records import SPLITS, Finding, Record, Split
from arf_core.store import Store, columns
from arf_core.taxonomy import Taxonomy

MOST = 20_000
"""Findings beyond this are clustered by a sample."""
MOST_FITTED = 5_000
MOST_TSNE = 5_000
SMALLEST = 5
TERMS, EXAMPLES = 3, 5
SEED = 0
UNCLUSTERED = -1
SAME = 1e-9
WORD = r"(?u)[^\W\d_][^\W\d_]+"
"""Letters only: a figure names one case, never what several have in common."""
REPORTING = frozenset(
    "agent conversation customer did does lacks mention mentioned mentions names named nobody nothing person "
    "said say says speaks spoke states stated summary tells told turn turns word words".split()
)
"""Words in which any finding is told, so that they tell no cluster apart."""
WIDESPREAD = 0.2
"""Share of a cluster's findings that a term must be in to name it."""
Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


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
    f = schema.finding
    whose = (f.c.system == system, f.c.detector == detector, f.c.split.in_(splits), f.c.current)
    with store.read() as conn:
        of = conn.scalar(select(func.count()).where(*whose)) or 0
        # Knuth's multiplicative hash scatters the running numbers over 0 … 2^32
        drawn = f.c.seq * 2_654_435_761 % 2**32 < 2**32 * min(1.0, most / max(of, 1))
        rows = conn.execute(select(*columns(Finding)).where(*whose, drawn).order_by(f.c.seq))
        found = tuple(Finding.model_validate(dict(row._mapping)) for row in rows)
    return FindingSample(findings=found, of=of)


def cluster_findings(
    findings: Sequence[Finding], taxonomy: Taxonomy, of: int | None = None
) -> Clustering:
    """Cluster findings by what they say, and place each for drawing.

    `of` is how many there are where these are a sample. Above 20,000 only so many are looked at.
    Fewer than five are never a cluster.
    """
    of = len(findings) if of is None else of
    findings = _sample(findings)
    space, known = _meanings([_whole(f, taxonomy) for f in findings])
    labels = _by_size(_labels(space, known))
    places = _places(space)
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
            for f, label, (x, y) in zip(findings, labels, places, strict=True)
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


def _meanings(texts: Sequence[str]) -> tuple[Matrix, NDArray[np.bool_]]:
    """A unit vector for each text, and whether it has any word to go by."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(
        stop_words=list(ENGLISH_STOP_WORDS | REPORTING),
        token_pattern=WORD,
        sublinear_tf=True,
        max_features=20_000,
    )
    analyzer = words.build_analyzer()
    if not any(analyzer(text) for text in texts):
        return np.zeros((len(texts), 1)), np.zeros(len(texts), dtype=bool)
    weights = words.fit_transform(texts)
    # density means little in many dimensions with few points
    dimensions = min(50, max(5, len(texts) // 10), *(n - 1 for n in weights.shape))
    if dimensions < 1:
        return np.ones((len(texts), 1)), np.ones(len(texts), dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):  # identical texts have no variance
        space = TruncatedSVD(dimensions, random_state=SEED).fit_transform(weights)
    return normalize(space), np.asarray(weights.sum(axis=1)).ravel() > 0


def _labels(space: Matrix, known: NDArray[np.bool_]) -> Labels:
    """The cluster of each row, or -1."""
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import NearestNeighbors

    labels = np.full(len(space), UNCLUSTERED)
    rows = np.flatnonzero(known)
    if len(rows) < SMALLEST:
        return labels
    if np.ptp(space[rows], axis=0).max() < SAME:
        labels[rows] = 0
        return labels
    # its time grows with the square: beyond 5,000 the others join their nearest neighbour
    few = rows
    if len(rows) > MOST_FITTED:
        few = np.sort(np.random.default_rng(SEED).choice(rows, MOST_FITTED, replace=False))
    size = max(SMALLEST, round(len(few) ** 0.5 / 2))
    labels[few] = HDBSCAN(min_cluster_size=size, min_samples=3, copy=True).fit_predict(space[few])
    others = np.setdiff1d(rows, few)
    if len(others):
        near = NearestNeighbors(n_neighbors=1).fit(space[few])
        labels[others] = labels[few][near.kneighbors(space[others], return_distance=False).ravel()]
    return labels


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


def _places(space: Matrix) -> Matrix:
    """Two coordinates for each row: t-SNE up to 5,000 rows, else the first two components."""
    n = len(space)
    flat = _components(space)
    spread = flat.std(axis=0).max() if n else 0.0
    if n < SMALLEST or n > MOST_TSNE or spread < SAME:
        return flat
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # one thread gives the same figures everywhere, and several are slower where the machine is busy
    with threadpool_limits(1):
        tsne = TSNE(
            perplexity=min(30.0, (n - 1) / 3),
            init=flat / spread * 1e-4,
            angle=0.8,
            max_iter=500 if n <= 1_000 else 300,
            random_state=SEED,
        )
        return np.asarray(tsne.fit_transform(space), dtype=np.float64)


def _components(space: Matrix) -> Matrix:
    """The first two principal components; a missing second one is 0."""
    out = np.zeros((len(space), 2))
    if len(space) > 1:
        centred = space - space.mean(axis=0)
        _, _, axes = np.linalg.svd(centred.T @ centred)
        found = centred @ axes[:2].T
        out[:, : found.shape[1]] = found
    return out


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
