"""Any file or data set as tables of rows. The format of a file is found by its content."""

import json
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic_core import from_json

from arf_core.errors import InputError
from arf_core.importing.columns import MOST_SAMPLED
from arf_core.importing.delimited import Dialects
from arf_core.importing.delimited import open_table as open_delimited
from arf_core.importing.files import Given, Member, some
from arf_core.importing.json_rows import JsonItem, open_json, open_jsonl, table_of
from arf_core.importing.parquet import open_parquet
from arf_core.importing.rows import Reject, Table, opened_text
from arf_core.importing.settings import ImportSettings
from arf_core.project.privacy import HUB_HOST, admit_host, host_of, hub_address
from arf_core.project.settings import PrivacySettings
from arf_core.run import PhaseProgress
from arf_core.text import shortened

_FEW = 5
"""Rows of the sample that a table keeps where the mapping needs no more of it."""
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


def tables_of(
    found: Given,
    settings: ImportSettings,
    notes: list[str],
    privacy: PrivacySettings,
    progress: PhaseProgress | None = None,
) -> list[Table]:
    """The tables behind one path. Raises InputError where there is none that can be read."""
    if found.dataset:
        return open_dataset(found, privacy)
    if found.skipped:
        notes.append(f"Not read, since they are no tables: {some(found.skipped)}.")
    if found.hidden:
        notes.append(f"Not read, since their names say that they are hidden: {some(found.hidden)}.")
    tables = list(_opened(found, settings, notes, progress))
    if not tables:
        raise InputError(f"{found.path} holds no table that can be read.", " ".join(notes))
    return tables


def _opened(
    found: Given, settings: ImportSettings, notes: list[str], progress: PhaseProgress | None
) -> Iterator[Table]:
    """The files as tables. Of thousands with the same columns only the first keep their sample:
    the mapping is guessed once for all."""
    known: Dialects = {}
    looked_at: Counter[tuple[str, ...]] = Counter()
    for number, member in enumerate(found.members, 1):
        table = _table(member, found.picked, settings, notes, known)
        if progress and len(found.members) > 1:
            progress("opening", number, len(found.members))
        if table is None:
            continue
        if looked_at[table.columns] > MOST_SAMPLED:
            table = replace(table, sample=table.sample[:_FEW])
        looked_at[table.columns] += len(table.sample)
        yield table


def _table(
    member: Member, picked: bool, settings: ImportSettings, notes: list[str], known: Dialects
) -> Table | None:
    """A member as a table; a text file picked from a folder may turn out to be none."""
    try:
        table = open_table(member, settings, known)
    except InputError as error:
        if picked and member.name.lower().endswith(".txt"):
            notes.append(f"Not read: {error.message}")
            return None
        raise
    if table.sample:
        return table
    fault = _without_rows(table)
    if not picked:
        raise fault
    notes.append(fault.message)
    return None


def _without_rows(table: Table) -> InputError:
    """The error for a table without rows, or without rows that fit the header."""
    faults: list[str] = []
    with closing(
        table.batches(lambda line, why, seen: faults.append(f"line {line}: {seen}"))
    ) as rows:
        next(rows, None)
    if not faults:
        return InputError(f"{table.file} has a header, but no rows.", "Give a file with rows.")
    return InputError(
        f"No row of {table.file} fits its header ({faults[0]}).",
        "The first line must name the columns. If the cells have an unusual separator, "
        "give --separator.",
    )


def open_table(member: Member, settings: ImportSettings, known: Dialects | None = None) -> Table:
    """Open a file as a table; `known` are the dialects of the files before it.

    Raises InputError for what is no table of rows.
    """
    kind = format_of(member, settings.encoding)
    if kind == "parquet":
        return open_parquet(member)
    if kind == "jsonl":
        return open_jsonl(member, settings.encoding)
    if kind == "json":
        return open_json(member, settings.encoding)
    return open_delimited(member, settings.encoding, settings.separator, known, settings.header)


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


def open_dataset(given: Given, privacy: PrivacySettings) -> list[Table]:
    """One table for each split. A data set of the hub is streamed, never stored by us.

    Raises InputError where it is not there, cannot be reached, or cannot be read, and ModelError
    where the project's privacy settings keep it from the hub.
    """
    for host in _hosts(given):
        instead = "Download its files on another machine and give those"
        admit_host(host, privacy, f"The data set {shortened(given.path, 200)} is at", instead)
    with _reading_dataset(given.path):
        splits = _splits(given)
    return [
        table_of(name, _items(given.path, name, rows), split=name) for name, rows in splits.items()
    ]


def _hosts(given: Given) -> set[str]:
    """Where the data lie: the hub, or for a folder the addresses that its card names as data."""
    location = Path(given.path)
    if not location.is_dir():
        return {host_of(hub_address())}
    card = location / "README.md"
    return _hosts_in(card) if card.is_file() else set()


def _hosts_in(card: Path) -> set[str]:
    """The hosts from which a data set's card has its files fetched."""
    head = re.match(r"---\n(.*?)\n---", card.read_text("utf-8", "replace"), re.DOTALL)
    try:
        card_data = yaml.safe_load(head.group(1)) if head else None
    except yaml.YAMLError:
        return set()  # `datasets` cannot read it either, and says so
    configs = (
        json.dumps(card_data.get("configs"), default=str) if isinstance(card_data, dict) else ""
    )
    addresses = re.findall(r'[a-z0-9+]+://[^\s"]*', configs, re.IGNORECASE)
    return {HUB_HOST if a.startswith("hf:") else host_of(a) for a in addresses}


def _splits(given: Given) -> dict[str, Iterable[dict[str, Any]]]:
    import datasets

    location = Path(given.path)
    if location.is_dir() and {"dataset_dict.json", "state.json"} & {
        p.name for p in location.iterdir()
    }:
        found = datasets.load_from_disk(given.path)
        return dict(found) if isinstance(found, dict) else {given.source: found}
    return dict(datasets.load_dataset(given.path, streaming=True))


def _items(path: str, split: str, rows: Iterable[dict[str, Any]]) -> Any:
    def items(reject: Reject) -> Generator[JsonItem, None, None]:
        with _reading_dataset(f"{path} ({split})"):
            yield from enumerate(rows, 1)

    return items


@contextmanager
def _reading_dataset(path: str) -> Generator[None, None, None]:
    """Turns what `datasets` raises into InputError: it comes from the data or the network."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"The data set {shortened(path, 200)} cannot be read: "
            f"{type(error).__name__}: {shortened(str(error), 300)}",
            "Check its name (owner/name), the network, and `hf auth login` if it is private; or "
            "download its files and give those.",
        ) from error
