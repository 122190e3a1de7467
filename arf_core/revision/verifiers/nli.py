"""A classifier judges a revision: is the wrong sentence now supported, or gone?

It judges only what it can see. A finding is unchecked where the classifier found the sentence
supported before the edit, or where support says nothing about the category (what is missing,
repeated or private).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from arf_core.analysis.nli.claims import Question, judge
from arf_core.analysis.nli.classifier import Classifier, open_classifier
from arf_core.project import Project
from arf_core.project.settings import NliSettings
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding
from arf_core.revision.verifiers import CheckTask, Judgement, Verdict
from arf_core.run import Answer
from arf_core.text import Replacement, Span, replacements_between, sentences

AT_ONCE = 16


def open_verifier(project: Project, model: str | None = None) -> "NliVerifier":
    """`model` is a folder or a name on the hub; the default is under [nli] in arf.toml."""
    return NliVerifier(open_classifier(project, model), project.settings.nli, project.taxonomy)


@dataclass
class _Versions:
    """Parent and revised text, sentence by sentence, with the support of each sentence."""

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
        """The sentences of the revised text where this one was."""
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
        versions = _Versions(
            task=task,
            before=sentences(task.before.text),
            after=sentences(task.after.text),
            changes=sorted(replacements_between(task.before.text, task.after.text)),
            support=dict(zip(question.claims, support, strict=True)),
        )
        judgements = tuple(self._judgement(versions, f) for f in task.findings)
        return Verdict(judgements=judgements, new_errors=tuple(self._new_errors(versions)))

    def _judgement(self, versions: _Versions, finding: Finding) -> Judgement:
        if finding.category not in self._judges:
            return Judgement(
                result="unchecked", reason=f"No classifier can judge {finding.category}."
            )
        if finding.start is None or finding.end is None:
            return Judgement(result="unchecked", reason="The finding has no span in the summary.")
        wrong = self._wrong(versions, finding)
        if not wrong:
            return Judgement(result="unchecked", reason="The classifier did not see this error.")
        now = [s for span in wrong for s in versions.became(span)]
        if not now:
            return Judgement(result="fixed", reason="The sentence is gone.")
        least = min(versions.of_after(s) for s in now)
        reason = f"Support of the sentence that replaced it: {least:.0%}."
        return Judgement(result="fixed" if least >= self._threshold else "not_fixed", reason=reason)

    def _wrong(self, versions: _Versions, finding: Finding) -> list[Span]:
        """The sentences of the finding that are not supported."""
        at = Span(finding.start or 0, finding.end or 0)
        touched = [s for s in versions.before if s.overlaps(at)]
        return [s for s in touched if versions.of_before(s) < self._threshold]

    def _new_errors(self, versions: _Versions) -> Iterator[Finding]:
        """Changed sentences without support, where every sentence had support before."""
        text = versions.task.after.text
        for span in versions.after:
            if versions.of_after(span) >= self._threshold:
                continue
            replaced = [s for s in versions.before if span in versions.became(s)]
            same = any(s.of(versions.task.before.text) == span.of(text) for s in replaced)
            if same or any(versions.of_before(s) < self._threshold for s in replaced):
                continue
            yield Finding(
                category=self._new,
                quote=span.of(text),
                start=span.start,
                end=span.end,
                explanation="Nothing in the conversation supports this sentence since the edit "
                f"(at most {versions.of_after(span):.0%}).",
                confidence=round(1 - versions.of_after(span), 3),
            )


def _question(task: CheckTask) -> Question:
    texts = (task.before.text, task.after.text)
    claims = dict.fromkeys(span.of(text) for text in texts for span in sentences(text))
    return Question(task.conversation, list(claims))


def carried(span: Span, changes: Sequence[Replacement]) -> Span:
    """The span after the sorted changes; empty where its text is gone."""
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
