"""A student as the project sees it: its report, its models, its removal."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from arf_core.errors import InputError
from arf_core.models.registry import add_model, remove_model
from arf_core.project import Project
from arf_core.records import Record
from arf_core.training.run_folder import ANSWER_TOKENS, GGUF, STUDENTS, RunFolder
from arf_core.training.training_records import Phase, TrainingState


class FinetuneReport(Record):
    """The outcome of a training, or how far it is."""

    name: str
    state: Phase
    steps: int
    total: int
    final_loss: float | None
    eval_loss: float | None = None
    seconds: float
    """Training time."""
    artifacts: dict[str, str]
    """The student's files by kind, relative to the project's folder."""
    models: tuple[str, ...]
    """Names under which the student can be asked."""
    practice: bool
    message: str = ""


def report_of(
    project: Project, run: RunFolder, state: TrainingState, models: Sequence[str] = ()
) -> FinetuneReport:
    steps, trained = run.steps(), run.trained()
    losses = [row.loss for row in steps if row.loss is not None]
    return FinetuneReport(
        name=run.folder.name,
        state=state.phase,
        steps=trained.steps if trained else state.step,
        total=state.total,
        final_loss=trained.final_loss if trained else (losses[-1] if losses else None),
        eval_loss=trained.eval_loss if trained else None,
        seconds=trained.seconds if trained else (steps[-1].seconds if steps else 0.0),
        artifacts=_artifacts(project, run),
        models=tuple(models),
        practice=run.job().practice,
        message=state.message,
    )


def _artifacts(project: Project, run: RunFolder) -> dict[str, str]:
    if (made := run.artifacts()) is None:
        return {}
    files = {
        "adapter": made.adapter,
        "merged": made.merged,
        "card": made.card,
        **{f"gguf_{kind}": file for kind, file in made.gguf.items()},
        "modelfile": made.modelfile,
    }
    folder = run.folder.relative_to(project.path)
    return {kind: str(folder / file) for kind, file in files.items() if file}


def register(project: Project, run: RunFolder) -> tuple[str, ...]:
    """Enter the student as a model, and its GGUF file as `<name>-gguf`; returns the names.

    An existing model stays as it is, unless its file is gone.
    """
    files = _artifacts(project, run)
    name = run.folder.name
    models: dict[str, dict[str, object]] = {
        name: {"provider": "transformers", "path": files["merged"]}
    }
    if file := files.get("gguf_q8_0") or files.get("gguf_f16"):
        models[name + GGUF] = {
            "provider": "llama_cpp",
            "path": file,
            "context_tokens": run.window(),
            "max_tokens": ANSWER_TOKENS,
        }
    elif name + GGUF in project.settings.models and not can_be_asked(project, name + GGUF):
        project.settings = remove_model(project, name + GGUF).settings
    for model, options in models.items():
        if model not in project.settings.models:
            project.settings = add_model(project, model, options).settings
    return tuple(models)


def can_be_asked(project: Project, model: str) -> bool:
    """Is it a model of the project, and does its file or folder still exist?"""
    options = project.settings.models.get(model)
    if options is None:
        return False
    return (project.path / Path(str(options.get("path", ""))).expanduser()).exists()


def refuse_taken_name(project: Project, student: str) -> None:
    """Raises InputError where another model has the student's name: it would be asked instead."""
    for model in (student, student + GGUF):
        if model in project.settings.models and not _belongs_to(project, model, student):
            raise InputError(
                f"There is a model {model!r} already, and it is not this student.",
                "Choose another name with --into.",
            )


def refuse_running(run: RunFolder) -> None:
    """Raises InputError while the student is being trained."""
    if run.is_running():
        raise InputError(
            f"The student {run.folder.name!r} is being trained.",
            "Stop it first: press Stop on page Finetune, or give its command again and Ctrl-C.",
        )


def remove_student(project: Project, run: RunFolder) -> tuple[str, ...]:
    """Remove a student's folder and models; its summaries stay. Returns the models' names.

    Raises InputError where there is no such student, or it is being trained.
    """
    name = run.folder.name
    if not run.job_file.is_file():
        raise InputError(
            f"There is no student {name!r}.", f"See {project.path / STUDENTS} for those there are."
        )
    refuse_running(run)
    models = tuple(m for m in (name, name + GGUF) if _belongs_to(project, m, name))
    for model in models:
        project.settings = remove_model(project, model).settings
    shutil.rmtree(run.folder)
    return models


def _belongs_to(project: Project, model: str, student: str) -> bool:
    options = project.settings.models.get(model, {})
    return f"{STUDENTS}/{student}/" in str(options.get("path"))
