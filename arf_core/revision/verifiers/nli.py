"""A classifier judges a revision: is the sentence that was wrong now supported, or gone?

It can judge only what it saw itself: where it held the sentence to be supported before the edit,
or where the category is of a kind that a sentence's support says nothing about (what is missing,
repeated, private), the finding is unchecked.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from arf_core.analysis.detectors import Found
from arf_core.analysis.nli.claims import Question, judge
from arf_core.analysis.nli.classifier import Classifier, open_classifier
from arf_core.project import Project
from arf_core.project.settings import NliSettings
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding
from arf_core.revision.verifiers import CheckTask, Judged, Verdict
from arf_core.run import Answer
from arf_core.text import Replacement, Span, replacements_between, sentences

AT_ONCE = 16


def open_verifier(project: Project, model: str | None = None) -> "NliVerifier":
    """`model` is a folder or a name on the hub, else arf.toml's under [nli]."""
    return NliVerifier(open_classifier(project, model), project.settings.nli, project.taxonomy)


@dataclass
class _Sides:
    """Both versions, sentence by sentence, with the support of each sentence."""

    task: CheckTask
    before: list[Span]
    after: list[Span]
    changes: list[Replacement]
    support: dict[str, float]

    def of_before(self, span: Span) -> float:
        return self.support[span.of(self.task.before.text)]

    def of_after(self, span: Span) -> float:
        return self.support[span.of(self.task.after.text)]

    def became(self, span: Span) -> list[Span]:
        """The sentences of the revised text that stand where this one stood."""
        at = carried(span, self.changes)
        return [s for s in self.after if s.overlaps(at)] if at.start < at.end else []


class NliVerifier:
    def __init__(self, classifier: Classifier, settings: NliSettings, taxonomy: Taxonomy) -> None:
        self.name = f"nli:{classifier.name}"
        self._classifier = classifier
        self._threshold = settings.threshold
        self._new = taxonomy[settings.unsupported].id
        self._judges = sorted(set(settings.judges) & set(taxonomy.by_id))
        self.settings = json.dumps(
            {
                "classifier": classifier.identity,
                "threshold": settings.threshold,
                "judges": self._judges,
                "new": self._new,
            }
        )

    def verify(
        self, tasks: Iterable[CheckTask], *, fresh: bool = False
    ) -> Iterator[Answer[CheckTask, Verdict]]:
        """Raises MissingExtra, or ModelError where the classifier cannot be loaded."""
        coming = iter(tasks)
        while group := list(islice(coming, AT_ONCE)):
            questions = [_question(task) for task in group]
            judge(self._classifier, questions)
            for task, question in zip(group, questions, strict=True):
                if question.failure:
                    yield Answer(task, failure=question.failure)
                else:
                    yield Answer(task, self._verdict(task, question))

    def notes(self) -> list[str]:
        return [f"{self.name} judges findings of: {', '.join(self._judges)}."]

    def _verdict(self, task: CheckTask, question: Question) -> Verdict:
        support = [answer.support for answer in question.answers]
        sides = _Sides(
            task=task,
            before=sentences(task.before.text),
            after=sentences(task.after.text),
            changes=sorted(replacements_between(task.before.text, task.after.text)),
            support=dict(zip(question.claims, support, strict=True)),
        )
        judged = tuple(self._judged(sides, f) for f in task.findings)
        return Verdict(judged=judged, new_errors=tuple(self._new_errors(sides, judged)))

    def _judged(self, sides: _Sides, finding: Finding) -> Judged:
        if finding.category not in self._judges:
            return Judged(result="unchecked", reason=f"No classifier can judge {finding.category}.")
        if finding.start is None or finding.end is None:
            return Judged(result="unchecked", reason="The finding names no place in the summary.")
        wrong = self._wrong(sides, finding)
        if not wrong:
            return Judged(result="unchecked", reason="The classifier did not see this error.")
        now = [s for span in wrong for s in sides.became(span)]
        if not now:
            return Judged(result="fixed", reason="The sentence is gone.")
        least = min(sides.of_after(s) for s in now)
        reason = f"The conversation supports what stands there now: {least:.0%}."
        return Judged(result="fixed" if least >= self._threshold else "not_fixed", reason=reason)

    def _wrong(self, sides: _Sides, finding: Finding) -> list[Span]:
        """The sentences of the finding that are not supported."""
        at = Span(finding.start or 0, finding.end or 0)
        touched = [s for s in sides.before if s.overlaps(at)]
        return [s for s in touched if sides.of_before(s) < self._threshold]

    def _new_errors(self, sides: _Sides, judged: Sequence[Judged]) -> Iterator[Found]:
        """Sentences that were changed, have no support, and stand where all had support."""
        text = sides.task.after.text
        for span in sides.after:
            if sides.of_after(span) >= self._threshold:
                continue
            stood = [s for s in sides.before if span in sides.became(s)]
            same = any(s.of(sides.task.before.text) == span.of(text) for s in stood)
            if same or any(sides.of_before(s) < self._threshold for s in stood):
                continue
            yield Found(
                category=self._new,
                quote=span.of(text),
                start=span.start,
                end=span.end,
                explanation="Since the edit nothing in the conversation supports this sentence "
                f"(at most {sides.of_after(span):.0%}).",
                confidence=round(1 - sides.of_after(span), 3),
            )


def _question(task: CheckTask) -> Question:
    texts = (task.before.text, task.after.text)
    claims = dict.fromkeys(span.of(text) for text in texts for span in sentences(text))
    return Question(task.conversation, list(claims))


def carried(span: Span, changes: Sequence[Replacement]) -> Span:
    """Where a span of the text before lies after the changes (in order); empty where it is gone."""
    shift = growth = 0
    first, last = span
    for change in changes:
        longer = len(change.text) - (change.end - change.start)
        if change.end <= span.start and change.start < span.start:
            shift += longer
        elif change.start < span.end:
            first, last = min(first, change.start), max(last, change.end)
            growth += longer
    return Span(first + shift, last + shift + growth)
