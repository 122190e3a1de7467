"""What takes a cell that holds a whole conversation apart, for each shape that has one."""

from collections.abc import Callable

from arf_core.importing.cells import text_of
from arf_core.importing.options import ImportOptions, Mapping
from arf_core.importing.rows import Cell
from arf_core.importing.turns import Keys, Labels, ListReader, Said, parts

CellReader = Callable[[Cell], list[Said]]
"""A cell into turns. Raises RowFault for a cell that cannot be read: the row is then rejected."""
TurnsReader = Callable[[Mapping, ImportOptions], CellReader]
DOCUMENT = "document"
"""The speaker of a text that is no dialogue."""


def of_lists(mapping: Mapping, options: ImportOptions) -> CellReader:
    return ListReader(_keys(mapping), _labels(mapping, options))


def of_lines(mapping: Mapping, options: ImportOptions) -> CellReader:
    labels = _labels(mapping, options) or Labels(None)
    return lambda cell: labels.turns(text_of(cell))


def of_parts(mapping: Mapping, options: ImportOptions) -> CellReader:
    mark, labels = mapping.delimiter or "\n", _labels(mapping, options)
    return lambda cell: parts(text_of(cell), mark, labels)


def of_document(mapping: Mapping, options: ImportOptions) -> CellReader:
    return lambda cell: [(DOCUMENT, text_of(cell), None)]


def _labels(mapping: Mapping, options: ImportOptions) -> Labels | None:
    if mapping.labels == "none":
        return None
    known = frozenset((*mapping.known_labels, *options.speakers))
    return Labels(known if mapping.labels == "known" else None)


def _keys(mapping: Mapping) -> Keys | None:
    columns = mapping.columns
    if "turn_text" not in columns:
        return None
    return Keys(
        columns.get("turn_speaker"),
        columns["turn_text"],
        columns.get("turn_time"),
        mapping.time_format,
    )
