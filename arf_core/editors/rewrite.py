"""The untargeted arm: a model is asked for a better summary, and told of no errors.

It exists for comparison: does naming the errors matter?
"""

import json
from collections.abc import Iterable, Iterator
from functools import partial

from pydantic import BaseModel

from arf_core.answers import Answer
from arf_core.diff import replacements_between
from arf_core.editors import EditTask, Proposal, ProposedEdit
from arf_core.errors import ReplyError
from arf_core.models import ChatModel, Request
from arf_core.models.calls import Ask, stream
from arf_core.models.structured import TEXT, parse_reply, strict_object
from arf_core.project import Project
from arf_core.prompts import Prompt
from arf_core.records import digest
from arf_core.store import Store


class RewriteReply(BaseModel):
    summary: str


SCHEMA = strict_object({"summary": TEXT})


def open_editor(project: Project, model: str | None = None) -> "RewriteEditor":
    return RewriteEditor(
        project.open_model("editor", model), project.prompt("rewrite"), project.store
    )


class RewriteEditor:
    targeted = False

    def __init__(self, model: ChatModel, prompt: Prompt, store: Store) -> None:
        self.name = f"rewrite:{model.name}"
        self.settings = json.dumps({"model": model.identity, "prompt": prompt.hash})
        self._model = model
        self._prompt = prompt
        self._store = store

    def edit(
        self, tasks: Iterable[EditTask], *, fresh: bool = False
    ) -> Iterator[Answer[EditTask, Proposal]]:
        """Raises ModelError where no call to the model can succeed."""
        asks = (Ask(task, self._request(task), partial(_proposal, task)) for task in tasks)
        return stream(asks, self._model, self._store, fresh=fresh)

    def notes(self) -> list[str]:
        return self._model.notes()

    def _request(self, task: EditTask) -> Request:
        return Request(
            task="rewrite",
            conversation=task.item.conversation.fingerprint,
            subject=digest(task.item.summary.text),
            messages=self._prompt.render(
                conversation=task.item.conversation, summary=task.item.summary.text
            ),
            schema_=SCHEMA,
        )


def _proposal(task: EditTask, reply: str) -> Proposal:
    """Raises ReplyError for an empty summary."""
    better = parse_reply(reply, RewriteReply).summary.strip()
    if not better:
        raise ReplyError("the summary is empty.")
    return Proposal(
        edits=tuple(
            ProposedEdit(replacement=r)
            for r in replacements_between(task.item.summary.text, better)
        )
    )
