"""Texts as points: what they say as vectors, groups of alike ones, places for drawing.

Everything is seeded: the same texts give the same points.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_FITTED = 5_000
MOST_TSNE = 5_000
SMALLEST = 5
SEED = 0
UNCLUSTERED = -1
SAME = 1e-9
WORD = r"(?u)[^\W\d_][^\W\d_]+"
"""Letters only: a figure names one case, never what several have in common."""
REPORTING = frozenset(
    "agent conversation customer did does lacks mention mentioned mentions names named nobody "
    "nothing person said say says speaks spoke states stated summary tells told turn turns word "
    "words".split()
)
"""Words in which any finding is told, so that they tell none apart."""
Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def meanings(texts: Sequence[str]) -> tuple[Matrix, NDArray[np.bool_]]:
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


def groups(space: Matrix, known: NDArray[np.bool_]) -> Labels:
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


def places(space: Matrix) -> Matrix:
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
