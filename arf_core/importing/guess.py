"""Which column is what: by its name, checked against its first values.

The other columns with short values that repeat become attributes, for slicing.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arf_core.errors import InputError
from arf_core.importing.columns import NAMES, Column
from arf_core.importing.rows import Cell
from arf_core.importing.settings import MappingReason
from arf_core.text import shortened

_MODELS = (
    "gpt llama claude mistral bart t5 pegasus gemini qwen phi command human teacher student "
    "reference baseline gemma deepseek palm flan led longformer model system"
).split()


@dataclass
class Choices:
    """The columns chosen so far, with the reasons."""

    columns: Mapping[str, Column]
    chosen: Mapping[str, str]
    """The user's choice: field -> column of this table; "" for none."""
    taken: dict[str, str] = field(default_factory=dict)
    reasons: list[MappingReason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What should be said about a choice."""

    def get(self, name: str) -> Column | None:
        """The column chosen for a field, if there is one."""
        column = self.taken.get(name)
        return self.columns[column] if column is not None else None

    def choose(
        self, name: str, fits: Callable[[Column], bool], what: str, names: str | None = None
    ) -> Column | None:
        """Choose a column for a field by the user's word, else by name and fitting values."""
        if name in self.chosen:
            return self.take(name, self.chosen[name], "you chose it") if self.chosen[name] else None
        free = [c for c in self.named(names or name) if c.name not in self.taken.values()]
        for column in free:
            if fits(column):
                return self.take(name, column.name, f"its name says so, and it holds {what}")
        return None

    def take(self, name: str, column: str, why: str) -> Column:
        self.taken[name] = column
        self.reasons.append(MappingReason(field=name, column=column, why=why))
        return self.columns[column]

    def lacking(self, name: str, why: str) -> None:
        self.reasons.append(MappingReason(field=name, column=None, why=why))

    def named(self, name: str) -> list[Column]:
        """The columns with a name listed under `name` in NAMES, the surest first."""
        ranks = {n: rank for rank, n in enumerate(NAMES[name].split())}
        found = [(r, c) for c in self.columns.values() if (r := _rank(c, ranks)) is not None]
        return [c for _, c in sorted(found, key=lambda pair: pair[0])]

    def free(self) -> Iterable[Column]:
        return (c for c in self.columns.values() if c.name not in self.taken.values())


def _rank(column: Column, ranks: Mapping[str, int]) -> int | None:
    """The place of a column's name; behind all others the last part of `meta.summary`."""
    plain = column.plain
    if plain in ranks:
        return ranks[plain]
    last = plain.rpartition("_")[2] if "." in column.name else ""
    inner = column.name.rpartition(".")[2].lower()
    return 100 + ranks[inner] if last and inner in ranks else None


def choose_ids(choices: Choices) -> None:
    """Conversation, message and parent ids."""
    choices.choose("conversation_id", is_id, "short values")
    choose_parent(choices)
    choices.choose("message_id", lambda c: c.is_label and _is_unique(c), "a value for each row")


def is_id(column: Column) -> bool:
    """Short values; a column called `chat` or `dialogue` may hold the words instead of an id."""
    return column.is_label and (column.plain.endswith(("id", "number")) or not column.is_words)


def choose_parent(choices: Choices) -> None:
    """The id of the message that is answered; in the first rows nothing may be."""
    choices.choose("parent_id", lambda c: c.is_label or not c.filled, "ids of other rows")


def choose_row_id(choices: Choices, name: str) -> None:
    """A column that is merely called id belongs to what a row is."""
    if choices.get(name) is None:
        choices.choose(
            name, lambda c: c.is_label and _is_unique(c), "a value for each row", "row_id"
        )


def choose_sides(choices: Choices) -> None:
    """Who speaks. Of several columns the one with the most usual labels."""
    choices.choose("side", lambda c: bool(c.sides), "one of two sides")
    if "speaker" not in choices.chosen:
        fitting = [c for c in choices.named("speaker") if c.is_label and c.median_length <= 40]
        free = [c for c in fitting if c.name not in choices.taken.values()]
        if free:
            best = max(free, key=lambda c: c.known_labels)
            known = f", {best.known_labels:.0%} of its values name a side"
            choices.take("speaker", best.name, f"its name says so{known}")
        return
    choices.choose("speaker", lambda c: True, "who speaks")


def choose_order(choices: Choices) -> None:
    """Time and place of messages."""
    choices.choose("time", lambda c: c.time_format is not None, "moments")
    choices.choose("index", lambda c: c.is_whole and c.distinct > 1, "whole numbers")


def choose_summaries(choices: Choices) -> None:
    """Summaries, and who wrote them."""
    for name in ("summary", "reference_summary"):
        if choices.choose(name, _is_summary, "text") is None and name not in choices.chosen:
            _choose_by_name_alone(choices, name)
    if choices.get("summary"):
        choices.choose("system", _is_system, "names of models")
    choices.choose("split", lambda c: c.is_label and c.distinct <= 12, "few different values")


def _choose_by_name_alone(choices: Choices, name: str) -> None:
    """Empty in the first rows, or short, in a column that is plainly called a summary; `reference`
    or `gold` may as well name a number or a class."""
    for column in choices.named(name):
        if not column.filled:
            choices.take(name, column.name, "its name says so, though the first rows are empty")
            return
        if column.is_scalar and "summar" in column.plain:
            choices.take(name, column.name, "its name says so, though its values are short")
            choices.notes.append(
                f"The values of {column.name!r} are short, such as {shortened(column.texts[0])!r}; "
                f"they were taken as summaries. If they are none: --map {name}= (nothing behind "
                "the sign)."
            )
            return


def untaken(choices: Choices, fields: Iterable[str]) -> Iterator[str]:
    """What is said of columns that are named for a field and were not taken for it."""
    free = [c for c in choices.free() if c.filled]
    for name in fields:
        other = choices.taken.get(name)
        if (
            name in choices.chosen
            or (other and "summary" not in name)
            or not _matters(choices, name)
        ):
            continue
        for column in choices.named(name):
            if column not in free:
                continue
            free.remove(column)
            why = f"{other!r} was" if other else "its values do not look like it"
            yield (
                f"The column {column.name!r} is named like the field {name}, but was not taken "
                f"for it, since {why}. To take it: --map {name}={column.name}"
            )


def _matters(choices: Choices, name: str) -> bool:
    if name == "system":
        return "summary" in choices.taken
    return name != "speaker" or "side" not in choices.taken


def _is_summary(column: Column) -> bool:
    if column.is_words:
        return True
    return any(
        isinstance(x, str) and " " in x for c in column.filled if isinstance(c, list) for x in c
    )


def _is_system(column: Column) -> bool:
    if not column.is_label or column.distinct > max(60, len(column.filled) // 4):
        return False
    if column.plain not in ("system", "model"):
        return True
    values = {t.lower() for t in set(column.texts)}
    like = sum(any(m in v for m in _MODELS) for v in values)
    return like * 2 >= len(values)


def _is_unique(column: Column) -> bool:
    return column.distinct > 0.9 * len(column.filled)


def check_columns(chosen: Mapping[str, str], tables: Iterable[Mapping[str, Column]]) -> None:
    """Raises InputError where the user names a column that no table has."""
    names = list(dict.fromkeys(name for columns in tables for name in columns))
    for name, column in chosen.items():
        inside = name in ("turn_speaker", "turn_text", "turn_time")
        if column and not inside and column not in names:
            raise InputError(
                f"There is no column {column!r} for {name}.",
                f"The columns are: {', '.join(names)}.",
            )


LONG = 80
"""Median characters beyond which a column is text, not a value to slice by."""
FEW_ROWS = 20
"""In a smaller sample every column may look unique, so only the name tells an id."""
_ID_NAME = re.compile(r"(^|_)(id|ids|uuid|guid|index|idx|url|link|hash|key|number|no|column_\d+)$")


def sorted_out(
    columns: Iterable[Column], groups: Sequence[Cell] | None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns to keep, and for each other one why not. `groups` names for each row of the
    sample the conversation it belongs to, where several rows may belong to one."""
    kept: list[str] = []
    left_out: dict[str, str] = {}
    for column in columns:
        reason = _against(column, groups)
        if reason is None:
            kept.append(column.name)
        else:
            left_out[column.name] = reason
    return tuple(kept), left_out


def _against(column: Column, groups: Sequence[Cell] | None) -> str | None:
    if not column.filled:
        return "it is empty in the first rows"
    if not column.is_scalar:
        return "its values are lists or objects"
    if column.median_length > LONG:
        return f"its values are long (median {column.median_length:.0f} characters)"
    if groups is not None and _varies(column, groups):
        return "its values differ between the rows of one conversation"
    unique = column.distinct > 0.9 * len(column.filled)
    few = len(column.filled) < FEW_ROWS
    if unique and (_ID_NAME.search(column.plain) if few else len(column.filled) > 0.2 * _n(column)):
        return "its values are different in each row"
    return None


def _n(column: Column) -> int:
    return len(column.cells)


def _varies(column: Column, groups: Sequence[Cell]) -> bool:
    """Do most of the conversations with several rows have several values?"""
    values: dict[str, list[str]] = defaultdict(list)
    for group, cell in zip(groups, column.cells, strict=True):
        if cell not in (None, ""):
            values[str(group)].append(str(cell))
    several = [v for v in values.values() if len(v) > 1]
    return bool(several) and sum(len(set(v)) > 1 for v in several) * 2 > len(several)
