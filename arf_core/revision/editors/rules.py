"""Corrects what the rules can prove: a figure with one evident counterpart, personal data, repeats.

Other findings are left to another editor.
"""

from collections.abc import Iterable, Iterator

from arf_core.checks import proven_fix
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Finding, Item
from arf_core.revision.editors import EditTask, Proposal, ProposedEdit
from arf_core.run import Answer
from arf_core.text import Replacement, clashes


def open_editor(project: Project, model: str | None = None) -> "RulesEditor":
    """Raises InputError where a model is named: the rules ask none."""
    if model is not None:
        raise InputError("The rules editor asks no model.", "Leave the model out.")
    return RulesEditor()


class RulesEditor:
    name = "rules"
    settings = '{"version": 1}'
    targeted = True

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        for task in tasks:
            edits: list[ProposedEdit] = []
            for finding in task.findings:
                edit = _edit(task.item, finding)
                if edit and not clashes([edit.replacement, *(e.replacement for e in edits)]):
                    edits.append(edit)
            yield Answer(task, Proposal(edits=tuple(edits)))

    def notes(self) -> list[str]:
        return []


def _edit(item: Item, finding: Finding) -> ProposedEdit | None:
    text = item.summary.text
    new = proven_fix(item.conversation, text, finding)
    if new is None or finding.start is None or finding.end is None:
        return None
    start, end = finding.start, finding.end
    if new == "":  # a deletion takes one adjacent space with it
        end += text[end : end + 1] == " "
        start -= end == finding.end and text[start - 1 : start] == " "
    replacement = Replacement(start, end, new)
    return ProposedEdit(replacement=replacement, finding_id=finding.id)
