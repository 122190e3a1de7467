"""What the user may say about an import, and what was made of it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from arf_core.errors import InputError, validation_message
from arf_core.records import Record
from arf_core.run import Flag

Shape = str
"""A name in `shapes.SHAPES`."""

LabelMode = Literal["none", "known", "any"]

FIELDS: dict[str, str] = {
    "conversation_id": "the conversation's own id",
    "message_id": "the message's own id",
    "parent_id": "the id of the message that this one answers",
    "speaker": "who speaks: a role, a name, an id",
    "side": "which side speaks: inbound True/False, direction, is_agent",
    "text": "the words of a message, or a whole conversation as text",
    "turns": "the list of turns",
    "document": "a text that is no dialogue",
    "time": "when a message was sent",
    "index": "the place of a message in its conversation",
    "summary": "the summary to be looked at",
    "reference_summary": "a person's summary, for comparison",
    "system": "who or what wrote the row's summary",
    "split": "train, dev or test",
    "turn_speaker": "the key of the speaker in a turn",
    "turn_text": "the key of the words in a turn",
    "turn_time": "the key of the time in a turn",
}

ROLES = ("customer", "agent", "bot")


class ImportOptions(Record):
    """Everything that can be said about an import; whatever is not said is guessed."""

    shape: Shape | None = None
    columns: Annotated[dict[str, str], Flag("--map")] = Field(default_factory=dict)
    """Field -> column, fields as in FIELDS. An empty column takes a guess away."""
    delimiter: str | None = None
    """What stands between the turns of the shape `delimited`."""
    separator: str | None = Field(None, min_length=1, max_length=1)
    """What stands between the cells of a CSV file."""
    header: bool | None = None
    """Does the first line of a CSV file name the columns? None finds it out."""
    speakers: Annotated[dict[str, str], Flag("--speaker")] = Field(default_factory=dict)
    """Label -> customer, agent or bot."""
    system: str = Field("teacher", min_length=1)
    """Whose summaries these are, where the rows do not say."""
    source: str | None = Field(None, min_length=1)
    """The name of the data set; else that of the file or folder."""
    encoding: str | None = None
    attributes: Annotated[tuple[str, ...] | None, Flag("--attributes", commas=True)] = None
    """Columns to keep for slicing; None chooses them, () keeps none."""
    limit: int | None = Field(None, ge=1)
    """Take only the first conversations."""
    rejects_to: Annotated[Path | None, Flag("--rejects")] = None
    """A JSONL file that every rejected row is written to."""

    @field_validator("shape")
    @classmethod
    def _known_shape(cls, shape: str | None) -> str | None:
        from arf_core.importing.shapes import SHAPES  # which builds on the options

        if shape is not None and shape not in SHAPES:
            raise ValueError(f"unknown shape {shape!r}; shapes are {', '.join(SHAPES)}")
        return shape

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
    def _something(cls, delimiter: str | None) -> str | None:
        if delimiter == "":
            raise ValueError("an empty delimiter stands everywhere")
        return delimiter


def options_of(said: dict[str, Any]) -> ImportOptions:
    """Options from keywords. Raises InputError that lists all that do not fit."""
    try:
        return ImportOptions.model_validate(said)
    except ValidationError as error:
        raise InputError(
            f"These import options do not fit: {validation_message(error)}",
            f"Options are: {', '.join(ImportOptions.model_fields)}.",
        ) from error


class Reason(Record):
    """Why a column was taken for a field. `column` is None where the file has none for it."""

    field: str
    column: str | None
    why: str


class Mapping(Record):
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
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
