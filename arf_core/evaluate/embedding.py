"""Texts as vectors, clusters of similar ones, and coordinates to draw them.

Everything is seeded: the same texts give the same result.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_FITTED = 5_000
MOST_TSNE = 5_000
SMALLEST = 5
"""Texts in a cluster, at least."""
SEED = 0
UNCLUSTERED = -1
SAME = 1e-9
WORD = r"(?u)[^\W\d_][^\W\d_]+"
"""Letters only: a number names one case, never what several have in common."""
REPORTING = frozenset(
    "agent conversation customer did does lacks mention mentioned mentions names named nobody "
    "nothing person said say says speaks spoke states stated summary tells told turn turns word "
    "words".split()
)
"""Words that any finding may use, so they do not tell findings apart."""
Matrix = NDArray[np.float64]
ClusterLabels = NDArray[np.int64]


def stop_words() -> list[str]:
    """Words that say nothing about the topic of a finding."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return list(ENGLISH_STOP_WORDS | REPORTING)


def embed(texts: Sequence[str]) -> tuple[Matrix, NDArray[np.bool_]]:
    """A unit vector for each text, and whether it has any known word.

    TF-IDF reduced to at most 50 dimensions by truncated SVD (latent semantic analysis, Deerwester
    et al. 1990).
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    vectorizer = TfidfVectorizer(
        stop_words=stop_words(), token_pattern=WORD, sublinear_tf=True, max_features=20_000
    )
    analyzer = vectorizer.build_analyzer()
    if not any(analyzer(text) for text in texts):
        return np.zeros((len(texts), 1)), np.zeros(len(texts), dtype=bool)
    weights = vectorizer.fit_transform(texts)
    # density means little in many dimensions with few points
    dimensions = min(50, max(5, len(texts) // 10), *(n - 1 for n in weights.shape))
    if dimensions < 1:
        return np.ones((len(texts), 1)), np.ones(len(texts), dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):  # identical texts have no variance
        space = TruncatedSVD(dimensions, random_state=SEED).fit_transform(weights)
    return normalize(space), np.asarray(weights.sum(axis=1)).ravel() > 0


def cluster(space: Matrix, known: NDArray[np.bool_]) -> ClusterLabels:
    """The cluster of each row by density (HDBSCAN, Campello et al. 2013), the largest as 0; -1 if
    it fits nowhere."""
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import NearestNeighbors

    labels = np.full(len(space), UNCLUSTERED)
    rows = np.flatnonzero(known)
    if len(rows) < SMALLEST:
        return labels
    if np.ptp(space[rows], axis=0).max() < SAME:
        labels[rows] = 0
        return labels
    # HDBSCAN takes quadratic time: beyond 5,000 the other rows join their nearest neighbour
    fitted = rows
    if len(rows) > MOST_FITTED:
        fitted = np.sort(np.random.default_rng(SEED).choice(rows, MOST_FITTED, replace=False))
    size = max(SMALLEST, round(len(fitted) ** 0.5 / 2))
    hdbscan = HDBSCAN(min_cluster_size=size, min_samples=3, copy=True)
    labels[fitted] = hdbscan.fit_predict(space[fitted])
    others = np.setdiff1d(rows, fitted)
    if len(others):
        nearest = NearestNeighbors(n_neighbors=1).fit(space[fitted])
        found = nearest.kneighbors(space[others], return_distance=False).ravel()
        labels[others] = labels[fitted][found]
    return _by_size(labels)


def _by_size(labels: ClusterLabels) -> ClusterLabels:
    """The same clusters, numbered by size from 0; of equal ones the first to appear."""
    numbers, first, counts = np.unique(labels, return_index=True, return_counts=True)
    renumbered = np.full(len(labels), UNCLUSTERED)
    order = [numbers[i] for i in np.lexsort((first, -counts)) if numbers[i] != UNCLUSTERED]
    for new, old in enumerate(order):
        renumbered[labels == old] = new
    return renumbered


def coordinates(space: Matrix) -> Matrix:
    """Two coordinates for each row: t-SNE (van der Maaten and Hinton 2008) up to 5,000 rows, else
    the first two principal components."""
    n = len(space)
    flat = _components(space)
    spread = flat.std(axis=0).max() if n else 0.0
    if n < SMALLEST or n > MOST_TSNE or spread < SAME:
        return flat
    from sklearn.manifold import TSNE

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
