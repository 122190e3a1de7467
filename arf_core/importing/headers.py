"""Does the first line of a CSV file name the columns, or is it a row already?"""

import re
from collections.abc import Sequence

from arf_core.importing.columns import Column
from arf_core.importing.guess import NAMES
from arf_core.importing.report import shortened
from arf_core.importing.turns import label_at_start

_KNOWN = frozenset(name for names in NAMES.values() for name in names.split())
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?")
_SENTENCE = re.compile(r"\S+ \S+ .*[.!]", re.DOTALL)
_LONGEST_NAME = 100


def data_in(first: Sequence[str]) -> list[str]:
    """The cells of the first line that look like data: numbers, days, sentences, several lines,
    "Customer: words". Columns called 0, 1, 2, … are named so by pandas."""
    if [c.strip() for c in first] == [str(n) for n in range(len(first))]:
        return []
    return [c for c in map(str.strip, first) if _is_data(c)]


def is_header(first: Sequence[str]) -> bool:
    """Do at least as many cells bear names that the importer knows as look like data?"""
    known = sum(Column(cell, ()).plain in _KNOWN for cell in first)
    return known >= len(data_in(first))


def about_header(first: Sequence[str], taken: bool) -> str | None:
    """What is to be said where the first line could be read the other way; None where not."""
    found = data_in(first)
    if not found:
        return None
    seen = ", ".join(repr(shortened(cell, 40)) for cell in found[:3])
    if taken:
        return (
            f"The first line was read as the names of the columns, though it holds {seen}. If it "
            "is a row: --no-header."
        )
    return (
        f"There is no header: the first line holds {seen}, and was read as a row. The columns are "
        "called column 1, column 2, and so on. If the line names the columns: --header."
    )


def _is_data(cell: str) -> bool:
    return bool(
        "\n" in cell
        or len(cell) > _LONGEST_NAME
        or _NUMBER.fullmatch(cell)
        or _DAY.fullmatch(cell)
        or _SENTENCE.fullmatch(cell)
        or label_at_start(cell)
    )
