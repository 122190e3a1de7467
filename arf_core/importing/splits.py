"""The names that files give to splits."""

import re

from arf_core.records import Split

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
