"""Verifiers judge a revised summary: is each finding fixed, are there new errors?

A verifier is a module here, with `open_verifier(project, model) -> Verifier`. The detector that
asked for the revision cannot verify it: the check would be circular. A verifier that cannot judge a
finding's category answers `unchecked`, never `fixed`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from arf_core import plugins
from arf_core.records import Conversation, Finding, Record, Summary
from arf_core.run import Answer

if TYPE_CHECKING:
    from arf_core.project import Project


class CheckTask(Record):
    """A revised summary, its parent, and the findings that the revision answers."""

    conversation: Conversation
    before: Summary
    after: Summary
    findings: tuple[Finding, ...]


class Judgement(Record):
    """A verifier's answer on one finding."""

    result: Literal["fixed", "not_fixed", "unchecked"]
    reason: str = ""


class Verdict(Record):
    """A judgement for each finding of the task, in order, and the new errors."""

    judgements: tuple[Judgement, ...]
    new_errors: tuple[Finding, ...] = ()
    """Errors of the revised summary that its parent did not have, without ids."""


class Verifier(Protocol):
    """Judges revised summaries, in any order."""

    name: str
    """As stored with its checks: `rules`, or `llm:<model>`."""
    settings: str

    def verify(
        self, tasks: Iterable[CheckTask], *, fresh: bool = False
    ) -> Iterator[Answer[CheckTask, Verdict]]:
        """Yield one answer per task, in any order. `fresh` ignores stored replies."""
        ...

    def notes(self) -> list[str]:
        """Notes for the run's report."""
        ...


def verifiers() -> list[str]:
    """The names of all verifier modules."""
    return plugins.names(__name__)


def open_verifier(project: "Project", name: str, model: str | None = None) -> Verifier:
    """Open a verifier by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "verifier")
    opened: Verifier = module.open_verifier(project, model)
    return opened
