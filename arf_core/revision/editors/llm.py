"""A language model makes the smallest edits that remove the findings of a summary.

The prompt says how to correct the categories at hand. The reply names words to find and their
replacement, never a whole summary, so nothing can change without a finding.
"""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from arf_core.errors import ReplyError
from arf_core.models import Request
from arf_core.models.ask import PromptRunner
from arf_core.models.replies import TEXT, list_of, parse_reply, strict_object
from arf_core.project import Project
from arf_core.records import Finding
from arf_core.revision.editors import EditTask, Proposal, ProposedEdit
from arf_core.run import Answer
from arf_core.text import Replacement, Span, clashes, locate, replace


class EditReply(BaseModel):
    finding: int
    find: str
    replace: str


class EditsReply(BaseModel):
    edits: list[EditReply]


SCHEMA = strict_object(
    {"edits": list_of({"finding": {"type": "integer"}, "find": TEXT, "replace": TEXT})}
)


def open_editor(project: Project, model: str | None = None) -> "LlmEditor":
    return LlmEditor(PromptRunner(project, "editor", model, "edit"))


class LlmEditor:
    targeted = True

    def __init__(self, runner: PromptRunner) -> None:
        self.name = f"llm:{runner.model}"
        self.settings = runner.settings
        self.notes = runner.notes
        self.runner = runner

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        """Raises ModelError where no call to the model can succeed."""
        return self.runner.ask(tasks, self.request, _proposal, fresh)

    def request(self, task: EditTask) -> Request:
        named = {f.category for f in task.findings}
        text = task.item.summary.text
        return self.runner.request(
            task.item.conversation,
            task.item.summary.system,
            [text, *(f.content for f in task.findings)],
            SCHEMA,
            summary=text,
            findings=task.findings,
            categories=[c for c in self.runner.taxonomy.categories if c.id in named],
        )


def _proposal(task: EditTask, reply: str) -> Proposal:
    """Raises ReplyError where an edit cannot be applied."""
    edits = [_proposed(task, edit) for edit in parse_reply(reply, EditsReply).edits]
    replacements = [e.replacement for e in edits]
    if clash := clashes(replacements):
        raise ReplyError(f"two edits overlap, at {clash[0][0]} and {clash[0][1]}.")
    if edits and not replace(task.item.summary.text, replacements).strip():
        raise ReplyError("the edits delete the whole summary.")
    return Proposal(edits=tuple(edits))


def _proposed(task: EditTask, edit: EditReply) -> ProposedEdit:
    if not 1 <= edit.finding <= len(task.findings):
        raise ReplyError(f"there is no finding {edit.finding}; they go to {len(task.findings)}.")
    finding = task.findings[edit.finding - 1]
    span = _find(task.item.summary.text, edit.find, finding)
    return ProposedEdit(
        replacement=Replacement(span.start, span.end, edit.replace), finding_id=finding.id
    )


def _find(text: str, words: str, finding: Finding) -> Span:
    """The span of the words to replace: their only occurrence, or the one at the finding."""
    first = locate(text, words)
    if first is None:
        raise ReplyError(f"{words!r} is not in the summary; copy it exactly.")
    spans = [first]
    while more := locate(text[spans[-1].end :], words):
        offset = spans[-1].end
        spans.append(Span(more.start + offset, more.end + offset))
    if len(spans) == 1:
        return first
    if finding.start is not None and finding.end is not None:
        at = Span(finding.start, finding.end)
        spans = [p for p in spans if p.overlaps(at)] or spans
    if len(spans) > 1:
        raise ReplyError(f"{words!r} occurs {len(spans)} times in the summary; copy more words.")
    return spans[0]
