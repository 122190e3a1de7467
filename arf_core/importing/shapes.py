"""The shapes a table may have: one entry for each, with all that is particular to it.

To add one, write its entry: `docs/file-shapes.md` shows a whole example.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from arf_core.importing import choosing, readers
from arf_core.importing.choosing import Certainty, Probe
from arf_core.importing.columns import Column
from arf_core.importing.guess import Choices, choose_summaries
from arf_core.importing.readers import TurnsReader

_ABOUT = ("conversation_id", "summary", "reference_summary", "system", "split")


class FileShape(NamedTuple):
    """What is particular to a shape."""

    text: str
    """For people: what a row is."""
    needs: tuple[str, ...]
    """The fields without which it cannot be read."""
    recognise: Callable[[Probe], Certainty]
    """Does a table have it? Asked in the order of SHAPES; the first that is sure has it, else the
    first that is "maybe"."""
    choose: Callable[[Choices], None]
    """Choose the columns for its fields. Summaries and split have been chosen already."""
    cell: str | None = None
    """The field whose cell holds a whole conversation, where a row is one."""
    turns: TurnsReader | None = None
    """Makes what takes such a cell apart into turns."""
    told: tuple[str, ...] = _ABOUT
    """The fields whose columns are spoken of where they were not taken."""


SHAPES: dict[str, FileShape] = {
    "turns": FileShape(
        "a conversation a row, with a list of turns",
        ("turns",),
        choosing.is_turns,
        choosing.for_turns,
        "turns",
        readers.of_lists,
    ),
    "messages": FileShape(
        "a message a row, with the conversation's id",
        ("conversation_id", "text"),
        choosing.is_messages,
        choosing.for_messages,
        told=(*_ABOUT, "speaker", "time"),
    ),
    "threads": FileShape(
        "a message a row, with the id of the message it answers",
        ("message_id", "parent_id", "text"),
        choosing.is_threads,
        choosing.for_threads,
        told=(*_ABOUT[1:], "speaker", "time"),
    ),
    "lines": FileShape(
        "a conversation a row, as text of 'Speaker: words' lines",
        ("text",),
        choosing.is_lines,
        choosing.for_text,
        "text",
        readers.of_lines,
    ),
    "delimited": FileShape(
        "a conversation a row, its turns joined by a mark such as <BR> or |||",
        ("text",),
        choosing.is_delimited,
        choosing.for_text,
        "text",
        readers.of_parts,
    ),
    "document": FileShape(
        "one text a row, without turns",
        ("document",),
        choosing.is_document,
        choosing.for_document,
        "document",
        readers.of_document,
    ),
    "linked": FileShape(
        "a table that says more (summary, channel, ...) about conversations by their id",
        ("conversation_id",),
        choosing.is_linked,
        choosing.choose_conversation_id,
    ),
}


def recognised(columns: Mapping[str, Column], said: Mapping[str, str]) -> str | None:
    """The shape that the names and values speak for; `said` are the user's columns."""
    probe = Probe(columns, said)
    choose_summaries(probe)
    maybe: str | None = None
    for name, shape in SHAPES.items():
        certainty = shape.recognise(probe)
        if certainty == "sure":
            return name
        if certainty == "maybe" and maybe is None:
            maybe = name
    return maybe
