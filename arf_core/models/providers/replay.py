"""The model that answers from recordings: real replies of a real model, kept.

A recording is found by what was asked (task, conversation, text judged, taxonomy, repeat, attempt),
never by nearness: what was not recorded is the failure `not_recorded`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from sqlalchemy import select

from arf_core import models
from arf_core.errors import ConfigError, ModelError
from arf_core.models import Probe, Reply, Request, Traits
from arf_core.records import Record
from arf_core.store import schema
from arf_core.store.database import Store

Key = tuple[str, str, str, str, int, int]


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

    @property
    def key(self) -> Key:
        return (
            self.task,
            self.conversation,
            self.subject,
            self.taxonomy,
            self.repeat,
            self.attempt,
        )


class Options(models.Options):
    path: Annotated[str, Field(min_length=1)]
    """The JSONL file of recordings, from the project's folder."""


def open_model(name: str, options: Options, project_path: Path) -> "ReplayModel":
    return ReplayModel(name, project_path / options.path)


class ReplayModel:
    traits = Traits(cacheable=False, retries=0)

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self.file = file
        self._recordings = {r.key: r for r in read_recordings(file)}
        self.identity = f"replay {name}"
        self._changed = 0
        self._used: set[str] = set()

    async def complete(self, request: Request) -> Reply:
        """Raises ModelError `not_recorded` where there is no recording of just this question."""
        key = (
            request.task,
            request.conversation,
            request.subject,
            request.taxonomy,
            request.repeat,
            request.attempt,
        )
        recording = self._recordings.get(key)
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
        return Probe(reply=f"{len(self._recordings)} recordings in {self.file}")

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


def recordings_of(store: Store, model: str, replied_by: str) -> Iterator[Recording]:
    """The answered calls of a model as recordings, in the order of their keys."""
    table = schema.call
    query = select(table).where(table.c.model == model, table.c.status == "answered")
    with store.read() as conn:
        rows = conn.execute(query).mappings().all()
    recordings = [
        Recording(
            replied_by=replied_by,
            **{n: row[n] for n in Recording.model_fields if n != "replied_by"},
        )
        for row in rows
    ]
    yield from sorted(recordings, key=lambda r: r.key)


def write_recordings(file: Path, recordings: Iterable[Recording]) -> int:
    """Write recordings as JSONL; returns how many."""
    lines = [r.model_dump_json() + "\n" for r in recordings]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines), encoding="utf-8")
    return len(lines)
