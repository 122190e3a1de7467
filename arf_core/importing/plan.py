"""The tables of an import: which files belong together, how each is read, what links to what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pydantic_core import to_json

from arf_core.errors import InputError
from arf_core.importing.columns import Column, columns_of
from arf_core.importing.files import given
from arf_core.importing.guess import check_columns
from arf_core.importing.mapping import mapping_of
from arf_core.importing.report import about_mapping
from arf_core.importing.rows import Cell, Table
from arf_core.importing.settings import ImportSettings, MappingReason, TableMapping
from arf_core.importing.splits import split_in_name
from arf_core.importing.tables import tables_of
from arf_core.project.settings import PrivacySettings
from arf_core.records import Record
from arf_core.run import PhaseProgress
from arf_core.text import shortened

_MAX_CHARS = 300
"""Of a cell in a sample."""


class Sample(Record):
    """A table's columns, and its first rows as text."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TableGroup:
    """Tables that are read alike and make conversations together."""

    source: str
    tables: tuple[Table, ...]
    mapping: TableMapping
    target: int | None = None
    """The place of the group whose conversations this one says more about."""


@dataclass(frozen=True)
class ImportPlan:
    """All groups of an import."""

    groups: tuple[TableGroup, ...]
    notes: tuple[str, ...]


class _TableSet(NamedTuple):
    """Tables with the same columns, before it is known how they are read."""

    source: str
    tables: list[Table]
    picked: bool
    """From a folder or an archive, where other things may lie about."""


@dataclass(frozen=True)
class OpenedFiles:
    """Files opened as tables, before it is known how they are read."""

    sets: tuple[_TableSet, ...]
    notes: tuple[str, ...]

    def samples(self, rows: int) -> list[Sample]:
        """The first rows of every table as they are."""
        return [
            Sample(
                file=table.file,
                columns=table.columns,
                rows=tuple(tuple(map(_cell_text, cells)) for _, cells in table.sample[:rows]),
            )
            for tables in self.sets
            for table in tables.tables
        ]


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else to_json(cell, fallback=str).decode()
    return shortened(text, _MAX_CHARS)


def open_files(
    paths: Sequence[str | Path],
    settings: ImportSettings,
    privacy: PrivacySettings,
    progress: PhaseProgress | None = None,
) -> OpenedFiles:
    """Open all files as tables and read their first rows.

    Raises InputError for what cannot be read, ModelError for a data set at a host that `privacy`
    forbids.
    """
    if not paths:
        raise InputError("No file was given.", "Name at least one file, folder or data set.")
    notes: list[str] = []
    sets: list[_TableSet] = []
    for path in paths:
        found = given(path)
        tables = tables_of(found, settings, notes, privacy, progress)
        source = settings.source or found.source
        sets += [_TableSet(source, alike, found.picked) for alike in _alike(tables)]
    return OpenedFiles(tuple(_with_splits(sets)), tuple(notes))


def plan(opened: OpenedFiles, settings: ImportSettings) -> ImportPlan:
    """Guess how opened files are read. Raises InputError where that cannot be guessed."""
    sets, notes = list(opened.sets), list(opened.notes)
    check_columns(settings.columns, [columns_of(s.tables) for s in sets])
    _check_attributes(settings, sets)
    groups = _linked(_mapped(sets, settings, notes), settings)
    notes += [note for g in groups for note in about_mapping(g.mapping)]
    return ImportPlan(tuple(groups), tuple(dict.fromkeys(notes)))


def _alike(tables: Iterable[Table]) -> list[list[Table]]:
    """Tables with the same columns together, in order; cells in the order of the first."""
    sets: dict[frozenset[str], list[Table]] = {}
    for table in tables:
        sets.setdefault(frozenset(table.columns), []).append(table)
    return [part for found in sets.values() for part in _same_order(found)]


def _same_order(tables: Iterable[Table]) -> list[list[Table]]:
    sets: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        sets.setdefault(table.columns, []).append(table)
    return list(sets.values())


def _with_splits(sets: list[_TableSet]) -> list[_TableSet]:
    """Files named after different splits say the split of their rows; one alone says nothing."""
    named = {t.file: t.split or split_in_name(t.file) for s in sets for t in s.tables}
    if len({split for split in named.values() if split}) < 2:
        named = dict.fromkeys(named)
    return [s._replace(tables=[replace(t, split=named[t.file]) for t in s.tables]) for s in sets]


def _check_attributes(settings: ImportSettings, sets: list[_TableSet]) -> None:
    names = dict.fromkeys(c for s in sets for t in s.tables for c in t.columns)
    for name in settings.attributes or ():
        if name not in names:
            raise InputError(
                f"There is no column {name!r} to keep as an attribute.",
                f"The columns are: {', '.join(names)}.",
            )


# -- mappings and links --------------------------------------------------------------------------


def _mapped(sets: list[_TableSet], settings: ImportSettings, notes: list[str]) -> list[TableGroup]:
    """A mapping for each set. With several sets, one that holds no conversations by itself may be
    linked to another; one that was picked from a folder may hold none at all."""
    groups: list[TableGroup] = []
    faults: list[InputError] = []
    for source, tables, picked in sets:
        try:
            mapping = mapping_of(tables, settings, settings.shape)
        except InputError as error:
            faults.append(error)
            found = _as_linked(tables, settings) if len(sets) > 1 else None
            if found is None and not picked:
                raise
            if found is None:
                notes.append(f"Not used: {error.message}")
                continue
            mapping = found
        groups.append(TableGroup(source, tuple(tables), mapping))
    if faults and all(g.mapping.shape == "linked" for g in groups):
        raise faults[0]
    return groups


def _as_linked(tables: list[Table], settings: ImportSettings) -> TableMapping | None:
    try:
        return mapping_of(tables, settings, "linked")
    except InputError:
        return None


def _linked(groups: list[TableGroup], settings: ImportSettings) -> list[TableGroup]:
    """Find the group that each linked one belongs to."""
    groups = [_relinked(g, groups, settings) for g in groups]
    return [_with_target(g, groups) if g.mapping.shape == "linked" else g for g in groups]


def _relinked(group: TableGroup, groups: list[TableGroup], settings: ImportSettings) -> TableGroup:
    """What looked like documents or messages by itself may say more about another's conversations:
    its ids are those of a table of messages or turns."""
    if settings.shape or group.mapping.shape not in ("document", "messages"):
        return group
    others = [g for g in groups if g is not group and g.mapping.shape not in ("document", "linked")]
    weak = group.mapping.shape == "document" or not (
        {"speaker", "side", "time", "index"} & set(group.mapping.columns)
    )
    if not weak or not any(_shared(group, other) for other in others):
        return group
    return replace(group, mapping=mapping_of(group.tables, settings, "linked"))


def _with_target(group: TableGroup, groups: list[TableGroup]) -> TableGroup:
    others = [i for i, g in enumerate(groups) if g.mapping.shape != "linked"]
    if not others:
        return group
    best = max(others, key=lambda i: _shared(group, groups[i]))
    other = groups[best]
    column = group.mapping.columns["conversation_id"]
    shared = _shared(group, other)
    why = (
        f"{shared} of its first ids are in {other.tables[0].file}"
        if shared
        else ("its name says so")
    )
    reasons = tuple(r for r in group.mapping.reasons if r.field != "conversation_id")
    mapping = group.mapping.model_copy(
        update={
            "links_to": other.tables[0].file,
            "reasons": (*reasons, MappingReason(field="conversation_id", column=column, why=why)),
        }
    )
    return replace(group, source=other.source, mapping=mapping, target=best)


def _shared(group: TableGroup, other: TableGroup) -> int:
    """How many conversation ids the samples of two groups share."""
    return len(_ids(group) & _ids(other))


def _ids(group: TableGroup) -> set[str]:
    columns: dict[str, Column] = columns_of(group.tables)
    name = group.mapping.columns.get(
        "message_id" if group.mapping.shape == "threads" else "conversation_id"
    )
    return set(columns[name].texts) if name else set()
