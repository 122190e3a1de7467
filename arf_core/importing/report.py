"""What an import did, counted while it runs, and said in plain words."""

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from pydantic import BaseModel, Field

from arf_core.errors import InputError
from arf_core.importing.settings import TableMapping
from arf_core.importing.speakers import Speakers, count_speakers
from arf_core.records import Record
from arf_core.text import shortened

KEPT = 100
"""Rejected and duplicate rows and files listed in the report; all are counted."""
MOST_LABELS = 100_000
OTHER_LABELS = "(others)"
"""Counts the labels after the first MOST_LABELS."""


class Rejected(Record):
    """A row, or a part of one, that was not taken. `seen` is the value, shortened."""

    file: str
    line: int
    reason: str
    seen: str = ""


class Duplicate(Record):
    """A row whose conversation was there already, as `same_as`."""

    file: str
    line: int
    same_as: str


class LengthStats(Record):
    """How long conversations are."""

    min: int
    median: float
    p99: float
    max: int


class ImportReport(BaseModel):
    """What an import did. Where a row is a conversation, each row read counts once: as new, as a
    duplicate, or as rejected. Where a row is a message, `read` and rejected rows are messages,
    `conversations` and `duplicates` are conversations."""

    files: list[str] = Field(default_factory=list)
    """The first ones."""
    file_count: int = 0
    read: int = 0
    conversations: int = 0
    """New ones."""
    messages: int = 0
    """Turns of the new conversations."""
    summaries: int = 0
    """New ones, references included."""
    summaries_by_system: Counter[str] = Field(default_factory=Counter)
    summaries_known: int = 0
    """Those that were there already, word for word."""
    without_summary: int = 0
    """Rows of a table with summaries whose own is empty."""
    duplicates: int = 0
    """Conversations that were there already; not those whose row was rejected for a second,
    different summary."""
    duplicate_rows: list[Duplicate] = Field(default_factory=list)
    empty: int = 0
    """Conversations without any text; they are among the rejected."""
    rejected: list[Rejected] = Field(default_factory=list)
    rejected_by_reason: Counter[str] = Field(default_factory=Counter)
    turns: LengthStats | None = None
    """Per new conversation."""
    words: LengthStats | None = None
    """Per new conversation; runs of letters and digits."""
    splits: Counter[str] = Field(default_factory=Counter)
    leaks: int = 0
    """Conversations that the file puts on the other side of train / test than a near-duplicate."""
    mappings: list[TableMapping] = Field(default_factory=list)
    speakers: Speakers = Field(default_factory=Speakers)
    notes: list[str] = Field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Remarks:
    """What the report should say about some conversations."""

    rejected: list[Rejected] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """How often something was met, by the names that `notes` has sentences for."""
    varying: Counter[str] = field(default_factory=Counter)
    """Conversations by the attribute that was left out, as their rows disagree about it."""
    labels: Counter[str] = field(default_factory=Counter)
    """Turns by the file's own label of the speaker."""
    roles: Counter[str] = field(default_factory=Counter)
    """Turns by role, where it was inferred."""

    def reject(self, file: str, line: int, reason: str, seen: str = "") -> None:
        self.rejected.append(Rejected(file=file, line=line, reason=reason, seen=shortened(seen)))


class ImportStats:
    """Counts what happens during an import; writes rejected rows to a file where asked."""

    def __init__(self, rejects_to: Path | None = None) -> None:
        self.report = ImportReport()
        self.remarks = Remarks()
        """All that was remarked, but for the rejected, which are written away."""
        self._turns = array("I")
        self._words = array("I")
        self._rejects: IO[str] | None = None
        self._rejects_to = rejects_to
        if rejects_to is not None:
            with _writing(rejects_to):
                self._rejects = rejects_to.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rejects is not None and self._rejects_to is not None:
            with _writing(self._rejects_to):
                self._rejects.close()

    def reject(self, file: str, line: int, reason: str, seen: str = "") -> None:
        """Count a row that is not taken, and say which."""
        row = Rejected(file=file, line=line, reason=reason, seen=shortened(seen))
        self.report.rejected_by_reason[reason] += 1
        if len(self.report.rejected) < KEPT:
            self.report.rejected.append(row)
        if self._rejects is not None and self._rejects_to is not None:
            with _writing(self._rejects_to):
                self._rejects.write(row.model_dump_json() + "\n")

    def take(self, remarks: Remarks) -> None:
        """Add what was remarked about some of the conversations."""
        for row in remarks.rejected:
            self.reject(row.file, row.line, row.reason, row.seen)
        for name in ("counts", "varying", "roles"):
            getattr(self.remarks, name).update(getattr(remarks, name))
        for label, turns in remarks.labels.items():
            known = label in self.remarks.labels or len(self.remarks.labels) < MOST_LABELS
            self.remarks.labels[label if known else OTHER_LABELS] += turns

    def duplicate(self, file: str, line: int, same_as: str) -> None:
        self.report.duplicates += 1
        if len(self.report.duplicate_rows) < KEPT:
            self.report.duplicate_rows.append(Duplicate(file=file, line=line, same_as=same_as))

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.report.notes:
            self.report.notes.append(text)

    def measured(self, turns: int, words: int) -> None:
        self._turns.append(turns)
        self._words.append(words)

    def finished(self) -> ImportReport:
        """The report, with the lengths worked out."""
        self.report.turns = _lengths(self._turns)
        self.report.words = _lengths(self._words)
        return self.report


def _lengths(values: "array[int]") -> LengthStats | None:
    if not values:
        return None
    low, median, p99, high = np.quantile(np.asarray(values), [0, 0.5, 0.99, 1]).tolist()
    return LengthStats(min=int(low), median=median, p99=p99, max=int(high))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"The rejected rows cannot be written to {path}: {error.strerror}.",
            "Give a file in a folder that exists and can be written, on a disk with space.",
        ) from error


_SENTENCES = {
    "times not read": "{n} times could not be read, so these messages have none.",
    "some times missing": "{n} conversations keep the order of the file, since some of their "
    "messages have no time.",
    "messages twice": "{n} messages stood in the file twice and were taken once.",
    "empty turns": "{n} turns have no text; they were kept, so that the others keep their places.",
    "instructions": "{n} system messages were left out: they instruct a model and are no part of "
    "the conversation.",
    "more references": "{n} further references follow the first in lists; only the first "
    "was taken.",
    "other split": "{n} conversations have a split that is none of train, dev and test; it is kept "
    "as the attribute split_label, and their split was decided here.",
}


def add_notes(stats: ImportStats, speakers: dict[str, str]) -> None:
    """Put what was remarked into sentences, and into the numbers of the report. `speakers` are the
    user's."""
    report, remarks = stats.report, stats.remarks
    report.empty = remarks.counts["empty"]
    report.without_summary = remarks.counts["without summary"]
    for what, sentence in _SENTENCES.items():
        if n := remarks.counts[what]:
            stats.note(sentence.format(n=f"{n:,}"))
    for name, n in remarks.varying.items():
        stats.note(
            f"{name!r} was left out of {n:,} conversations whose rows have different values for it."
        )
    if report.leaks:
        stats.note(
            f"Leak: {report.leaks:,} conversations are (nearly) the same as one on the other side "
            "of train and test. The file's own split was kept; figures on its test split flatter."
        )
    _about_speakers(stats, speakers)


def _about_speakers(stats: ImportStats, speakers: dict[str, str]) -> None:
    found, remarks = stats.report.speakers, stats.remarks
    found.inferred_conversations = remarks.counts["inferred"]
    found.inferred_turns = remarks.roles.total()
    found.by_cue = remarks.counts["by cue"]
    found.roles.update(remarks.roles)
    unused = count_speakers(found, remarks.labels, speakers)
    if found.inferred_conversations:
        stats.note(
            f"The file does not say who speaks: the sides of {found.inferred_conversations:,} "
            f"conversations were inferred ({found.inferred_turns:,} turns, {found.by_cue:,} by a "
            "cue such as a company's handle or 'our team', the others by alternation from the "
            "customer's first turn)."
        )
    if found.kept_labels:
        some = ", ".join(repr(label) for label in list(found.kept)[:5])
        stats.note(
            f"{found.kept_labels:,} speakers are kept as they are called ({some}"
            f"{', …' if found.kept_labels > 5 else ''}). To say who is who: "
            "--speaker LABEL=customer, =agent or =bot."
        )
    for label in unused:
        stats.note(f"No speaker is called {label!r}.")


def about_mapping(mapping: TableMapping) -> list[str]:
    """What should be said about how a table is read, beyond the reasons."""
    notes = list(mapping.notes)
    if mapping.shape == "document":
        notes.append(
            f"{mapping.files[0]} holds texts, no dialogues: each is a conversation of one turn, "
            "by the speaker 'document'."
        )
    if mapping.left_out:
        listed = "; ".join(f"{name}: {why}" for name, why in mapping.left_out.items())
        notes.append(f"Columns that are not kept as attributes: {listed}.")
    return notes
