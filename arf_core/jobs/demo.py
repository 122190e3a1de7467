"""The examples that come with the package, and the whole path on the first, the sample project.

It needs no key, network or GPU: conversations, teacher summaries and gold findings are written
examples; detector, editor and verifier answer from recordings of a real model
(examples/support/README.md says how both were made).
"""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from arf_core.analysis.analyze import analyze
from arf_core.analysis.annotations import load_labels
from arf_core.errors import InputError
from arf_core.evaluate.agreement import agreement
from arf_core.evaluate.rates import error_rates
from arf_core.importing import load
from arf_core.project import SETTINGS_FILE, Project
from arf_core.project.settings import edited
from arf_core.records import SPLITS, Record, Split
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.run import Progress
from arf_core.store.round_counts import round_outcome
from arf_core.training.export import export

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
READER, SECOND_READER, EDITOR, VERIFIER = "reader", "second-reader", "editor", "verifier"
STUDENTS = ("student-r0", "student-dropped", "student-rewrite", "student-r1", "student-r2")
GOLD = "person:gold"


class ExampleProject(NamedTuple):
    """What an example's project is made of, besides the steps of its path."""

    folder: str
    """Within examples/. Its recordings become the models."""
    title: str
    models: tuple[str, ...]
    roles: dict[str, str]
    note: str
    """What its texts are, and what its figures are worth."""


SUPPORT = ExampleProject(
    "support",
    "Support (sample)",
    (READER, SECOND_READER, EDITOR, VERIFIER),
    {"detector": READER, "editor": EDITOR, "verifier": VERIFIER},
    "Conversations, teacher summaries and gold findings are written examples; detector, editor and "
    "verifier replies are recordings of a real model. No figure here says how they do on your "
    "data.",
)
CLOSED_WORLD = ExampleProject(
    "closed_world",
    "Closed world (example)",
    (EDITOR, VERIFIER, *STUDENTS),
    {"editor": EDITOR, "verifier": VERIFIER},
    "Conversations, teacher, reader, editor and verifier are simulations with chosen error rates; "
    "the students were really trained, and their summaries are recordings. Gold is exact here: it "
    "was counted against the facts. No figure here says how they do on your data.",
)


def example_of(project: Project) -> ExampleProject | None:
    """The example that this project was made from: all its models answer from recordings."""
    models = project.settings.models
    replayed = {name for name, options in models.items() if options.get("provider") == "replay"}
    return next((e for e in (SUPPORT, CLOSED_WORLD) if replayed.issuperset(e.models)), None)


def open_example(path: Path, example: ExampleProject) -> Project:
    """The project of an example in `path`, made if there is none; this runs no step.

    Raises InputError if `path` holds another project.
    """
    source = EXAMPLES / example.folder
    if not source.is_dir():
        raise InputError(
            "The examples are not installed with the package.",
            "Run this from a clone of the repository: make demo",
        )
    if (path / SETTINGS_FILE).exists():
        project = Project.open(path)
        if set(example.models) - set(project.settings.models):
            raise InputError(f"{path} holds another project.", "Give a new folder.")
        return project
    Project.create(path, example.title).close()
    with edited(path / SETTINGS_FILE) as settings:
        settings["models"] = {
            name: {"provider": "replay", "path": f"recordings/{name}.jsonl"}
            for name in example.models
        }
        settings["roles"] = example.roles
    for folder in ("recordings", "prompts"):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, path / folder)
    return Project.open(path)


ExampleStep = tuple[str, Callable[..., object]]
"""The title of a part of the path, and what does it, called with `progress`."""
StepProgress = Callable[[str], Progress | None]
"""Called with the title of each step; returns what follows its progress."""


def run_steps(steps: Sequence[ExampleStep], progress: StepProgress | None) -> None:
    """Run the steps in order. Each skips what an earlier run has done."""
    for title, run in steps:
        run(progress=progress(title) if progress else None)


class SystemFigures(Record):
    """How often one system errs, according to a detector that took no part in revising."""

    summaries: int
    with_error: int
    interval: tuple[float, float] | None
    """95 % Wilson interval of the share with an error."""
    findings: dict[str, int]


class RoundFigures(SystemFigures):
    """The same for a revision round, with what became of the findings it was to correct."""

    edited: int
    fixed: int
    not_fixed: int
    new_errors: int
    unchecked: int


class DetectorFigures(Record):
    """A detector against the gold findings."""

    name: str
    precision: float | None
    recall: float | None
    false_alarms: int
    misses: int
    has_error_balanced_accuracy: float | None


class DemoReport(Record):
    """The results of the whole path on the sample project."""

    note: str
    counted_by: str
    """The detector behind `systems`; it took no part in revising."""
    systems: dict[str, RoundFigures | SystemFigures]
    export: dict[str, int]
    detector: DetectorFigures
    """The one whose findings were corrected."""
    detectors: tuple[DetectorFigures, ...]


def make_demo(path: Path, progress: StepProgress | None = None) -> DemoReport:
    """Make the sample project in `path` and run the whole path on it, resuming an earlier run.

    Raises InputError if `path` holds another project.
    """
    project = open_example(path, SUPPORT)
    run_steps(_steps(project), progress)
    exported = export(project, system="r1")
    reader, counted_by = f"llm:{READER}", f"llm:{SECOND_READER}"
    detectors = tuple(_against_gold(project, name) for name in (reader, counted_by, "rules"))
    outcome = round_outcome(project.store, "r1").model_dump(
        include={"edited", "fixed", "not_fixed", "new_errors", "unchecked"}
    )
    r1 = figures_of(project, "r1", counted_by).model_dump()
    return DemoReport(
        note=SUPPORT.note,
        counted_by=counted_by,
        systems={
            "teacher": figures_of(project, "teacher", counted_by),
            "r1": RoundFigures(**r1, **outcome),
        },
        export={"rows": exported.rows},
        detector=detectors[0],
        detectors=detectors,
    )


def _steps(project: Project) -> list[ExampleStep]:
    source = EXAMPLES / SUPPORT.folder

    def import_files(progress: Progress | None) -> None:
        load(project, [source / "conversations.jsonl"])
        load_labels(project, source / "gold.jsonl", by="gold", system="teacher")

    def read(system: str, detector: str, model: str | None = None) -> ExampleStep:
        reader = f"{detector}:{model}" if model else detector
        run = partial(analyze, project, system=system, detector=detector, model=model)
        return f"{reader} reads {system}", run

    detectors = [f"llm:{READER}"]
    return [
        ("Import", import_files),
        read("teacher", "rules"),
        read("teacher", "llm", READER),
        ("Revise", partial(revise, project, system="teacher", into="r1", detectors=detectors)),
        ("Check", partial(verify, project, system="r1")),
        read("r1", "rules"),
        read("teacher", "llm", SECOND_READER),
        read("r1", "llm", SECOND_READER),
    ]


def figures_of(
    project: Project, system: str, detector: str, splits: Sequence[Split] = SPLITS
) -> SystemFigures:
    """A system's figures according to a detector."""
    rates = error_rates(project.store, system, detector, splits)
    return SystemFigures(
        summaries=rates.any_error.total,
        with_error=rates.any_error.count,
        interval=rates.any_error.interval,
        findings=rates.findings,
    )


def _against_gold(project: Project, detector: str) -> DetectorFigures:
    found = agreement(project.store, "teacher", detector, GOLD)
    return DetectorFigures(
        name=detector,
        precision=found.findings.precision,
        recall=found.findings.recall,
        false_alarms=found.findings.false_alarms,
        misses=found.findings.misses,
        has_error_balanced_accuracy=found.has_error.balanced_accuracy,
    )
