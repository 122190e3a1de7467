"""Import files of real conversations into a project, with a report that accounts for every row.

    importing.load(project, "chats.csv", system="gpt-4o-mini")
    importing.preview("chats.csv")

Formats: CSV and its relatives, JSON, JSONL, Parquet, each also compressed or in a zip, folders of
them, and Hugging Face data sets. `docs/file-shapes.md` shows the shapes of tables.
"""

from arf_core.importing import shapes
from arf_core.importing.load import FileInspection, ImportPreview, inspect, load, preview
from arf_core.importing.plan import Sample
from arf_core.importing.report import ImportReport, Rejected
from arf_core.importing.settings import FIELDS, ROLES, ImportSettings, MappingReason, TableMapping

SHAPES = {name: shape.text for name, shape in shapes.SHAPES.items()}
"""The shapes in words, for people to choose from."""

__all__ = [
    "FIELDS",
    "ROLES",
    "SHAPES",
    "FileInspection",
    "ImportPreview",
    "ImportReport",
    "ImportSettings",
    "MappingReason",
    "Rejected",
    "Sample",
    "TableMapping",
    "inspect",
    "load",
    "preview",
]
