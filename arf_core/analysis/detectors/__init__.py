"""Detectors read summaries against their conversations. A detector is a module here.

A detector module has `open_detector(project, model) -> Detector`, where `model` is the name of a
model or None. A person is a detector too (`person:anna`), but reads through the app or a file.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from arf_core import plugins
from arf_core.records import Item, Record
from arf_core.run import Answer

if TYPE_CHECKING:
    from arf_core.project import Project


class Found(Record):
    """One error as a detector reports it; `analyze` gives it its identity."""

    category: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    evidence: tuple[int, ...] = ()
    explanation: str
    confidence: float | None = None


class KeyFact(Record):
    """Something in the conversation that a summary should hold."""

    kind: str
    text: str
    evidence: tuple[int, ...] = ()


class Seen(Record):
    """A complete reading of one summary. No findings means that it is clean to this detector."""

    findings: tuple[Found, ...] = ()
    facts: tuple[KeyFact, ...] = ()


class Detector(Protocol):
    """Reads any number of items, in any order."""

    name: str
    """As stored with its analyses: `rules`, or `llm:<model>`."""
    settings: str
    """What decides its answers besides the taxonomy, as JSON; kept verbatim with the run."""

    def read(self, items: Iterable[Item], *, fresh: bool = False) -> Iterator[Answer[Item, Seen]]:
        """One answer for each item, as they come. `fresh` ignores stored answers of models."""
        ...

    def notes(self) -> list[str]:
        """What the report on a run should say about this detector."""
        ...


def detectors() -> list[str]:
    """The names of all detector modules."""
    return plugins.names(__name__)


def open_detector(project: "Project", name: str, model: str | None = None) -> Detector:
    """Open a detector by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "detector")
    opened: Detector = module.open_detector(project, model)
    return opened
