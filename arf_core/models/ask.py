"""From a prompt to validated replies: what every plug-in that asks a model shares."""

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

I = TypeVar("I")  # noqa: E741 (the item that is asked about)
I_contra = TypeVar("I_contra", contravariant=True)
T = TypeVar("T")


class PromptRunner:
    """Runs the prompt of one task on one model."""

    def __init__(self, project: Project, role: Role, model: str | None, task: str) -> None:
        """`model` is the name given, else arf.toml's model for the role is used.

        Raises InputError where neither names a model, ConfigError for a faulty model or prompt.
        """
        self._project = project
        self.task = task
        self.taxonomy = project.taxonomy
        self.chat = model_for(project, role, model)
        self.model = self.chat.name
        self._prompt = project.prompt(task)
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
        which identify the question to recordings; `values` fill the prompt."""
        return Request(
            task=self.task,
            conversation=conversation.fingerprint,
            subject=digest(*subject),
            taxonomy=self.taxonomy.hash,
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
        """Ask about each item and parse the replies; `parse` raises ReplyError.

        Raises ModelError where no call can succeed.
        """
        asks = (Ask(item, request(item), partial(parse, item)) for item in items)
        return stream(self._project, self.chat, asks, fresh=fresh)

    def notes(self) -> list[str]:
        return self.chat.notes()


@runtime_checkable
class PromptPlugin(Protocol[I_contra]):
    """A plug-in that asks a model one question about each item."""

    name: str
    runner: PromptRunner

    def request(self, item: I_contra, /) -> Request:
        """The question about an item, as it would be sent."""
        ...
