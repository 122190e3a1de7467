"""The examples that come with the package, and the first of them, the sample project: the whole
path on written examples, answered from recordings.

No key, no network, no GPU. The sample's conversations, teacher's summaries and gold findings are
written examples; detector, editor and verifier answer from recordings of a real model
(examples/support/README.md says how both were made).
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

from arf_core.analysis.analyze import analyze
from arf_core.analysis.annotations import load_labels
from arf_core.errors import InputError
from arf_core.evaluate.agreement import Agreement, agreement
from arf_core.evaluate.rates import error_rates
from arf_core.finetune.export import ExportReport, export
from arf_core.importing import load
from arf_core.project import SETTINGS_FILE, Project
from arf_core.records import SPLITS, Record, RunReport, Split
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.run import Progress
from arf_core.store.findings import round_outcome

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
READER, SECOND_READER, EDITOR, VERIFIER = "reader", "second-reader", "editor", "verifier"
MODELS = (READER, SECOND_READER, EDITOR, VERIFIER)
GOLD = "person:gold"


class SystemFigures(Record):
    """How one system does, as a detector sees it that took no part in revising."""

    summaries: int
    with_error: int
    interval: tuple[float, float] | None
    """95 % Wilson interval of the share with an error."""
    findings: dict[str, int]


class RoundFigures(SystemFigures):
    """The same for a revision round, with what became of the findings it was to answer."""

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
    """What the whole path gave on the sample project."""

    note: str
    counted_by: str
    """The detector behind `systems`; it took no part in revising."""
    systems: dict[str, RoundFigures | SystemFigures]
    export: dict[str, int]
    detector: DetectorFigures
    """The one whose findings were answered."""
    detectors: tuple[DetectorFigures, ...]


class Example(NamedTuple):
    """What an example's project is made of, besides its path."""

    folder: str
    """Within examples/; its recordings become the models."""
    title: str
    models: tuple[str, ...]
    roles: dict[str, str]
    note: str
    """What its texts are, and what its figures are worth."""


SUPPORT = Example(
    "support",
    "Support (sample)",
    MODELS,
    {"detector": READER, "editor": EDITOR, "verifier": VERIFIER},
    "Conversations, teacher summaries and gold findings are written examples; detector, editor and "
    "verifier replies are recordings of a real model. No figure here says how they do on your "
    "data.",
)
STUDENTS = ("student-r0", "student-dropped", "student-rewrite", "student-r1", "student-r2")
CLOSED_WORLD = Example(
    "closed_world",
    "Closed world (example)",
    (EDITOR, VERIFIER, *STUDENTS),
    {"editor": EDITOR, "verifier": VERIFIER},
    "Conversations, teacher, reader, editor and verifier are simulations with chosen error rates; "
    "the students were really trained, and their summaries are recordings. Gold is exact here: it "
    "was counted against the facts. No figure here says how they do on your data.",
)


class Step(NamedTuple):
    """One part of the path, as it is shown while it runs."""

    title: str
    run: Callable[[Progress | None], RunReport | None]


def make_demo(path: Path, progress: Callable[[str], Progress | None] | None = None) -> DemoReport:
    """Make the sample project in `path` and take it through the whole path.

    Goes on where an earlier run stopped. Raises InputError where `path` holds another project.
    """
    project = open_example(path, SUPPORT)
    for step in _steps(project):
        step.run(progress(step.title) if progress else None)
    report = export(project, "r1", path / "exports" / "r1")
    return _report(project, report)


def example_of(project: Project) -> Example | None:
    """The example that this project was made from: all its models answer from recordings."""
    models = project.settings.models
    replayed = {name for name, options in models.items() if options.get("provider") == "replay"}
    return next((e for e in (SUPPORT, CLOSED_WORLD) if replayed.issuperset(e.models)), None)


def open_example(path: Path, example: Example) -> Project:
    """An example's project in `path`, made where there is none; its path is not gone yet.

    Raises InputError where `path` holds another project.
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
    settings = tomlkit.parse((path / SETTINGS_FILE).read_text(encoding="utf-8"))
    settings["models"] = {
        name: {"provider": "replay", "path": f"recordings/{name}.jsonl"} for name in example.models
    }
    settings["roles"] = example.roles
    (path / SETTINGS_FILE).write_text(tomlkit.dumps(settings), encoding="utf-8")
    for folder in ("recordings", "prompts"):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, path / folder)
    return Project.open(path)


def _steps(project: Project) -> list[Step]:
    source = EXAMPLES / "support"

    def read(system: str, detector: str, model: str | None = None) -> Step:
        who = f"{detector}:{model}" if model else detector
        return Step(
            f"{who} reads {system}",
            lambda told: analyze(
                project, system=system, detector=detector, model=model, progress=told
            ),
        )

    def bring_in(told: Progress | None) -> None:
        load(project, [source / "conversations.jsonl"])
        load_labels(project, source / "gold.jsonl", "gold", "teacher")

    return [
        Step("Import", bring_in),
        read("teacher", "rules"),
        read("teacher", "llm", READER),
        Step(
            "Revise",
            lambda told: revise(
                project, system="teacher", into="r1", detectors=[f"llm:{READER}"], progress=told
            ),
        ),
        Step("Check", lambda told: verify(project, system="r1", progress=told)),
        read("r1", "rules"),
        read("teacher", "llm", SECOND_READER),
        read("r1", "llm", SECOND_READER),
    ]


def _report(project: Project, exported: ExportReport) -> DemoReport:
    counted_by = f"llm:{SECOND_READER}"
    detectors = [
        _against_gold(agreement(project.store, "teacher", name, GOLD))
        for name in (f"llm:{READER}", counted_by, "rules")
    ]
    outcome = round_outcome(project.store, "r1")
    return DemoReport(
        note=SUPPORT.note,
        counted_by=counted_by,
        systems={
            "teacher": SystemFigures(**figures_of(project, "teacher", counted_by)),
            "r1": RoundFigures(
                **figures_of(project, "r1", counted_by),
                **outcome.model_dump(
                    include={"edited", "fixed", "not_fixed", "new_errors", "unchecked"}
                ),
            ),
        },
        export={"rows": exported.rows},
        detector=detectors[0],
        detectors=tuple(detectors),
    )


def figures_of(
    project: Project, system: str, detector: str, splits: Sequence[Split] = SPLITS
) -> dict[str, Any]:
    """The fields of a system's figures, as a detector sees it."""
    rates = error_rates(project.store, system, detector, splits)
    return {
        "summaries": rates.any_error.total,
        "with_error": rates.any_error.count,
        "interval": rates.any_error.interval,
        "findings": rates.findings,
    }


def _against_gold(found: Agreement) -> DetectorFigures:
    return DetectorFigures(
        name=found.detector,
        precision=found.findings.precision,
        recall=found.findings.recall,
        false_alarms=found.findings.false_alarms,
        misses=found.findings.misses,
        has_error_balanced_accuracy=found.has_error.balanced_accuracy,
    )
