"""Editors correct summaries. An editor is a module here.

An editor module has `open_editor(project, model) -> Editor`, where `model` is the name of a model
or None.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from arf_core import plugins
from arf_core.records import Finding, Item, Record
from arf_core.run import Answer
from arf_core.text import Replacement

if TYPE_CHECKING:
    from arf_core.project import Project


class EditTask(Record):
    """A summary and the findings to answer (none for an untargeted editor)."""

    item: Item
    findings: tuple[Finding, ...] = ()


class ProposedEdit(Record):
    replacement: Replacement
    finding_id: str | None = None
    """The finding it answers; None in an untargeted rewrite."""


class Proposal(Record):
    """Proposed edits, with offsets in the given summary. They do not overlap.

    No edits means that the summary stays as it is.
    """

    edits: tuple[ProposedEdit, ...] = ()


class Editor(Protocol):
    """Edits summaries, in any order."""

    name: str
    """As stored with its revisions: `rules`, or `llm:<model>`."""
    settings: str
    """All that decides its edits besides the taxonomy, as JSON; stored with the round."""
    targeted: bool
    """Whether it answers findings. An untargeted editor gets every summary and no findings."""

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        """Yield one answer per task, in any order. `fresh` ignores stored replies."""
        ...

    def notes(self) -> list[str]:
        """Notes for the run's report."""
        ...


def editors() -> list[str]:
    """The names of all editor modules."""
    return plugins.names(__name__)


def open_editor(project: "Project", name: str, model: str | None = None) -> Editor:
    """Open an editor by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "editor")
    opened: Editor = module.open_editor(project, model)
    return opened
