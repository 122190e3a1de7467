"""A classifier reads each sentence of a summary against the turns: a second opinion without a chat
model (extra `train`: `make train`).

It reports sentences that the conversation does not support or contradicts. It cannot say what is
wrong in them, nor what is missing, repeated or private.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from arf_core.analysis.detectors import Detection
from arf_core.analysis.nli.claims import ClaimSupport, Question, judge, nearest_turns
from arf_core.analysis.nli.classifier import Classifier, open_classifier
from arf_core.project import Project
from arf_core.project.settings import NliSettings
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding, Item
from arf_core.run import Answer
from arf_core.text import Span, sentences

AT_ONCE = 16
"""Summaries whose sentence pairs share batches."""


def open_detector(project: Project, model: str | None = None) -> "NliDetector":
    """`model` is a folder or a name on the hub; the default is under [nli] in arf.toml."""
    return NliDetector(open_classifier(project, model), project.settings.nli, project.taxonomy)


class NliDetector:
    def __init__(self, classifier: Classifier, settings: NliSettings, taxonomy: Taxonomy) -> None:
        """Raises ConfigError where the taxonomy lacks the categories that nli reports."""
        self.name = f"nli:{classifier.name}"
        self._classifier = classifier
        self._threshold = settings.threshold
        self._unsupported = taxonomy[settings.unsupported].id
        self._contradicted = taxonomy[settings.contradicted].id
        self.settings = json.dumps(
            {
                "classifier": classifier.identity,
                "threshold": settings.threshold,
                "categories": [self._unsupported, self._contradicted],
            }
        )

    def read(
        self, items: Iterable[Item], *, fresh: bool = False
    ) -> Iterator[Answer[Item, Detection]]:
        """No replies are stored, so `fresh` changes nothing.

        Raises MissingExtra, or ModelError where the classifier cannot be loaded.
        """
        coming = iter(items)
        while group := list(islice(coming, AT_ONCE)):
            yield from self._read(group)

    def _read(self, group: Sequence[Item]) -> Iterator[Answer[Item, Detection]]:
        spans = [sentences(item.summary.text) for item in group]
        questions = [
            Question(item.conversation, [s.of(item.summary.text) for s in of])
            for item, of in zip(group, spans, strict=True)
        ]
        judge(self._classifier, questions)
        for item, of, question in zip(group, spans, questions, strict=True):
            if question.failure:
                yield Answer(item, failure=question.failure)
            else:
                yield Answer(item, Detection(findings=self._findings(item, of, question)))

    def _findings(
        self, item: Item, spans: Sequence[Span], question: Question
    ) -> tuple[Finding, ...]:
        weak = [
            (span, claim, support)
            for span, claim, support in zip(spans, question.claims, question.answers, strict=True)
            if support.support < self._threshold
        ]
        asked = [(item.conversation, claim, support) for _, claim, support in weak]
        near = nearest_turns(self._classifier, asked)
        return tuple(
            self._finding(item, span, support)
            for (span, _, _), support in zip(weak, near, strict=True)
        )

    def _finding(self, item: Item, span: Span, support: ClaimSupport) -> Finding:
        against = support.contradiction or 0.0
        contradicted = against >= self._threshold
        where = "" if support.turn is None else f", most by turn {support.turn}"
        reason = (
            f"Contradicted{where} ({against:.0%})."
            if contradicted
            else f"Nothing in the conversation supports it (at most {support.support:.0%})."
        )
        return Finding(
            category=self._contradicted if contradicted else self._unsupported,
            quote=span.of(item.summary.text),
            start=span.start,
            end=span.end,
            evidence=() if support.turn is None else (support.turn,),
            explanation=f"{reason} A classifier cannot say what is wrong in it.",
            confidence=round(1 - support.support, 3),
        )

    def notes(self) -> list[str]:
        return [f"{self.name} judges sentences one by one, and cannot see what is missing."]
