"""Rows into what is staged: whole conversations, single messages, or links.

Messages are read a batch at a time and column by column: a million in seconds.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import orjson

import arf_core.importing.times as times
from arf_core.importing.facts import FactsReader, body_text, facts_text
from arf_core.importing.report import ImportStats
from arf_core.importing.rows import Cell, InputRow, RowFault, Table, checked, id_of, text_of
from arf_core.importing.settings import ImportSettings, TableMapping
from arf_core.importing.shapes import SHAPES
from arf_core.importing.speakers import side_role
from arf_core.importing.staging import Messages, StagedRow, Staging

_CACHED = 4_096
HELD = 50_000
"""Messages held in memory, so that those of a conversation which are near each other in the file
make one row of the staging."""
Cells = Sequence[Cell]
T = TypeVar("T")


class RowReader:
    """Reads the rows of one table. Rows that cannot be used are rejected."""

    def __init__(
        self, table: Table, mapping: TableMapping, settings: ImportSettings, stats: ImportStats
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._at = {f: at[c] for f, c in mapping.columns.items() if c in at}
        shape = SHAPES[mapping.shape]
        self._turns = shape.turns(mapping, settings) if shape.turns else None
        self._whole = self._at.get(shape.cell or "")
        self._mapping, self._table, self._stats = mapping, table, stats
        self._read_time = times.reader(mapping.time_format) if mapping.time_format else None
        self._sides = SideColumn(mapping.columns.get("side", ""), settings)
        self._facts = FactsReader(table, mapping, settings)
        self._facts_cache: dict[Cell, str] = {}

    # -- a row each --------------------------------------------------------------------------------

    def conversations(self, rows: Iterable[InputRow], group: int, file: int) -> list[StagedRow]:
        """Rows that are whole conversations."""
        turns, whole = self._turns, self._whole
        if turns is None or whole is None:
            raise ValueError(f"a row of {self._mapping.shape} is not a conversation")

        def read(line: int, cells: Cells) -> StagedRow:
            found, facts = turns(cells[whole]), self._facts(cells)
            name = self._conversation_id(cells) or f"{self._table.file}:{line}"
            return StagedRow(None, group, name, body_text(found, facts), file, line)

        return list(self._each(rows, read))

    def links(self, rows: Iterable[InputRow], group: int, file: int) -> list[StagedRow]:
        """Rows that say more about the conversations of `group`."""

        def read(line: int, cells: Cells) -> StagedRow:
            name, facts = self._conversation_id(cells), self._facts(cells)
            if not name:
                raise RowFault("the row has no conversation id")
            return StagedRow(None, group, name, facts_text(facts), file, line)

        return list(self._each(rows, read))

    def _conversation_id(self, cells: Cells) -> str:
        at = self._at.get("conversation_id")
        return "" if at is None else id_of(cells[at])

    def _each(self, rows: Iterable[InputRow], read: Callable[[int, Cells], T]) -> Iterator[T]:
        for line, cells in rows:
            try:
                yield read(line, cells)
            except RowFault as fault:
                self._stats.reject(self._table.file, line, fault.reason, fault.seen)

    # -- messages, column by column ----------------------------------------------------------------

    def messages(self, rows: Sequence[InputRow]) -> Messages:
        """Rows that are messages, in order."""
        try:
            return self._read([cells for _, cells in rows], [line for line, _ in rows], _together)
        except (RowFault, TypeError):
            # at least one row is not plain: each is read on its own
            return joined(self._each(rows, lambda line, c: self._read([c], [line], _one_by_one)))

    def _read(self, cells: list[Cells], lines: list[int], checks: "CellChecks") -> Messages:
        text_at = self._at["text"]
        texts = checks.texts([c[text_at] for c in cells])
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
            positions=self._index(cells) or nothing,
            facts=facts,
            lines=lines,
        )

    def _column(self, cells: list[Cells], field: str) -> list[Cell] | None:
        index = self._at.get(field)
        return None if index is None else [c[index] for c in cells]

    def _ids(self, cells: list[Cells], field: str, checks: "CellChecks") -> list[str]:
        """A column of ids; empty where the table has none."""
        column = self._column(cells, field)
        return checks.ids(column) if column is not None else []

    def _labels(self, cells: list[Cells], checks: "CellChecks") -> Sequence[str | None]:
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
        self._stats.remarks.counts["times not read"] += sum(unread)
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


class SideColumn:
    """What the values of a side column say, each found out once."""

    def __init__(self, name: str, settings: ImportSettings) -> None:
        self._name, self._chosen = name, settings.speakers
        self._known: dict[str, str | None] = {}

    def role(self, value: str) -> str | None:
        if value not in self._known:
            if len(self._known) > _CACHED:
                self._known.clear()
            self._known[value] = self._chosen.get(value) or side_role(self._name, value)
        return self._known[value]


class CellChecks(NamedTuple):
    """How a column of texts and one of ids are checked."""

    texts: Callable[[list[Cell]], list[str]]
    ids: Callable[[list[Cell]], list[str]]


def _joined(column: list[Cell]) -> list[str]:
    """The column itself, checked in one go. Raises TypeError or RowFault where not all is plain."""
    checked("".join(column))
    return column


_together = CellChecks(_joined, _joined)
_one_by_one = CellChecks(
    lambda cells: [text_of(c) for c in cells], lambda cells: [id_of(c) for c in cells]
)


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


_Held = tuple[list[tuple[Any, ...]], dict[str, None]]
"""Messages of one conversation, and what their rows say about it, each once."""


class Chunks:
    """Collects messages by conversation, and stages what has come together."""

    def __init__(self, staging: Staging, group: int, file: int) -> None:
        self._staging, self._group, self._file = staging, group, file
        self._held: dict[str | None, _Held] = {}
        self._count = 0

    def add(self, m: Messages) -> None:
        held = self._held
        rows = zip(m.ids, m.labels, m.texts, m.times, m.positions, m.lines, strict=True)
        for conversation, row, fact in zip(m.conversations, rows, m.facts, strict=True):
            if conversation in held:
                found, facts = held[conversation]
                found.append(row)
                facts[fact] = None
            else:
                held[conversation] = ([row], {fact: None})
        self._count += len(m.lines)
        if self._count >= HELD:
            self.flush()

    def flush(self) -> None:
        """Stage what is held, in the order in which the conversations began."""
        rows = [
            (None, name, self._file, orjson.dumps([found, list(facts)]))
            for name, (found, facts) in self._held.items()
        ]
        self._staging.add(f"chunk_{self._group}", rows)
        self._held = {}
        self._count = 0
