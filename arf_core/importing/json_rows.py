"""JSON and JSONL as tables: what the rows are, and what their columns are."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, islice
from typing import Any

from pydantic_core import from_json

from arf_core.errors import InputError
from arf_core.importing.files import Member
from arf_core.importing.json_text import JsonText
from arf_core.importing.rows import (
    LONGEST_ROW,
    SAMPLE,
    Cell,
    InputRow,
    Reject,
    RowBatches,
    Table,
    ignore,
    in_batches,
    lines,
    opened_text,
    too_long,
)
from arf_core.importing.splits import own_split
from arf_core.text import shortened

JsonItem = tuple[int, Any]
"""A row's line and its JSON value."""
JsonItems = Callable[[Reject], Generator[JsonItem, None, None]]
KeyPath = tuple[str, ...]
MOST_COLUMNS = 200
KEY = "key"
"""The column of the keys, where the rows are the values of an object."""
_TEXT_KEYS = {"text", "content", "value", "message", "utterance", "body", "msg", "parts"}
_SIDE_KEYS = {"speaker", "role", "from", "author", "sender", "name", "user", "participant"}


def open_jsonl(member: Member, encoding: str | None) -> Table:
    """One object a line. A line that cannot be read is rejected, the others are taken."""

    def items(reject: Reject) -> Generator[JsonItem, None, None]:
        with opened_text(member, encoding) as text, closing(lines(text, member.name)) as source:
            for number, line in enumerate(source, 1):
                if not line.isspace():
                    yield from _parsed(number, line, reject)

    return table_of(member.name, items)


def open_json(member: Member, encoding: str | None) -> Table:
    """A list of rows, an object that holds one, or rows by key.

    Raises InputError that names the line where the file is not valid JSON.
    """

    def items(reject: Reject) -> Generator[JsonItem, None, None]:
        with opened_text(member, encoding) as text:
            source = JsonText(text, member.name)
            yield from source.elements() if source.peek() == "[" else _of_object(source)
            if source.peek():
                raise source.fault("there is more text after the end")

    return table_of(member.name, items)


def _parsed(number: int, line: str, reject: Reject) -> Iterator[JsonItem]:
    try:
        yield number, from_json(line.lstrip("\ufeff"))
    except UnicodeEncodeError:
        reject(number, "half of a character pair (lone surrogate)", line)
    except ValueError as error:
        if "hex escape" in str(error) or "surrogate" in str(error):
            reject(number, "half of a character pair (lone surrogate)", line)
        elif "recursion" in str(error):
            reject(number, "values are nested too deeply", line)
        else:
            reject(number, "the line is not valid JSON", f"{error}: {line}")


# -- an object at the top ------------------------------------------------------------------------


def _of_object(source: JsonText) -> Iterator[JsonItem]:
    """The rows of an object. What it is shows at its first entries, which are held back until it is
    clear; lists of rows are never held."""
    held: dict[str, Any] = {}
    line = source.line
    size = 0
    keyed = False
    lists = 0
    for key in source.entries():
        at, began = source.line, source.passed
        if source.peek() == "[" and not keyed:
            elements = source.elements()
            first = list(islice(elements, 2))
            if first and all(_is_row(value) for _, value in first):
                lists += 1
                yield from _with_key(key, chain(first, elements))
                continue
            held[key] = list(_bounded(chain(first, elements), source, began - size, at))
        else:
            value = source.value()
            if keyed:
                yield at, _keyed(key, value)
                continue
            held[key] = value
        size += source.passed - began
        if size > LONGEST_ROW:
            raise too_long(f"The value on line {line} of {source.name}")
        if not lists and _is_keyed(held):
            keyed = True
            yield from ((line, _keyed(k, v)) for k, v in held.items())
            held, size = {}, 0
    if held and not lists:
        yield line, held


def _bounded(
    elements: Iterator[JsonItem], source: JsonText, began: int, line: int
) -> Iterator[Any]:
    """The values of a list that is held as a whole. Raises InputError where it is too long."""
    for _, value in elements:
        if source.passed - began > LONGEST_ROW:
            raise too_long(f"The value on line {line} of {source.name}")
        yield value


def _with_key(key: str, elements: Iterator[JsonItem]) -> Iterator[JsonItem]:
    """The rows of one list. Where the key names a split it becomes a column."""
    split = own_split(key) is not None
    for line, value in elements:
        known = isinstance(value, dict) and "split" in value
        yield line, {"split": key, **value} if split and not known else value


def _keyed(key: str, value: Any) -> dict[str, Any]:
    return {KEY: key, **value} if isinstance(value, dict) else {KEY: key, "value": value}


def _is_keyed(held: Mapping[str, Any]) -> bool:
    """Are these values by key, and not the fields of one row? They are all of one kind, objects
    or lists of turns, and there are several."""
    values = list(held.values())
    if len(values) < 2:
        return False
    if all(isinstance(v, dict) and v for v in values):
        shared = set.intersection(*(set(v) for v in values))
        return bool(shared)
    return all(isinstance(v, list) and v and _is_turn(v[0]) for v in values)


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and not _is_turn(value)


def _is_turn(value: Any) -> bool:
    """Text, a pair, or an object with a speaker and words but nothing that makes it a row."""
    if isinstance(value, str):
        return True
    if isinstance(value, list):
        return len(value) == 2 and all(isinstance(v, str) for v in value)
    if not isinstance(value, dict):
        return False
    keys = {k.lower() for k in value}
    rowlike = any(k.endswith(("_id", "id")) for k in keys) or keys & {"summary", "messages"}
    nested = any(
        isinstance(v, list | dict) for k, v in value.items() if k.lower() not in _TEXT_KEYS
    )
    return bool(keys & _TEXT_KEYS and keys & _SIDE_KEYS) and not rowlike and not nested


# -- columns -------------------------------------------------------------------------------------


def table_of(name: str, items: JsonItems, split: str | None = None) -> Table:
    """A table of JSON values. Objects within a row give a column for each of their keys."""
    faults: list[str] = []
    with closing(items(partial(_noted, faults))) as first:
        values = [value for _, value in islice(first, SAMPLE)]
    if not values:
        raise _without_rows(name, faults)
    paths = _paths(values)
    names = tuple(shortened(".".join(p), 100) if p else "value" for p in paths)
    top = {p[0] for p in paths if p}
    late: set[str] = set()

    def rows(reject: Reject) -> Iterator[InputRow]:
        for line, value in items(reject):
            if isinstance(value, dict):
                if not top.issuperset(value) and len(late) < MOST_COLUMNS:
                    late.update(shortened(k) for k in value if k not in top)
                yield line, [_at(value, p) for p in paths]
            elif paths == [()]:
                yield line, [value]
            else:
                reject(line, "the row is no object", shortened(repr(value)))

    def batches(reject: Reject) -> RowBatches:
        return in_batches(rows(reject))

    sample = list(islice(rows(ignore), SAMPLE))
    return Table(name, names, batches, sample, split=split, seen_keys=late)


def _noted(faults: list[str], line: int, reason: str, seen: str) -> None:
    if not faults:
        faults.append(f"line {line}: {reason}: {shortened(seen)}")


def _without_rows(name: str, faults: list[str]) -> InputError:
    if not faults:
        return InputError(f"{name} holds no rows.", "Give a file with at least one conversation.")
    return InputError(
        f"No row of {name} can be read ({faults[0]}).", "Mend or leave out that line."
    )


def _paths(values: Sequence[Any]) -> list[KeyPath]:
    """The way to each column, in order of appearance."""
    objects = [v for v in values if isinstance(v, dict)]
    if len(objects) * 2 < len(values):
        return [()]
    paths: dict[KeyPath, None] = {}
    for key in dict.fromkeys(k for v in objects for k in v):
        inner = [v[key] for v in objects if v.get(key) is not None]
        if inner and all(isinstance(v, dict) for v in inner) and not _is_turn_columns(inner[0]):
            paths.update({(key, k): None for v in inner for k in v})
        else:
            paths[(key,)] = None
    return list(paths)[:MOST_COLUMNS]


def _is_turn_columns(value: Mapping[str, Any]) -> bool:
    """Turns by column: {"speaker": [...], "text": [...]}, as `datasets` stores them."""
    lists = [v for v in value.values() if isinstance(v, list)]
    return len(lists) == len(value) > 0 and len({len(v) for v in lists}) == 1


def _at(value: Mapping[str, Any], path: KeyPath) -> Cell:
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return None if isinstance(found, float) and not math.isfinite(found) else found
