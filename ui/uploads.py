"""Uploaded files, kept in the project so that a job can read them."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from arf_core.project import Project

UNSAFE = re.compile(r"[^\w.\- ()\[\]]+")
LONGEST = 120
FORMATS = "CSV, TSV, JSON, JSONL or Parquet, also zipped."


class Upload(Protocol):
    """What `st.file_uploader` returns."""

    name: str

    def seek(self, to: int, /) -> int: ...
    def read(self, most: int = ..., /) -> bytes: ...


def keep(project: Project, files: Sequence[Upload]) -> list[Path]:
    """Write the files to a new folder in the project's `uploads/`; returns their paths, in order.

    Names lose every character that a path or a shell could misread.
    """
    folder = project.path / "uploads" / uuid4().hex[:8]
    folder.mkdir(parents=True)
    paths: list[Path] = []
    for number, file in enumerate(files, start=1):
        path = folder / _name(file.name, number)
        if path.exists():
            path = folder / f"{number}-{path.name}"
        file.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(file, out)
        paths.append(path)
    return paths


def _name(given: str, number: int) -> str:
    """A safe file name. The extension stays, since it tells the file's format."""
    name = UNSAFE.sub("_", Path(given).name).lstrip(".- ").strip()
    stem, dot, ending = name.rpartition(".")
    if len(name) > LONGEST and dot:
        name = f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
    return name[:LONGEST] or f"file-{number}"
