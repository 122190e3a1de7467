"""What a model's files show: which model it is, and whether it is for practice only."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from arf_core.records import digest

BLOCK = 2**14
BLOCKS = 256
"""Blocks read of each file, spread evenly over all layers. Training changes weights in every
layer, so two students of the same shape differ in most blocks."""
PRACTICE = "practice.json"
"""Marks the folder of a practice base, and of a student of one."""
PRACTICE_KEY = "arf.practice"
"""Marks its GGUF file, in the metadata at the beginning, so that the file may be copied alone."""
HEAD = 2**16
"""Bytes at the beginning of a GGUF file that hold that key."""


def hash_of(files: Iterable[Path]) -> str:
    """Hash of sizes and contents; names, paths and dates change with a copy. Files up to 4 MB are
    read whole, larger ones in blocks: reading 16 GB would take longer than a question."""
    return digest(*map(_sampled, files))


def _sampled(file: Path) -> str:
    size = file.stat().st_size
    found = hashlib.blake2b(str(size).encode())
    with file.open("rb") as data:
        for start in range(0, size, max(BLOCK, size // BLOCKS)):
            data.seek(start)
            found.update(data.read(BLOCK))
    return found.hexdigest()


def practice_notes(name: str, weights: Path) -> list[str]:
    """A note for the report where the folder or GGUF file holds a practice model."""
    if weights.is_dir():
        marked = (weights / PRACTICE).is_file()
    else:
        with weights.open("rb") as data:
            marked = PRACTICE_KEY.encode() in data.read(HEAD)
    if not marked:
        return []
    return [f"{name} is a practice model: its texts show the path, not what one can do."]
