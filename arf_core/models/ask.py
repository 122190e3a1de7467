"""A model, and the prompt of the task it is to do: what every plug-in that asks a model shares."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from arf_core.models import Request
from arf_core.models.calls import Ask, stream
from arf_core.models.registry import model_for
from arf_core.models.replies import JsonSchema
from arf_core.project import Project
from arf_core.project.settings import Role
from arf_core.records import Conversation, digest
from arf_core.run import Answer

I = TypeVar("I")  # noqa: E741 (what is asked about)
T = TypeVar("T")
About = TypeVar("About", contravariant=True)


class Asker:
    """Asks one model one kind of question."""

    def __init__(self, project: Project, role: Role, model: str | None, task: str) -> None:
        """`model` is the one given, else arf.toml's for the role.

        Raises InputError where neither says, ConfigError where model or prompt is faulty.
        """
        self.project = project
        self.task = task
        self.chat = model_for(project, role, model)
        self._prompt = project.prompt(task)
        self.model = self.chat.name
        self.settings = json.dumps({"model": self.chat.identity, "prompt": self._prompt.hash})
        """What decides the answers besides the taxonomy."""

    def request(
        self,
        conversation: Conversation,
        system: str,
        subject: Iterable[str],
        schema: JsonSchema,
        /,
        **values: Any,
    ) -> Request:
        """The question about a summary of `system`. `subject` holds the texts that are judged,
        which name the question to recordings; `values` fill the prompt."""
        return Request(
            task=self._prompt.task,
            conversation=conversation.fingerprint,
            subject=digest(*subject),
            taxonomy=self.project.taxonomy.hash,
            system=system,
            messages=self._prompt.render(conversation=conversation, **values),
            schema_=schema,
        )

    def ask(
        self,
        items: Iterable[I],
        request: Callable[[I], Request],
        parse: Callable[[I, str], T],
        fresh: bool,
    ) -> Iterator[Answer[I, T]]:
        """Raises ModelError where no call can succeed. `parse` raises ReplyError."""
        asks = (Ask(item, request(item), partial(parse, item)) for item in items)
        return stream(self.project, self.chat, asks, fresh=fresh)

    def notes(self) -> list[str]:
        return self.chat.notes()


@runtime_checkable
class AsksModel(Protocol[About]):
    """A plug-in that asks a model one question about each item."""

    name: str
    asker: Asker

    def request(self, item: About, /) -> Request:
        """The question about an item, as it would be sent."""
        ...
