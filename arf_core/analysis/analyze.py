"""Analyze: a detector reads every summary of a system."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import Annotated, Any, ClassVar
from uuid import uuid4

from pydantic import Field

from arf_core.analysis.detectors import Detection, Detector, open_detector
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import (
    SPLITS,
    Analysis,
    Finding,
    Item,
    Reading,
    RunReport,
    Split,
    digest,
    now,
)
from arf_core.run import Answer, Failure, Flag, Progress, VerbSettings, run
from arf_core.store.database import Store
from arf_core.store.queries import count_summaries, find_system, is_read, items


class AnalyzeSettings(VerbSettings):
    """Read the summaries of a system."""

    verb: ClassVar[str] = "analyze"

    system: Annotated[str, Flag("--system", explicit=True)] = "teacher"
    """System whose summaries are read."""
    detector: str = "rules"
    """Detector: rules, llm or nli."""
    model: str | None = None
    """For llm, a model in arf.toml; for nli, a folder or a name on the hub."""
    splits: Annotated[tuple[Split, ...], Flag("--split")] = SPLITS
    """Only these splits."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Read at most this many summaries, for a trial."""
    fresh: bool = False
    """Read again what was read, and ignore stored replies."""


def analyze(
    project: Project,
    settings: AnalyzeSettings | None = None,
    *,
    progress: Progress | None = None,
    **values: Any,
) -> RunReport:
    """Read every summary that this detector has not read with these settings.

    A reading is stored whole: its findings, or a failure with its reason. The next run tries
    failures again. Raises InputError for an unknown name, ModelError where no call can succeed.
    """
    settings = AnalyzeSettings.of(settings, values)
    store, taxonomy = project.store, project.taxonomy
    find_system(store, settings.system)
    detector = open_detector(project, settings.detector, settings.model)
    settings_hash = digest(detector.settings)
    store.keep_version("detector", detector.settings, settings_hash)
    store.keep_version("taxonomy", taxonomy.content, taxonomy.hash)
    unread = unread_by(detector, taxonomy, settings.fresh)
    pages = items(store, settings.system, *unread, splits=settings.splits)
    waiting = islice(chain.from_iterable(pages), settings.limit)

    def keep(answers: Sequence[Answer[Item, Detection]]) -> None:
        readings = [
            _reading(a, new_analysis(a.item, detector.name, settings_hash, taxonomy, a.failure))
            for a in answers
        ]
        store.put_readings(readings)

    report = count_work(store, settings.system, unread, settings.splits, settings.limit)
    answers = detector.read(waiting, fresh=settings.fresh)
    report = run(project, settings, report, answers, keep, detector.notes, progress)
    from arf_core.store.arrays import refresh  # with NumPy, which the first call need not wait for

    refresh(store, settings.system, detector.name)
    return report


def unread_by(detector: Detector, taxonomy: Taxonomy, fresh: bool = False) -> tuple[Any, ...]:
    """Conditions on a summary: the detector has not read it with these settings."""
    return () if fresh else (~is_read(detector.name, digest(detector.settings), taxonomy.hash),)


def count_work(
    store: Store,
    system: str,
    unfinished: Sequence[Any],
    splits: Sequence[Split] = SPLITS,
    limit: int | None = None,
) -> RunReport:
    """A report that counts the system's summaries and those that are done already.

    Raises InputError where the system has no summaries in these splits.
    """
    total = count_summaries(store, system, splits=splits)
    if not total:
        raise InputError(
            f"System {system!r} has no summaries in {', '.join(splits)}.",
            "Import a file that has some, or choose other splits.",
        )
    left = count_summaries(store, system, *unfinished, splits=splits)
    skipped = total - left
    return RunReport(asked=skipped + min(left, limit or left), skipped=skipped)


def new_analysis(
    item: Item,
    detector: str,
    settings_hash: str,
    taxonomy: Taxonomy,
    failure: Failure | None = None,
) -> Analysis:
    """An analysis of `item`, made now; failed where there is a failure."""
    return Analysis(
        id=uuid4().hex,
        summary_id=item.summary.id,
        detector=detector,
        settings_hash=settings_hash,
        taxonomy_hash=taxonomy.hash,
        status="failed" if failure else "done",
        reason=failure and failure.reason,
        raw=failure and (failure.raw or failure.message),
        at=now(),
    )


def identified(findings: Sequence[Finding], analysis: Analysis) -> tuple[Finding, ...]:
    """The findings of an analysis, each with its id."""
    return tuple(
        f.model_copy(update={"id": f"{analysis.id}-{n}", "analysis_id": analysis.id})
        for n, f in enumerate(findings)
    )


def _reading(answer: Answer[Item, Detection], analysis: Analysis) -> Reading:
    found = answer.value or Detection()
    return Reading(
        item=answer.item,
        analysis=analysis,
        findings=identified(found.findings, analysis),
        facts=found.facts,
    )
