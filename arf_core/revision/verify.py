"""Verify: a second reader judges what a revision round did with each finding.

Its answers are checks. What it leaves open, findings that are not fixed and errors that came in,
is also kept as its reading of the revised summary (detector `check:<verifier>`), so that the next
round can answer it. That reading looked only at what was asked, so it never counts in a rate.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Text, exists, select, type_coerce

from arf_core.analysis.analyze import finding
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import (
    Analysis,
    Check,
    CheckResult,
    Finding,
    Item,
    Reading,
    RunReport,
    Summary,
    System,
    digest,
    now,
)
from arf_core.revision.revise import RoundSettings
from arf_core.revision.verifiers import CheckTask, Judged, Verdict, Verifier, open_verifier
from arf_core.run import Answer, Progress, in_batches
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import (
    CHECKS,
    count_summaries,
    find_system,
    findings_by_id,
    is_read,
    items,
    revisions_of,
)
from arf_core.store.round_counts import review_counts
from arf_core.text import locate


def verify(
    project: Project,
    system: str,
    verifier: str = "llm",
    *,
    model: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Check every revision of round `system` that had findings to answer.

    A summary that the editor left as it was is `not_fixed` without asking anyone. Raises InputError
    where `system` is no targeted round, or where the verifier is the detector that asked for it.
    """
    started = time.monotonic()
    find_system(project.store, system)
    worker = open_verifier(project, verifier, model)
    run = checking(project, system, worker)
    project.store.keep_version("verifier", worker.settings, digest(worker.settings))
    report = run.report(fresh)
    with project.meter.run(report):
        for answers in (run.left_as_they_were(fresh), worker.verify(run.tasks(fresh), fresh=fresh)):
            for batch in in_batches(answers):
                run.keep([a for a in batch if not a.pending])
                for answer in batch:
                    answer.count_in(report)
                if progress:
                    progress(report.finished, report.asked)
    review_counts(project.store, system)  # now, so that the first page need not wait
    report.notes += worker.notes()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def checking(project: Project, system: str, worker: Verifier) -> "Checking":
    """What this verifier is to check of a round. Raises InputError as `verify` does."""
    settings = _round(project.store, find_system(project.store, system))
    refuse_own(worker, settings.detectors)
    return Checking(project, system, worker)


def refuse_own(worker: Verifier, detectors: Sequence[str]) -> None:
    """Raises InputError where the verifier is one of the detectors that asked for the round."""
    if worker.name in detectors:
        raise InputError(
            f"{worker.name} asked for this revision, so it cannot be the one to check it.",
            "Choose another verifier, or another model with --verifier-model.",
        )


def _round(store: Store, system: System) -> RoundSettings:
    """How the round was made. Raises InputError where the system is no targeted round."""
    if system.kind != "revision":
        raise InputError(
            f"{system.name!r} is no targeted revision, so there are no findings to check.",
            "Analyze it instead, with any detector.",
        )
    with store.read() as conn:
        query = select(schema.version.c.content)
        content = conn.scalar(query.where(schema.version.c.hash == system.settings_hash))
    return RoundSettings.model_validate_json(content or "")


class Checking:
    """One verification: what is to be checked, and keeping what comes."""

    def __init__(self, project: Project, system: str, worker: Verifier) -> None:
        self._store = project.store
        self._taxonomy_hash = project.taxonomy.hash
        self._system = system
        self._verifier = worker.name
        self._detector = CHECKS + worker.name
        self._settings_hash = digest(worker.settings)

    def open_ones(self, fresh: bool) -> list[Any]:
        """Conditions on a summary of the round: it is to be checked."""
        revision = schema.revision
        to_answer = exists().where(
            revision.c.summary_id == schema.summary.c.id,
            type_coerce(revision.c.findings, Text) != "[]",
        )
        done = is_read(self._detector, self._settings_hash, self._taxonomy_hash)
        return [to_answer] if fresh else [to_answer, ~done]

    def report(self, fresh: bool) -> RunReport:
        there = count_summaries(self._store, self._system, *self.open_ones(True))
        open_ones = count_summaries(self._store, self._system, *self.open_ones(fresh))
        return RunReport(asked=there, skipped=there - open_ones)

    def left_as_they_were(self, fresh: bool) -> Iterator[Answer[CheckTask, Verdict]]:
        verdict = Judged(result="not_fixed", reason="The editor left the summary as it was.")
        for task in self._all(fresh):
            if task.after.text == task.before.text:
                yield Answer(task, Verdict(judged=(verdict,) * len(task.findings)))

    def tasks(self, fresh: bool, *where: Any) -> Iterator[CheckTask]:
        """What the verifier is asked, of the summaries for which `where` holds."""
        return (t for t in self._all(fresh, *where) if t.after.text != t.before.text)

    def _all(self, fresh: bool, *where: Any) -> Iterator[CheckTask]:
        for page in items(self._store, self._system, *self.open_ones(fresh), *where):
            parents = [item.summary.parent_id for item in page]
            with_parent = schema.summary.c.id.in_(parents)
            before = {s.id: s for s in self._store.all(Summary, with_parent)}
            asked = {
                r.summary_id: r.findings
                for r in revisions_of(self._store, [i.summary.id for i in page])
            }
            found = findings_by_id(self._store, [f for ids in asked.values() for f in ids])
            for item in page:
                yield CheckTask(
                    conversation=item.conversation,
                    before=before[item.summary.parent_id or ""],
                    after=item.summary,
                    findings=tuple(found[f] for f in asked[item.summary.id]),
                )

    def keep(self, answers: Sequence[Answer[CheckTask, Verdict]]) -> None:
        """Store each answer's reading, and its checks."""
        kept = [self._kept(answer) for answer in answers]
        checks = [check for _, checks in kept for check in checks]
        self._store.put_readings([reading for reading, _ in kept], checks)

    def _kept(self, answer: Answer[CheckTask, Verdict]) -> tuple[Reading, list[Check]]:
        task, failure = answer.item, answer.failure
        verdict = answer.value or Verdict(judged=())
        analysis = Analysis(
            id=uuid4().hex,
            summary_id=task.after.id,
            detector=self._detector,
            settings_hash=self._settings_hash,
            taxonomy_hash=self._taxonomy_hash,
            status="failed" if failure else "done",
            reason=failure and failure.reason,
            raw=failure and (failure.raw or failure.message),
            at=now(),
        )
        new = [finding(f, analysis.id, n) for n, f in enumerate(verdict.new_errors)]
        still = [
            _still_there(task.after.text, f, j, analysis.id, len(new) + n)
            for n, (f, j) in enumerate(zip(task.findings, verdict.judged, strict=False))
            if j.result == "not_fixed"
        ]
        checks = [
            self._check(task, f, j.result, j.reason)
            for f, j in zip(task.findings, verdict.judged, strict=False)
        ] + [self._check(task, f, "new_error", f.explanation) for f in new]
        item = Item(conversation=task.conversation, summary=task.after)
        return Reading(item=item, analysis=analysis, findings=(*new, *still)), checks

    def _check(self, task: CheckTask, of: Finding, result: CheckResult, reason: str) -> Check:
        return Check(
            summary_id=task.after.id,
            finding_id=of.id,
            verifier=self._verifier,
            result=result,
            reason=reason,
        )


def _still_there(text: str, old: Finding, judged: Judged, analysis_id: str, number: int) -> Finding:
    """A finding that was not fixed, as a finding on the revised text."""
    span = locate(text, old.quote) if old.quote else None
    return old.model_copy(
        update={
            "id": f"{analysis_id}-{number}",
            "analysis_id": analysis_id,
            "quote": span and span.of(text),
            "start": span and span.start,
            "end": span and span.end,
            "explanation": f"{old.explanation} Not fixed by the last edit: {judged.reason}".strip(),
        }
    )
