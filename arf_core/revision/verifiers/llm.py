"""A language model judges each correction against the conversation."""

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel

from arf_core.errors import ReplyError
from arf_core.models import Request
from arf_core.models.ask import PromptRunner
from arf_core.models.replies import (
    INTEGERS,
    TEXT,
    JsonSchema,
    list_of,
    one_of,
    parse_reply,
    strict_object,
)
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding
from arf_core.revision.verifiers import CheckTask, Judgement, Verdict
from arf_core.run import Answer
from arf_core.text import Span, at_quote, cited_turns, replacements_between


class CheckReply(BaseModel):
    finding: int
    result: Literal["fixed", "not_fixed", "unchecked"]
    reason: str = ""


class NewErrorReply(BaseModel):
    category: str
    quote: str = ""
    turns: list[int] = []
    explanation: str


class VerifyReply(BaseModel):
    checks: list[CheckReply]
    new_errors: list[NewErrorReply] = []


def open_verifier(project: Project, model: str | None = None) -> "LlmVerifier":
    return LlmVerifier(PromptRunner(project, "verifier", model, "verify"))


class LlmVerifier:
    def __init__(self, runner: PromptRunner) -> None:
        self.name = f"llm:{runner.model}"
        self.settings = runner.settings
        self.notes = runner.notes
        self.runner = runner
        self._taxonomy = runner.taxonomy
        self._schema = _schema(self._taxonomy)

    def verify(
        self, tasks: Iterable[CheckTask], *, fresh: bool = False
    ) -> Iterator[Answer[CheckTask, Verdict]]:
        """Raises ModelError where no call to the model can succeed."""
        return self.runner.ask(tasks, self.request, self._verdict, fresh)

    def request(self, task: CheckTask) -> Request:
        return self.runner.request(
            task.conversation,
            task.after.system,
            [task.before.text, task.after.text, *(f.content for f in task.findings)],
            self._schema,
            before=task.before.text,
            after=task.after.text,
            findings=task.findings,
            categories=self._taxonomy.categories,
        )

    def _verdict(self, task: CheckTask, reply: str) -> Verdict:
        """Raises ReplyError unless each finding has one check, and quotes and turns exist."""
        parsed = parse_reply(reply, VerifyReply)
        checks = sorted(parsed.checks, key=lambda c: c.finding)
        count = len(task.findings)
        if [c.finding for c in checks] != list(range(1, count + 1)):
            raise ReplyError(f"give exactly one check for each of the findings 1 to {count}.")
        errors = [self._finding(task, error) for error in parsed.new_errors]
        return Verdict(
            judgements=tuple(Judgement(result=c.result, reason=c.reason) for c in checks),
            new_errors=tuple(e for e in errors if _is_new(task, e)),
        )

    def _finding(self, task: CheckTask, error: NewErrorReply) -> Finding:
        category = self._taxonomy.by_id.get(error.category)
        if category is None:
            raise ReplyError(f"{error.category!r} is not a category.")
        finding = Finding(
            category=category.id,
            evidence=cited_turns(error.turns, task.conversation),
            explanation=error.explanation,
        )
        if not error.quote or category.omission_of:
            return finding
        return at_quote(finding, error.quote, task.after.text)


def _is_new(task: CheckTask, error: Finding) -> bool:
    """Does the error touch what the edit changed? The parent had any other error already."""
    if error.start is None or error.end is None:
        return True
    at = Span(error.start, error.end)
    # differences seen from the revised text; a pure deletion touches the words on either side
    changed = replacements_between(task.after.text, task.before.text)
    return any(r.start <= at.end and at.start <= r.end for r in changed)


def _schema(taxonomy: Taxonomy) -> JsonSchema:
    check = {
        "finding": {"type": "integer"},
        "result": one_of(["fixed", "not_fixed", "unchecked"]),
        "reason": TEXT,
    }
    error = {
        "category": one_of(c.id for c in taxonomy.categories),
        "quote": TEXT,
        "turns": INTEGERS,
        "explanation": TEXT,
    }
    return strict_object({"checks": list_of(check), "new_errors": list_of(error)})
