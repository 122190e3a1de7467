"""The model that answers from recordings: real replies of a real model, kept.

A recording is found by its question (task, conversation, text judged, taxonomy, repeat, attempt),
never by nearness: a question without a recording is the failure `not_recorded`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from sqlalchemy import select

from arf_core.errors import ConfigError, ModelError
from arf_core.models import QUESTION, Probe, ProviderOptions, Reply, Request, Traits
from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store

question_of = attrgetter(*QUESTION)
"""The question of a recording or a request, as a tuple."""


class Recording(Record):
    """One reply, who gave it, when, and the hash of the prompt that it answered."""

    task: str
    conversation: str
    subject: str
    taxonomy: str
    repeat: int
    attempt: int
    prompt_hash: str
    replied_by: str
    at: datetime
    finish_reason: str
    reply: str


class ReplayOptions(ProviderOptions):
    path: Annotated[str, Field(min_length=1)]
    """The JSONL file of recordings, from the project's folder."""


OPTIONS = ReplayOptions


def open_model(name: str, options: ReplayOptions, project_path: Path) -> "ReplayModel":
    return ReplayModel(name, project_path / options.path)


class ReplayModel:
    traits = Traits(cacheable=False, retries=0)

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self.identity = f"replay {name}"
        self._file = file
        self._recordings = {question_of(r): r for r in read_recordings(file)}
        self._changed = 0
        self._used: set[str] = set()

    async def complete(self, request: Request) -> Reply:
        """Raises ModelError `not_recorded` where this very question has no recording."""
        recording = self._recordings.get(question_of(request))
        if recording is None:
            raise ModelError(
                f"{self.name}: there is no recording of this {request.task} request.",
                "The text, the taxonomy or an earlier reply differs from what was recorded. "
                "Connect a model that can answer: docs/models.md.",
                reason="not_recorded",
            )
        self._used.add(recording.replied_by)
        self._changed += recording.prompt_hash != request.prompt_hash
        return Reply(text=recording.reply, finish_reason=recording.finish_reason)

    async def probe(self, request: Request) -> Probe:
        return Probe(reply=f"{len(self._recordings)} recordings in {self._file}")

    def notes(self) -> list[str]:
        notes = [f"{self.name} answers from recordings of {' and '.join(sorted(self._used))}."]
        if self._changed:
            notes.append(
                f"{self._changed} recordings of {self.name} answered an earlier wording of the "
                "prompt."
            )
        return notes if self._used else []

    async def close(self) -> None:
        return None


def read_recordings(file: Path) -> Iterator[Recording]:
    """Raises ConfigError where the file is missing or a line is no recording."""
    if not file.is_file():
        raise ConfigError(f"The recordings {file} are missing.", "Correct `path` in arf.toml.")
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield Recording.model_validate_json(line)
            except ValidationError as error:
                raise ConfigError(
                    f"{file}, line {number}, is no recording: {error.errors()[0]['msg']}.",
                    "Restore the file.",
                ) from error


def recordings_of(store: Store, model: str, replied_by: str) -> list[Recording]:
    """The answered calls of a model as recordings, in the order of their questions."""
    table = schema.call
    columns = [table.c[name] for name in Recording.model_fields if name != "replied_by"]
    query = select(*columns).where(table.c.model == model, table.c.status == "answered")
    with store.read() as conn:
        rows = conn.execute(query).mappings().all()
    return sorted((Recording(replied_by=replied_by, **row) for row in rows), key=question_of)


def write_recordings(file: Path, recordings: Iterable[Recording]) -> int:
    """Write recordings as JSONL; returns how many."""
    lines = [r.model_dump_json() + "\n" for r in recordings]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines), encoding="utf-8")
    return len(lines)
