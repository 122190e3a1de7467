"""Attributes, split and summaries: what a row holds besides the turns."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from arf_core.importing.rows import Cell, RowFault, Table, checked, scalar, text_of
from arf_core.importing.settings import ImportSettings, TableMapping
from arf_core.importing.turns import RawTurn
from arf_core.records import Scalar, SystemKind

_PERSON = re.compile(r"(?i)(^|[\W_])(human|reference|gold|ref|ground[ _]truth)($|[\W_])")


class WrittenSummary(NamedTuple):
    """A summary and who wrote it."""

    system: str
    kind: SystemKind
    text: str


class Facts(NamedTuple):
    """All that rows say about one conversation."""

    attributes: dict[str, Scalar]
    split: str | None
    """As the file writes it."""
    summaries: tuple[WrittenSummary, ...]
    more_references: int = 0
    """References beyond the first of a list, which are not taken."""


def facts_text(facts: Facts) -> str:
    return to_json(facts).decode()


def facts_from(text: str) -> Facts:
    return _facts(*from_json(text))


def _facts(
    attributes: dict[str, Scalar], split: str | None, summaries: list[list[Any]], more: int
) -> Facts:
    return Facts(attributes, split, tuple(WrittenSummary(*w) for w in summaries), more)


TurnColumns = tuple[tuple[str | None, ...], tuple[str, ...], tuple[str | None, ...]]
"""Labels, texts and times of turns."""


def body_text(turns: Sequence[RawTurn], facts: Facts) -> str:
    """Turns column by column, and the facts."""
    return to_json([list(zip(*turns, strict=True)), facts]).decode()


def body_from(text: str) -> tuple[TurnColumns, Facts]:
    columns, facts = from_json(text)
    labels, texts, times = map(tuple, columns or ((), (), ()))
    return (labels, texts, times), _facts(*facts)


class FactsReader:
    """Reads the facts of a row."""

    def __init__(self, table: Table, mapping: TableMapping, settings: ImportSettings) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._attributes = [(name, at[name]) for name in mapping.attributes]
        self._at = {f: at[c] for f, c in mapping.columns.items() if c in at}
        self._settings = settings
        self._split = table.split
        self.columns = sorted(
            {i for _, i in self._attributes} | {self._at[f] for f in _FIELDS if f in self._at}
        )
        """The columns that matter here."""

    def __call__(self, cells: Sequence[Cell]) -> Facts:
        values: dict[str, Scalar] = {n: scalar(cells[i]) for n, i in self._attributes}
        attributes: dict[str, Scalar] = {n: v for n, v in values.items() if v is not None}
        summary, _ = _first(self._cell(cells, "summary"))
        reference, more = _first(self._cell(cells, "reference_summary"))
        written: list[WrittenSummary] = []
        if summary.strip():
            name = text_of(self._cell(cells, "system")).strip() or self._settings.system
            written.append(WrittenSummary(name, kind_of(name), summary))
        if reference.strip():
            written.append(WrittenSummary("reference", "reference", reference))
        split = self._cell(cells, "split")
        own_split = text_of(split).strip() or self._split
        return Facts(attributes, own_split, tuple(written), more)

    def _cell(self, cells: Sequence[Cell], field: str) -> Cell:
        index = self._at.get(field)
        return None if index is None else cells[index]


_FIELDS = ("summary", "reference_summary", "system", "split")


def kind_of(system: str) -> SystemKind:
    """A column of systems may name people's summaries among those of models."""
    return "reference" if _PERSON.search(system) else "teacher"


def _first(cell: Cell) -> tuple[str, int]:
    """The text of a cell; of a list its first, and how many more there are."""
    if isinstance(cell, list):
        texts = [t for t in cell if isinstance(t, str) and t.strip()]
        return (checked(texts[0]), len(texts) - 1) if texts else ("", 0)
    if isinstance(cell, dict):
        raise RowFault("the summary is no text", repr(cell))
    return text_of(cell), 0


def merged(several: Iterable[Facts], varying: Counter[str]) -> Facts:
    """The facts of all rows of a conversation as one. An attribute with several values is left out
    and counted in `varying`."""
    rows = list(several)
    if len(rows) == 1:
        return rows[0]
    attributes: dict[str, Scalar] = {}
    for name in dict.fromkeys(n for r in rows for n in r.attributes):
        values = list(dict.fromkeys(r.attributes[name] for r in rows if name in r.attributes))
        if len(values) == 1:
            attributes[name] = values[0]
        else:
            varying[name] += 1
    split = next((r.split for r in rows if r.split), None)
    summaries = tuple(dict.fromkeys(s for r in rows for s in r.summaries))
    return Facts(attributes, split, summaries, max((r.more_references for r in rows), default=0))
