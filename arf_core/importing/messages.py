"""Rows of one message each, a batch at a time and column by column: a million in seconds."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from arf_core.importing import times
from arf_core.importing.cells import checked, id_of, text_of
from arf_core.importing.facts import FactsReader, facts_text
from arf_core.importing.options import ImportOptions, Mapping
from arf_core.importing.report import Tally
from arf_core.importing.rows import Cell, Row, RowFault, Table
from arf_core.importing.speakers import side_role
from arf_core.importing.staging import Messages

_CACHED = 4_096
Cells = Sequence[Cell]


class MessageReader:
    """Reads rows into messages. Rows that cannot be used are rejected."""

    def __init__(
        self, table: Table, mapping: Mapping, options: ImportOptions, tally: Tally
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._places = {f: at[c] for f, c in mapping.columns.items() if c in at}
        self._text = self._places["text"]
        self._mapping, self._table, self._tally = mapping, table, tally
        self._read_time = times.reader(mapping.time_format) if mapping.time_format else None
        self._sides = _Sides(mapping.columns.get("side", ""), options)
        self._facts = FactsReader(table, mapping, options)
        self._facts_cache: dict[Cell, str] = {}

    def __call__(self, rows: Sequence[Row]) -> Messages:
        """The messages of a batch, in order."""
        try:
            return self._read([cells for _, cells in rows], [line for line, _ in rows], _whole)
        except (RowFault, TypeError):
            # at least one row is not plain: each is read on its own
            return joined(self._one_by_one(rows))

    def _one_by_one(self, rows: Sequence[Row]) -> Iterator[Messages]:
        for line, cells in rows:
            try:
                yield self._read([cells], [line], _each)
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)

    def _read(self, cells: list[Cells], lines: list[int], checks: "Checks") -> Messages:
        texts = checks.texts([c[self._text] for c in cells])
        conversations = self._ids(cells, "conversation_id", checks)
        ids = self._ids(cells, "message_id", checks)
        parents = self._ids(cells, "parent_id", checks)
        if conversations and "" in conversations:
            raise RowFault("the row has no conversation id", texts[0])
        if parents and "" in ids:
            raise RowFault("the message has no id", texts[0])
        if self._mapping.whole_parents:
            parents = [p.removesuffix(".0") for p in parents]
        labels = self._labels(cells, checks)
        facts = self._facts_of(cells)
        nothing: list[None] = [None] * len(cells)
        return Messages(
            conversations=conversations or nothing,
            ids=_or_none(ids) or nothing,
            parents=_or_none(parents) or nothing,
            labels=labels or nothing,
            texts=texts,
            times=self._times(cells) or nothing,
            places=self._index(cells) or nothing,
            facts=facts,
            lines=lines,
        )

    def _column(self, cells: list[Cells], field: str) -> list[Cell] | None:
        place = self._places.get(field)
        return None if place is None else [c[place] for c in cells]

    def _ids(self, cells: list[Cells], field: str, checks: "Checks") -> list[str]:
        """A column of ids; empty where the table has none."""
        column = self._column(cells, field)
        return checks.ids(column) if column is not None else []

    def _labels(self, cells: list[Cells], checks: "Checks") -> Sequence[str | None]:
        """The roles that the side says, else the speakers' labels."""
        speakers = _or_none(self._ids(cells, "speaker", checks))
        sides = self._column(cells, "side")
        if sides is None:
            return speakers
        roles = [self._sides.role(str(s)) for s in sides]
        return [r or s for r, s in zip(roles, speakers, strict=True)] if speakers else roles

    def _times(self, cells: list[Cells]) -> Sequence[str | None]:
        column = self._column(cells, "time")
        if column is None or self._read_time is None:
            return []
        if self._mapping.time_format == "iso" and _is_written(column):
            return column
        moments = [self._read_time(c) for c in column]
        unread = (m is None and c not in (None, "") for m, c in zip(moments, column, strict=True))
        self._tally.remarks.counts["times not read"] += sum(unread)
        return [times.written(m) if m else None for m in moments]

    def _index(self, cells: list[Cells]) -> Sequence[float | None]:
        return [_number(c) for c in self._column(cells, "index") or ()]

    def _facts_of(self, cells: list[Cells]) -> Sequence[str]:
        """The facts of each row as JSON; in a file of text the same few occur again and again."""
        columns = self._facts.columns
        if not columns:
            return [facts_text(self._facts(cells[0]))] * len(cells)
        if not self._table.is_text:
            return [facts_text(self._facts(c)) for c in cells]
        cache = self._facts_cache
        if len(cache) > _CACHED:
            cache.clear()
        keys = list(map(itemgetter(*columns), cells))
        for key, c in zip(keys, cells, strict=True):
            if key not in cache:
                cache[key] = facts_text(self._facts(c))
        return [cache[key] for key in keys]


def joined(parts: Iterable[Messages]) -> Messages:
    """Batches as one."""
    columns = list(zip(*parts, strict=True)) or [()] * len(Messages._fields)
    return Messages._make(list(chain.from_iterable(column)) for column in columns)


def _or_none(column: list[str]) -> list[str | None]:
    return [x or None for x in column] if "" in column else [*column]


class _Sides:
    """What the values of a side column say, each found out once."""

    def __init__(self, name: str, options: ImportOptions) -> None:
        self._name, self._said = name, options.speakers
        self._known: dict[str, str | None] = {}

    def role(self, value: str) -> str | None:
        if value not in self._known:
            if len(self._known) > _CACHED:
                self._known.clear()
            self._known[value] = self._said.get(value) or side_role(self._name, value)
        return self._known[value]


class Checks(NamedTuple):
    """How a column of texts and one of ids are checked."""

    texts: Callable[[list[Cell]], list[str]]
    ids: Callable[[list[Cell]], list[str]]


def _joined(column: list[Cell]) -> list[str]:
    """The column itself, checked in one go. Raises TypeError or RowFault where not all is plain."""
    checked("".join(column))
    return column


_whole = Checks(_joined, _joined)
_each = Checks(lambda cells: [text_of(c) for c in cells], lambda cells: [id_of(c) for c in cells])


def _is_written(column: list[Cell]) -> bool:
    """Are all times in the very form in which they are stored, 2024-01-31T10:20:30?"""
    try:
        if {len(c) for c in column} != {19} or {c[10] for c in column} != {"T"}:
            return False
        for value in column:
            datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _number(cell: Cell) -> float | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
