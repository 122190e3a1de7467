"""Rows into what is staged: whole conversations, single messages, or links."""

from collections.abc import Iterable, Sequence

from pydantic_core import from_json, to_json

from arf_core.importing.cells import id_of
from arf_core.importing.facts import Facts, FactsReader, Written, facts_text
from arf_core.importing.options import ImportOptions, Mapping
from arf_core.importing.report import Tally
from arf_core.importing.rows import Cell, Row, RowFault, Table
from arf_core.importing.shapes import SHAPES
from arf_core.importing.staging import StagedDraft, StagedLink
from arf_core.importing.turns import Said

Columns = tuple[tuple[str | None, ...], tuple[str, ...], tuple[str | None, ...]]
"""Labels, words and times of turns."""


# -- staged as JSON ---------------------------------------------------------------------


def body_text(turns: Sequence[Said], facts: Facts) -> str:
    """Turns column by column, and the facts."""
    return to_json([list(zip(*turns, strict=True)), facts]).decode()


def body_from(text: str) -> tuple[Columns, Facts]:
    columns, (attributes, split, summaries, more) = from_json(text)
    labels, texts, times = map(tuple, columns or ((), (), ()))
    facts = Facts(attributes, split, tuple(Written(*w) for w in summaries), more)
    return (labels, texts, times), facts


# -- a conversation a row ------------------------------------------------------------------------


class DraftReader:
    """Rows that are conversations, as drafts."""

    def __init__(
        self,
        table: Table,
        mapping: Mapping,
        options: ImportOptions,
        tally: Tally,
        group: int,
        file: int,
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        shape = SHAPES[mapping.shape]
        if shape.cell is None or shape.turns is None:
            raise ValueError(f"a row of {mapping.shape} is no conversation")
        self._cell = at[mapping.columns[shape.cell]]
        id_column = mapping.columns.get("conversation_id")
        self._id = at[id_column] if id_column is not None else None
        self._turns = shape.turns(mapping, options)
        self._facts = FactsReader(table, mapping, options)
        self._table, self._tally, self._group, self._file = table, tally, group, file

    def __call__(self, rows: Iterable[Row]) -> list[StagedDraft]:
        drafts: list[StagedDraft] = []
        for line, cells in rows:
            try:
                drafts.append(self._draft(line, cells))
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)
        return drafts

    def _draft(self, line: int, cells: Sequence[Cell]) -> StagedDraft:
        turns = self._turns(cells[self._cell])
        facts = self._facts(cells)
        name = id_of(cells[self._id]) if self._id is not None else ""
        return StagedDraft(
            None,
            self._group,
            name or f"{self._table.file}:{line}",
            body_text(turns, facts),
            self._file,
            line,
        )


# -- a row that says more about a conversation ---------------------------------------------------


class LinkReader:
    """Rows that say more about a conversation of another table."""

    def __init__(
        self,
        table: Table,
        mapping: Mapping,
        options: ImportOptions,
        tally: Tally,
        group: int,
        file: int,
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._id = at[mapping.columns["conversation_id"]]
        self._facts = FactsReader(table, mapping, options)
        self._table, self._tally, self._group, self._file = table, tally, group, file

    def __call__(self, rows: Iterable[Row]) -> list[StagedLink]:
        links: list[StagedLink] = []
        for line, cells in rows:
            try:
                name = id_of(cells[self._id])
                facts = self._facts(cells)
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)
                continue
            if not name:
                self._tally.reject(self._table.file, line, "the row has no conversation id")
                continue
            text = facts_text(facts)
            links.append(StagedLink(None, self._group, name, text, self._file, line))
        return links
