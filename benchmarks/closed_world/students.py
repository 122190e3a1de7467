"""Students of the closed world: a project with all arms of one teacher, and a training of each
arm by the product's own `finetune`, `generate` and rows.
"""

import multiprocessing
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

from arf_core.analysis.annotations import LabelledFinding, reading_of
from arf_core.models.registry import add_model
from arf_core.project import Project
from arf_core.records import (
    Conversation,
    Item,
    Record,
    Summary,
    System,
    SystemKind,
    digest,
    fingerprint_of,
)
from arf_core.training import finished, prepare
from arf_core.training.generate import generate
from arf_core.training.run_folder import run_folder
from arf_core.training.settings import FinetuneSettings
from arf_core.training.training_set import Arm
from benchmarks.closed_world.base import PROMPT
from benchmarks.closed_world.language import Case, cases, summary, truth
from benchmarks.closed_world.writers import Marked, Quality, editor, reader, rewriter, teacher

LIBRARIES = [
    *("peft", "trl.trainer.sft_trainer", "transformers.models.llama.modeling_llama"),
    *(__name__, "arf_core.training.worker", "arf_core.models.providers.transformers"),
]
"""To be read once for all students."""

SOURCE = "closed world"
READER = "reader"
TEACHER, TRUTH, REWRITE = "teacher", "truth", "rewrite"


class Sizes(Record):
    """How large the experiment is."""

    train: int = 1200
    test: int = 300
    steps: int = 300
    batch: int = 8
    learning_rate: float = 2e-3
    answer_tokens: int = 40


class World(NamedTuple):
    """One teacher with its conversations, and all that was made of its summaries."""

    systematic: int
    """How many of the teacher's four errors follow from the input."""
    seed: int
    train: list[Case]
    test: list[Case]
    systems: dict[str, dict[str, str]]
    """Summaries of the train split, by system and conversation."""
    marks: dict[str, dict[str, Marked]]
    """What each reader found in the teacher's summaries, by system that holds them."""


def world(systematic: int, seed: int, qualities: Sequence[Quality], sizes: Sizes) -> World:
    """The same numbers make the same world; the test split is the same in all."""
    train = cases(sizes.train, "train", str(seed))
    first = teacher(train, systematic, str(seed))
    right = {c.id: summary(truth(c.facts), c.variant) for c in train}
    systems = {TEACHER: first, TRUTH: right, REWRITE: rewriter(train, first, str(seed))}
    marks = {}
    for quality in qualities:
        name = named(quality)
        marks[f"read-{name}"] = found = reader(train, first, quality, f"{seed}:1")
        systems[f"read-{name}"] = first
        systems[f"r1-{name}"] = once = editor(train, first, found)
        again = reader(train, once, quality, f"{seed}:2")
        systems[f"r2-{name}"] = editor(train, once, again)
    test = cases(sizes.test, "test", "the same in all")
    return World(systematic, seed, train, test, systems, marks)


def named(quality: Quality) -> str:
    """Of 100 errors so many are mended, in 100 summaries so many are made."""
    return f"{round(100 * quality.mends)}-{round(100 * quality.breaks)}"


KINDS: dict[str, SystemKind] = {"r1": "revision", "r2": "revision", REWRITE: "rewrite"}


def project_of(world: World, folder: Path) -> Project:
    """A project with the world's conversations, every system's summaries of the train split, and
    the readers' findings on the teacher's. Goes on with one that is there."""
    if (folder / "arf.toml").is_file():
        return Project.open(folder)
    made = folder.with_name(folder.name + ".part")
    project = Project.create(made, "Closed world")
    (made / "prompts").mkdir()
    (made / "prompts" / "summarise.md").write_text(PROMPT, encoding="utf-8")
    known = {c.id: conversation_of(c) for c in (*world.train, *world.test)}
    project.store.add(list(known.values()))
    for name, texts in world.systems.items():
        kind = KINDS.get(name.partition("-")[0], "teacher")
        parent = None if kind == "teacher" else TEACHER
        project.store.add([System(name=name, kind=kind, parent=parent)])
        summaries = [Summary.of(known[id_].id, name, text) for id_, text in texts.items()]
        project.store.put_summaries(summaries)
        if name in world.marks:
            _put_marks(project, known, summaries, world.marks[name])
    project.close()
    made.rename(folder)
    return Project.open(folder)


def _put_marks(
    project: Project,
    known: dict[str, Conversation],
    summaries: list[Summary],
    marks: dict[str, Marked],
) -> None:
    readings = []
    for (id_, mark), written in zip(marks.items(), summaries, strict=True):
        found = [
            LabelledFinding(category=c, explanation="Found.") for c in (*mark.true, *mark.false)
        ]
        item = Item(conversation=known[id_], summary=written)
        readings.append(reading_of(project, item, READER, found))
    project.store.put_readings(readings)


def conversation_of(case: Case) -> Conversation:
    return Conversation(
        id=digest(SOURCE, case.id),
        external_id=case.id,
        source=SOURCE,
        fingerprint=fingerprint_of(case.turns),
        turns=case.turns,
        split=case.split,
        attributes=case.facts.model_dump(include={"channel", "product"}),
    )


def settings_of(
    arm: Arm, smallest: Arm, base: Path, into: str, world: World, sizes: Sizes
) -> FinetuneSettings:
    """A student of an arm, on as many rows as the smallest one has."""
    return FinetuneSettings(
        system=arm.system,
        base=str(base),
        into=into,
        trainer="trl",
        rows=arm.choice,
        match=(f"{TEACHER}:all", ":".join(filter(None, smallest))),
        gguf=False,
        method="full",
        learning_rate=sizes.learning_rate,
        batch=sizes.batch,
        accumulation=1,
        steps=sizes.steps,
        seed=world.seed,
        evaluate=False,
        patience=0,
        checkpoint_every=sizes.steps,
        precision="fp32",
    )


class Student(Record):
    """What a student was trained on, and what it wrote."""

    rows: int
    steps: int
    final_loss: float
    seconds: float
    """Of training."""
    texts: dict[str, str]
    """Of the test split, by conversation."""


def student(project_path: Path, asked: FinetuneSettings, answer_tokens: int) -> Student:
    """Train a student and have it summarise the test split, in a copy of a process that has read
    the libraries and done nothing else: threads do not come along into a copy."""
    copies = multiprocessing.get_context("forkserver")
    copies.set_forkserver_preload(LIBRARIES)
    process = copies.Process(target=_work, args=(project_path, asked, answer_tokens))
    process.start()
    process.join()
    with Project.open(project_path) as project:
        report = finished(
            project, run_folder(project_path, asked.student)
        )  # raises what went wrong
        if process.exitcode != 0:
            raise RuntimeError(f"{asked.student}: the process ended with {process.exitcode}")
        run = run_folder(project_path, asked.student)
        written = project.store.all(Summary)
        by_id = {c.id: c.external_id for c in project.store.all(Conversation)}
        return Student(
            rows=run.job().rows,
            steps=report.steps,
            final_loss=report.final_loss or 0.0,
            seconds=report.seconds,
            texts={by_id[s.conversation_id]: s.text for s in written if s.system == asked.student},
        )


def _work(project_path: Path, asked: FinetuneSettings, answer_tokens: int) -> None:
    from arf_core.training import worker

    with Project.open(project_path) as project:
        folder = prepare(project, asked).folder
        with (folder / "log.txt").open("a", encoding="utf-8") as log, redirect_stdout(log):
            code = worker.main([str(folder)])
        if code == 0:
            options = {"provider": "transformers", "path": f"students/{asked.student}/merged"}
            options |= {"batch": 100, "max_tokens": answer_tokens}
            if asked.student not in project.settings.models:
                project.settings = add_model(project, asked.student, options).settings
            generate(project, model=asked.student, into=asked.student)
    raise SystemExit(code)
