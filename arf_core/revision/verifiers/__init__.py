"""Verifiers judge a revised summary: is each finding gone, did anything new come in?

A verifier is a module here, with `open_verifier(project, model) -> Verifier`. It is another one
than the detector that asked for the revision, or the check would be circular. A verifier that
cannot judge a finding's category answers `unchecked`, never `fixed`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from arf_core import plugins
from arf_core.analysis.detectors import Found
from arf_core.records import Conversation, Finding, Record, Summary
from arf_core.run import Answer

if TYPE_CHECKING:
    from arf_core.project import Project


class CheckTask(Record):
    """A revised summary, the one it was made from, and the findings it was to answer."""

    conversation: Conversation
    before: Summary
    after: Summary
    findings: tuple[Finding, ...]


class Judged(Record):
    """The answer on one finding."""

    result: Literal["fixed", "not_fixed", "unchecked"]
    reason: str = ""


class Verdict(Record):
    """One judgement for each finding of the task, in its order, and errors that came in."""

    judged: tuple[Judged, ...]
    new_errors: tuple[Found, ...] = ()
    """Errors of the revised summary that the one before did not hold; offsets in the revised."""


class Verifier(Protocol):
    """Judges any number of revisions, in any order."""

    name: str
    """As stored with its checks: `rules`, or `llm:<model>`."""
    settings: str

    def verify(
        self, tasks: Iterable[CheckTask], *, fresh: bool = False
    ) -> Iterator[Answer[CheckTask, Verdict]]:
        """One answer for each task, as they come. `fresh` ignores stored answers of models."""
        ...

    def notes(self) -> list[str]:
        """What the report on a run should say about this verifier."""
        ...


def verifiers() -> list[str]:
    """The names of all verifier modules."""
    return plugins.names(__name__)


def open_verifier(project: "Project", name: str, model: str | None = None) -> Verifier:
    """Open a verifier by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "verifier")
    opened: Verifier = module.open_verifier(project, model)
    return opened
