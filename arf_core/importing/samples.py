"""The first rows of files as they stand, before it is known how they are read."""

from collections.abc import Sequence
from pathlib import Path

from pydantic_core import to_json

from arf_core.importing.files import given
from arf_core.importing.groups import tables_of
from arf_core.importing.options import ImportOptions
from arf_core.importing.report import shortened
from arf_core.importing.rows import Cell
from arf_core.project.settings import PrivacySettings
from arf_core.records import Record

MOST_CHARS = 300
"""Of a cell, as it is shown."""


class Sample(Record):
    """A table's columns, and its first rows as text."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def first_rows(
    paths: Sequence[str | Path],
    options: ImportOptions | None = None,
    rows: int = 5,
    privacy: PrivacySettings | None = None,
) -> list[Sample]:
    """The first rows of every table behind `paths`, also where no mapping can be found for them.

    Raises InputError for what cannot be read.
    """
    options, told = options or ImportOptions(), privacy or PrivacySettings()
    tables = [t for path in paths for t in tables_of(given(path), options, [], told)]
    return [
        Sample(
            file=table.file,
            columns=table.columns,
            rows=tuple(tuple(map(_shown, cells)) for _, cells in table.sample[:rows]),
        )
        for table in tables
    ]


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else to_json(cell, fallback=str).decode()
    return shortened(text, MOST_CHARS)
