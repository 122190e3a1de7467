"""The tables of an import: which files belong together, how each is read, what links to what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from arf_core.errors import InputError
from arf_core.importing.columns import MOST_SAMPLED, Column, columns_of
from arf_core.importing.delimited import Dialects
from arf_core.importing.files import Given, Member, given, some
from arf_core.importing.guess import check_said
from arf_core.importing.hub import open_dataset
from arf_core.importing.mappings import mapping_of
from arf_core.importing.notes import about_mapping
from arf_core.importing.options import ImportOptions, Mapping, Reason
from arf_core.importing.report import Progress, silent
from arf_core.importing.rows import Table
from arf_core.importing.splits import split_in_name
from arf_core.importing.tables import open_table
from arf_core.project.settings import PrivacySettings

_FEW = 5
"""Rows of the sample that each table keeps, for showing it."""


@dataclass(frozen=True)
class Group:
    """Tables that are read alike and make conversations together."""

    source: str
    tables: tuple[Table, ...]
    mapping: Mapping
    target: int | None = None
    """The place of the group whose conversations this one says more about."""


@dataclass(frozen=True)
class Plan:
    """All groups of an import."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...]


class _Set(NamedTuple):
    """Tables with the same columns, before it is known how they are read."""

    source: str
    tables: list[Table]
    picked: bool
    """From a folder or an archive, where other things may lie about."""


def plan(
    paths: Sequence[str | Path],
    options: ImportOptions,
    privacy: PrivacySettings,
    told: Progress = silent,
) -> Plan:
    """Open everything that was given and find out how it is read. Nothing is stored.

    Raises InputError for what cannot be read, and where the mapping cannot be found out, ModelError
    for a data set at a host that `privacy` keeps it from.
    """
    if not paths:
        raise InputError("No file was given.", "Name at least one file, folder or data set.")
    notes: list[str] = []
    sets: list[_Set] = []
    for path in paths:
        found = given(path)
        tables = tables_of(found, options, notes, privacy, told)
        source = options.source or found.source
        sets += [_Set(source, alike, found.picked) for alike in _alike(tables)]
    sets = _with_splits(sets)
    check_said(options.columns, [columns_of(s.tables) for s in sets])
    _check_attributes(options, sets)
    groups = _linked(_mapped(sets, options, notes), options)
    notes += [note for g in groups for note in about_mapping(g.mapping)]
    return Plan(tuple(groups), tuple(dict.fromkeys(notes)))


def tables_of(
    found: Given,
    options: ImportOptions,
    notes: list[str],
    privacy: PrivacySettings,
    told: Progress = silent,
) -> list[Table]:
    """The tables behind one path. Raises InputError where there is none that can be read."""
    if found.dataset:
        return open_dataset(found, privacy)
    if found.skipped:
        notes.append(f"Not read, since they are no tables: {some(found.skipped)}.")
    if found.hidden:
        notes.append(f"Not read, since their names say that they are hidden: {some(found.hidden)}.")
    tables = list(_opened(found, options, notes, told))
    if not tables:
        raise InputError(f"{found.path} holds no table that can be read.", " ".join(notes))
    return tables


def _opened(
    found: Given, options: ImportOptions, notes: list[str], told: Progress
) -> Iterator[Table]:
    """The files as tables. Of thousands with the same columns only the first keep their sample:
    the mapping is guessed once for all."""
    known: Dialects = {}
    looked_at: Counter[tuple[str, ...]] = Counter()
    for number, member in enumerate(found.members, 1):
        table = _table(member, found.picked, options, notes, known)
        if len(found.members) > 1:
            told("opening", number, len(found.members))
        if table is None:
            continue
        if looked_at[table.columns] > MOST_SAMPLED:
            table = replace(table, sample=table.sample[:_FEW])
        looked_at[table.columns] += len(table.sample)
        yield table


def _table(
    member: Member, picked: bool, options: ImportOptions, notes: list[str], known: Dialects
) -> Table | None:
    """A member as a table; a text file picked from a folder may turn out to be none."""
    try:
        table = open_table(member, options, known)
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
    """Nothing stands behind the header, or nothing that fits it."""
    faults: list[str] = []
    with closing(
        table.batches(lambda line, why, seen: faults.append(f"line {line}: {seen}"))
    ) as rows:
        next(rows, None)
    if not faults:
        return InputError(f"{table.file} has a header, but no rows.", "Give a file with rows.")
    return InputError(
        f"No row of {table.file} fits its header ({faults[0]}).",
        "The first line must name the columns. If the cells are told apart by an unusual sign, "
        "give --separator.",
    )


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


def _with_splits(sets: list[_Set]) -> list[_Set]:
    """Files named after different splits say the split of their rows; one alone says nothing."""
    named = {t.file: t.split or split_in_name(t.file) for s in sets for t in s.tables}
    if len({split for split in named.values() if split}) < 2:
        named = dict.fromkeys(named)
    return [s._replace(tables=[replace(t, split=named[t.file]) for t in s.tables]) for s in sets]


def _check_attributes(options: ImportOptions, sets: list[_Set]) -> None:
    names = dict.fromkeys(c for s in sets for t in s.tables for c in t.columns)
    for wanted in options.attributes or ():
        if wanted not in names:
            raise InputError(
                f"There is no column {wanted!r} to keep as an attribute.",
                f"The columns are: {', '.join(names)}.",
            )


# -- mappings and links --------------------------------------------------------------------------


def _mapped(sets: list[_Set], options: ImportOptions, notes: list[str]) -> list[Group]:
    """A mapping for each set. With several sets, one that holds no conversations by itself may be
    linked to another; one that was picked from a folder may hold none at all."""
    groups: list[Group] = []
    faults: list[InputError] = []
    for source, tables, picked in sets:
        try:
            mapping = mapping_of(tables, options, options.shape)
        except InputError as error:
            faults.append(error)
            found = _as_linked(tables, options) if len(sets) > 1 else None
            if found is None and not picked:
                raise
            if found is None:
                notes.append(f"Not used: {error.message}")
                continue
            mapping = found
        groups.append(Group(source, tuple(tables), mapping))
    if faults and all(g.mapping.shape == "linked" for g in groups):
        raise faults[0]
    return groups


def _as_linked(tables: list[Table], options: ImportOptions) -> Mapping | None:
    try:
        return mapping_of(tables, options, "linked")
    except InputError:
        return None


def _linked(groups: list[Group], options: ImportOptions) -> list[Group]:
    """Find the group that each linked one belongs to."""
    groups = [_relinked(g, groups, options) for g in groups]
    return [_with_target(g, groups) if g.mapping.shape == "linked" else g for g in groups]


def _relinked(group: Group, groups: list[Group], options: ImportOptions) -> Group:
    """What looked like documents or messages by itself may say more about another's conversations:
    its ids are those of a table of messages or turns."""
    if options.shape or group.mapping.shape not in ("document", "messages"):
        return group
    others = [g for g in groups if g is not group and g.mapping.shape not in ("document", "linked")]
    weak = group.mapping.shape == "document" or not (
        {"speaker", "side", "time", "index"} & set(group.mapping.columns)
    )
    if not weak or not any(_shared(group, other) for other in others):
        return group
    return replace(group, mapping=mapping_of(group.tables, options, "linked"))


def _with_target(group: Group, groups: list[Group]) -> Group:
    others = [i for i, g in enumerate(groups) if g.mapping.shape != "linked"]
    if not others:
        return group
    best = max(others, key=lambda i: _shared(group, groups[i]))
    other = groups[best]
    column = group.mapping.columns["conversation_id"]
    shared = _shared(group, other)
    why = (
        f"{shared} of its first ids stand in {other.tables[0].file}"
        if shared
        else ("its name says so")
    )
    reasons = tuple(r for r in group.mapping.reasons if r.field != "conversation_id")
    mapping = group.mapping.model_copy(
        update={
            "links_to": other.tables[0].file,
            "reasons": (*reasons, Reason(field="conversation_id", column=column, why=why)),
        }
    )
    return replace(group, source=other.source, mapping=mapping, target=best)


def _shared(group: Group, other: Group) -> int:
    """How many conversation ids the samples of two groups share."""
    return len(_ids(group) & _ids(other))


def _ids(group: Group) -> set[str]:
    columns: dict[str, Column] = columns_of(group.tables)
    name = group.mapping.columns.get(
        "message_id" if group.mapping.shape == "threads" else "conversation_id"
    )
    return set(columns[name].texts) if name else set()
