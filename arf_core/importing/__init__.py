"""Any file of real conversations into a project, with a report that accounts for every row.

    importing.load(project, "chats.csv", ImportOptions(system="gpt-4o-mini"))
    importing.preview("chats.csv")

What is read: CSV and its relatives, JSON, JSONL, Parquet, each also compressed or in a zip, folders
of them, and Hugging Face data sets. `docs/file-shapes.md` shows the shapes.
"""

from arf_core.importing import shapes
from arf_core.importing.load import load, preview
from arf_core.importing.options import FIELDS, ImportOptions, Mapping, Reason, options_of
from arf_core.importing.report import ImportReport, Preview, Progress, Rejected
from arf_core.importing.samples import Sample, first_rows

SHAPES = {name: shape.text for name, shape in shapes.SHAPES.items()}
"""The shapes in words, for people to choose from."""

__all__ = [
    "FIELDS",
    "SHAPES",
    "ImportOptions",
    "ImportReport",
    "Mapping",
    "Preview",
    "Progress",
    "Reason",
    "Rejected",
    "Sample",
    "first_rows",
    "load",
    "options_of",
    "preview",
]
