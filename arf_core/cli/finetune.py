"""`arf finetune` and `arf generate`: train a student, and have a model write summaries."""

import shlex
from enum import StrEnum
from pathlib import Path

import typer

from arf_core.cli.options import Folder
from arf_core.cli.output import (
    JsonFlag,
    SplitName,
    exit_code,
    print_json,
    print_line,
    print_run,
    print_table,
    progress,
)
from arf_core.errors import InputError
from arf_core.finetune import Wanted, finished
from arf_core.finetune import finetune as run_finetune
from arf_core.finetune import prepare as prepare_folder
from arf_core.finetune.dataset import Arm
from arf_core.finetune.generate import generate as run_generate
from arf_core.finetune.generate import system_for, try_on
from arf_core.finetune.plan import Plan, plan_of
from arf_core.finetune.run_folder import place_of, state_now
from arf_core.finetune.settings import PRESETS, TRIAL_STEPS, settings_with
from arf_core.finetune.students import FinetuneReport, remove_student, report_of
from arf_core.finetune.trainers import default_trainer
from arf_core.finetune.training_errors import TrainingFault
from arf_core.project import Project

OfAny = typer.Argument(None, metavar="DIR", help="The project's folder; --bases needs none.")
Base = typer.Option(
    "practice",
    "--base",
    help="The base model: a folder, a preset's name (--bases), a hub id, practice, a tiny one made "
    "from nothing, or closed-world, the small one of that example.",
)
Rows = typer.Option(
    None,
    "--rows",
    help="all rows, or good ones alone (default: good of a revision, all of others).",
)
Match = typer.Option(
    [], "--match", help="As many rows as the smallest of these: teacher, teacher:good …"
)
PATIENCE = "Stop after so many checkpoints without a better dev loss; 3, and 0 never stops early."
DryRun = typer.Option(
    False, "--dry-run", help="Show the set, the estimate and the plan; train nothing."
)
Remove = typer.Option(
    False, "--remove", help="Remove the student --into, with its files and models; train nothing."
)
Prepare = typer.Option(
    False, "--prepare", help="Write the student's folder, to train it elsewhere."
)


class TrainerName(StrEnum):
    unsloth = "unsloth"
    trl = "trl"


class MethodName(StrEnum):
    lora = "lora"
    qlora = "qlora"
    full = "full"


class RowsName(StrEnum):
    all = "all"
    good = "good"


def register(app: typer.Typer) -> None:
    for command in (finetune, generate):
        app.command()(command)


def finetune(
    folder: Path = OfAny,
    system: str = typer.Option("r1", "--system", help="Whose summaries the student learns from."),
    base: str = Base,
    trainer: TrainerName = typer.Option(None, help="unsloth (on a GPU), or plain trl (without)."),
    into: str = typer.Option(None, help="The student's name; student-SYSTEM where not given."),
    rows: RowsName = Rows,
    match: list[str] = Match,
    steps: int = typer.Option(None, min=1, help="Optimiser steps, instead of epochs."),
    trial: bool = typer.Option(False, help=f"{TRIAL_STEPS} steps, to see whether it runs."),
    epochs: float = typer.Option(None, min=0.01, help="Passes over the rows; 2."),
    method: MethodName = typer.Option(None, help="lora, or full for practice, if not given."),
    rank: int = typer.Option(None, min=1, help="Of the adapter, and its alpha; 16."),
    learning_rate: float = typer.Option(None, help="Default: 2e-4; 2e-5 for full."),
    batch: int = typer.Option(None, min=1, help="Rows at a time; 2."),
    accumulation: int = typer.Option(None, min=1, help="Batches a step; 4."),
    max_length: int = typer.Option(None, min=32, help="Tokens; the data's 99th percentile."),
    seed: int = typer.Option(None, help="For the order of rows and the adapter; 3407."),
    checkpoint_every: int = typer.Option(None, min=1, help="Steps; a fifth of the training."),
    patience: int = typer.Option(None, min=0, help=PATIENCE),
    gguf: bool = typer.Option(True, help="Write GGUF files too."),
    fresh: bool = typer.Option(False, "--fresh", help="Throw an earlier one of this name away."),
    bases: bool = typer.Option(False, "--bases", help="List the bases with a preset, and end."),
    dry_run: bool = DryRun,
    prepare: bool = Prepare,
    remove: bool = Remove,
    as_json: bool = JsonFlag,
) -> None:
    """Train a student on a system's summaries. The same command goes on where one stopped."""
    if bases:
        _print_bases(as_json)
        return
    if remove:
        _remove(_named(folder), into, as_json)
        return
    given = {
        "method": method.value if method else None,
        "rank": rank,
        "alpha": rank,
        "learning_rate": learning_rate,
        "batch": batch,
        "accumulation": accumulation,
        "epochs": epochs,
        "steps": _steps(trial, steps),
        "max_length": max_length,
        "seed": seed,
        "checkpoint_every": checkpoint_every,
        "patience": patience,
    }
    wanted = Wanted(
        system=system,
        base=base,
        into=f"student-{system}" if into is None else into,
        trainer=trainer.value if trainer else default_trainer(),
        settings=settings_with(base, given),
        choice=rows.value if rows else None,
        match=tuple(map(Arm.parse, match)),
        gguf=("f16", "q8_0") if gguf else (),
    )
    _do(_named(folder), wanted, fresh=fresh, dry_run=dry_run, prepare=prepare, as_json=as_json)


def _steps(trial: bool, steps: int | None) -> int | None:
    if trial and steps:
        raise InputError("--trial and --steps are both given.", "Give one of them.")
    return TRIAL_STEPS if trial else steps


def _named(folder: Path | None) -> Path:
    if folder is None:
        raise InputError("No project named.", "arf finetune DIR; arf demo DIR makes one to try.")
    return folder


def _do(
    folder: Path, wanted: Wanted, *, fresh: bool, dry_run: bool, prepare: bool, as_json: bool
) -> None:
    with Project.open(folder) as project:
        if dry_run:
            _print_plan(plan_of(project, wanted), as_json)
        elif prepare:
            made = str(prepare_folder(project, wanted, fresh=fresh))
            if as_json:
                print_json({"folder": made})
            else:
                print_line(made)
        else:
            _train(project, wanted, fresh, as_json)


def _train(project: Project, wanted: Wanted, fresh: bool, as_json: bool) -> None:
    place = place_of(project.path, wanted.into)
    try:
        with progress(f"Training {wanted.into}") as told:
            report = run_finetune(project, wanted, fresh=fresh, progress=told)
    except TrainingFault as fault:
        if not as_json:
            raise
        report = report_of(project, place, place.state() or state_now("failed"))
        print_json(report.model_dump() | {"error": fault.message, "hint": fault.hint})
        raise typer.Exit(fault.exit_code) from fault
    except KeyboardInterrupt:
        if (state := place.state()) is not None and state.phase == "stopped":
            _print_report(project, finished(project, place), as_json)
        raise
    _print_report(project, report, as_json)


def _remove(folder: Path, into: str | None, as_json: bool) -> None:
    if into is None:
        raise InputError("No student named.", "Name the one to remove: --remove --into NAME")
    with Project.open(folder) as project:
        models = remove_student(project, place_of(project.path, into))
    if as_json:
        print_json({"removed": into, "models": models})
    else:
        print_line(f"Removed {into}. The summaries that it wrote stay.")


def _print_bases(as_json: bool) -> None:
    if as_json:
        print_json({"bases": [p.model_dump(exclude={"shape"}) for p in PRESETS]})
        return
    print_table(
        "Bases with a preset; any other Llama, Qwen2 or Qwen3 works by its folder or id",
        ("name", "hub id", "licence", "for"),
        [(p.name, p.base, p.licence, p.why) for p in PRESETS],
    )


def _print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        print_json(plan.model_dump())
        return
    for line in plan.in_words():
        print_line(line)


def _print_report(project: Project, report: FinetuneReport, as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump())
        return
    folder = project.path
    if report.state != "done":
        at = f" Step {report.steps} of {report.total}." if report.total else ""
        print_line(f"{report.name}: {report.message}{at} The same command goes on.")
        return
    what = "Practice model" if report.practice else "Student"
    loss = f"{report.final_loss:.4f}" if report.final_loss is not None else "not known"
    print_line(
        f"{what} {report.name}: {report.steps} steps in {report.seconds:.1f} s, loss {loss} at "
        "the last one."
    )
    for name, file in report.artifacts.items():
        print_line(f"  {name}: {folder / file}")
    model = report.models[-1]
    into = system_for(project, model, report.name)
    again = ["arf", "generate", str(folder), "--model", model, "--into", into]
    print_line(f"Try it: {shlex.join(again)}")


def generate(
    folder: Path = Folder,
    model: str = typer.Option(..., "--model", help="Who writes, by its name in arf.toml."),
    into: str = typer.Option(None, "--into", help="The name of the system."),
    split: list[SplitName] = typer.Option([SplitName.test], help="Of these splits."),
    kind: str = typer.Option("student", help="What the system is: student or teacher."),
    limit: int = typer.Option(None, min=1, help="At most so many, for a trial."),
    fresh: bool = typer.Option(False, "--fresh", help="Write again what is written."),
    only: str = typer.Option(
        None, "--only", help="This conversation alone, by its id: shown, not stored."
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Have a model write a system's summaries. What is written is skipped."""
    if only:
        _try(folder, model, only, as_json)
        return
    if not into:
        raise InputError(
            "No system named.", "Give --into NAME, or one conversation with --only ID."
        )
    if kind not in ("student", "teacher"):
        raise InputError(f"--kind {kind!r} is neither student nor teacher.", "Give one of them.")
    with Project.open(folder) as project, progress(f"Writing {into}", project) as told:
        report = run_generate(
            project,
            model,
            into,
            splits=[s.value for s in split],
            kind="teacher" if kind == "teacher" else "student",
            limit=limit,
            fresh=fresh,
            progress=told,
        )
    if as_json:
        print_json(report.model_dump() | {"system": into})
    else:
        print_run(f"{into}, written by {model}", report)
    raise typer.Exit(exit_code(report))


def _try(folder: Path, model: str, conversation: str, as_json: bool) -> None:
    with Project.open(folder) as project:
        tried = try_on(project, model, conversation)
    if as_json:
        print_json(tried.model_dump())
    else:
        print_line(tried.text)
        if tried.problem:
            print_line(f"({tried.problem})")
    raise typer.Exit(1 if tried.problem else 0)
