"""What people call a detector and a category."""

from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts import reader_name
from ui import widgets


def detector_name(detector: str) -> str:
    """A detector: "Rules", "big (LLM)", "anna (a person)"."""
    name = reader_name(detector)
    return widgets.seen(name.removeprefix("the ").capitalize() if name.startswith("the ") else name)


def category_name(category: str, taxonomy: Taxonomy) -> str:
    """A category, or its id where the taxonomy no longer has it."""
    entry = taxonomy.by_id.get(category)
    return widgets.seen(entry.name if entry else category)
