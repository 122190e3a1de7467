"""What a verb would take: the items that it would ask about, for `models.estimate`."""

from collections.abc import Sequence
from itertools import chain, islice

from arf_core.analysis.analyze import asked, unread_by
from arf_core.analysis.detectors import open_detector
from arf_core.models.estimate import SAMPLE, Estimate, estimate_calls, thinned
from arf_core.project import Project
from arf_core.records import SPLITS, Split, Summary
from arf_core.revision.editors import EditTask, open_editor
from arf_core.revision.revise import not_revised, round_settings, tasks
from arf_core.revision.verifiers import CheckTask, open_verifier
from arf_core.revision.verify import checking, refuse_own
from arf_core.store.queries import count_summaries, find_system, items


def estimate_analyze(
    project: Project,
    system: str,
    detector: str = "rules",
    *,
    model: str | None = None,
    splits: Sequence[Split] = SPLITS,
    limit: int | None = None,
    fresh: bool = False,
) -> Estimate:
    """What `analyze` with the same arguments would take. Raises the same errors."""
    store = project.store
    find_system(store, system)
    reader = open_detector(project, detector, model)
    unread = unread_by(reader, project.taxonomy, fresh)
    report = asked(store, system, unread, splits, limit)
    count = report.asked - report.skipped
    where = (*unread, *thinned(count)) if limit is None else unread
    pages = items(store, system, *where, splits=splits)
    sample = islice(chain.from_iterable(pages), limit and min(limit, SAMPLE))
    return estimate_calls(project, reader, count, None, sample, fresh)


def estimate_revise(
    project: Project,
    system: str,
    into: str,
    *,
    detectors: Sequence[str] = (),
    editor: str = "llm",
    model: str | None = None,
    categories: Sequence[str] | None = None,
    fresh: bool = False,
    verifier: str | None = None,
    verifier_model: str | None = None,
) -> list[Estimate]:
    """What `revise` with the same arguments would take; with a verifier, also what checking would.
    Raises the same errors."""
    store = project.store
    worker = open_editor(project, editor, model)
    settings = round_settings(project, system, worker, detectors, categories)
    unrevised = not_revised(into)
    report = asked(store, system, (unrevised,), SPLITS)
    count = report.asked - report.skipped
    where = (unrevised, *thinned(count))
    sampled = count_summaries(store, system, *where)
    sample = list(tasks(store, settings, worker, *where))
    made = [estimate_calls(project, worker, count, sampled, sample, fresh)]
    if verifier is not None:
        checker = open_verifier(project, verifier, verifier_model)
        refuse_own(checker, settings.detectors)
        checks = [_as_if_edited(task, into) for task in sample if task.findings]
        made.append(estimate_calls(project, checker, count, sampled, checks, fresh))
    return made


def estimate_verify(
    project: Project,
    system: str,
    verifier: str = "llm",
    *,
    model: str | None = None,
    fresh: bool = False,
) -> Estimate:
    """What `verify` with the same arguments would take. Raises the same errors."""
    worker = open_verifier(project, verifier, model)
    run = checking(project, system, worker)
    count = count_summaries(project.store, system, *run.open_ones(fresh))
    where = thinned(count)
    sampled = count_summaries(project.store, system, *run.open_ones(fresh), *where)
    return estimate_calls(project, worker, count, sampled, run.tasks(fresh, *where), fresh)


def _as_if_edited(task: EditTask, into: str) -> CheckTask:
    """The check to come, with the text before the edit, which has about the same length."""
    before = task.item.summary
    return CheckTask(
        conversation=task.item.conversation,
        before=before,
        after=Summary.of(before.conversation_id, into, before.text, before.id),
        findings=task.findings,
    )
