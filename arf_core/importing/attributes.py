"""Which of the remaining columns are kept with a conversation, for slicing."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from arf_core.importing.cells import checked
from arf_core.importing.columns import Column
from arf_core.importing.rows import Cell
from arf_core.importing.times import written
from arf_core.records import Scalar

LONG = 80
"""Median characters beyond which a column is text, not a value to slice by."""
FEW_ROWS = 20
"""In a smaller sample every column may look unique, so only the name tells an id."""
_ID_NAME = re.compile(r"(^|_)(id|ids|uuid|guid|index|idx|url|link|hash|key|number|no|column_\d+)$")


def sorted_out(
    columns: Iterable[Column], groups: Sequence[Cell] | None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns to keep, and for each other one why not. `groups` names for each row of the
    sample the conversation it belongs to, where several rows may belong to one."""
    kept: list[str] = []
    left_out: dict[str, str] = {}
    for column in columns:
        reason = _against(column, groups)
        if reason is None:
            kept.append(column.name)
        else:
            left_out[column.name] = reason
    return tuple(kept), left_out


def _against(column: Column, groups: Sequence[Cell] | None) -> str | None:
    if not column.filled:
        return "it is empty in the first rows"
    if not column.is_scalar:
        return "its values are lists or objects"
    if column.median_length > LONG:
        return f"its values are long (median {column.median_length:.0f} characters)"
    if groups is not None and _varies(column, groups):
        return "its values differ between the rows of one conversation"
    unique = column.distinct > 0.9 * len(column.filled)
    few = len(column.filled) < FEW_ROWS
    if unique and (_ID_NAME.search(column.plain) if few else len(column.filled) > 0.2 * _n(column)):
        return "its values are different in each row"
    return None


def _n(column: Column) -> int:
    return len(column.cells)


def _varies(column: Column, groups: Sequence[Cell]) -> bool:
    """Do most of the conversations with several rows have several values?"""
    values: dict[str, list[str]] = defaultdict(list)
    for group, cell in zip(groups, column.cells, strict=True):
        if cell not in (None, ""):
            values[str(group)].append(str(cell))
    several = [v for v in values.values() if len(v) > 1]
    return bool(several) and sum(len(set(v)) > 1 for v in several) * 2 > len(several)


def scalar(cell: Cell) -> Scalar:
    """An attribute's value; empty cells are None. Raises RowFault for text that cannot be kept."""
    if isinstance(cell, str):
        return checked(cell) or None
    if isinstance(cell, bool | int | float) or cell is None:
        return cell
    if isinstance(cell, datetime):
        return written(cell)
    return cell.isoformat() if isinstance(cell, date) else checked(str(cell))
