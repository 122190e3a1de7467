"""Revise: an editor answers the findings of a system's summaries, which makes a new system.

A revision round has a summary for every conversation of its parent: edited, unchanged where nobody
found anything, or copied with the reason where the editor failed (tried again by the next run).
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import exists

from arf_core.analysis.analyze import asked
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import (
    SPLITS,
    Edit,
    Finding,
    Item,
    Record,
    Revision,
    RunReport,
    Summary,
    System,
    digest,
    now,
)
from arf_core.revision.editors import Editor, EditTask, Proposal, open_editor
from arf_core.run import Answer, Failure, Progress, in_batches
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import (
    CHECKS,
    detectors_of,
    find_system,
    findings_of,
    items,
    read_by,
    require_detectors,
    revisions_of,
)
from arf_core.store.round_counts import review_counts
from arf_core.text import change_share, replace

FLAGGED_CHANGE = 0.3
"""Share of words that a targeted edit may change before a person should look first."""


class RoundSettings(Record):
    """What makes a revision round, kept verbatim with it."""

    parent: str
    detectors: tuple[str, ...]
    """Whose findings are answered; none for an untargeted editor."""
    categories: tuple[str, ...] | None
    """Only these categories; None for all."""
    editor: str
    editor_settings: str
    taxonomy_hash: str


def revise(
    project: Project,
    system: str,
    into: str,
    *,
    detectors: Sequence[str] = (),
    editor: str = "llm",
    model: str | None = None,
    categories: Sequence[str] | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Make system `into` from `system` by answering the detectors' findings.

    `detectors` defaults to the only one that has read `system`; for a round that was verified, to
    what its verifier left open. What an earlier run of the same round did is skipped. Raises
    InputError where a name is wrong, where the choice of detector is unclear, or where `into` was
    made in another way; ModelError where no call can succeed.
    """
    started = time.monotonic()
    store = project.store
    worker = open_editor(project, editor, model)
    settings = round_settings(project, system, worker, detectors, categories)
    _found_system(store, into, settings, worker, project)
    open_ones = (not_revised(into),)
    report = asked(store, system, open_ones, SPLITS)
    with project.meter.run(report):
        for answers in (
            _without_editor(store, settings, open_ones, worker),
            worker.edit(tasks(store, settings, worker, *open_ones), fresh=fresh),
        ):
            for batch in in_batches(answers):
                store.put_revisions([_revised(a, into, settings) for a in batch if not a.pending])
                for answer in batch:
                    answer.count_in(report)
                if progress:
                    progress(report.finished, report.asked)
    review_counts(store, into)  # now, so that the first page of the round need not wait
    report.notes += worker.notes()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def round_settings(
    project: Project,
    system: str,
    worker: Editor,
    detectors: Sequence[str] = (),
    categories: Sequence[str] | None = None,
) -> RoundSettings:
    """What makes this round. Raises InputError as `revise` does."""
    parent = find_system(project.store, system)
    chosen = None if categories is None else tuple(project.taxonomy[c].id for c in categories)
    return RoundSettings(
        parent=system,
        detectors=_detectors(project.store, parent, detectors) if worker.targeted else (),
        categories=chosen,
        editor=worker.name,
        editor_settings=worker.settings,
        taxonomy_hash=project.taxonomy.hash,
    )


def _detectors(store: Store, parent: System, given: Sequence[str]) -> tuple[str, ...]:
    require_detectors(store, parent.name, given)
    if given:
        return tuple(given)
    known = detectors_of(store, parent.name, checks=True)
    checks = [d for d in known if d.startswith(CHECKS)]
    choice = checks or known
    if len(choice) != 1:
        raise InputError(
            f"Whose findings on {parent.name!r} are to be answered?",
            f"Give --detector with one or more of: {', '.join(choice)}."
            if choice
            else f"Nobody has read {parent.name!r}: run arf analyze first.",
        )
    return tuple(choice)


def _found_system(
    store: Store, into: str, settings: RoundSettings, worker: Editor, project: Project
) -> None:
    """Enter the new system, or make sure that the one of this name is this very round."""
    content = settings.model_dump_json()
    system = System(
        name=into,
        kind="revision" if worker.targeted else "rewrite",
        parent=settings.parent,
        model=worker.name,
        settings_hash=digest(content),
    )
    there = store.get(System, schema.system.c.name == into)
    if there is not None and there != system:
        raise InputError(
            f"There is a system {into!r} already, made in another way.",
            "Give the new round another name: --into NAME.",
        )
    store.keep_version("round", content, system.settings_hash)
    store.keep_version("taxonomy", project.taxonomy.content, project.taxonomy.hash)
    store.add([system])


def not_revised(into: str) -> Any:
    """Condition on a summary: the round has not done with it."""
    child, revision = schema.summary.alias(), schema.revision
    return ~exists().where(
        child.c.parent_id == schema.summary.c.id,
        child.c.system == into,
        revision.c.summary_id == child.c.id,
        revision.c.status != "failed",
    )


def _without_editor(
    store: Store, settings: RoundSettings, open_ones: Sequence[Any], worker: Editor
) -> Iterator[Answer[EditTask, Proposal]]:
    """What needs no editor: summaries without findings, and those that nobody has read."""
    if not worker.targeted:
        return
    for page in items(store, settings.parent, *open_ones):
        found = _findings(store, page, settings)
        unread = _unread(store, page, settings)
        for item in page:
            task = EditTask(item=item, findings=tuple(found.get(item.summary.id, ())))
            if item.summary.id in unread:
                failure = Failure("not_analysed", f"Not read by {', '.join(settings.detectors)}.")
                yield Answer(task, failure=failure)
            elif not task.findings:
                yield Answer(task, Proposal())


def tasks(store: Store, settings: RoundSettings, worker: Editor, *where: Any) -> Iterator[EditTask]:
    """What the editor is asked: the summaries for which `where` holds and which it can answer."""
    for page in items(store, settings.parent, *where):
        if not worker.targeted:
            yield from (EditTask(item=item) for item in page)
            continue
        found = _findings(store, page, settings)
        unread = _unread(store, page, settings)
        for item in page:
            if item.summary.id not in unread and item.summary.id in found:
                yield EditTask(item=item, findings=tuple(found[item.summary.id]))


def _findings(
    store: Store, page: Sequence[Item], settings: RoundSettings
) -> dict[str, list[Finding]]:
    found = findings_of(store, [i.summary.id for i in page], settings.detectors)
    if settings.categories is None:
        return found
    kept = {s: [f for f in fs if f.category in settings.categories] for s, fs in found.items()}
    return {s: fs for s, fs in kept.items() if fs}


def _unread(store: Store, page: Sequence[Item], settings: RoundSettings) -> set[str]:
    """Summaries that one of the detectors has not read. To a verifier's reading a summary that had
    no findings to answer is read: there was nothing to check."""
    ids = [item.summary.id for item in page]
    unread: set[str] = set()
    for detector in settings.detectors:
        missing = set(ids) - read_by(store, ids, detector)
        if detector.startswith(CHECKS):
            missing -= {r.summary_id for r in revisions_of(store, ids) if not r.findings}
        unread |= missing
    return unread


def _revised(
    answer: Answer[EditTask, Proposal], into: str, settings: RoundSettings
) -> tuple[Summary, Revision, list[Edit]]:
    parent = answer.item.item.summary
    proposal, failure = answer.value or Proposal(), answer.failure
    text = replace(parent.text, [e.replacement for e in proposal.edits])
    child = Summary.of(parent.conversation_id, into, text, parent.id)
    change = change_share(parent.text, text)
    revision = Revision(
        summary_id=child.id,
        editor=settings.editor,
        settings_hash=digest(settings.model_dump_json()),
        status="failed" if failure else "edited" if text != parent.text else "unchanged",
        findings=tuple(f.id for f in answer.item.findings),
        reason=failure and failure.reason,
        raw=failure and (failure.raw or failure.message),
        change=round(change, 4),
        flagged=bool(settings.detectors) and change > FLAGGED_CHANGE,
        at=now(),
    )
    edits = [
        Edit(
            summary_id=child.id,
            finding_id=e.finding_id,
            start=e.replacement.start,
            end=e.replacement.end,
            text=e.replacement.text,
        )
        for e in proposal.edits
    ]
    return child, revision, edits
