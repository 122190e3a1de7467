"""Detectors read summaries against their conversations. A detector is a module here.

A detector module has `open_detector(project, model) -> Detector`, where `model` is the name of a
model or None. A person is a detector too (`person:anna`), but reads through the app or a file.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from arf_core import plugins
from arf_core.records import Fact, Finding, Item, Record
from arf_core.run import Answer

if TYPE_CHECKING:
    from arf_core.project import Project


class Detection(Record):
    """A complete reading of one summary. No findings means that the detector found it clean."""

    findings: tuple[Finding, ...] = ()
    """Without ids: `analyze` sets `id` and `analysis_id`."""
    facts: tuple[Fact, ...] = ()


class Detector(Protocol):
    """Reads any number of items, in any order."""

    name: str
    """As stored with its analyses: `rules`, or `llm:<model>`."""
    settings: str
    """All that decides its findings besides the taxonomy, as JSON; stored with the run."""

    def read(
        self, items: Iterable[Item], *, fresh: bool = False
    ) -> Iterator[Answer[Item, Detection]]:
        """Yield one answer per item, in any order. `fresh` ignores stored replies."""
        ...

    def notes(self) -> list[str]:
        """Notes for the run's report."""
        ...


def detectors() -> list[str]:
    """The names of all detector modules."""
    return plugins.names(__name__)


def open_detector(project: "Project", name: str, model: str | None = None) -> Detector:
    """Open a detector by the name of its module. Raises InputError for one that is not there."""
    module = plugins.load_plugin(__name__, name, "detector")
    opened: Detector = module.open_detector(project, model)
    return opened
