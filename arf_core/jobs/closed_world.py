"""The second example: conversations in a small made-up language whose truth is known, and students
trained on them (examples/closed_world/README.md says how, docs/benchmarks.md what came out).

Conversations, teacher, reader, editor and verifier are simulations; the students' summaries are
recordings of models that were really trained. The gold findings of the test split were counted
against the facts.
"""

from functools import partial
from pathlib import Path

from arf_core.analysis.annotations import load_labels
from arf_core.importing import load
from arf_core.jobs.demo import (
    CLOSED_WORLD,
    EXAMPLES,
    GOLD,
    STUDENTS,
    ExampleStep,
    StepProgress,
    SystemFigures,
    figures_of,
    open_example,
    run_steps,
)
from arf_core.project import Project
from arf_core.records import Record
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.run import Progress
from arf_core.training.generate import generate

SYSTEMS = ("teacher", "r1", *STUDENTS)
READER = "reader"


class ClosedWorldReport(Record):
    """How each system does on the test split."""

    note: str
    counted_by: str
    systems: dict[str, SystemFigures]


def make_closed_world(path: Path, progress: StepProgress | None = None) -> ClosedWorldReport:
    """Make the example's project in `path` with all its systems, resuming an earlier run.

    Raises InputError if `path` holds another project.
    """
    project = open_example(path, CLOSED_WORLD)
    run_steps(steps(project, EXAMPLES / CLOSED_WORLD.folder), progress)
    systems = {system: figures_of(project, system, GOLD, ("test",)) for system in SYSTEMS}
    return ClosedWorldReport(note=CLOSED_WORLD.note, counted_by=GOLD, systems=systems)


def steps(project: Project, source: Path) -> list[ExampleStep]:
    """The steps of the path; `source` is the example's folder."""

    def import_files(progress: Progress | None) -> None:
        load(project, [source / "conversations.jsonl"])
        load_labels(project, source / "reader.jsonl", by=READER, system="teacher")

    def load_gold(progress: Progress | None) -> None:
        for system in SYSTEMS:
            load_labels(project, source / "gold" / f"{system}.jsonl", by="gold", system=system)

    def written_by(student: str) -> ExampleStep:
        run = partial(generate, project, model=student, into=student, splits=("test",))
        return f"{student} summarises the test split", run

    detectors = [f"person:{READER}"]
    return [
        ("Import", import_files),
        ("Revise", partial(revise, project, system="teacher", into="r1", detectors=detectors)),
        ("Check", partial(verify, project, system="r1")),
        *map(written_by, STUDENTS),
        ("Gold", load_gold),
    ]
