"""`arf finetune` and `arf generate`: train a student, and have a model write summaries."""

import shlex
from pathlib import Path

import typer

from arf_core.cli.options import Folder, from_settings
from arf_core.cli.output import (
    JsonFlag,
    exit_code,
    print_json,
    print_line,
    print_run,
    print_table,
    progress,
)
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.training import finetune as run_finetune
from arf_core.training import finished
from arf_core.training import prepare as prepare_folder
from arf_core.training.base_models import PRESETS
from arf_core.training.generate import GenerateSettings, system_for, try_on
from arf_core.training.generate import generate as run_generate
from arf_core.training.plan import plan_of
from arf_core.training.run_folder import run_folder, state_now
from arf_core.training.settings import FinetuneSettings
from arf_core.training.students import FinetuneReport, remove_student, report_of
from arf_core.training.training_errors import TrainingFault

AnyFolder = typer.Argument(None, metavar="DIR", help="The project's folder; --bases needs none.")
Bases = typer.Option(False, "--bases", help="List the presets and end.")
DryRun = typer.Option(
    False, "--dry-run", help="Show the set, the memory estimate and the plan; train nothing."
)
Remove = typer.Option(
    False, "--remove", help="Remove the student --into, with its files and models; train nothing."
)
Prepare = typer.Option(
    False, "--prepare", help="Write the student's folder, to train it elsewhere."
)


def register(app: typer.Typer) -> None:
    for command in (finetune, generate):
        app.command()(command)


@from_settings(FinetuneSettings)
def finetune(
    settings: FinetuneSettings,
    folder: Path = AnyFolder,
    bases: bool = Bases,
    dry_run: bool = DryRun,
    prepare: bool = Prepare,
    remove: bool = Remove,
    as_json: bool = JsonFlag,
) -> None:
    """Train a student on a system's summaries. The same command goes on where one stopped."""
    if bases:
        _print_bases(as_json)
        return
    if folder is None:
        raise InputError("No project named.", "arf finetune DIR; arf demo DIR makes one to try.")
    with Project.open(folder) as project:
        if remove:
            _remove(project, settings.into, as_json)
        elif dry_run:
            _print_plan(project, settings, as_json)
        elif prepare:
            _prepare(project, settings, as_json)
        else:
            _train(project, settings, as_json)


def _train(project: Project, settings: FinetuneSettings, as_json: bool) -> None:
    run = run_folder(project.path, settings.student)
    try:
        with progress(f"Training {settings.student}") as show:
            report = run_finetune(
                project, settings, progress=lambda phase, done, total: show(done, total, phase)
            )
    except TrainingFault as fault:
        if not as_json:
            raise
        report = report_of(project, run, run.state() or state_now("failed"))
        print_json(report.model_dump() | {"error": fault.message, "hint": fault.hint})
        raise typer.Exit(fault.exit_code) from fault
    except KeyboardInterrupt:
        if (state := run.state()) is not None and state.phase == "stopped":
            _print_report(project, finished(project, run), as_json)
        raise
    _print_report(project, report, as_json)


def _prepare(project: Project, settings: FinetuneSettings, as_json: bool) -> None:
    folder = str(prepare_folder(project, settings).folder)
    if as_json:
        print_json({"folder": folder})
    else:
        print_line(folder)


def _remove(project: Project, student: str | None, as_json: bool) -> None:
    if student is None:
        raise InputError("No student named.", "Name the one to remove: --remove --into NAME")
    models = remove_student(project, run_folder(project.path, student))
    if as_json:
        print_json({"removed": student, "models": models})
    else:
        print_line(f"Removed {student}. The summaries that it wrote stay.")


def _print_bases(as_json: bool) -> None:
    if as_json:
        print_json({"bases": [p.model_dump(exclude={"shape"}) for p in PRESETS]})
        return
    print_table(
        "Presets; any other Llama, Qwen2 or Qwen3 works by its folder or hub id",
        ("name", "hub id", "licence", "for"),
        [(p.name, p.base, p.licence, p.why) for p in PRESETS],
    )


def _print_plan(project: Project, settings: FinetuneSettings, as_json: bool) -> None:
    plan = plan_of(project, settings)
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


@from_settings(GenerateSettings)
def generate(
    settings: GenerateSettings,
    folder: Path = Folder,
    only: str = typer.Option(
        None, "--only", help="Summarise this conversation only, by its id; print, do not store."
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Have a model write a system's summaries. Existing ones are skipped."""
    if only:
        _try(folder, settings.model, only, as_json)
        return
    into = settings.into
    with Project.open(folder) as project, progress(f"Writing {into}", project) as show:
        report = run_generate(project, settings, progress=show)
    if as_json:
        print_json(report.model_dump() | {"system": into})
    else:
        print_run(f"{into}, written by {settings.model}", report)
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
