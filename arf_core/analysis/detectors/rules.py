"""Rules that claim only what they can prove: no model, no network, thousands of summaries a second.

They see figures and persons' names that the conversation does not hold, sentences told twice, and
personal data. That a summary is clean to them says nothing of who did what, or of what is missing.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from arf_core.analysis.detectors import Detection
from arf_core.checks import CATEGORIES, Violation, violations
from arf_core.checks.processes import Task, in_processes, read, workers
from arf_core.checks.transcript import Transcript, attribute_texts
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Conversation, Finding, Item
from arf_core.run import Answer

VERSION = 2
"""Raised with every change of what the rules find, so that summaries are read again."""
FEW = 2000
"""Up to so many summaries are read here; for more, processes are started."""
_CLEAN = Detection()


def find(conversation: Conversation, summary_text: str, taxonomy: Taxonomy) -> Detection:
    """All that the rules prove about one summary, in the categories that the taxonomy has."""
    found = violations(Transcript.of(conversation), summary_text, _categories(taxonomy))
    return _seen(summary_text, found)


def open_detector(project: Project, model: str | None = None) -> "RulesDetector":
    """Raises InputError where a model is named: the rules take none."""
    if model is not None:
        raise InputError(
            f"The rules use no model, but {model!r} is named.",
            "Leave the model out, or choose the detector llm.",
        )
    return RulesDetector(project.taxonomy)


class RulesDetector:
    name = "rules"

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.settings = json.dumps({"rules": VERSION})
        self._categories = _categories(taxonomy)

    def read(
        self, items: Iterable[Item], *, fresh: bool = False
    ) -> Iterator[Answer[Item, Detection]]:
        """One answer for each item. No answers are stored, so `fresh` changes nothing."""
        coming = iter(items)
        first = list(islice(coming, FEW + 1))
        count = workers()
        if len(first) > FEW and count > 1:
            found = in_processes(chain(first, coming), _task, self._categories, count)
        else:
            found = ((item, read(_task(item), self._categories)) for item in chain(first, coming))
        for item, flawed in found:
            yield Answer(item, _seen(item.summary.text, flawed))

    def notes(self) -> list[str]:
        """The categories of the rules that the project's taxonomy lacks."""
        missing = [c for c in CATEGORIES if c not in self._categories]
        if not missing:
            return []
        return [f"The taxonomy has no {', '.join(missing)}: the rules looked for none."]


def _categories(taxonomy: Taxonomy) -> tuple[str, ...]:
    return tuple(c for c in CATEGORIES if c in taxonomy.by_id)


def _task(item: Item) -> Task:
    conversation = item.conversation
    lines = tuple((turn.speaker, turn.text, turn.at) for turn in conversation.turns)
    attributes = attribute_texts(conversation.attributes, conversation.external_id)
    return Task(lines, attributes, item.summary.text)


def _seen(text: str, found: Iterable[Violation]) -> Detection:
    findings = tuple(
        Finding(
            category=flaw.category,
            quote=text[flaw.start : flaw.end],
            start=flaw.start,
            end=flaw.end,
            evidence=flaw.evidence,
            explanation=flaw.explanation,
        )
        for flaw in found
    )
    return Detection(findings=findings) if findings else _CLEAN
