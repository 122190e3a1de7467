"""A language model reads each summary sentence by sentence against its conversation.

The reply is flat, so that small models manage it: the conversation's key facts, each covered by
the summary or not, and findings with a verbatim quote. The taxonomy (`omission_of`), not the model,
decides which missing facts are errors and of which category.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from arf_core.analysis.detectors import Detection
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
from arf_core.records import Fact, Finding, Item
from arf_core.run import Answer
from arf_core.text import at_quote, cited_turns, sentences

CONFIDENCE = {"high": 0.9, "medium": 0.6, "low": 0.3}
"""How a model's words are stored. They order findings and are not measured probabilities."""


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

    def read(
        self, items: Iterable[Item], *, fresh: bool = False
    ) -> Iterator[Answer[Item, Detection]]:
        """Raises ModelError where no call to the model can succeed."""
        return self.runner.ask(items, self.request, self._detection, fresh)

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

    def _detection(self, item: Item, reply: str) -> Detection:
        """Raises ReplyError for a quote that is not in the summary, a turn that does not exist, or
        an unknown category."""
        parsed = parse_reply(reply, DetectReply)
        conversation = item.conversation
        facts = [
            Fact(
                conversation_id=conversation.id,
                kind=f.kind,
                text=f.text,
                evidence=cited_turns(f.turns, conversation),
            )
            for f in parsed.facts
        ]
        omitted = [
            Finding(
                category=category.id,
                evidence=fact.evidence,
                explanation=f"The summary lacks: {fact.text}",
            )
            for fact, reported in zip(facts, parsed.facts, strict=True)
            if reported.covered == "no" and (category := self._taxonomy.omission(fact.kind))
        ]
        findings = [self._finding(item, f) for f in parsed.findings]
        return Detection(findings=(*findings, *omitted), facts=tuple(facts))

    def _finding(self, item: Item, reported: FindingReply) -> Finding:
        allowed = [c.id for c in self._taxonomy.spans]
        if reported.category not in allowed:
            raise ReplyError(
                f"{reported.category!r} is not a category; use one of {', '.join(allowed)}."
            )
        finding = Finding(
            category=reported.category,
            evidence=cited_turns(reported.turns, item.conversation),
            explanation=reported.explanation,
            confidence=CONFIDENCE[reported.confidence],
        )
        return at_quote(finding, reported.quote, item.summary.text)


def _schema(taxonomy: Taxonomy) -> JsonSchema:
    """JSON schema of the reply. It relies on enums, as servers ignore bounds on integers."""
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
