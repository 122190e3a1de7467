"""What a model's files say of it: which one it is, and whether it is for practice only."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from arf_core.records import digest

BLOCK = 2**14
BLOCKS = 256
"""Of each file so many are read, spread evenly: some of every layer. A training moves weights in
all layers, so two students of the same shape differ in most of them."""
PRACTICE = "practice.json"
"""Marks the folder of a practice base, and of a student of one."""
PRACTICE_KEY = "arf.practice"
"""Marks its GGUF file, among the figures at the beginning: so the file may be copied alone."""
HEAD = 2**16
"""Bytes of a GGUF file in which the mark stands."""


def hash_of(files: Iterable[Path]) -> str:
    """Of sizes and content: names, places and dates change with a copy. Files of at most 4 MB are
    read whole; larger ones in pieces, since 16 GB would take longer than a question."""
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
    """What a run with this model should say, where the folder or GGUF file is a practice model."""
    if weights.is_dir():
        marked = (weights / PRACTICE).is_file()
    else:
        with weights.open("rb") as data:
            marked = PRACTICE_KEY.encode() in data.read(HEAD)
    if not marked:
        return []
    return [f"{name} is a practice model: its texts show the path, not what one can do."]
