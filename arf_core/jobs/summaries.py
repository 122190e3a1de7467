"""Jobs in words: what they work on, and what their reports came to, each on one line."""

from collections.abc import Sequence
from pathlib import Path

from arf_core.importing import ImportReport
from arf_core.revision.verify import RoundReport
from arf_core.training.export import ExportReport
from arf_core.training.students import FinetuneReport


def of_files(files: Sequence[str]) -> str:
    first = Path(files[0]).name if files else "nothing"
    return first + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def of_detector(detector: str, model: str | None) -> str:
    if detector == "rules":
        return "the rules"
    return f"{detector}:{model}" if model else detector


def of_round(report: RoundReport) -> str:
    named = (("Revised", report.revise), ("Verified", report.verify))
    return ". ".join(f"{name}: {run.in_words()}" for name, run in named if run)


def of_import(report: ImportReport) -> str:
    rejected = sum(report.rejected_by_reason.values())
    parts = [f"{report.conversations:,} conversations", f"{report.summaries:,} summaries"]
    parts += [f"{report.duplicates:,} already there"] if report.duplicates else []
    parts += [f"{rejected:,} rows rejected"] if rejected else []
    return ", ".join(parts)


def of_export(report: ExportReport) -> str:
    return f"{report.rows:,} rows exported, {sum(report.left_out.values()):,} left out"


def of_training(report: FinetuneReport) -> str:
    loss = "" if report.final_loss is None else f", loss {report.final_loss:.3f}"
    if report.state == "done":
        return f"{report.steps:,} steps{loss}"
    if not report.steps:
        return f"{report.state} before its first step"
    return f"{report.state} at step {report.steps:,} of {report.total:,}{loss}"
