"""Splits: the names files give them, and hashes that keep near-duplicates in one split.

MinHash over word 3-shingles with one permutation (Li, Owen, Zhang 2012: the hashes are dealt into
12 bins and the smallest of each bin is kept), empty bins filled from their neighbours (Shrivastava
2017), and four bands of three minima. Two texts whose shingles overlap by a Jaccard share s meet in
at least one band with probability 1 - (1 - s³)⁴: 3 % at 0.2, 41 % at 0.5, 94 % at 0.8.

All hashes depend on the text alone, never on the process or the machine, and are computed for many
texts at once.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arf_core.project.settings import SplitShares
from arf_core.records import Split, digest

_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "development": "dev",
    "test": "test",
    "testing": "test",
    "heldout": "test",
    "held_out": "test",
}


def own_split(label: str) -> Split | None:
    """The split that a label names, or None."""
    return _NAMES.get(label.strip().lower().replace("-", "_"))


def split_in_name(name: str) -> Split | None:
    """The split that a file's name says: train.csv, test-00000-of-00002.parquet, chats_dev.jsonl"""
    words = re.split(r"[^a-z]+", name.lower())
    found = {split for w in words if (split := _NAMES.get(w))}
    return found.pop() if len(found) == 1 else None


BINS = 12
BANDS = 4
SHORT = 20
"""Texts of fewer words have one band: the hash of their words."""
TEXTS_AT_ONCE = 64
"""Keeps the arrays within the processor's cache."""

U64 = NDArray[np.uint64]
# Letters and digits map to themselves in lower case, bytes of other scripts too; the rest is 0.
_WORD_BYTES = bytes(
    ord(chr(b).lower()) if b < 128 and chr(b).isalnum() else b if b >= 128 else 0
    for b in range(256)
)
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_EMPTY = np.uint64(2**64 - 1)
_ODD = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93],
    dtype=np.uint64,
)


class Bands(NamedTuple):
    """What one text is known by: signed 64-bit hashes, and its number of words."""

    bands: tuple[int, ...]
    words: int


def bands(texts: Sequence[str]) -> list[Bands]:
    """The bands of each text, in order. A text without any word has none."""
    found: list[Bands] = []
    for i in range(0, len(texts), TEXTS_AT_ONCE):
        found += _bands(texts[i : i + TEXTS_AT_ONCE])
    return found


def split_of(group: str, shares: SplitShares) -> Split:
    """The split that a group of near-duplicates falls into, by a hash of its name."""
    position = int(digest("split", group), 16) / 2**80
    if position < shares.train:
        return "train"
    return "dev" if position < shares.train + shares.dev else "test"


class SplitAssignment(NamedTuple):
    """The split of a new conversation."""

    split: Split
    leaks: bool
    """Its own file puts it on the other side of the test split than a near-duplicate."""


def assign_splits(
    new: Iterable[tuple[str, Split | None, tuple[int, ...]]],
    known: dict[int, tuple[str, Split]],
    shares: SplitShares,
) -> tuple[dict[str, SplitAssignment], list[tuple[int, str, Split]]]:
    """The split of each new conversation, and the rows (band, group, split) that fix it for ever.

    `new` are fingerprints with the split that the file names and the bands; `known` are group and
    split of the stored bands. A conversation takes the split of its file, else that of the first
    group it shares a band with, else one by the hash of its fingerprint. Its other bands join the
    group.
    """
    assigned: dict[str, SplitAssignment] = {}
    rows: list[tuple[int, str, Split]] = []
    for fingerprint, own, own_bands in new:
        hits = [known[band] for band in own_bands if band in known]
        group, found = hits[0] if hits else (fingerprint, None)
        split = own or found or split_of(group, shares)
        leaks = own is not None and any((s == "test") != (split == "test") for _, s in hits)
        assigned[fingerprint] = SplitAssignment(split, leaks)
        for band in own_bands:
            if band not in known:
                known[band] = (group, split)
                rows.append((band, group, split))
    return assigned, rows


def _bands(texts: Sequence[str]) -> list[Bands]:
    hashes, owner = _words(texts)
    counts = np.bincount(owner, minlength=len(texts))
    minima = _minima(_shingles(hashes, owner), owner[2:], len(texts))
    rows = minima.reshape(len(texts), BANDS, BINS // BANDS)
    keys = _mixed(
        (rows * _ODD[:3]).sum(axis=2, dtype=np.uint64) + np.arange(BANDS, dtype=np.uint64)
    )
    found = [
        Bands(tuple(many), n)
        for many, n in zip(keys.view(np.int64).tolist(), counts.tolist(), strict=True)
    ]
    starts = np.cumsum(counts) - counts
    for i in np.flatnonzero(counts < SHORT).tolist():
        mine = hashes[starts[i] : starts[i] + counts[i]]
        found[i] = Bands((_whole(mine),) if len(mine) else (), len(mine))
    return found


def _words(texts: Sequence[str]) -> tuple[U64, NDArray[np.int64]]:
    """A hash for each word of all texts, and the index of the text that holds it.

    A word's hash comes from its first and last eight bytes and its length.
    """
    plain = [_lower(t).translate(_WORD_BYTES) for t in texts]
    joined = bytes(8) + b"\0".join(plain) + bytes(9)
    raw = np.frombuffer(joined, np.uint8)
    inside = raw != 0
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    eights: U64 = np.ndarray((len(raw) - 7,), "<u8", joined, strides=(1,))
    length = ends - starts
    short = np.minimum(length, 8)
    head = eights[starts] & _KEEP[short]
    tail = eights[ends - 8] >> (np.uint64(64) - np.uint64(8) * short.astype(np.uint64))
    hashes = _mixed(head * _ODD[0] + tail * _ODD[1] + length.astype(np.uint64) * _ODD[2])
    borders = np.cumsum([8, *(len(p) + 1 for p in plain)])
    counts = np.diff(np.searchsorted(starts, borders))
    return hashes, np.repeat(np.arange(len(texts)), counts)


def _lower(text: str) -> bytes:
    # bytes.translate lowers ASCII by itself
    return (text if text.isascii() else text.lower()).encode("utf-8", "surrogatepass")


def _shingles(words: U64, owner: NDArray[np.int64]) -> U64:
    """A hash for each run of three words; _EMPTY where the run crosses into the next text."""
    if len(words) < 3:
        return np.empty(0, np.uint64)
    runs = _mixed(words[:-2] * _ODD[0] + words[1:-1] * _ODD[1] + words[2:] * _ODD[2])
    return np.where(owner[:-2] == owner[2:], runs, _EMPTY)


def _minima(shingles: U64, owner: NDArray[np.int64], n: int) -> U64:
    """The smallest hash of each bin of each text, as [n, BINS], without empty bins."""
    minima = np.full(n * BINS, _EMPTY)
    bins = ((shingles >> np.uint64(32)) * np.uint64(BINS)) >> np.uint64(32)
    at = owner * BINS + bins.astype(np.int64)
    np.minimum.at(minima, at, shingles)
    return _filled(minima.reshape(n, BINS))


def _filled(minima: U64) -> U64:
    """Empty bins take the value of the next full one to the right, marked by the distance."""
    full = minima.copy()
    for distance in range(1, BINS):
        empty = full == _EMPTY
        if not empty.any():
            break
        borrowed = np.roll(minima, -distance, axis=1)
        marked = np.where(borrowed == _EMPTY, _EMPTY, borrowed + distance * _ODD[3:])
        full = np.where(empty, marked, full)
    return full


def _whole(words: U64) -> int:
    """A signed hash of all words in their order."""
    total = _mixed(words + np.arange(len(words), dtype=np.uint64) * _ODD[3]).sum(dtype=np.uint64)
    return int(_mixed(np.array([total])).view(np.int64)[0])


def _mixed(x: U64) -> U64:
    """The finaliser of SplitMix64: every bit of the input changes half the bits of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
