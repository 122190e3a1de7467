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
    """A summary, and the findings to answer (none for an untargeted editor)."""

    item: Item
    findings: tuple[Finding, ...] = ()


class ProposedEdit(Record):
    replacement: Replacement
    finding_id: str | None = None
    """The finding it answers; None in an untargeted rewrite."""


class Proposal(Record):
    """The edits that an editor proposes, with offsets in the summary as it was given.

    They do not overlap. No edits means that the editor leaves the summary as it is.
    """

    edits: tuple[ProposedEdit, ...] = ()


class Editor(Protocol):
    """Works on any number of summaries, in any order."""

    name: str
    """As stored with its revisions: `rules`, or `llm:<model>`."""
    settings: str
    """What decides its edits besides the taxonomy, as JSON; kept verbatim with the round."""
    targeted: bool
    """Does it answer findings? An untargeted one is given every summary, and no findings."""

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        """One answer for each task, as they come. `fresh` ignores stored answers of models."""
        ...

    def notes(self) -> list[str]:
        """What the report on a run should say about this editor."""
        ...


def editors() -> list[str]:
    """The names of all editor modules."""
    return plugins.names(__name__)


def open_editor(project: "Project", name: str, model: str | None = None) -> Editor:
    """Open an editor by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "editor")
    opened: Editor = module.open_editor(project, model)
    return opened
