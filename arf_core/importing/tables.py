"""Any file as a table of rows. The format is found by what stands in the file."""

from typing import Literal

from pydantic_core import from_json

from arf_core.errors import InputError
from arf_core.importing.decoding import opened_text
from arf_core.importing.delimited import Dialects
from arf_core.importing.delimited import open_table as open_delimited
from arf_core.importing.files import Member
from arf_core.importing.json_rows import open_json, open_jsonl
from arf_core.importing.options import ImportOptions
from arf_core.importing.parquet_rows import open_parquet
from arf_core.importing.rows import Table

Format = Literal["csv", "json", "jsonl", "parquet"]
_PEEK = 2**16
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("an old Excel or Word file", "Export the sheet as CSV (UTF-8)."),
    b"PK\x03\x04": ("a zip archive inside another file", "Unpack it first."),
    b"\x1f\x8b": ("compressed twice", "Unpack it once."),
    b"SQLite format 3": ("an SQLite database", "Export the table as CSV."),
    b"%PDF": ("a PDF", "Export the data as CSV or JSON."),
    b"ARROW1": ("an Arrow file", "Write it as Parquet, or give the data set's folder."),
    b"BZh": ("compressed with bzip2", "Unpack it, or compress it with gzip or zip."),
    b"\xfd7zXZ": ("compressed with xz", "Unpack it, or compress it with gzip or zip."),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "Unpack it, or compress it with gzip or zip."),
    b"7z\xbc\xaf": ("a 7z archive", "Unpack it, or make a zip."),
    b"Rar!": ("a RAR archive", "Unpack it, or make a zip."),
    b"\x89PNG": ("a picture", "Give the data as CSV or JSON."),
    b"\xff\xd8\xff": ("a picture", "Give the data as CSV or JSON."),
}


def open_table(member: Member, options: ImportOptions, known: Dialects | None = None) -> Table:
    """Open a file as a table; `known` are the dialects of the files before it.

    Raises InputError for what is no table of rows.
    """
    kind = format_of(member, options.encoding)
    if kind == "parquet":
        return open_parquet(member)
    if kind == "jsonl":
        return open_jsonl(member, options.encoding)
    if kind == "json":
        return open_json(member, options.encoding)
    return open_delimited(member, options.encoding, options.separator, known, options.header)


def format_of(member: Member, encoding: str | None) -> Format:
    """The format, by content. Raises InputError that says what the file is instead."""
    with member.opened() as stream:
        head = stream.read(_PEEK)
    if not head.strip():
        raise InputError(f"{member.name} is empty.", "Give a file with a header and rows.")
    if head.startswith(b"PAR1"):
        return "parquet"
    for mark, (what, hint) in _FOREIGN.items():
        if head.startswith(mark):
            raise InputError(f"{member.name} is {what}.", hint)
    if encoding is None:
        _refuse_binary(member.name, head)
    return _text_format(member, encoding)


def _refuse_binary(name: str, head: bytes) -> None:
    nul = head.count(0)
    if nul * 20 < len(head) or head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return
    if min(head[::2].count(0), head[1::2].count(0)) * 20 < len(head):
        order = "le" if head[1::2].count(0) > head[::2].count(0) else "be"
        raise InputError(
            f"{name} looks like UTF-16 without the mark that says so.",
            f"Give --encoding utf-16-{order}.",
        )
    raise InputError(f"{name} is no text.", "Give CSV, TSV, JSON, JSONL or Parquet.")


def _text_format(member: Member, encoding: str | None) -> Format:
    with opened_text(member, encoding) as text:
        peek = text.read(_PEEK).lstrip("\ufeff \t\r\n")
    if peek[:1] not in ("{", "["):
        return "csv"
    named = member.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
    return "jsonl" if _is_a_value_a_line(peek, named) else "json"


def _is_a_value_a_line(peek: str, named: bool) -> bool:
    """JSONL, and not one JSON value? `peek` begins with the first bracket; `named`: the ending
    says so, which is believed of what is not indented like JSON."""
    first, end, rest = peek.partition("\n")
    first, following = first.rstrip(), rest.lstrip()[:1]
    closed = first.endswith(("}", "]"))
    if closed and following and (named or following == peek[0]):
        return True
    if peek[0] == "[":
        return False
    opens = first.endswith(("{", "[")) or (first.endswith(",") and following != "{")
    if named:
        return not (end and opens)
    return bool(following) and _is_object(first)


def _is_object(line: str) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False
