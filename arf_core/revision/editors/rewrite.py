"""Untargeted rewriting, for comparison: a model improves a summary without seeing the findings.

It shows whether naming the errors matters.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from arf_core.errors import ReplyError
from arf_core.models import Request
from arf_core.models.ask import PromptRunner
from arf_core.models.replies import TEXT, parse_reply, strict_object
from arf_core.project import Project
from arf_core.revision.editors import EditTask, Proposal, ProposedEdit
from arf_core.run import Answer
from arf_core.text import replacements_between


class RewriteReply(BaseModel):
    summary: str


SCHEMA = strict_object({"summary": TEXT})


def open_editor(project: Project, model: str | None = None) -> "RewriteEditor":
    return RewriteEditor(PromptRunner(project, "editor", model, "rewrite"))


class RewriteEditor:
    targeted = False

    def __init__(self, runner: PromptRunner) -> None:
        self.name = f"rewrite:{runner.model}"
        self.settings = runner.settings
        self.notes = runner.notes
        self.runner = runner

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        """Raises ModelError where no call to the model can succeed."""
        return self.runner.ask(tasks, self.request, _proposal, fresh)

    def request(self, task: EditTask) -> Request:
        text = task.item.summary.text
        conversation, system = task.item.conversation, task.item.summary.system
        return self.runner.request(conversation, system, [text], SCHEMA, summary=text)


def _proposal(task: EditTask, reply: str) -> Proposal:
    """Raises ReplyError for an empty summary."""
    rewritten = parse_reply(reply, RewriteReply).summary.strip()
    if not rewritten:
        raise ReplyError("the summary is empty.")
    return Proposal(
        edits=tuple(
            ProposedEdit(replacement=r)
            for r in replacements_between(task.item.summary.text, rewritten)
        )
    )
