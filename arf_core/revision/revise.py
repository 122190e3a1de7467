"""Revise: an editor answers the findings of a system's summaries, which makes a new system.

A revision round has a summary for every conversation of its parent: edited, unchanged where there
was no finding, or copied with the reason where the editor failed (the next run tries again).
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, ClassVar

from sqlalchemy import exists

from arf_core.analysis.analyze import count_work
from arf_core.project import Project
from arf_core.records import Edit, Finding, Item, Revision, RunReport, Summary, digest, now
from arf_core.revision.editors import Editor, EditTask, Proposal, open_editor
from arf_core.revision.rounds import RoundSettings, add_system, new_round
from arf_core.run import Answer, Failure, Flag, Progress, VerbSettings, run
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import CHECKS, findings_of, items, read_by, revisions_of
from arf_core.store.round_counts import review_counts
from arf_core.text import change_share, replace

FLAGGED_CHANGE = 0.3
"""Share of changed words above which a targeted edit is flagged for a person."""
Edited = Answer[EditTask, Proposal]


class ReviseSettings(VerbSettings):
    """Correct the summaries of a system, which makes a new system."""

    verb: ClassVar[str] = "revise"

    system: Annotated[str, Flag("--system", explicit=True)] = "teacher"
    """System whose summaries are corrected."""
    into: Annotated[str, Flag("--into", explicit=True)] = "r1"
    """Name of the new system."""
    detectors: Annotated[tuple[str, ...], Flag("--detector")] = ()
    """Detectors whose findings are answered, such as llm:gpt."""
    editor: str = "llm"
    """Editor: llm, rules, or rewrite (untargeted, for comparison)."""
    model: str | None = None
    """The editor's model in arf.toml."""
    categories: Annotated[tuple[str, ...] | None, Flag("--category")] = None
    """Answer only findings of these categories."""
    verifier: str | None = None
    """Verify the result at once: llm, nli or rules."""
    verifier_model: str | None = None
    """The verifier's model."""
    fresh: bool = False
    """Verify again what was verified, and ignore stored replies."""


def revise(
    project: Project,
    settings: ReviseSettings | None = None,
    *,
    progress: Progress | None = None,
    **values: Any,
) -> RunReport:
    """Make system `into` from `system` by answering the detectors' findings.

    `detectors` defaults to the only one that has read `system`; for a round that was verified, to
    what its verifier left open. What an earlier run of the same round did is skipped. The verifier
    is for `revise_and_verify`. Raises InputError for an unknown name, where the choice of detector
    is unclear, and where `into` has other settings; ModelError where no call can succeed.
    """
    settings = ReviseSettings.of(settings, values)
    store = project.store
    editor = open_editor(project, settings.editor, settings.model)
    made = new_round(project, settings.system, editor, settings.detectors, settings.categories)
    add_system(project, settings.into, made, editor)
    unfinished = not_revised(settings.into)
    report = count_work(store, settings.system, (unfinished,))

    def keep(answers: Sequence[Edited]) -> None:
        store.put_revisions([_revised(a, settings.into, made) for a in answers])

    settled = (
        (a for page in _pages(store, made, editor, unfinished) for a in page[0])
        if editor.targeted
        else ()
    )
    asked = editor.edit(tasks(store, made, editor, unfinished), fresh=settings.fresh)
    answers = chain(settled, asked)
    report = run(project, settings, report, answers, keep, editor.notes, progress)
    review_counts(store, settings.into)  # counted now, so that no page has to
    return report


def not_revised(into: str) -> Any:
    """Condition on a summary: the round has not finished it."""
    child, revision = schema.summary.alias(), schema.revision
    return ~exists().where(
        child.c.parent_id == schema.summary.c.id,
        child.c.system == into,
        revision.c.summary_id == child.c.id,
        revision.c.status != "failed",
    )


def tasks(store: Store, made: RoundSettings, editor: Editor, *where: Any) -> Iterator[EditTask]:
    """The editor's tasks among the parent's summaries for which `where` holds."""
    return (task for page in _pages(store, made, editor, *where) for task in page[1])


def _pages(
    store: Store, made: RoundSettings, editor: Editor, *where: Any
) -> Iterator[tuple[list[Edited], list[EditTask]]]:
    """For each page of summaries: the answers that need no editor, and the editor's tasks."""
    for page in items(store, made.parent, *where):
        if not editor.targeted:
            yield [], [EditTask(item=item) for item in page]
            continue
        found, unread = _findings(store, page, made), _unread(store, page, made)
        settled: list[Edited] = []
        open_tasks: list[EditTask] = []
        for item in page:
            task = EditTask(item=item, findings=tuple(found.get(item.summary.id, ())))
            if item.summary.id in unread:
                reason = f"Not read by {', '.join(made.detectors)}."
                settled.append(Answer(task, failure=Failure("not_analysed", reason)))
            elif not task.findings:
                settled.append(Answer(task, Proposal()))
            else:
                open_tasks.append(task)
        yield settled, open_tasks


def _findings(store: Store, page: Sequence[Item], made: RoundSettings) -> dict[str, list[Finding]]:
    found = findings_of(store, [i.summary.id for i in page], made.detectors)
    if made.categories is None:
        return found
    return {s: [f for f in fs if f.category in made.categories] for s, fs in found.items()}


def _unread(store: Store, page: Sequence[Item], made: RoundSettings) -> set[str]:
    """Summaries that one of the detectors has not read. A verifier has read a summary without
    findings to answer: there was nothing to verify."""
    ids = [item.summary.id for item in page]
    unread: set[str] = set()
    for detector in made.detectors:
        missing = set(ids) - read_by(store, ids, detector)
        if detector.startswith(CHECKS):
            missing -= {r.summary_id for r in revisions_of(store, ids) if not r.findings}
        unread |= missing
    return unread


def _revised(
    answer: Edited, into: str, made: RoundSettings
) -> tuple[Summary, Revision, list[Edit]]:
    parent = answer.item.item.summary
    proposal, failure = answer.value or Proposal(), answer.failure
    text = replace(parent.text, [e.replacement for e in proposal.edits])
    child = Summary.of(parent.conversation_id, into, text, parent.id)
    change = change_share(parent.text, text)
    revision = Revision(
        summary_id=child.id,
        editor=made.editor,
        settings_hash=digest(made.model_dump_json()),
        status="failed" if failure else "edited" if text != parent.text else "unchanged",
        findings=tuple(f.id for f in answer.item.findings),
        reason=failure and failure.reason,
        raw=failure and (failure.raw or failure.message),
        change=round(change, 4),
        flagged=bool(made.detectors) and change > FLAGGED_CHANGE,
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
