"""The second example: conversations of a small made-up language, whose truth is known, and students
that were trained on them (examples/closed_world/README.md says how, and docs/benchmarks.md what
came out).

Conversations, teacher, reader, editor and verifier are simulations; the students' summaries are
recordings of models that were really trained. The gold findings of the test split were counted
against the facts.
"""

from collections.abc import Callable
from pathlib import Path

from arf_core.analysis.annotations import load_labels
from arf_core.finetune.generate import generate
from arf_core.importing import load
from arf_core.jobs.demo import (
    CLOSED_WORLD,
    EXAMPLES,
    STUDENTS,
    Step,
    SystemFigures,
    figures_of,
    open_example,
)
from arf_core.project import Project
from arf_core.records import Record
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.run import Progress

SYSTEMS = ("teacher", "r1", *STUDENTS)
GOLD, READER = "gold", "reader"


class ClosedWorldReport(Record):
    """What each system does on the test split."""

    note: str
    counted_by: str
    systems: dict[str, SystemFigures]


def make_closed_world(
    path: Path, progress: Callable[[str], Progress | None] | None = None
) -> ClosedWorldReport:
    """Make the example's project in `path`, with all its systems; goes on where an earlier run
    stopped. Raises InputError where `path` holds another project."""
    project = open_example(path, CLOSED_WORLD)
    for step in steps(project, EXAMPLES / CLOSED_WORLD.folder):
        step.run(progress(step.title) if progress else None)
    counted_by = f"person:{GOLD}"
    systems = {s: SystemFigures(**figures_of(project, s, counted_by, ("test",))) for s in SYSTEMS}
    return ClosedWorldReport(note=CLOSED_WORLD.note, counted_by=counted_by, systems=systems)


def steps(project: Project, source: Path) -> list[Step]:
    """The path, in order; `source` is the example's folder."""

    def bring_in(told: Progress | None) -> None:
        load(project, [source / "conversations.jsonl"])
        load_labels(project, source / "reader.jsonl", READER, "teacher")

    def written(student: str) -> Step:
        return Step(
            f"{student} summarises the test split",
            lambda told: generate(project, student, student, splits=("test",), progress=told),
        )

    def gold(told: Progress | None) -> None:
        for system in SYSTEMS:
            load_labels(project, source / "gold" / f"{system}.jsonl", GOLD, system)

    return [
        Step("Import", bring_in),
        Step(
            "Revise",
            lambda told: revise(
                project, system="teacher", into="r1", detectors=[f"person:{READER}"], progress=told
            ),
        ),
        Step("Check", lambda told: verify(project, system="r1", progress=told)),
        *map(written, STUDENTS),
        Step("Gold", gold),
    ]
