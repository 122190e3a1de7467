"""Verify: a second reader judges what a revision round did with each finding.

Its answers are checks. What it leaves open, unfixed findings and new errors, is also stored as its
reading of the revised summary (detector `check:<verifier>`), so that the next round can answer it.
That reading covers only the findings it was asked about, so it never counts in a rate.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, ClassVar

from sqlalchemy import Text, exists, type_coerce

from arf_core.analysis.analyze import identified, new_analysis
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import (
    Check,
    CheckResult,
    Finding,
    Item,
    Reading,
    Record,
    RunReport,
    Summary,
    digest,
)
from arf_core.revision.editors import open_editor
from arf_core.revision.revise import ReviseSettings, revise
from arf_core.revision.rounds import new_round, settings_of
from arf_core.revision.verifiers import CheckTask, Judgement, Verdict, Verifier, open_verifier
from arf_core.run import Answer, Flag, PhaseProgress, Progress, VerbSettings, run
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

Checked = Answer[CheckTask, Verdict]


class VerifySettings(VerbSettings):
    """Verify the corrections of a revision round."""

    verb: ClassVar[str] = "verify"

    system: Annotated[str, Flag("--system", explicit=True)] = "r1"
    """Revision round to verify."""
    verifier: str = "llm"
    """Verifier: llm, nli or rules."""
    model: str | None = None
    """For llm, a model in arf.toml; for nli, a folder or a name on the hub."""
    fresh: bool = False
    """Verify again what was verified, and ignore stored replies."""


class RoundReport(Record):
    """Reports of a revision and of its verification, as far as they ran."""

    revise: RunReport | None = None
    verify: RunReport | None = None

    @property
    def runs(self) -> list[RunReport]:
        return [run for run in (self.revise, self.verify) if run is not None]


def verify(
    project: Project,
    settings: VerifySettings | None = None,
    *,
    progress: Progress | None = None,
    **values: Any,
) -> RunReport:
    """Verify every revision of round `system` that had findings to answer.

    A summary that the editor left unchanged is `not_fixed` without a call. Raises InputError where
    `system` is not a targeted round, or the verifier is the detector that asked for it.
    """
    settings = VerifySettings.of(settings, values)
    find_system(project.store, settings.system)
    verifier = open_verifier(project, settings.verifier, settings.model)
    refuse_circular(project, settings.system, verifier)
    settings_hash = digest(verifier.settings)
    project.store.keep_version("verifier", verifier.settings, settings_hash)
    unfinished = to_verify(project, settings.system, verifier, settings.fresh)

    def keep(answers: Sequence[Checked]) -> None:
        stored = [_stored(a, project, verifier, settings_hash) for a in answers]
        project.store.put_readings([r for r, _ in stored], [c for _, cs in stored for c in cs])

    changed = tasks(project.store, settings.system, *unfinished)
    report = run(
        project,
        settings,
        count_checks(project, settings.system, verifier, settings.fresh),
        chain(
            _unchanged(project.store, settings.system, *unfinished),
            verifier.verify(changed, fresh=settings.fresh),
        ),
        keep,
        verifier.notes,
        progress,
    )
    review_counts(project.store, settings.system)  # counted now, so that no page has to
    return report


def revise_and_verify(
    project: Project,
    settings: ReviseSettings | None = None,
    *,
    progress: PhaseProgress | None = None,
    **values: Any,
) -> RoundReport:
    """Revise, then verify the new round where the settings name a verifier.

    Raises the errors of `revise` and `verify`; a circular verifier is refused before revising.
    """
    settings = ReviseSettings.of(settings, values)
    if settings.verifier is not None:
        editor = open_editor(project, settings.editor, settings.model)
        made = new_round(project, settings.system, editor, settings.detectors, settings.categories)
        refuse_own(
            open_verifier(project, settings.verifier, settings.verifier_model), made.detectors
        )

    def phase(name: str) -> Progress | None:
        return progress and (lambda done, total: progress(name, done, total))

    revised = revise(project, settings, progress=phase("revising"))
    if settings.verifier is None:
        return RoundReport(revise=revised)
    check = VerifySettings(
        system=settings.into,
        verifier=settings.verifier,
        model=settings.verifier_model,
        fresh=settings.fresh,
    )
    return RoundReport(revise=revised, verify=verify(project, check, progress=phase("verifying")))


def refuse_circular(project: Project, system: str, verifier: Verifier) -> None:
    """Raise InputError where `system` is not a targeted round or `verifier` asked for it."""
    found = find_system(project.store, system)
    made = settings_of(project.store, found) if found.kind == "revision" else None
    if made is None:
        raise InputError(
            f"{system!r} is not a targeted revision, so it has no findings to verify.",
            "Analyze it instead, with any detector.",
        )
    refuse_own(verifier, made.detectors)


def refuse_own(verifier: Verifier, detectors: Sequence[str]) -> None:
    """Raise InputError where the verifier is one of the detectors that asked for the revision."""
    if verifier.name in detectors:
        raise InputError(
            f"{verifier.name} asked for this revision, so it cannot verify it.",
            "Choose another verifier, or another model with --verifier-model.",
        )


def to_verify(project: Project, system: str, verifier: Verifier, fresh: bool) -> tuple[Any, ...]:
    """Conditions on a summary of the round: it had findings to answer and is not verified yet."""
    revision = schema.revision
    has_findings = exists().where(
        revision.c.summary_id == schema.summary.c.id,
        type_coerce(revision.c.findings, Text) != "[]",
    )
    if fresh:
        return (has_findings,)
    detector, settings_hash = CHECKS + verifier.name, digest(verifier.settings)
    return has_findings, ~is_read(detector, settings_hash, project.taxonomy.hash)


def count_checks(project: Project, system: str, verifier: Verifier, fresh: bool) -> RunReport:
    """A report that counts the round's summaries to verify, and those verified already."""
    total = count_summaries(project.store, system, *to_verify(project, system, verifier, True))
    left = count_summaries(project.store, system, *to_verify(project, system, verifier, fresh))
    return RunReport(asked=total, skipped=total - left)


def tasks(store: Store, system: str, *where: Any) -> Iterator[CheckTask]:
    """The verifier's tasks: edited summaries of the round for which `where` holds."""
    return (t for t in _all_tasks(store, system, *where) if t.after.text != t.before.text)


def _unchanged(store: Store, system: str, *where: Any) -> Iterator[Checked]:
    judgement = Judgement(result="not_fixed", reason="The editor left the summary unchanged.")
    for task in _all_tasks(store, system, *where):
        if task.after.text == task.before.text:
            yield Answer(task, Verdict(judgements=(judgement,) * len(task.findings)))


def _all_tasks(store: Store, system: str, *where: Any) -> Iterator[CheckTask]:
    for page in items(store, system, *where):
        parents = [item.summary.parent_id for item in page]
        before = {s.id: s for s in store.all(Summary, schema.summary.c.id.in_(parents))}
        revisions = revisions_of(store, [i.summary.id for i in page])
        answered = {r.summary_id: r.findings for r in revisions}
        found = findings_by_id(store, [f for ids in answered.values() for f in ids])
        for item in page:
            yield CheckTask(
                conversation=item.conversation,
                before=before[item.summary.parent_id or ""],
                after=item.summary,
                findings=tuple(found[f] for f in answered[item.summary.id]),
            )


def _stored(
    answer: Checked, project: Project, verifier: Verifier, settings_hash: str
) -> tuple[Reading, list[Check]]:
    """The verifier's reading of the revised summary, and its checks."""
    task, verdict = answer.item, answer.value or Verdict(judgements=())
    item = Item(conversation=task.conversation, summary=task.after)
    detector = CHECKS + verifier.name
    analysis = new_analysis(item, detector, settings_hash, project.taxonomy, answer.failure)
    judged = list(zip(task.findings, verdict.judgements, strict=False))
    unfixed = [_carried_over(task.after.text, f, j) for f, j in judged if j.result == "not_fixed"]
    findings = identified((*verdict.new_errors, *unfixed), analysis)
    new = findings[: len(verdict.new_errors)]

    def check(finding: Finding, result: CheckResult, reason: str) -> Check:
        return Check(
            summary_id=task.after.id,
            finding_id=finding.id,
            verifier=verifier.name,
            result=result,
            reason=reason,
        )

    checks = [check(f, j.result, j.reason) for f, j in judged]
    checks += [check(f, "new_error", f.explanation) for f in new]
    return Reading(item=item, analysis=analysis, findings=findings), checks


def _carried_over(text: str, finding: Finding, judgement: Judgement) -> Finding:
    """An unfixed finding of the parent, as a finding of the revised text."""
    span = locate(text, finding.quote) if finding.quote else None
    reason = f"{finding.explanation} Not fixed by the last edit: {judgement.reason}".strip()
    return finding.model_copy(
        update={
            "quote": span and span.of(text),
            "start": span and span.start,
            "end": span and span.end,
            "explanation": reason,
        }
    )
