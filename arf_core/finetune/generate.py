"""Generate: any model writes a system's summaries of the conversations of a split.

What is there is skipped, so the same call goes on where the last one stopped. A conversation whose
summary could not be made is counted by its reason, kept with what the model said, and tried again
by the next run.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from typing import Any

from sqlalchemy import exists, func, select

from arf_core.errors import InputError, ReplyError
from arf_core.models import Request
from arf_core.models.calls import Ask, stream
from arf_core.models.registry import model_for
from arf_core.project import Project
from arf_core.project.prompts import Prompt
from arf_core.records import (
    Conversation,
    Record,
    RunReport,
    Split,
    Summary,
    System,
    SystemKind,
    digest,
    now,
)
from arf_core.run import Answer, Progress, in_batches
from arf_core.store import schema
from arf_core.store.database import Store, columns
from arf_core.store.queries import PAGE
from arf_core.store.writes import replace_rows

TASK = "summarise"


class GenerateSettings(Record):
    """What makes a generated system, kept verbatim with it."""

    model: str
    """The model's identity."""
    prompt: str
    """Hash of the summarise prompt."""


def generate(
    project: Project,
    model: str,
    into: str,
    *,
    splits: Sequence[Split] = ("test",),
    kind: SystemKind = "student",
    limit: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Have `model` summarise the conversations of `splits` as system `into`.

    `limit` makes at most so many, for a trial; `fresh` asks again for all. Raises InputError where
    a name is wrong, `into` is another system, or the splits hold no conversation; ModelError where
    no call can succeed.
    """
    started = time.monotonic()
    store = project.store
    chat = model_for(project, "student", model)
    prompt = project.prompt(TASK)
    settings = GenerateSettings(model=chat.identity, prompt=prompt.hash)
    _enter_system(store, _system(into, kind, model, settings), settings)
    open_ones = () if fresh else (_unwritten(into),)
    report = _asked(store, splits, open_ones, limit)

    asks = (
        _ask(prompt, conversation, into)
        for conversation in islice(_conversations(store, splits, *open_ones), limit)
    )
    with project.meter.run(report):
        for batch in in_batches(stream(project, chat, asks, fresh=fresh)):
            _store(store, into, batch)
            for answer in batch:
                answer.count_in(report)
            if progress:
                progress(report.finished, report.asked)
    report.notes += chat.notes()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def system_for(project: Project, model: str, name: str) -> str:
    """The name of the student system that `model` can write into: `name` where nobody else wrote
    it, else the first such of name-2, name-3 … A student trained anew is another model than the one
    that wrote under its name before. Raises ConfigError where the model cannot be opened."""
    if _there(project.store, name) is None:
        return name  # the usual case, without a look at the weights
    chat = model_for(project, "student", model)
    settings = GenerateSettings(model=chat.identity, prompt=project.prompt(TASK).hash)
    for into in chain([name], (f"{name}-{n}" for n in count(2))):
        there = _there(project.store, into)
        if there is None or there == _system(into, "student", model, settings):
            return into
    raise AssertionError("there is always a free number")


class Tried(Record):
    """What a model made of one conversation; nothing of it is stored as a summary."""

    model: str
    conversation: str
    """As the source calls it."""
    text: str
    """What it said, even where that is no whole summary."""
    problem: str | None = None
    """Why `text` is no summary, if so."""
    seconds: float


def try_on(project: Project, model: str, conversation: str) -> Tried:
    """Have `model` summarise one conversation, named as its source calls it.

    Raises InputError where there is no such conversation, ModelError where no call can succeed.
    """
    found = project.store.get(Conversation, schema.conversation.c.external_id == conversation)
    if found is None:
        raise InputError(
            f"The project has no conversation {conversation!r}.",
            "Give its id as the page Data lists it.",
        )
    chat = model_for(project, "student", model)
    started = time.monotonic()
    ask = _ask(project.prompt(TASK), found, model)
    with project.meter.run(RunReport(asked=1)):
        (answer,) = stream(project, chat, [ask])
    failure = answer.failure
    return Tried(
        model=model,
        conversation=conversation,
        text=answer.value or (failure.raw if failure and failure.raw else ""),
        problem=f"{failure.reason}: {failure.message}" if failure else None,
        seconds=round(time.monotonic() - started, 3),
    )


def first_of(store: Store, splits: Sequence[Split], limit: int) -> list[str]:
    """The ids of the first conversations of the splits, as their source calls them."""
    c = schema.conversation
    query = select(c.c.external_id).where(c.c.split.in_(splits)).order_by(c.c.seq).limit(limit)
    with store.read() as conn:
        return list(conn.scalars(query))


def request_of(prompt: Prompt, conversation: Conversation, system: str) -> Request:
    """What is asked for the summary that `system` is to have of a conversation."""
    return Request(
        task=TASK,
        conversation=conversation.fingerprint,
        subject=conversation.fingerprint,
        system=system,
        messages=prompt.render(conversation=conversation),
    )


def _ask(prompt: Prompt, conversation: Conversation, system: str) -> Ask[Conversation, str]:
    return Ask(conversation, request_of(prompt, conversation, system), _text)


def _text(reply: str) -> str:
    """The summary as it stands in the reply. Raises ReplyError where there is none."""
    if text := reply.strip():
        return text
    raise ReplyError("it is empty.")


def _system(into: str, kind: SystemKind, model: str, settings: GenerateSettings) -> System:
    return System(
        name=into, kind=kind, model=model, settings_hash=digest(settings.model_dump_json())
    )


def _there(store: Store, name: str) -> System | None:
    return store.get(System, schema.system.c.name == name)


def _enter_system(store: Store, system: System, settings: GenerateSettings) -> None:
    there = _there(store, system.name)
    if there is not None and there != system:
        raise InputError(
            f"There is a system {system.name!r} already, made by another model or in another way.",
            "Give this one another name: --into NAME.",
        )
    store.keep_version("generate", settings.model_dump_json(), system.settings_hash)
    store.add([system])


def _unwritten(into: str) -> Any:
    """Condition on a conversation: the system has no summary of it."""
    s = schema.summary
    return ~exists().where(s.c.conversation_id == schema.conversation.c.id, s.c.system == into)


def _asked(
    store: Store, splits: Sequence[Split], open_ones: Sequence[Any], limit: int | None
) -> RunReport:
    there = _count(store, splits)
    if not there:
        raise InputError(
            f"The project has no conversation in {', '.join(splits)}.",
            "Import some, or choose another --split.",
        )
    to_do = _count(store, splits, *open_ones)
    skipped = there - to_do
    return RunReport(asked=skipped + min(to_do, limit or to_do), skipped=skipped)


def _count(store: Store, splits: Sequence[Split], *where: Any) -> int:
    c = schema.conversation
    query = select(func.count()).select_from(c).where(c.c.split.in_(splits), *where)
    with store.read() as conn:
        return int(conn.scalar(query) or 0)


def _conversations(store: Store, splits: Sequence[Split], *where: Any) -> Iterator[Conversation]:
    """In order of arrival, whether or not anybody has summarised them."""
    c = schema.conversation
    query = select(c.c.seq.label("seq"), *columns(Conversation))
    query = query.where(c.c.split.in_(splits), *where)
    for rows in store.pages(query, c.c.seq, PAGE):
        for row in rows:
            data = dict(row._mapping)
            del data["seq"]
            yield Conversation.model_validate(data)


def _store(store: Store, into: str, batch: Sequence[Answer[Conversation, str]]) -> None:
    store.put_summaries(
        [Summary.of(a.item.id, into, a.value) for a in batch if a.value is not None]
    )
    failed = [
        {
            "conversation_id": a.item.id,
            "system": into,
            "reason": a.failure.reason,
            "raw": a.failure.raw or a.failure.message,
            "at": now(),
        }
        for a in batch
        if a.failure
    ]
    if failed:
        with store.write() as conn:
            replace_rows(conn, schema.unwritten, failed)


class Unwritten(Record):
    """A conversation that a system could not summarise, and why."""

    conversation: str
    reason: str
    raw: str


def unwritten(store: Store, system: str) -> list[Unwritten]:
    """What failed, and has not been made since."""
    u, c, s = schema.unwritten, schema.conversation, schema.summary
    query = (
        select(c.c.external_id, u.c.reason, u.c.raw)
        .join_from(u, c, c.c.id == u.c.conversation_id)
        .where(
            u.c.system == system,
            ~exists().where(s.c.conversation_id == c.c.id, s.c.system == system),
        )
        .order_by(c.c.seq)
    )
    with store.read() as conn:
        rows = conn.execute(query).all()
    return [Unwritten(conversation=r.external_id, reason=r.reason, raw=r.raw) for r in rows]
