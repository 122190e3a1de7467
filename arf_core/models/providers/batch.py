"""The model that is asked by file: requests go out in OpenAI's batch format, replies come back.

So a batch API at half price, `vllm run-batch` on a cluster, an air-gapped machine or any reader of
files can be the model. A request without a reply waits in the store. `arf batch write` puts the
waiting requests into a file, `arf batch read` takes the replies, and the same command as before
then continues with them; they pass the same validation as any model's.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, func, select, update

from arf_core.errors import InputError
from arf_core.models import Pending, Probe, ProviderOptions, Reply, Request, Traits
from arf_core.models.chat_completion import read_completion, request_body
from arf_core.records import Record, now
from arf_core.store import schema
from arf_core.store.database import ROWS_PER_WRITE, Store


class BatchOptions(ProviderOptions):
    model: Annotated[str, Field(min_length=1)]
    """The model id that is written into each request."""
    temperature: float = 0.0
    max_tokens: Annotated[int, Field(gt=0)] = 2048


OPTIONS = BatchOptions


def open_model(name: str, options: BatchOptions, project_path: Path) -> "BatchModel":
    return BatchModel(name, options)


class BatchModel:
    traits = Traits(leaves=True, max_concurrency=1, retries=0)

    def __init__(self, name: str, options: BatchOptions) -> None:
        self.name = name
        self._parameters = options.model_dump(exclude={"provider"})
        self.identity = json.dumps(["batch", name, self._parameters])

    async def complete(self, request: Request) -> Reply:
        body = request_body(self._parameters, request, "json_schema")
        raise Pending(json.dumps(body, ensure_ascii=False))

    async def probe(self, request: Request) -> Probe:
        return Probe(reply="asked by file: there is nothing to try before the replies are read")

    def notes(self) -> list[str]:
        return []

    async def close(self) -> None:
        return None


def write_requests(store: Store, file: Path, model: str | None = None) -> int:
    """Write the waiting requests (of one model, or of all) as JSONL; returns how many.

    Each line: `{"custom_id", "method", "url", "body"}`. No file is made where nothing waits.
    """
    table = schema.call
    query = select(table.c.key, table.c.body).where(table.c.status == "pending")
    if model:
        query = query.where(table.c.model == model)
    with store.read() as conn:
        rows = conn.execute(query.order_by(table.c.at, table.c.key)).all()
    if not rows:
        return 0
    with file.open("w", encoding="utf-8") as out:
        for key, body in rows:
            line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions"}
            out.write(json.dumps(line | {"body": json.loads(body)}, ensure_ascii=False) + "\n")
    return len(rows)


def count_waiting(store: Store) -> int:
    """How many requests wait for a reply."""
    query = select(func.count()).where(schema.call.c.status == "pending")
    with store.read() as conn:
        return int(conn.scalar(query) or 0)


class ReadReport(Record):
    """The contents of a file of replies."""

    replies: int = 0
    """Stored now."""
    unknown: int = 0
    """Their custom_id is not one of this project's waiting requests."""
    failed: tuple[str, ...] = ()
    """`line: message` of lines that hold an error instead of a reply; these stay waiting."""


def read_replies(store: Store, file: Path) -> ReadReport:
    """Take replies from a batch output file.

    Raises InputError, and stores nothing, where the file cannot be read or a line is no batch
    output.
    """
    for _ in _parse(file):  # all of it, before anything is stored
        pass
    replies, unknown, failed = 0, 0, []
    lines = _parse(file)
    while part := list(islice(lines, ROWS_PER_WRITE)):
        with store.write() as conn:
            for number, key, reply in part:
                if isinstance(reply, str):
                    failed.append(f"{number}: {reply}")
                elif _store_reply(conn, key, reply):
                    replies += 1
                else:
                    unknown += 1
    return ReadReport(replies=replies, unknown=unknown, failed=tuple(failed))


def _store_reply(conn: Connection, key: str, reply: Reply) -> bool:
    """Answer the request that waits for this reply; False where none does."""
    table = schema.call
    statement = update(table).where(table.c.key == key, table.c.status == "pending")
    values = reply.model_dump(exclude={"text"}) | {"status": "answered", "reply": reply.text}
    return bool(conn.execute(statement.values(at=now(), **values)).rowcount)


def _parse(file: Path) -> Iterator[tuple[int, str, Reply | str]]:
    """(line, custom_id, reply or error message) of each line."""
    number = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, *_read_line(json.loads(line))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}.", "Give a batch output file.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file}, line {number}: not a line of a batch output ({error!r}).",
            'Each line needs {"custom_id", "response": {"status_code", "body"}}.',
        ) from error


def _read_line(line: dict[str, Any]) -> tuple[str, Reply | str]:
    key = str(line["custom_id"])
    if line.get("error"):
        return key, json.dumps(line["error"])
    body = line["response"].get("body")
    if line["response"].get("status_code", 200) != 200:
        return key, json.dumps(body)[:300]
    return key, read_completion(body)
