"""What the readers of all formats have in common: tables of rows, read in batches.

A row is its line in the file (from 1; of a Parquet file its number) and its cells in the order of
the table's columns. Cells are JSON values, dates or, from CSV, text.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from arf_core.errors import InputError

Cell = Any
Row = tuple[int, Sequence[Cell]]
Reject = Callable[[int, str, str], None]
"""Called with line, reason and the value seen for a row that cannot be used."""
Batches = Generator[list[Row], None, None]
ROWS_AT_ONCE = 2_000
SAMPLE = 500
"""Rows that the mapping is guessed from."""
LONGEST_ROW = 16 * 2**20
"""In characters: a line, a cell of CSV, a value of JSON. About 30 hours of talk; what is longer is
no row, and would fill the memory."""


def too_long(place: str) -> InputError:
    """What is told of a row beyond the limit, whatever the format."""
    return InputError(
        f"{place} is longer than {LONGEST_ROW // 2**20} million characters.",
        "A conversation cannot be that long. Is there one row a line, or one element of the list "
        "for each? If so, take this one out, or cut it into several.",
    )


class RowFault(Exception):
    """A row, or a part of it, cannot be used. Caught where rows are looped over, and counted."""

    def __init__(self, reason: str, seen: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.seen = str(seen)[:200]


@dataclass(frozen=True)
class Table:
    """One file as rows. `batches` starts from the beginning each time it is called."""

    file: str
    columns: tuple[str, ...]
    batches: Callable[[Reject], Batches]
    sample: list[Row]
    is_text: bool = False
    """Every cell is text, as in CSV."""
    notes: tuple[str, ...] = ()
    split: str | None = None
    """The split that the file's name or the data set says for all of its rows."""
    seen_keys: set[str] = field(default_factory=set)
    """Keys that turned up behind the sample, so that no column holds them."""


def ignore(line: int, reason: str, seen: str) -> None:
    """A `Reject` for looking at a sample: the full reading will count."""


def in_batches(rows: Iterator[Row], size: int = ROWS_AT_ONCE) -> Batches:
    while batch := list(islice(rows, size)):
        yield batch
