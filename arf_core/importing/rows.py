"""What the readers of all formats share: tables of rows, the text of a file, the value of a cell.

A row is its line in the file (from 1; of a Parquet file its number) and its cells in the order of
the table's columns. Cells are JSON values, dates or, from CSV, text. Decoding is strict: a byte
that does not fit stops the import and is never replaced.
"""

import codecs
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, TextIO

from arf_core.errors import InputError
from arf_core.importing.files import Member
from arf_core.importing.times import written
from arf_core.records import Scalar

Cell = Any
InputRow = tuple[int, Sequence[Cell]]
Reject = Callable[[int, str, str], None]
"""Called with line, reason and the value seen for a row that cannot be used."""
RowBatches = Generator[list[InputRow], None, None]
ROWS_AT_ONCE = 2_000
SAMPLE = 500
"""Rows that the mapping is guessed from."""
LONGEST_ROW = 16 * 2**20
"""In characters: a line, a cell of CSV, a value of JSON. About 30 hours of talk; what is longer is
no row, and would fill the memory."""


def too_long(where: str) -> InputError:
    """The error for an oversized row, the same in every format."""
    return InputError(
        f"{where} is longer than {LONGEST_ROW // 2**20} million characters.",
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
    batches: Callable[[Reject], RowBatches]
    sample: list[InputRow]
    is_text: bool = False
    """Every cell is text, as in CSV."""
    notes: tuple[str, ...] = ()
    split: str | None = None
    """The split that the file's name or the data set says for all of its rows."""
    seen_keys: set[str] = field(default_factory=set)
    """Keys that first appear after the sample: no column holds them."""


def ignore(line: int, reason: str, seen: str) -> None:
    """A `Reject` for looking at a sample: the full reading will count."""


def in_batches(rows: Iterator[InputRow], size: int = ROWS_AT_ONCE) -> RowBatches:
    while batch := list(islice(rows, size)):
        yield batch


def text_of(cell: Cell) -> str:
    """The text in a cell, unchanged. Raises RowFault for what cannot be text."""
    if isinstance(cell, str):
        return checked(cell)
    if cell is None:
        return ""
    if isinstance(cell, list):
        return "\n".join(_part(p) for p in cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(cell)
    raise RowFault("the words of a message are no text", repr(cell))


def _part(part: Cell) -> str:
    """A part of a message in chat format."""
    if isinstance(part, str):
        return checked(part)
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return checked(part["text"])
    raise RowFault("the words of a message are no text", repr(part))


def checked(text: str) -> str:
    """The same text. Raises RowFault for what no database or file can hold."""
    if "\0" in text:
        raise RowFault("the text has a NUL character", text)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RowFault("half of a character pair (lone surrogate)", text) from error
    return text


def scalar(cell: Cell) -> Scalar:
    """An attribute's value; empty cells are None. Raises RowFault for text that cannot be kept."""
    if isinstance(cell, str):
        return checked(cell) or None
    if isinstance(cell, bool | int | float) or cell is None:
        return cell
    if isinstance(cell, datetime):
        return written(cell)
    return cell.isoformat() if isinstance(cell, date) else checked(str(cell))


def id_of(cell: Cell) -> str:
    """An id as text: 12 and 12.0 are "12". Empty where there is none."""
    if isinstance(cell, str):
        return checked(cell)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool | list | dict):
        raise RowFault("the id is neither text nor a number", repr(cell))
    return str(cell)


LONGEST_LINE = LONGEST_ROW
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 2**16


@contextmanager
def opened_text(member: Member, encoding: str | None) -> Iterator[TextIO]:
    """The text of a file, line ends unchanged. Without `encoding`: by its mark, else UTF-8.

    Raises InputError that names the line and a likely encoding where the bytes do not fit.
    """
    with member.opened() as stream:
        head = stream.peek(4)
        if len(head) < 4:  # the mark of a file that trickles in is found by reading it
            with member.opened() as other:
                head = other.read(4)
        name = _encoding(head, encoding)
        try:
            with io.TextIOWrapper(stream, name, "strict", "") as text:
                yield text
        except UnicodeError as error:
            raise _fault(member, name) from error


def lines(text: TextIO, name: str) -> Generator[str, None, None]:
    """The lines of a text with their ends. Raises InputError for one that cannot be a row."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise too_long(f"Line {number} of {name}")
        yield line


def _encoding(head: bytes, given: str | None) -> str:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if given is None:
        return marked or "utf-8"
    try:
        "".encode(given)
        codecs.lookup(given)
    except (LookupError, UnicodeError) as error:
        raise InputError(
            f"There is no encoding {given!r}.", "Usual ones: utf-8, utf-16, cp1252, shift_jis."
        ) from error
    same = codecs.lookup(given).name == (marked or "").removesuffix("-sig")
    return marked if marked and same else given


def _fault(member: Member, encoding: str) -> InputError:
    """Where the bytes stop to fit, and in which encoding they would."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    before = b""
    with member.opened() as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                good, rest = error.object[: error.start], error.object[error.start :]
                line += good.decode(encoding, "ignore").count("\n")
                return _described(member.name, encoding, line, rest, before + good)
            except UnicodeError:
                return _described(member.name, encoding, line, chunk, before)
            before = chunk
            if not chunk:
                return _described(member.name, encoding, line, b"", before)


def _described(name: str, encoding: str, line: int, rest: bytes, good: bytes) -> InputError:
    likely = _likely(good[-1000:] + rest[:2000])
    seen = f"byte 0x{rest[0]:02x}" if rest else "the end of the file"
    return InputError(
        f"{name} is not {encoding.removesuffix('-sig')} text: {seen} on line {line} does not fit.",
        f"It looks like {likely}; if so, give --encoding {likely}."
        if likely
        else "Say which encoding it has with --encoding.",
    )


def _likely(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    best = from_bytes(sample, cp_exclusion=["utf_8", "ascii"]).best()
    return best.encoding if best else None
