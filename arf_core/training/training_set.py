"""The training set: a system's summaries of the train split as chats, without duplicates, with the
dev split beside it for evaluation. The test split is refused, whoever asks.

The arms of a comparison are sets of one size, of the same conversations as far as they have them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Record, Split, SystemKind, digest
from arf_core.training.training_rows import WHY, ExportRow, chat_rows, current_system

Choice = Literal["all", "good"]
"""`all` rows of a system, or only the supported ones, as in an export."""
REVISED: tuple[SystemKind, ...] = ("revision", "reviewed")
USED: tuple[Split, ...] = ("train", "dev")
LEFT_OUT = WHY | {
    "double": "the same conversation and summary is in the set already",
    "empty": "the summary is empty",
    "matched": "the other arms have no more rows",
}
"""Why a row is not in a set, by reason."""


class Arm(NamedTuple):
    """One side of a comparison: a system, and which of its rows."""

    system: str
    choice: Choice | None = None
    """None: `good` for a revision round, `all` for other systems."""

    @classmethod
    def parse(cls, text: str) -> "Arm":
        """`r1`, or `teacher:good` for the rows without a finding. Raises InputError for anything
        else after the colon."""
        system, colon, choice = text.rpartition(":")
        if not colon:
            return cls(text)
        if choice not in get_args(Choice):
            raise InputError(
                f"{text!r} names no rows: after a colon stands good or all.",
                f"Write {system}:good, {system}:all, or {system} alone.",
            )
        return cls(system, "good" if choice == "good" else "all")


class TrainingSet(Record):
    """What a student learns from, and the rows left out by reason."""

    system: str
    choice: Choice
    train: tuple[ExportRow, ...]
    dev: tuple[ExportRow, ...]
    left_out: dict[str, int]
    """Rows by reason: a key of LEFT_OUT."""
    matched_with: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hash of the rows in their order: the same set has the same fingerprint."""
        return digest(*(r.model_dump_json() for r in (*self.train, *self.dev)))

    def in_words(self) -> list[str]:
        counts = f"{len(self.train):,} rows to learn from, {len(self.dev):,} to evaluate on"
        reasons = sorted(self.left_out.items())
        return [counts, *(f"{n:,} left out: {LEFT_OUT[reason]}" for reason, n in reasons)]


def training_set(
    project: Project,
    system: str,
    choice: Choice | None = None,
    *,
    match: Sequence[Arm] = (),
    splits: Sequence[Split] = USED,
    seed: int = 3407,
) -> TrainingSet:
    """The set of one arm; with `match`, cut to the number of rows of the smallest arm.

    Raises InputError for the test split, for an unknown system, and where no row is left.
    """
    if "test" in splits:
        raise InputError(
            "The test split is never trained on: it is what students are compared on.",
            "Leave it out; generate and compare use it.",
        )
    whole = _whole(project, Arm(system, choice), splits, seed)
    if not match:
        return whole
    others = [_whole(project, arm, splits, seed) for arm in match]
    rows = min(len(s.train) for s in (whole, *others))
    cut = {"matched": len(whole.train) - rows} if rows < len(whole.train) else {}
    change = {
        "train": whole.train[:rows],
        "left_out": whole.left_out | cut,
        "matched_with": tuple(f"{s.system}:{s.choice}" for s in others),
    }
    return whole.model_copy(update=change)


def _whole(project: Project, arm: Arm, splits: Sequence[Split], seed: int) -> TrainingSet:
    record = current_system(project, arm.system)
    choice: Choice = arm.choice or ("good" if record.kind in REVISED else "all")
    rows, left_out = chat_rows(project, record, splits, everything=choice == "all")
    kept = _without_duplicates(_in_order(rows, seed), left_out)
    train = tuple(r for r in kept if r.split == "train")
    if not train:
        why = ", ".join(f"{n}: {LEFT_OUT[o]}" for o, n in left_out.most_common(3))
        raise InputError(
            f"{arm.system!r} has no row to train on ({why or 'no summaries in the train split'}).",
            "Take every row with --rows all, or verify and accept some first.",
        )
    return TrainingSet(
        system=arm.system,
        choice=choice,
        train=train,
        dev=tuple(r for r in kept if r.split == "dev"),
        left_out=dict(left_out),
    )


def _in_order(rows: Iterable[ExportRow], seed: int) -> list[ExportRow]:
    """By a hash of the conversation, so that the first rows of every arm are the same ones."""
    return sorted(rows, key=lambda r: digest(str(seed), r.conversation, r.messages[1]["content"]))


def _without_duplicates(rows: Iterable[ExportRow], left_out: Counter[str]) -> list[ExportRow]:
    kept: dict[str, ExportRow] = {}
    for row in rows:
        content = digest(*(m["content"].strip() for m in row.messages))
        if not row.messages[-1]["content"].strip():
            left_out["empty"] += 1
        elif content in kept:
            left_out["double"] += 1
        else:
            kept[content] = row
    return list(kept.values())


def write_rows(file: Path, rows: Iterable[ExportRow]) -> None:
    """One row a line, as in an export."""
    lines = (json.dumps(r.model_dump(), ensure_ascii=False) + "\n" for r in rows)
    file.write_text("".join(lines), encoding="utf-8")


def read_rows(file: Path) -> list[ExportRow]:
    """The rows that `write_rows` wrote."""
    with file.open(encoding="utf-8") as lines:
        return [ExportRow.model_validate_json(line) for line in lines]
