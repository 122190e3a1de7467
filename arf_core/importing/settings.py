"""What the user asks of an import, and how a table is read."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from arf_core.records import Record
from arf_core.run import Flag, VerbSettings

Shape = Literal["turns", "messages", "threads", "lines", "delimited", "document", "linked"]
"""How rows make conversations; each has an entry in `shapes.SHAPES`."""
LabelMode = Literal["none", "known", "any"]

FIELDS: dict[str, str] = {
    "conversation_id": "id of the conversation",
    "message_id": "id of the message",
    "parent_id": "id of the message that this one answers",
    "speaker": "who speaks: a role, a name, an id",
    "side": "which side speaks: inbound True/False, direction, is_agent",
    "text": "text of a message, or a whole conversation as text",
    "turns": "list of turns",
    "document": "text that is not a dialogue",
    "time": "when a message was sent",
    "index": "position of a message in its conversation",
    "summary": "summary to check",
    "reference_summary": "a person's summary, for comparison",
    "system": "who or what wrote the row's summary",
    "split": "train, dev or test",
    "turn_speaker": "key of the speaker in a turn",
    "turn_text": "key of the text in a turn",
    "turn_time": "key of the time in a turn",
}

ROLES = ("customer", "agent", "bot")


class ImportSettings(VerbSettings):
    """How files are imported. Whatever is not given is guessed."""

    verb: ClassVar[str] = "import"
    shape: Shape | None = None
    """How rows make conversations; guessed by default."""
    columns: Annotated[dict[str, str], Flag("--map")] = Field(default_factory=dict)
    """Column of a field, as FIELD=COLUMN; FIELD= ignores the guessed column."""
    delimiter: str | None = None
    """Mark between the turns of a conversation in one text, such as '<BR>'."""
    separator: str | None = Field(None, min_length=1, max_length=1)
    """Character between the cells of a CSV file; detected by default."""
    header: bool | None = None
    """Whether the first line of a CSV file names the columns; detected by default."""
    speakers: Annotated[dict[str, str], Flag("--speaker")] = Field(default_factory=dict)
    """Role of a speaker, as LABEL=ROLE; roles are customer, agent and bot."""
    system: str = Field("teacher", min_length=1)
    """Name of the system that wrote the summaries, unless a column names it."""
    source: str | None = Field(None, min_length=1)
    """Name of the data set; by default that of the file or folder."""
    encoding: str | None = None
    """Encoding of text files that are neither UTF-8 nor marked UTF-16."""
    attributes: Annotated[tuple[str, ...] | None, Flag("--attributes", commas=True)] = None
    """Columns to keep for slicing, as a,b,c or none; chosen by default."""
    limit: int | None = Field(None, ge=1)
    """Import at most this many conversations."""
    rejects_to: Annotated[Path | None, Flag("--rejects")] = None
    """JSONL file for the rejected rows."""

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(columns) - set(FIELDS)):
            raise ValueError(f"unknown field {unknown[0]!r}; fields are {', '.join(FIELDS)}")
        return columns

    @field_validator("speakers")
    @classmethod
    def _known_roles(cls, speakers: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(speakers.values()) - set(ROLES)):
            raise ValueError(f"unknown role {unknown[0]!r}; roles are {', '.join(ROLES)}")
        return speakers

    @field_validator("delimiter")
    @classmethod
    def _not_empty(cls, delimiter: str | None) -> str | None:
        if delimiter == "":
            raise ValueError("the delimiter is empty")
        return delimiter


class MappingReason(Record):
    """Why a column was taken for a field. `column` is None where the file has none for it."""

    field: str
    column: str | None
    why: str


class TableMapping(Record):
    """How the rows of one table (one file, or several with the same columns) are read."""

    files: tuple[str, ...]
    """The first ones."""
    file_count: int = 1
    shape: Shape
    columns: dict[str, str]
    """Field -> column."""
    delimiter: str | None = None
    labels: LabelMode = "none"
    """In text: which `Label:` at the start of a line or part begins a turn."""
    known_labels: tuple[str, ...] = ()
    """With `labels` = known: labels of the file besides the usual ones, in lower case."""
    time_format: str | None = None
    """`iso`, `epoch`, `epoch_ms`, or a pattern for strptime."""
    whole_parents: bool = False
    """Parent ids are written as floats (`3.0`) of whole message ids (`3`)."""
    attributes: tuple[str, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)
    """Column -> why it is not kept as an attribute."""
    links_to: str | None = None
    """The first file of the table that this one says more about."""
    reasons: tuple[MappingReason, ...] = ()
    notes: tuple[str, ...] = ()
