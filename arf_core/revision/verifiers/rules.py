"""The rules judge a revision as far as they can prove anything about it.

They recognise a finding, whoever reported it, if they flag the same words of the parent. It is
fixed if they no longer flag those words, and not fixed if they do. Anything that the rules could
not have found themselves is unchecked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from arf_core.checks import Violation, violations
from arf_core.checks.transcript import Transcript
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import Finding
from arf_core.revision.verifiers import CheckTask, Judgement, Verdict
from arf_core.run import Answer
from arf_core.text import Span


def open_verifier(project: Project, model: str | None = None) -> "RulesVerifier":
    """Raises InputError where a model is named: the rules ask none."""
    if model is not None:
        raise InputError("The rules verifier asks no model.", "Leave the model out.")
    return RulesVerifier(project.taxonomy)


class RulesVerifier:
    name = "rules"
    settings = '{"version": 1}'

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._categories = taxonomy.by_id

    def verify(
        self, tasks: Iterable[CheckTask], *, fresh: bool = False
    ) -> Iterator[Answer[CheckTask, Verdict]]:
        for task in tasks:
            yield Answer(task, self._verdict(task))

    def notes(self) -> list[str]:
        return []

    def _verdict(self, task: CheckTask) -> Verdict:
        transcript = Transcript.of(task.conversation)
        before = violations(transcript, task.before.text, self._categories)
        after = violations(transcript, task.after.text, self._categories)
        old_words = Counter(_words(f, task.before.text) for f in before)
        new = []
        for flaw in after:  # each flaw of before accounts for one of after
            words = _words(flaw, task.after.text)
            if old_words[words]:
                old_words[words] -= 1
            else:
                new.append(_finding(flaw, task.after.text))
        still = {_words(f, task.after.text) for f in after}
        judgements = tuple(_judgement(f, task.before.text, before, still) for f in task.findings)
        return Verdict(judgements=judgements, new_errors=tuple(new))


Words = tuple[str, str]
"""Category and words of a flaw: what it is known by in both versions."""


def _words(flaw: Violation, text: str) -> Words:
    return flaw.category, text[flaw.start : flaw.end]


def _judgement(
    finding: Finding, text: str, before: Sequence[Violation], still: set[Words]
) -> Judgement:
    if finding.start is None or finding.end is None:
        return Judgement(result="unchecked", reason="The rules cannot see what is missing.")
    at = Span(finding.start, finding.end)
    known = [
        f for f in before if f.category == finding.category and at.overlaps(Span(f.start, f.end))
    ]
    if not known:
        return Judgement(result="unchecked", reason="The rules cannot prove this error.")
    if any(_words(f, text) in still for f in known):
        return Judgement(result="not_fixed", reason="The same words are still there.")
    return Judgement(result="fixed", reason="The rules find no error there.")


def _finding(flaw: Violation, text: str) -> Finding:
    return Finding(
        category=flaw.category,
        quote=text[flaw.start : flaw.end],
        start=flaw.start,
        end=flaw.end,
        evidence=flaw.evidence,
        explanation=flaw.explanation,
    )
