"""The import as one call, and the look at files before it."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from arf_core.errors import ArfError, InputError
from arf_core.importing.conversations import ReadyConversation
from arf_core.importing.import_run import ImportRun
from arf_core.importing.plan import ImportPlan, OpenedFiles, Sample, open_files, plan
from arf_core.importing.processes import few_collections
from arf_core.importing.report import ImportReport, ImportStats, Rejected
from arf_core.importing.settings import ImportSettings, TableMapping
from arf_core.importing.speakers import Speakers
from arf_core.importing.splits import split_of
from arf_core.importing.staging import Staging
from arf_core.project.settings import PrivacySettings, SplitShares
from arf_core.records import Conversation, Record, Summary, Turn
from arf_core.run import PhaseProgress

if TYPE_CHECKING:
    from arf_core.project import Project

PREVIEW_ROWS = 2_000
_STAGING_PREFIX = ".import-"
_ABANDONED_S = 24 * 3600


class ImportPreview(Record):
    """How files would be read, with the first conversations as they would be stored."""

    mappings: list[TableMapping]
    conversations: list[Conversation]
    summaries: list[Summary]
    rejected: list[Rejected]
    speakers: Speakers
    notes: list[str]


class FileInspection(Record):
    """The first rows of files, and the preview or the problem that prevents it."""

    samples: list[Sample]
    preview: ImportPreview | None = None
    problem: str = ""
    hint: str = ""


def load(
    project: "Project",
    paths: str | Path | Sequence[str | Path],
    settings: ImportSettings | None = None,
    *,
    progress: PhaseProgress | None = None,
    **values: Any,
) -> ImportReport:
    """Import conversations and summaries from files into the project.

    Settings may be given one by one: `load(project, "chats.csv", system="gpt-4o-mini")`. Progress
    counts files while opening, rows while reading, conversations while storing.

    The store is untouched until the whole input has been read. Stored rows are never changed, so
    an import that was killed is finished by starting it again.

    Raises InputError for settings that do not fit, for files that cannot be read, for a mapping
    that cannot be guessed, and where no conversation or summary could be imported.
    """
    settings = ImportSettings.of(settings, values) if values else settings or ImportSettings()
    started = time.monotonic()
    opened = open_files(_listed(paths), settings, project.settings.privacy, progress)
    found = plan(opened, settings)
    with (
        ImportStats(settings.rejects_to) as stats,
        _staging_folder(project.path) as folder,
        few_collections(),
    ):
        with Staging(folder) as staging:
            run = ImportRun(found, settings, stats, staging, progress)
            run.read()
            run.store(project)
        report = run.finished()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def preview(
    paths: str | Path | Sequence[str | Path],
    settings: ImportSettings | None = None,
    rows: int = 20,
    shares: SplitShares | None = None,
    privacy: PrivacySettings | None = None,
) -> ImportPreview:
    """The guessed mapping with its reasons, and the first `rows` conversations as they would be
    stored, from the first 2,000 rows of each file. Stores nothing.

    `shares` and `privacy` are those of the project. Raises the same errors as `load`.
    """
    settings = settings or ImportSettings()
    opened = open_files(_listed(paths), settings, privacy or PrivacySettings())
    return _preview(plan(opened, settings), settings, rows, shares or SplitShares())


def inspect(
    paths: str | Path | Sequence[str | Path],
    settings: ImportSettings | None = None,
    rows: int = 5,
    shares: SplitShares | None = None,
    privacy: PrivacySettings | None = None,
) -> FileInspection:
    """The first `rows` rows of every table as they are, and the preview where there is one. Files
    are opened and their mapping is guessed once for both.

    Raises InputError for files that cannot be read, and ModelError for a data set at a host that
    `privacy` forbids; a mapping that cannot be guessed is the inspection's `problem`.
    """
    settings = settings or ImportSettings()
    opened: OpenedFiles = open_files(_listed(paths), settings, privacy or PrivacySettings())
    samples = opened.samples(rows)
    try:
        found = _preview(plan(opened, settings), settings, rows, shares or SplitShares())
    except ArfError as error:
        return FileInspection(samples=samples, problem=error.message, hint=error.hint or "")
    return FileInspection(samples=samples, preview=found)


def _preview(
    found: ImportPlan, settings: ImportSettings, rows: int, shares: SplitShares
) -> ImportPreview:
    with ImportStats() as stats, Staging() as staging:
        run = ImportRun(found, settings, stats, staging, max_rows=PREVIEW_ROWS)
        run.read()
        ready = [*islice(run.conversations(), rows)]
        run.finished(check=False)
    return ImportPreview(
        mappings=[g.mapping for g in found.groups],
        conversations=[_conversation(c, shares) for c in ready],
        summaries=[Summary.of(c.id, w.system, w.text) for c in ready for w in c.summaries],
        rejected=stats.report.rejected,
        speakers=stats.report.speakers,
        notes=stats.report.notes,
    )


def _conversation(c: ReadyConversation, shares: SplitShares) -> Conversation:
    return Conversation(
        id=c.id,
        external_id=c.external_id,
        source=c.source,
        fingerprint=c.fingerprint,
        turns=tuple(Turn.model_validate(t) for t in from_json(c.turns)),
        split=c.split or split_of(c.fingerprint, shares),
        attributes=c.attributes,
    )


def _listed(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


@contextmanager
def _staging_folder(project: Path) -> Iterator[Path]:
    """A temporary folder on the project's disk. Those of killed imports are removed after a day."""
    for old in project.glob(f"{_STAGING_PREFIX}*"):
        if time.time() - old.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
    try:
        folder = tempfile.TemporaryDirectory(prefix=_STAGING_PREFIX, dir=project)
    except OSError as error:
        raise InputError(
            f"Cannot write to {project}: {error.strerror}.",
            "Check that the folder exists and is writable.",
        ) from error
    with folder as path:
        yield Path(path)
