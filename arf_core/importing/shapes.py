"""What shape a table has, and with it how all of its columns are read.

To add a shape: name it in `options.SHAPES`, recognise it in `_shape`, choose its columns in
`_CHOOSERS`, and read its rows in `drafts.py`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from arf_core.errors import InputError
from arf_core.importing import attributes, times
from arf_core.importing.columns import MOST_LOOKED_AT, Column, columns_of
from arf_core.importing.guess import (
    Choices,
    choose_ids,
    choose_order,
    choose_parent,
    choose_row_id,
    choose_sides,
    choose_summaries,
    is_id,
    untaken,
)
from arf_core.importing.options import SHAPES, ImportOptions, LabelMode, Mapping, Reason, Shape
from arf_core.importing.report import KEPT
from arf_core.importing.rows import Cell, Table
from arf_core.importing.speakers import plain_label, role_of
from arf_core.importing.turns import Keys, keys_of, labelled

_NEEDED: dict[Shape, tuple[str, ...]] = {
    "turns": ("turns",),
    "lines": ("text",),
    "delimited": ("text",),
    "messages": ("conversation_id", "text"),
    "threads": ("message_id", "parent_id", "text"),
    "document": ("document",),
    "linked": ("conversation_id",),
}
_ABOUT = ("conversation_id", "summary", "reference_summary", "system", "split")
_TOLD: dict[Shape, tuple[str, ...]] = {
    "turns": _ABOUT,
    "lines": _ABOUT,
    "delimited": _ABOUT,
    "messages": (*_ABOUT, "speaker", "time"),
    "threads": (*_ABOUT[1:], "speaker", "time"),
    "document": _ABOUT,
    "linked": _ABOUT,
}
"""The fields whose columns are spoken of where they were not taken."""
NEWLINES = ("\\r\\n", "\\n", "\r\n", "\n")


def mapping_of(tables: Sequence[Table], options: ImportOptions, shape: Shape | None) -> Mapping:
    """How the rows of tables with the same columns are read; `shape` where it is known.

    Raises InputError that lists the columns where it cannot be found out.
    """
    columns = columns_of(tables)
    said = {f: c for f, c in options.columns.items() if not c or c in columns or "turn_" in f}
    found = shape or _shape(Choices(columns, said))
    choices = Choices(columns, said)
    if found is not None:
        choose_summaries(choices)
        _CHOOSERS[found](choices)
    if found is None or any(choices.get(f) is None for f in _NEEDED[found]):
        raise _unmapped(tables, found, choices)
    return _completed(tables, options, found, choices)


def _unmapped(tables: Sequence[Table], shape: Shape | None, choices: Choices) -> InputError:
    seen = ", ".join(choices.columns)
    told = "".join(f" {note}" for note in dict.fromkeys(n for t in tables for n in t.notes))
    if shape is None:
        return InputError(
            f"{tables[0].file}: no column looks like conversations (columns: {seen}).",
            "Say what is what, for example --map turns=COLUMN for nested turns, --map text=COLUMN "
            "--shape lines for text of 'Speaker: words' lines, or --map conversation_id=COLUMN "
            "--map speaker=COLUMN --map text=COLUMN for a message a row. Shapes: "
            f"{', '.join(SHAPES)}.{told}",
        )
    missing = [f for f in _NEEDED[shape] if choices.get(f) is None]
    return InputError(
        f"{tables[0].file} cannot be read as {shape} ({SHAPES[shape]}): no column was found for "
        f"{', '.join(missing)} (columns: {seen}).",
        " ".join(f"--map {f}=COLUMN" for f in missing) + f", or another --shape.{told}",
    )


# -- the shape ----------------------------------------------------------------------------------


def _shape(probe: Choices) -> Shape | None:
    """The first shape that the names and values speak for."""
    choose_summaries(probe)
    if _choose_turns(probe):
        return "turns"
    choose_ids(probe)
    whole = _whole(probe)
    choose_sides(probe)
    message = _is_message(probe)
    if message == "sure":
        return "messages"
    if _is_thread(probe):
        return "threads"
    if whole and whole.has_labelled_lines:
        return "lines"
    if whole and whole.delimiter and whole.delimiter not in NEWLINES:
        return "delimited"
    if message:
        return "messages"
    if whole and whole.delimiter and whole.plain not in ("text", "content", "body", "document"):
        return "delimited"
    return _rest(probe)


def _rest(probe: Choices) -> Shape | None:
    if _choose_document(probe):
        return "document"
    choose_row_id(probe, "conversation_id")
    has_id = probe.get("conversation_id")
    return "linked" if has_id and (probe.get("summary") or probe.get("reference_summary")) else None


def _is_message(probe: Choices) -> str:
    """Is a row one message of a conversation? "sure", "maybe", or ""."""
    conversation = probe.get("conversation_id") or _repeated_id(probe)
    if conversation is None or not _choose_message_text(probe):
        return ""
    repeated = conversation.distinct < 0.95 * len(conversation.filled)
    speaker = probe.get("side") or probe.get("speaker")
    if speaker and (repeated or speaker.known_labels > 0.5 or probe.get("side")):
        return "sure"
    choose_order(probe)
    ordered = probe.get("index") or probe.get("time")
    return "maybe" if speaker or (repeated and ordered) else "maybe" if repeated else ""


def _repeated_id(probe: Choices) -> Column | None:
    """A column merely called id whose values repeat, so that it is no id of the row."""
    for column in probe.named("row_id"):
        if column.is_label and column.distinct < 0.9 * len(column.filled):
            return probe.take("conversation_id", column.name, "its name says so, and values repeat")
    return None


def _is_thread(probe: Choices) -> bool:
    choose_row_id(probe, "message_id")
    parent, message = probe.get("parent_id"), probe.get("message_id")
    if parent is None or message is None or probe.get("conversation_id") is not None:
        return False
    ids = {t.removesuffix(".0") for t in message.texts}
    said = "parent_id" in probe.said
    return (said or any(t.removesuffix(".0") in ids for t in parent.texts)) and bool(
        _choose_message_text(probe)
    )


def _whole(probe: Choices) -> Column | None:
    """The column that may hold a whole conversation as text: by name, else by its lines."""
    if "text" in probe.said:
        return probe.columns.get(probe.said["text"])
    named = [c for c in probe.named("whole") if c.is_words and c.name not in probe.taken.values()]
    talks = [c for c in (*named, *probe.free()) if c.is_words and c.has_labelled_lines]
    marked = [c for c in named if c.delimiter]
    return next(iter((*talks, *marked, *named)), None)


# -- the columns of each shape -------------------------------------------------------------------


def _choose_turns(choices: Choices) -> Column | None:
    found = choices.choose("turns", lambda c: c.is_turns, "lists of turns")
    if found or "turns" in choices.said:
        return found
    nested = next((c for c in choices.free() if c.is_turns), None)
    return choices.take("turns", nested.name, "its values are lists of turns") if nested else None


def _choose_message_text(choices: Choices) -> Column | None:
    return (
        choices.get("text")
        or choices.choose("text", lambda c: c.is_words, "text")
        or choices.choose("text", lambda c: c.is_scalar, "short texts")
    )


def _choose_document(choices: Choices) -> Column | None:
    found = choices.choose("document", lambda c: c.is_words, "text")
    if found or "document" in choices.said:
        return found
    text = choices.said.get("text")
    return choices.take("document", text, "you said so (as text)") if text else None


def _choose_conversation_id(choices: Choices) -> None:
    choices.choose("conversation_id", is_id, "short values")
    if choices.get("conversation_id") is None and "conversation_id" not in choices.said:
        choices.choose("conversation_id", lambda c: c.is_label, "short values", "row_id")
    if choices.get("conversation_id") is None:
        choices.lacking("conversation_id", "no column has it: file and line are taken")


def _for_turns(choices: Choices) -> None:
    _choose_turns(choices)
    _choose_conversation_id(choices)


def _for_text(choices: Choices) -> None:
    whole = _whole(choices)
    if whole is not None:
        said = "text" in choices.said
        choices.take("text", whole.name, "you said so" if said else _why_whole(whole))
    _choose_conversation_id(choices)


def _why_whole(column: Column) -> str:
    if column.has_labelled_lines:
        return "its values are lines that begin with 'Speaker:'"
    if column.delimiter:
        return f"its values are parts joined by {column.delimiter!r}"
    return "its name says so"


def _for_messages(choices: Choices) -> None:
    choose_ids(choices)
    if choices.get("conversation_id") is None and "conversation_id" not in choices.said:
        _repeated_id(choices)
    choose_row_id(choices, "message_id")
    choose_sides(choices)
    _choose_message_text(choices)
    choose_order(choices)
    choices.taken.pop("parent_id", None)


def _for_threads(choices: Choices) -> None:
    choose_parent(choices)
    choices.choose("message_id", lambda c: c.is_label, "short values")
    choose_row_id(choices, "message_id")
    choose_sides(choices)
    _choose_message_text(choices)
    choices.choose("time", lambda c: c.time_format is not None, "moments")


def _for_document(choices: Choices) -> None:
    _choose_document(choices)
    _choose_conversation_id(choices)


_CHOOSERS: dict[Shape, Callable[[Choices], None]] = {
    "turns": _for_turns,
    "lines": _for_text,
    "delimited": _for_text,
    "messages": _for_messages,
    "threads": _for_threads,
    "document": _for_document,
    "linked": _choose_conversation_id,
}


# -- what follows from them ----------------------------------------------------------------------


def _completed(
    tables: Sequence[Table], options: ImportOptions, shape: Shape, choices: Choices
) -> Mapping:
    """The mapping with everything that follows from the chosen columns."""
    kept, left_out = _attributes(shape, choices, options)
    labels, known, others = _labels(shape, choices, options)
    taken = dict(choices.taken)
    reasons = list(choices.reasons)
    notes = [*(n for t in tables for n in t.notes), *choices.notes, *untaken(choices, _TOLD[shape])]
    keys = _choose_keys(choices, taken, reasons) if shape == "turns" else None
    time = choices.get("time")
    notes += _day_first(time) if time else []
    if others:
        notes.append(
            f"{', '.join(repr(o) for o in others[:5])} at the start of a line was read as part of "
            "what is said, as no usual name of a side; --speaker LABEL=ROLE makes it a speaker."
        )
    return Mapping(
        files=tuple(t.file for t in tables[:KEPT]),
        file_count=len(tables),
        shape=shape,
        columns=taken,
        delimiter=_delimiter(shape, choices, options),
        labels=labels,
        known_labels=known,
        time_format=keys.time_format if keys else time.time_format if time else None,
        whole_parents=shape == "threads" and _whole_parents(choices),
        attributes=kept,
        left_out=left_out,
        reasons=(Reason(field="shape", column=None, why=SHAPES[shape]), *reasons),
        notes=tuple(dict.fromkeys(notes)),
    )


def _attributes(
    shape: Shape, choices: Choices, options: ImportOptions
) -> tuple[tuple[str, ...], dict[str, str]]:
    free = list(choices.free())
    if options.attributes is not None:
        wanted = tuple(a for a in options.attributes if a in choices.columns)
        return wanted, {c.name: "you said so" for c in free if c.name not in wanted}
    same = {"messages": "conversation_id", "turns": "turns", "document": "document"}
    by = choices.get(same.get(shape, "text"))
    groups: Sequence[Cell] | None = by.cells if by and shape not in ("threads", "linked") else None
    return attributes.sorted_out(free, groups)


def _choose_keys(choices: Choices, taken: dict[str, str], reasons: list[Reason]) -> Keys | None:
    column = choices.get("turns")
    said = {f: c for f, c in choices.said.items() if f.startswith("turn_")}
    keys = keys_of(column.lists, said) if column else None
    if keys is None:
        return None
    found = {"turn_speaker": keys.speaker, "turn_text": keys.text, "turn_time": keys.time}
    for name, key in found.items():
        if key is not None:
            taken[name] = key
            why = "you said so" if name in said else "a key of the turns, by its name"
            reasons.append(Reason(field=name, column=key, why=why))
    return keys


def _delimiter(shape: Shape, choices: Choices, options: ImportOptions) -> str | None:
    if shape != "delimited":
        return None
    column = choices.get("text")
    found = options.delimiter or (column.delimiter if column else None)
    if found is None:
        raise InputError(
            f"No mark that joins the turns was found in {column.name if column else 'the text'}.",
            "Give it: --delimiter MARK.",
        )
    return found


def _labels(
    shape: Shape, choices: Choices, options: ImportOptions
) -> tuple[LabelMode, tuple[str, ...], tuple[str, ...]]:
    """Which labels begin a turn in text: only usual ones, where these are nearly all there are.
    With it the labels that are known besides the usual ones, and those that count as words."""
    column = choices.get("turns" if shape == "turns" else "text")
    if column is None or shape not in ("turns", "lines", "delimited"):
        return "none", (), ()
    pieces = _pieces(shape, column, _delimiter(shape, choices, options))
    counts = Counter(label for p in pieces if (label := labelled(p)))
    total = sum(counts.values())
    if (shape != "lines" and total < 0.6 * len(pieces)) or not total:
        return ("any" if shape == "lines" else "none"), (), ()
    said = tuple(plain_label(label) for label in options.speakers)
    usual = sum(n for label, n in counts.items() if role_of(label) or label in said)
    if usual < 0.9 * total:
        return "any", (), ()
    often = [label for label, n in counts.items() if n >= 0.05 * total and n > 1]
    known = tuple(dict.fromkeys((*often, *said)))
    return "known", known, tuple(x for x in counts if x not in known and not role_of(x))


def _pieces(shape: Shape, column: Column, delimiter: str | None) -> list[str]:
    """What may begin with a label: lines, parts, or turns that are plain text."""
    if shape == "turns":
        return [t for turns in column.lists for t in turns if isinstance(t, str) and t.strip()]
    texts = column.texts[:MOST_LOOKED_AT]
    split = [t.splitlines() if delimiter is None else t.split(delimiter) for t in texts]
    return [p for parts in split for p in parts if p.strip()]


def _whole_parents(choices: Choices) -> bool:
    """Are the parents' ids floats (3.0) of whole ids (3)? pandas writes them so."""
    parent, message = choices.get("parent_id"), choices.get("message_id")
    if parent is None or message is None:
        return False
    return all(re.fullmatch(r"\d+\.0", t) for t in parent.texts) and not any(
        "." in t for t in message.texts
    )


def _day_first(time: Column) -> list[str]:
    form = time.time_format or ""
    if not times.is_day_or_month_first(form, time.filled):
        return []
    return [
        f"Dates such as {time.texts[0]} in {time.name!r} were read with the day first; they would "
        "fit the month first as well."
    ]
