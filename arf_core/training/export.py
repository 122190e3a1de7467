"""Export: a system's summaries as a training set, with a card that states each row's origin.

By default only supported rows: every finding verified as fixed, clean for the detectors that read
it, or decided by a reviewer. The test split is never exported.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import SPLITS, Record, Split, System, digest, now
from arf_core.run import Flag, VerbSettings
from arf_core.store.queries import detectors_of
from arf_core.store.round_counts import ReviewCounts
from arf_core.training.card import render
from arf_core.training.training_rows import (
    GOOD,
    WHY,
    ExportRow,
    chat_rows,
    current_system,
    origin_of,
)

EXPORTED: tuple[Split, ...] = ("train", "dev")
CARD, PARTIAL = "README.md", ".part"
FILES = {CARD, PARTIAL, "dataset", *(f"{split}.jsonl" for split in SPLITS)}
"""Everything an export writes; PARTIAL is the folder of one that was interrupted."""
MARK = "- fingerprint of the rows: "
"""In the card of every export, and nowhere else."""


class ExportSettings(VerbSettings):
    """Write a training set: chat-format JSONL, a datasets folder, and a card."""

    verb: ClassVar[str] = "export"

    system: Annotated[str, Flag("--system", explicit=True)] = "r1"
    """System whose summaries are exported."""
    into: Annotated[Path | None, Flag(None)] = None
    """Folder to write; a relative one lies in the project. Default: exports/SYSTEM."""
    splits: Annotated[tuple[Split, ...], Flag("--split")] = EXPORTED
    """Only these splits; never test."""
    everything: bool = False
    """Include rows that were neither verified nor reviewed."""

    @property
    def folder(self) -> Path:
        return Path("exports", self.system) if self.into is None else self.into


class ExportReport(Record):
    """What was exported, and what was left out."""

    system: str
    rows: int
    by_split: dict[str, int]
    by_origin: dict[str, int]
    left_out: dict[str, int]
    """Rows by origin."""
    fingerprint: str
    """Hash of the rows: the same set has the same fingerprint."""
    read_by: tuple[str, ...]
    """The detectors behind the clean rows."""
    files: tuple[str, ...]


def export(project: Project, settings: ExportSettings | None = None, **values: Any) -> ExportReport:
    """Write `<split>.jsonl` in chat format, a `datasets` folder and a card.

    An earlier export in the folder is replaced once the new one is complete. Raises InputError for
    the test split, for a folder that holds something else, and where no row is left.
    """
    settings = ExportSettings.of(settings, values)
    if "test" in settings.splits:
        raise InputError(
            "The test split is never exported: a student must not be trained on it.",
            "Leave it out of --split.",
        )
    folder = project.path / settings.folder
    _refuse_foreign_files(folder)
    system = current_system(project, settings.system)
    rows, left_out = chat_rows(project, system, settings.splits, everything=settings.everything)
    if not rows:
        why = ", ".join(f"{n} {WHY[o]}" for o, n in left_out.most_common(3))
        raise InputError(
            f"No row of {system.name!r} can be exported ({why or 'it has no summaries'}).",
            "Verify or accept some revisions first, or take all with --everything.",
        )
    report = ExportReport(
        system=system.name,
        rows=len(rows),
        by_split=dict(Counter(r.split for r in rows)),
        by_origin=dict(Counter(r.origin for r in rows)),
        left_out=dict(left_out),
        fingerprint=digest(*(r.model_dump_json() for r in rows)),
        # a clean row is one whose first text was read: the text that the round began with
        read_by=tuple(detectors_of(project.store, system.parent or system.name)),
        files=(*(f"{s}.jsonl" for s in settings.splits), "dataset/", CARD),
    )
    part = folder / PARTIAL
    shutil.rmtree(part, ignore_errors=True)
    _write(part, rows, settings.splits)
    (part / CARD).write_text(_card(report, system), encoding="utf-8")
    _replace(part, folder)
    return report


def _refuse_foreign_files(folder: Path) -> None:
    """Raises InputError for a folder that is neither empty nor an export, whole or interrupted."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file.", "Name a folder.")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    card = folder / CARD
    if card.is_file():
        ours = MARK in card.read_text(encoding="utf-8", errors="replace")
    else:
        ours = PARTIAL in names or not names
    if not ours:
        raise InputError(
            f"{folder} holds other files, which an export could overwrite.",
            "Give a new or an empty folder, or that of an earlier export.",
        )


def _replace(part: Path, folder: Path) -> None:
    """Move the complete files into place. The card comes last: where it is, the rest is."""
    for name in FILES - {PARTIAL, CARD} - {path.name for path in part.iterdir()}:
        (folder / name).unlink(missing_ok=True)  # a split that is no longer exported
    for path in sorted(part.iterdir(), key=lambda p: p.name == CARD):
        target = folder / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    part.rmdir()


class Outlook(Record):
    """What an export would take now, and what it would leave out, by origin."""

    goes: dict[str, int]
    stays: dict[str, int]
    test: int
    """Summaries of the test split, which is never exported."""


def outlook(counted: Iterable[ReviewCounts], reviewed: bool = False) -> Outlook:
    """Predict the export of a round, or of its reviewed system, from the round's counts."""
    by_origin: Counter[str] = Counter()
    test = 0
    for counts in counted:
        if counts.split == "test":
            test += counts.summaries
        else:
            by_origin[origin_of(counts.decision, counts.status, reviewed)] += counts.summaries
    return Outlook(
        goes={o: n for o, n in by_origin.items() if o in GOOD},
        stays={o: n for o, n in by_origin.items() if o not in GOOD},
        test=test,
    )


def _write(folder: Path, rows: Sequence[ExportRow], splits: Sequence[Split]) -> None:
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    sets: dict[str, Any] = {}
    for split in splits:
        data = [r.model_dump() for r in rows if r.split == split]
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in data)
        (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        if data:
            sets[split] = Dataset.from_list(data)
    DatasetDict(sets).save_to_disk(str(folder / "dataset"))


def _card(report: ExportReport, system: System) -> str:
    readers = ", ".join(f"`{name}`" for name in report.read_by) or "nobody"
    if report.read_by == ("rules",):
        readers += " alone: rules find few errors, so most of them are still in rows called clean"
    template = Path(__file__).parent / "export_card.md"
    return render(
        template,
        report=report,
        system=system,
        splits=", ".join(f"{n} {split}" for split, n in report.by_split.items()),
        readers=readers,
        why=WHY,
        mark=MARK,
        date=now().date(),
    )
