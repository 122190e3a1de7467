"""Generate: a model writes a system's summaries of the conversations of some splits.

Existing summaries are skipped, so the same call goes on where the last one stopped. A conversation
whose summary failed is counted by reason, kept with the model's reply, and tried again by the next
run.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import exists, func, select

from arf_core.errors import InputError, ReplyError
from arf_core.models import Request
from arf_core.models.calls import Ask, stream
from arf_core.models.registry import model_for
from arf_core.project import Project
from arf_core.project.prompts import Prompt
from arf_core.records import Conversation, Record, RunReport, Split, Summary, System, digest, now
from arf_core.run import Answer, Flag, Progress, VerbSettings, run
from arf_core.store import schema
from arf_core.store.database import Store, columns
from arf_core.store.queries import PAGE
from arf_core.store.writes import replace_rows

TASK = "summarise"


class GenerateSettings(VerbSettings):
    """Write a system's summaries with a model."""

    verb: ClassVar[str] = "generate"

    model: Annotated[str, Flag("--model", explicit=True)]
    """Model that writes, by its name in arf.toml."""
    into: Annotated[str, Flag("--into", explicit=True)] = ""
    """Name of the system."""
    splits: Annotated[tuple[Split, ...], Flag("--split", explicit=True)] = ("test",)
    """Only these splits."""
    kind: Literal["student", "teacher"] = "student"
    """Kind of the system: student or teacher."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Write at most this many summaries, for a trial."""
    fresh: bool = False
    """Write existing summaries again."""


class SummaryRecipe(Record):
    """What makes a generated system, stored with it."""

    model: str
    """The model's identity."""
    prompt: str
    """Hash of the summarise prompt."""


def generate(
    project: Project,
    settings: GenerateSettings | None = None,
    *,
    progress: Progress | None = None,
    **values: Any,
) -> RunReport:
    """Have a model summarise the conversations of some splits as a system.

    Raises InputError for an unknown name, for the name of another system, and for splits without
    conversations; ModelError where no call can succeed.
    """
    settings = GenerateSettings.of(settings, values)
    store, into = project.store, settings.into
    if not into:
        raise InputError(
            "No system named.", "Give --into NAME, or one conversation with --only ID."
        )
    chat = model_for(project, "student", settings.model)
    prompt = project.prompt(TASK)
    recipe = SummaryRecipe(model=chat.identity, prompt=prompt.hash)
    _enter_system(store, _system(into, settings.kind, settings.model, recipe), recipe)
    unfinished = () if settings.fresh else (_has_no_summary(into),)
    report = _count_work(store, settings.splits, unfinished, settings.limit)
    conversations = islice(_conversations(store, settings.splits, *unfinished), settings.limit)
    asks = (_ask(prompt, conversation, into) for conversation in conversations)

    def keep(answers: Sequence[Answer[Conversation, str]]) -> None:
        _store(store, into, answers)

    answers = stream(project, chat, asks, fresh=settings.fresh)
    return run(project, settings, report, answers, keep, chat.notes, progress)


def system_for(project: Project, model: str, name: str) -> str:
    """A name for the student system that `model` can write into: `name`, or the first of name-2,
    name-3 ... that is free or the model's own. A retrained student is another model than the one
    that wrote under its name before. Raises ConfigError where the model cannot be opened."""
    if _existing(project.store, name) is None:
        return name  # the usual case, without a look at the weights
    chat = model_for(project, "student", model)
    recipe = SummaryRecipe(model=chat.identity, prompt=project.prompt(TASK).hash)
    for into in chain([name], (f"{name}-{n}" for n in count(2))):
        if _existing(project.store, into) in (None, _system(into, "student", model, recipe)):
            return into
    raise AssertionError("there is always a free number")


class Tried(Record):
    """A model's answer to one conversation; it is not stored as a summary."""

    model: str
    conversation: str
    """Its id in the source."""
    text: str
    """The reply, even where it is not a valid summary."""
    problem: str | None = None
    """Why `text` is not a valid summary."""
    seconds: float


def try_on(project: Project, model: str, conversation: str) -> Tried:
    """Have `model` summarise one conversation, given by its id in the source.

    Raises InputError for an unknown conversation, ModelError where no call can succeed.
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
    """Ids, in the source, of the first conversations of the splits."""
    c = schema.conversation
    query = select(c.c.external_id).where(c.c.split.in_(splits)).order_by(c.c.seq).limit(limit)
    with store.read() as conn:
        return list(conn.scalars(query))


def request_of(prompt: Prompt, conversation: Conversation, system: str) -> Request:
    """The request for the summary of a conversation by `system`."""
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
    if text := reply.strip():
        return text
    raise ReplyError("it is empty.")


def _system(
    into: str, kind: Literal["student", "teacher"], model: str, recipe: SummaryRecipe
) -> System:
    return System(name=into, kind=kind, model=model, settings_hash=digest(recipe.model_dump_json()))


def _existing(store: Store, name: str) -> System | None:
    return store.get(System, schema.system.c.name == name)


def _enter_system(store: Store, system: System, recipe: SummaryRecipe) -> None:
    """Raises InputError where another system has the name."""
    if _existing(store, system.name) not in (None, system):
        raise InputError(
            f"There is a system {system.name!r} already, made by another model or in another way.",
            "Give this one another name: --into NAME.",
        )
    store.keep_version("recipe", recipe.model_dump_json(), system.settings_hash)
    store.add([system])


def _has_no_summary(into: str) -> Any:
    """Condition on a conversation: the system has no summary of it."""
    s = schema.summary
    return ~exists().where(s.c.conversation_id == schema.conversation.c.id, s.c.system == into)


def _count_work(
    store: Store, splits: Sequence[Split], unfinished: Sequence[Any], limit: int | None
) -> RunReport:
    """A report that counts the conversations, and those done before."""
    total = _count(store, splits)
    if not total:
        raise InputError(
            f"The project has no conversation in {', '.join(splits)}.",
            "Import some, or choose another --split.",
        )
    left = _count(store, splits, *unfinished)
    skipped = total - left
    return RunReport(asked=skipped + min(left, limit or left), skipped=skipped)


def _count(store: Store, splits: Sequence[Split], *where: Any) -> int:
    c = schema.conversation
    query = select(func.count()).select_from(c).where(c.c.split.in_(splits), *where)
    with store.read() as conn:
        return int(conn.scalar(query) or 0)


def _conversations(store: Store, splits: Sequence[Split], *where: Any) -> Iterator[Conversation]:
    """In order of arrival, whether or not any system has summarised them."""
    c = schema.conversation
    query = select(c.c.seq.label("seq"), *columns(Conversation))
    query = query.where(c.c.split.in_(splits), *where)
    for rows in store.pages(query, c.c.seq, PAGE):
        for row in rows:
            data = dict(row._mapping)
            del data["seq"]
            yield Conversation.model_validate(data)


def _store(store: Store, into: str, answers: Sequence[Answer[Conversation, str]]) -> None:
    """Store summaries, and failures with their reasons."""
    done = [Summary.of(a.item.id, into, a.value) for a in answers if a.value is not None]
    store.put_summaries(done)
    failed = [
        {
            "conversation_id": a.item.id,
            "system": into,
            "reason": a.failure.reason,
            "raw": a.failure.raw or a.failure.message,
            "at": now(),
        }
        for a in answers
        if a.failure
    ]
    if failed:
        with store.write() as conn:
            replace_rows(conn, schema.unwritten, failed)
