"""What a verb would take: the items that it would ask about, for `models.estimate`."""

from itertools import chain, islice
from typing import Any

from arf_core.analysis.analyze import AnalyzeSettings, count_work, unread_by
from arf_core.analysis.detectors import open_detector
from arf_core.models.estimate import SAMPLE, Estimate, estimate_calls, thinned
from arf_core.project import Project
from arf_core.records import Summary
from arf_core.revision.editors import EditTask, open_editor
from arf_core.revision.revise import ReviseSettings, not_revised
from arf_core.revision.revise import tasks as editor_tasks
from arf_core.revision.rounds import new_round
from arf_core.revision.verifiers import CheckTask, open_verifier
from arf_core.revision.verify import (
    VerifySettings,
    count_checks,
    refuse_circular,
    refuse_own,
    to_verify,
)
from arf_core.revision.verify import tasks as verifier_tasks
from arf_core.store.queries import count_summaries, find_system, items


def estimate_analyze(
    project: Project, settings: AnalyzeSettings | None = None, **values: Any
) -> Estimate:
    """What `analyze` with these settings would take. Raises the same errors."""
    settings = AnalyzeSettings.of(settings, values)
    store, system, limit = project.store, settings.system, settings.limit
    find_system(store, system)
    reader = open_detector(project, settings.detector, settings.model)
    unread = unread_by(reader, project.taxonomy, settings.fresh)
    report = count_work(store, system, unread, settings.splits, limit)
    count = report.asked - report.skipped
    where = (*unread, *thinned(count)) if limit is None else unread
    pages = items(store, system, *where, splits=settings.splits)
    sample = islice(chain.from_iterable(pages), limit and min(limit, SAMPLE))
    return estimate_calls(project, reader, count, None, sample, settings.fresh)


def estimate_revise(
    project: Project, settings: ReviseSettings | None = None, **values: Any
) -> list[Estimate]:
    """What `revise` with these settings would take, then what verifying would, if a verifier is
    named. Raises the errors of `revise_and_verify`."""
    settings = ReviseSettings.of(settings, values)
    store, into, fresh = project.store, settings.into, settings.fresh
    editor = open_editor(project, settings.editor, settings.model)
    made = new_round(project, settings.system, editor, settings.detectors, settings.categories)
    unrevised = not_revised(into)
    report = count_work(store, settings.system, (unrevised,))
    count = report.asked - report.skipped
    where = (unrevised, *thinned(count))
    sampled = count_summaries(store, settings.system, *where)
    sample = list(editor_tasks(store, made, editor, *where))
    estimates = [estimate_calls(project, editor, count, sampled, sample, fresh)]
    if settings.verifier is not None:
        verifier = open_verifier(project, settings.verifier, settings.verifier_model)
        refuse_own(verifier, made.detectors)
        checks = [_as_if_edited(task, into) for task in sample if task.findings]
        estimates.append(estimate_calls(project, verifier, count, sampled, checks, fresh))
    return estimates


def estimate_verify(
    project: Project, settings: VerifySettings | None = None, **values: Any
) -> Estimate:
    """What `verify` with these settings would take. Raises the same errors."""
    settings = VerifySettings.of(settings, values)
    store, system, fresh = project.store, settings.system, settings.fresh
    verifier = open_verifier(project, settings.verifier, settings.model)
    refuse_circular(project, system, verifier)
    report = count_checks(project, system, verifier, fresh)
    count = report.asked - report.skipped
    where = (*to_verify(project, system, verifier, fresh), *thinned(count))
    sampled = count_summaries(store, system, *where)
    sample = verifier_tasks(store, system, *where)
    return estimate_calls(project, verifier, count, sampled, sample, fresh)


def _as_if_edited(task: EditTask, into: str) -> CheckTask:
    """The check to come, with the text before the edit, which has about the same length."""
    before = task.item.summary
    return CheckTask(
        conversation=task.item.conversation,
        before=before,
        after=Summary.of(before.conversation_id, into, before.text, before.id),
        findings=task.findings,
    )
