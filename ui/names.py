"""What people call a detector and a category; notes of the core without its flags."""

import re

from arf_core.project.taxonomy import Taxonomy
from arf_core.report.charts import reader_name
from arf_core.store.queries import CHECKS
from ui.escape import seen

_SENTENCES = re.compile(r"(?<=[.!?]) ")
_FLAG = re.compile(r"(^|\W)--[a-z]")


def detector_name(detector: str) -> str:
    """A detector, by itself: "Rules", "big (LLM)", "anna (a person)", "big (LLM), as verifier"."""
    if detector.startswith(CHECKS):
        return f"{detector_name(detector.removeprefix(CHECKS))}, as verifier"
    name = reader_name(detector)
    return seen(name.removeprefix("the ").capitalize() if name.startswith("the ") else name)


def category_name(category: str, taxonomy: Taxonomy) -> str:
    """A category, or its id where the taxonomy no longer has it."""
    entry = taxonomy.by_id.get(category)
    return seen(entry.name if entry else category)


def without_flags(message: str) -> str:
    """A message without the sentences that name a command's flag: the page has a field for it."""
    return " ".join(s for s in _SENTENCES.split(message) if not _FLAG.search(s))
