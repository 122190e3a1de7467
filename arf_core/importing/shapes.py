"""The shapes a table may have: how each is recognised, and which columns it takes.

To add one, write its entry in SHAPES: `docs/file-shapes.md` shows a whole example.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from arf_core.importing.columns import Column
from arf_core.importing.guess import (
    Choices,
    choose_ids,
    choose_order,
    choose_parent,
    choose_row_id,
    choose_sides,
    choose_summaries,
    is_id,
)
from arf_core.importing.settings import Shape
from arf_core.importing.turns import TurnsReader, of_document, of_lines, of_lists, of_parts

Certainty = Literal["sure", "maybe", "no"]
NEWLINES = ("\\r\\n", "\\n", "\r\n", "\n")


@dataclass
class ShapeProbe(Choices):
    """The columns while the shape is looked for; the choices made here are thrown away."""

    whole: Column | None = None
    """The column that may hold a whole conversation as text. Known once messages were asked."""


# -- recognised by -------------------------------------------------------------------------------


def is_turns(probe: ShapeProbe) -> Certainty:
    return "sure" if choose_turns(probe) else "no"


def is_messages(probe: ShapeProbe) -> Certainty:
    choose_ids(probe)
    probe.whole = whole_column(probe)
    choose_sides(probe)
    return _is_message(probe)


def is_threads(probe: ShapeProbe) -> Certainty:
    return "sure" if _is_thread(probe) else "no"


def is_lines(probe: ShapeProbe) -> Certainty:
    return "sure" if probe.whole and probe.whole.has_labelled_lines else "no"


def is_delimited(probe: ShapeProbe) -> Certainty:
    whole = probe.whole
    if whole is None or not whole.delimiter:
        return "no"
    if whole.delimiter not in NEWLINES:
        return "sure"
    return "no" if whole.plain in ("text", "content", "body", "document") else "maybe"


def is_document(probe: ShapeProbe) -> Certainty:
    return "maybe" if choose_document(probe) else "no"


def is_linked(probe: ShapeProbe) -> Certainty:
    choose_row_id(probe, "conversation_id")
    has_id = probe.get("conversation_id")
    summarised = probe.get("summary") or probe.get("reference_summary")
    return "maybe" if has_id and summarised else "no"


def _is_message(probe: Choices) -> Certainty:
    """Is a row one message of a conversation?"""
    conversation = probe.get("conversation_id") or _repeated_id(probe)
    if conversation is None or not _choose_message_text(probe):
        return "no"
    repeated = conversation.distinct < 0.95 * len(conversation.filled)
    speaker = probe.get("side") or probe.get("speaker")
    if speaker and (repeated or speaker.known_labels > 0.5 or probe.get("side")):
        return "sure"
    return "maybe" if speaker or repeated else "no"


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
    chosen = "parent_id" in probe.chosen
    return (chosen or any(t.removesuffix(".0") in ids for t in parent.texts)) and bool(
        _choose_message_text(probe)
    )


def whole_column(probe: Choices) -> Column | None:
    """The column that may hold a whole conversation as text: by name, else by its lines."""
    if "text" in probe.chosen:
        return probe.columns.get(probe.chosen["text"])
    named = [c for c in probe.named("whole") if c.is_words and c.name not in probe.taken.values()]
    talks = [c for c in (*named, *probe.free()) if c.is_words and c.has_labelled_lines]
    marked = [c for c in named if c.delimiter]
    return next(iter((*talks, *marked, *named)), None)


# -- the columns of each shape -------------------------------------------------------------------


def choose_turns(choices: Choices) -> Column | None:
    found = choices.choose("turns", lambda c: c.is_turns, "lists of turns")
    if found or "turns" in choices.chosen:
        return found
    nested = next((c for c in choices.free() if c.is_turns), None)
    return choices.take("turns", nested.name, "its values are lists of turns") if nested else None


def _choose_message_text(choices: Choices) -> Column | None:
    return (
        choices.get("text")
        or choices.choose("text", lambda c: c.is_words, "text")
        or choices.choose("text", lambda c: c.is_scalar, "short texts")
    )


def choose_document(choices: Choices) -> Column | None:
    found = choices.choose("document", lambda c: c.is_words, "text")
    if found or "document" in choices.chosen:
        return found
    text = choices.chosen.get("text")
    return choices.take("document", text, "you chose it (as text)") if text else None


def choose_conversation_id(choices: Choices) -> None:
    choices.choose("conversation_id", is_id, "short values")
    if choices.get("conversation_id") is None and "conversation_id" not in choices.chosen:
        choices.choose("conversation_id", lambda c: c.is_label, "short values", "row_id")
    if choices.get("conversation_id") is None:
        choices.lacking("conversation_id", "no column has it: file and line are taken")


def for_turns(choices: Choices) -> None:
    choose_turns(choices)
    choose_conversation_id(choices)


def for_text(choices: Choices) -> None:
    whole = whole_column(choices)
    if whole is not None:
        chosen = "text" in choices.chosen
        choices.take("text", whole.name, "you chose it" if chosen else _why_whole(whole))
    choose_conversation_id(choices)


def _why_whole(column: Column) -> str:
    if column.has_labelled_lines:
        return "its values are lines that begin with 'Speaker:'"
    if column.delimiter:
        return f"its values are parts joined by {column.delimiter!r}"
    return "its name says so"


def for_messages(choices: Choices) -> None:
    choose_ids(choices)
    if choices.get("conversation_id") is None and "conversation_id" not in choices.chosen:
        _repeated_id(choices)
    choose_row_id(choices, "message_id")
    choose_sides(choices)
    _choose_message_text(choices)
    choose_order(choices)
    choices.taken.pop("parent_id", None)


def for_threads(choices: Choices) -> None:
    choose_parent(choices)
    choices.choose("message_id", lambda c: c.is_label, "short values")
    choose_row_id(choices, "message_id")
    choose_sides(choices)
    _choose_message_text(choices)
    choices.choose("time", lambda c: c.time_format is not None, "moments")


def for_document(choices: Choices) -> None:
    choose_document(choices)
    choose_conversation_id(choices)


_ABOUT = ("conversation_id", "summary", "reference_summary", "system", "split")


class FileShape(NamedTuple):
    """What is particular to a shape."""

    text: str
    """For people: what a row is."""
    needs: tuple[str, ...]
    """The fields without which it cannot be read."""
    recognise: Callable[[ShapeProbe], Certainty]
    """Does a table have it? Asked in the order of SHAPES; the first that is sure has it, else the
    first that is "maybe"."""
    choose: Callable[[Choices], None]
    """Choose the columns for its fields. Summaries and split have been chosen already."""
    cell: str | None = None
    """The field whose cell holds a whole conversation, where a row is one."""
    turns: TurnsReader | None = None
    """Makes what takes such a cell apart into turns."""
    mentioned: tuple[str, ...] = _ABOUT
    """The fields whose unused columns the report mentions."""


SHAPES: dict[Shape, FileShape] = {
    "turns": FileShape(
        "a conversation a row, with a list of turns",
        ("turns",),
        is_turns,
        for_turns,
        "turns",
        of_lists,
    ),
    "messages": FileShape(
        "a message a row, with the conversation's id",
        ("conversation_id", "text"),
        is_messages,
        for_messages,
        mentioned=(*_ABOUT, "speaker", "time"),
    ),
    "threads": FileShape(
        "a message a row, with the id of the message it answers",
        ("message_id", "parent_id", "text"),
        is_threads,
        for_threads,
        mentioned=(*_ABOUT[1:], "speaker", "time"),
    ),
    "lines": FileShape(
        "a conversation a row, as text of 'Speaker: words' lines",
        ("text",),
        is_lines,
        for_text,
        "text",
        of_lines,
    ),
    "delimited": FileShape(
        "a conversation a row, its turns joined by a mark such as <BR> or |||",
        ("text",),
        is_delimited,
        for_text,
        "text",
        of_parts,
    ),
    "document": FileShape(
        "one text a row, without turns",
        ("document",),
        is_document,
        for_document,
        "document",
        of_document,
    ),
    "linked": FileShape(
        "a table that says more (summary, channel, ...) about conversations by their id",
        ("conversation_id",),
        is_linked,
        choose_conversation_id,
    ),
}


def recognised(columns: Mapping[str, Column], chosen: Mapping[str, str]) -> Shape | None:
    """The shape that names and values suggest; `chosen` are the user's columns."""
    probe = ShapeProbe(columns, chosen)
    choose_summaries(probe)
    maybe: Shape | None = None
    for name, shape in SHAPES.items():
        certainty = shape.recognise(probe)
        if certainty == "sure":
            return name
        if certainty == "maybe" and maybe is None:
            maybe = name
    return maybe
