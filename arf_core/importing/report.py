"""What an import did, counted while it runs."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from pydantic import BaseModel, Field

from arf_core.errors import InputError
from arf_core.importing.options import Mapping
from arf_core.records import Conversation, Record, Summary

KEPT = 100
"""Rejected and duplicate rows and files listed in the report; all are counted."""
Progress = Callable[[str, int, int], None]
"""Called with what is being done ("opening", "reading", "storing"), how far it is, and of how many;
0 where that is not known. Files while opening, rows while reading, conversations while storing."""
MOST_LABELS = 100_000
OTHER_LABELS = "(others)"
"""Stands for the labels beyond so many different ones."""


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


class Lengths(Record):
    """How long conversations are."""

    min: int
    median: float
    p99: float
    max: int


class Speakers(BaseModel):
    """How the two sides were found. Counts are of all turns that were read."""

    roles: Counter[str] = Field(default_factory=Counter)
    """Turns by role, among those whose side is known."""
    known: Counter[str] = Field(default_factory=Counter)
    """Turns by the file's own label, where it says the role."""
    kept: Counter[str] = Field(default_factory=Counter)
    """Turns by label, where it does not: stored as it stands."""
    kept_labels: int = 0
    """How many different labels were kept; the commonest are in `kept`."""
    inferred_conversations: int = 0
    inferred_turns: int = 0
    by_cue: int = 0
    """Inferred turns that a cue decided; the others follow by alternation."""


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
    turns: Lengths | None = None
    """Per new conversation."""
    words: Lengths | None = None
    """Per new conversation; runs of letters and digits."""
    splits: Counter[str] = Field(default_factory=Counter)
    leaks: int = 0
    """Conversations that the file puts on the other side of train / test than a near-duplicate."""
    mappings: list[Mapping] = Field(default_factory=list)
    speakers: Speakers = Field(default_factory=Speakers)
    notes: list[str] = Field(default_factory=list)
    seconds: float = 0.0


class Preview(BaseModel):
    """How files would be read, with the first conversations as they would be stored."""

    mappings: list[Mapping]
    conversations: list[Conversation]
    summaries: list[Summary]
    rejected: list[Rejected]
    speakers: Speakers
    notes: list[str]


@dataclass
class Remarks:
    """What is to be told about some of the conversations."""

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


class Tally:
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


def silent(doing: str, done: int, of: int) -> None:
    """A `Progress` that tells nobody."""


def shortened(value: str, size: int = 80) -> str:
    """A value as it can be shown: one line, printable, not long."""
    plain = "".join(c if c.isprintable() else escaped(c) for c in value[: size + 1])
    return plain if len(plain) <= size else plain[: size - 1] + "…"


def escaped(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")


def _lengths(values: "array[int]") -> Lengths | None:
    if not values:
        return None
    low, median, p99, high = np.quantile(np.asarray(values), [0, 0.5, 0.99, 1]).tolist()
    return Lengths(min=int(low), median=median, p99=p99, max=int(high))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"The rejected rows cannot be written to {path}: {error.strerror}.",
            "Give a file in a folder that exists and can be written, on a disk with space.",
        ) from error
