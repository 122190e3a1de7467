"""Parquet files as tables."""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from arf_core.errors import InputError
from arf_core.importing.files import Member
from arf_core.importing.json_rows import JsonItem, table_of
from arf_core.importing.rows import LONGEST_ROW, Reject, Table, too_long
from arf_core.text import shortened

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_PACKED = 2**29
"""Parquet is read from its end, so one inside an archive is held in memory, up to this size."""
_ROWS = 1_000


def open_parquet(member: Member) -> Table:
    """A Parquet file, read a thousand rows at a time. Lines are row numbers, from 1.

    Raises InputError for a damaged file.
    """

    def items(reject: Reject) -> Generator[JsonItem, None, None]:
        import pyarrow.parquet as pq

        with _seekable(member) as stream, _readable(member.name):
            number = 0
            for batch in pq.ParquetFile(stream).iter_batches(batch_size=_ROWS):
                _check_length(member.name, batch, number)
                for value in batch.to_pylist():
                    number += 1
                    yield number, value

    return table_of(member.name, items)


def _check_length(name: str, batch: "pa.RecordBatch", before: int) -> None:
    """Raises InputError for a row beyond the limit, in bytes here."""
    if batch.nbytes <= LONGEST_ROW:
        return
    for n in range(batch.num_rows):
        if batch.slice(n, 1).nbytes > LONGEST_ROW:
            raise too_long(f"Row {before + n + 1} of {name}")


@contextmanager
def _seekable(member: Member) -> Iterator[BinaryIO]:
    with member.opened() as stream:
        if isinstance(stream.raw if hasattr(stream, "raw") else stream, io.FileIO):
            yield stream
            return
        held = stream.read(LARGEST_PACKED + 1)
    if len(held) > LARGEST_PACKED:
        raise InputError(
            f"{member.name} is larger than {LARGEST_PACKED // 2**20} MB when it is unpacked.",
            "Unpack it and give the Parquet file itself.",
        )
    yield io.BytesIO(held)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        raise InputError(
            f"{name} is no Parquet file that can be read: {shortened(str(error))}",
            "Write it again, for example with pandas' to_parquet.",
        ) from error
