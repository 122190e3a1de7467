"""CSV and its relatives: the dialect is found by trying, and the rows are read strictly."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from arf_core.errors import InputError
from arf_core.importing.columns import about_header, is_header
from arf_core.importing.files import Member
from arf_core.importing.rows import (
    LONGEST_ROW,
    ROWS_AT_ONCE,
    SAMPLE,
    InputRow,
    Reject,
    RowBatches,
    Table,
    ignore,
    lines,
    opened_text,
)
from arf_core.text import shortened

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

SEPARATORS = (",", "\t", ";", "|")
LONGEST_CELL = LONGEST_ROW
"""What is longer comes from a quote that is never closed."""
_PEEK = 2**18
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Dialect:
    """How cells are separated and quoted."""

    separator: str = ","
    quoting: bool = True
    escape: str | None = None
    """The sign before a quote within a cell; None: a quote is doubled."""

    def reader(self, text: Iterator[str]) -> "CsvReader":
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(
            text,
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quoting else csv.QUOTE_NONE,
            escapechar=self.escape,
            doublequote=self.escape is None,
            strict=True,
        )


Dialects = dict[str, Dialect]
"""Dialects by the first line of a file."""


@dataclass(frozen=True)
class _Trial:
    """How well a dialect reads the beginning of a file."""

    dialect: Dialect
    width: int
    fitting: int
    rows: int
    errors: int

    @property
    def merit(self) -> tuple[bool, bool, float, int]:
        good = self.fitting / max(1, self.rows + self.errors)
        several = self.width > 1
        return (several and good > 0.5, several, round(good, 2), self.width)


def open_table(
    member: Member,
    encoding: str | None = None,
    separator: str | None = None,
    known: Dialects | None = None,
    header: bool | None = None,
) -> Table:
    """A CSV file as a table. `known` are the dialects of files before, by their first line;
    `header` says whether the first line names the columns, else it is found out.

    Raises InputError for a file without a header or rows.
    """
    with opened_text(member, encoding) as text:
        peek = text.read(_PEEK)
    cut = len(peek) == _PEEK
    dialect = _dialect(peek, cut, separator, {} if known is None else known)
    with _source(member, encoding, None if cut else peek) as source:
        top = _header(member, dialect.reader(source))
    named = is_header(top) if header is None else header
    columns = _named(top if named else [""] * len(top))

    def batches(reject: Reject, text: str | None = None) -> RowBatches:
        with _source(member, encoding, text) as source:
            yield from _batches(member, encoding, dialect, source, len(columns), named, reject)

    with closing(batches(ignore, None if cut else peek)) as first:
        sample = list(islice((row for batch in first for row in batch), SAMPLE))
    notes = (*_remarks(dialect, top, columns),) if named else ()
    if header is None and (note := about_header(top, named)):
        notes = (*notes, f"{member.name}: {note}")
    return Table(member.name, columns, batches, sample, is_text=True, notes=notes)


@contextmanager
def _source(member: Member, encoding: str | None, whole: str | None) -> Iterator[Iterator[str]]:
    """The lines of a file; of a small one, whose text is there already, without opening it."""
    if whole is not None:
        yield lines(io.StringIO(whole, newline=""), member.name)
        return
    with opened_text(member, encoding) as text, closing(lines(text, member.name)) as source:
        yield source


def _dialect(text: str, cut: bool, separator: str | None, known: Dialects) -> Dialect:
    """That of a file before with the same first line, where it fits each row; else by trying."""
    first = text.partition("\n")[0]
    if first in known:
        trial = _trial(known[first], text, cut)
        if not trial.errors and trial.fitting == trial.rows:
            return known[first]
    known[first] = sniff(text, cut, (separator,) if separator else SEPARATORS)
    return known[first]


def sniff(text: str, cut: bool, separators: tuple[str, ...] = SEPARATORS) -> Dialect:
    """The dialect under which most rows have as many cells as the header. `cut`: the text stops
    somewhere, perhaps inside a row."""
    trials = [_trial(Dialect(s), text, cut) for s in separators]
    best = max(trials, key=lambda t: t.merit)
    if best.errors and '\\"' in text:
        escaped = _trial(Dialect(best.dialect.separator, escape="\\"), text, cut)
        if escaped.errors < best.errors:
            return escaped.dialect
    if best.errors and best.dialect.separator == "\t" and not _has_quoted_cell(text):
        return Dialect("\t", quoting=False)
    return best.dialect


def _has_quoted_cell(text: str) -> bool:
    cells = (cell.rstrip("\r") for line in text.split("\n") for cell in line.split("\t"))
    return any(len(c) > 1 and c[0] == c[-1] == '"' for c in cells)


def _trial(dialect: Dialect, text: str, cut: bool) -> _Trial:
    widths: Counter[int] = Counter()
    first = errors = 0
    reader = dialect.reader(io.StringIO(text, newline=""))
    while sum(widths.values()) < SAMPLE:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            errors += not (cut and "unexpected end" in str(error))
            continue
        if row:
            first = first or len(row)
            widths[len(row)] += 1
    return _Trial(dialect, first, widths[first], sum(widths.values()), errors)


def _header(member: Member, reader: "CsvReader") -> list[str]:
    try:
        header = next((row for row in reader if row), None)
    except csv.Error as error:
        raise InputError(
            f"The header of {member.name} cannot be read: {error}.",
            "The first line must name the columns; close the quotes in it.",
        ) from error
    if header is None:
        raise InputError(f"{member.name} is empty.", "Give a file with a header and rows.")
    return header


def _named(header: list[str]) -> tuple[str, ...]:
    """The header's names, each once and none empty."""
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        name = shortened(cell.strip(), 100) or f"column {number}"
        same = name
        count = 2
        while same in names:
            same = f"{name} ({count})"
            count += 1
        names.append(same)
    return tuple(names)


def _remarks(dialect: Dialect, header: list[str], columns: tuple[str, ...]) -> Iterator[str]:
    twice = [new for new, old in zip(columns, header, strict=True) if new != old.strip() and old]
    if twice:
        yield f"Columns were renamed, since two had one name: {', '.join(twice)}."
    if dialect.escape:
        yield "A backslash was read as the sign before a quote within a cell."
    if not dialect.quoting:
        yield "Quotation marks were read as part of the text, since they do not come in pairs."


def _batches(
    member: Member,
    encoding: str | None,
    dialect: Dialect,
    source: Iterator[str],
    width: int,
    named: bool,
    reject: Reject,
) -> RowBatches:
    reader = dialect.reader(source)
    if named and next((row for row in reader if row), None) is None:
        return
    while True:
        start = reader.line_num + 1
        cells: list[list[str]] = []
        fault: csv.Error | None = None
        try:
            cells.extend(islice(reader, ROWS_AT_ONCE))  # keeps the rows before a fault
        except csv.Error as error:
            fault = error
        rows, after = _numbered(cells, start, None if fault else reader.line_num + 1)
        if fitting := _fitting(rows, width, reject):
            yield fitting
        if fault is not None:
            if "unexpected end" in str(fault) or "field larger" in str(fault):
                raise _unclosed(member, encoding, dialect, after) from fault
            reject(after, "a quotation mark stands where none may", str(fault))
        elif not cells:
            return


def _numbered(cells: list[list[str]], start: int, after: int | None) -> tuple[list[InputRow], int]:
    """Rows with the line that each begins on, and the line after the last."""
    if after is not None and after - start == len(cells):
        return list(zip(range(start, after), cells, strict=True)), after
    rows: list[InputRow] = []
    for row in cells:
        rows.append((start, row))
        start += 1 + sum(len(_LINE_END.findall(cell)) for cell in row)
    return rows, start


def _fitting(rows: list[InputRow], width: int, reject: Reject) -> list[InputRow]:
    if {len(cells) for _, cells in rows} <= {width}:
        return rows
    for line, cells in rows:
        if cells and len(cells) != width:  # an empty line is no row
            few = f"{len(cells)} cells where the header has {width}"
            reject(line, "the row does not fit the header", f"{few}: {cells[-1]}")
    return [row for row in rows if len(row[1]) == width]


def _unclosed(member: Member, encoding: str | None, dialect: Dialect, start: int) -> InputError:
    """Find the quote that is never closed: it is in the row that begins on line `start`."""
    opened = start
    inside = False
    with opened_text(member, encoding) as text:
        for number, line in enumerate(lines(text, member.name), 1):
            if number < start:
                continue
            plain = line.replace('\\"', "") if dialect.escape else line
            if plain.count('"') % 2:
                inside = not inside
                opened = number if inside else opened
    return InputError(
        f"In {member.name} a quotation mark is opened on line {opened} and never closed.",
        'Close it, or double it (""), if it belongs to the text.',
    )
