"""A language model reads each summary sentence by sentence against its conversation.

The reply is flat, so that small models survive it: the conversation's key facts, each covered by
the summary or not, and findings with a verbatim quote. Which facts' absence is an error, and of
which category, the taxonomy says (`omission_of`), not the model.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from arf_core.analysis.citations import at_quote, cited
from arf_core.analysis.detectors import Found, KeyFact, Seen
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
from arf_core.project.taxonomy import FactKind, Taxonomy
from arf_core.records import Item
from arf_core.run import Answer
from arf_core.text import sentences

CONFIDENCE = {"high": 0.9, "medium": 0.6, "low": 0.3}
"""How a model's own words are stored. They order findings; they are no measured probabilities."""


class FactReply(BaseModel):
    kind: FactKind
    text: Annotated[str, Field(min_length=1)]
    turns: list[int] = []
    covered: Literal["yes", "partly", "no"]


class FindingReply(BaseModel):
    category: str
    quote: Annotated[str, Field(min_length=1)]
    turns: list[int] = []
    explanation: Annotated[str, Field(min_length=1)]
    confidence: Literal["high", "medium", "low"] = "medium"


class DetectReply(BaseModel):
    facts: list[FactReply]
    findings: list[FindingReply]


def open_detector(project: Project, model: str | None = None) -> "LlmDetector":
    return LlmDetector(PromptRunner(project, "detector", model, "detect"))


class LlmDetector:
    def __init__(self, runner: PromptRunner) -> None:
        self.name = f"llm:{runner.model}"
        self.settings = runner.settings
        self.notes = runner.notes
        self.runner = runner
        self._taxonomy = runner.taxonomy
        self._schema = _schema(self._taxonomy)

    def read(self, items: Iterable[Item], *, fresh: bool = False) -> Iterator[Answer[Item, Seen]]:
        """Raises ModelError where no call to the model can succeed."""
        return self.runner.ask(items, self.request, self._seen, fresh)

    def request(self, item: Item) -> Request:
        text = item.summary.text
        return self.runner.request(
            item.conversation,
            item.summary.system,
            [text],
            self._schema,
            sentences=[span.of(text) for span in sentences(text)],
            spans=self._taxonomy.spans,
            omissions=[c for c in self._taxonomy.categories if c.omission_of],
        )

    def _seen(self, item: Item, reply: str) -> Seen:
        """Raises ReplyError for a quote that the summary does not hold, a turn that is not there,
        or a category that is not one of ours."""
        read = parse_reply(reply, DetectReply)
        facts = [
            KeyFact(kind=f.kind, text=f.text, evidence=cited(f.turns, item.conversation))
            for f in read.facts
        ]
        findings = [self._found(item, finding) for finding in read.findings]
        for fact, said in zip(facts, read.facts, strict=True):
            category = self._taxonomy.omission(fact.kind)
            if said.covered == "no" and category is not None:
                findings.append(
                    Found(
                        category=category.id,
                        evidence=fact.evidence,
                        explanation=f"The summary lacks: {fact.text}",
                    )
                )
        return Seen(findings=tuple(findings), facts=tuple(facts))

    def _found(self, item: Item, finding: FindingReply) -> Found:
        allowed = [c.id for c in self._taxonomy.spans]
        if finding.category not in allowed:
            raise ReplyError(
                f"{finding.category!r} is no category of findings; use one of {', '.join(allowed)}."
            )
        found = Found(
            category=finding.category,
            evidence=cited(finding.turns, item.conversation),
            explanation=finding.explanation,
            confidence=CONFIDENCE[finding.confidence],
        )
        return at_quote(found, finding.quote, item.summary.text)


def _schema(taxonomy: Taxonomy) -> JsonSchema:
    """The reply's JSON schema. Enums carry what matters: servers ignore bounds on integers."""
    fact = {
        "kind": one_of(get_args(FactKind)),
        "text": TEXT,
        "turns": INTEGERS,
        "covered": one_of(["yes", "partly", "no"]),
    }
    finding = {
        "category": one_of(c.id for c in taxonomy.spans),
        "quote": TEXT,
        "turns": INTEGERS,
        "explanation": TEXT,
        "confidence": one_of(CONFIDENCE),
    }
    return strict_object({"facts": list_of(fact), "findings": list_of(finding)})
