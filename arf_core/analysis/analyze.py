"""Analyze: a detector reads every summary of a system."""

import time
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any
from uuid import uuid4

from arf_core.analysis.detectors import Detector, Found, Seen, open_detector
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import (
    SPLITS,
    Analysis,
    Fact,
    Finding,
    Item,
    Reading,
    RunReport,
    Split,
    digest,
    now,
)
from arf_core.run import Answer, Progress, in_batches
from arf_core.store.database import Store
from arf_core.store.queries import count_summaries, find_system, is_read, items


def analyze(
    project: Project,
    system: str,
    detector: str = "rules",
    *,
    model: str | None = None,
    splits: Sequence[Split] = SPLITS,
    limit: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Read every summary of `system` that this detector has not read with these settings.

    A reading is stored whole, with its findings or as a failure with its reason; failed ones are
    tried again by the next run. `limit` reads at most so many, for a trial; `fresh` reads again
    what was read, without stored answers of models. Raises InputError for a name that is not
    there, ModelError where no call can succeed.
    """
    started = time.monotonic()
    store, taxonomy = project.store, project.taxonomy
    find_system(store, system)
    reader = open_detector(project, detector, model)
    settings_hash = digest(reader.settings)
    store.keep_version("detector", reader.settings, settings_hash)
    store.keep_version("taxonomy", taxonomy.content, taxonomy.hash)
    unread = unread_by(reader, taxonomy, fresh)
    report = asked(store, system, unread, splits, limit)
    waiting = chain.from_iterable(items(store, system, *unread, splits=splits))
    with project.meter.run(report):
        for batch in in_batches(reader.read(islice(waiting, limit), fresh=fresh)):
            read = [a for a in batch if not a.pending]
            store.put_readings(
                [_reading(a, reader.name, settings_hash, taxonomy.hash) for a in read]
            )
            for answer in batch:
                answer.count_in(report)
            if progress:
                progress(report.finished, report.asked)
    from arf_core.store.arrays import refresh  # with NumPy: the first call is not to wait for it

    refresh(store, system, reader.name)
    report.notes += reader.notes()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def unread_by(reader: Detector, taxonomy: Taxonomy, fresh: bool = False) -> tuple[Any, ...]:
    """Conditions on a summary: the detector has not read it with these settings."""
    return () if fresh else (~is_read(reader.name, digest(reader.settings), taxonomy.hash),)


def asked(
    store: Store,
    system: str,
    open_ones: Sequence[Any],
    splits: Sequence[Split],
    limit: int | None = None,
) -> RunReport:
    """A report that says how many summaries there are, and how many of them are done already.

    Raises InputError where there is none at all.
    """
    there = count_summaries(store, system, splits=splits)
    if not there:
        raise InputError(
            f"System {system!r} has no summaries in {', '.join(splits)}.",
            "Import a file that holds some, or choose other splits.",
        )
    to_do = count_summaries(store, system, *open_ones, splits=splits)
    skipped = there - to_do
    return RunReport(asked=skipped + min(to_do, limit or to_do), skipped=skipped)


def _reading(
    answer: Answer[Item, Seen], detector: str, settings_hash: str, taxonomy_hash: str
) -> Reading:
    failure, seen = answer.failure, answer.value or Seen()
    analysis = Analysis(
        id=uuid4().hex,
        summary_id=answer.item.summary.id,
        detector=detector,
        settings_hash=settings_hash,
        taxonomy_hash=taxonomy_hash,
        status="failed" if failure else "done",
        reason=failure and failure.reason,
        raw=failure and (failure.raw or failure.message),
        at=now(),
    )
    conversation_id = answer.item.conversation.id
    return Reading(
        item=answer.item,
        analysis=analysis,
        findings=tuple(finding(f, analysis.id, n) for n, f in enumerate(seen.findings)),
        facts=tuple(Fact(conversation_id=conversation_id, **dict(f)) for f in seen.facts),
    )


def finding(found: Found, analysis_id: str, number: int) -> Finding:
    """What a detector reported, as a record of its analysis."""
    return Finding(id=f"{analysis_id}-{number}", analysis_id=analysis_id, **dict(found))
