"""Finetune: a student learns from a system's summaries.

`finetune` writes the training set and the job into `students/<name>/`, and a process of its own
trains there; the same call again goes on where the last one ended.
"""

import shutil
from typing import Any

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.run import PhaseProgress
from arf_core.training.base_models import find_base
from arf_core.training.practice import is_practice
from arf_core.training.process import run_to_end
from arf_core.training.requirements import need_for, need_training
from arf_core.training.run_folder import RunFolder, run_folder, state_now, write_atomically
from arf_core.training.settings import FinetuneSettings
from arf_core.training.students import (
    FinetuneReport,
    refuse_running,
    refuse_taken_name,
    register,
    report_of,
)
from arf_core.training.train import open_tokenizer, rows_that_fit
from arf_core.training.trainers import default_trainer, open_trainer
from arf_core.training.training_errors import TrainingFault
from arf_core.training.training_records import FINAL, TrainingJob
from arf_core.training.training_set import Arm, TrainingSet, training_set, write_rows


def finetune(
    project: Project,
    settings: FinetuneSettings | None = None,
    *,
    progress: PhaseProgress | None = None,
    **values: Any,
) -> FinetuneReport:
    """Train a student, make its files, and enter it as a model of the project.

    Goes on with a training of the same name and settings, joins one that runs. Raises InputError
    for unfit names, a name taken by another training, or QLoRA without a GPU, MissingExtra without
    the training extra, TrainingFault where the training failed. An interruption stops the training
    with a checkpoint, and is raised again.
    """
    settings = FinetuneSettings.of(settings, values)
    trainer = open_trainer(settings.trainer or default_trainer())
    need_training(*trainer.NEEDS)
    run = run_folder(project.path, settings.student)
    if not run.is_running() and (settings.fresh or not run.trained_file.is_file()):
        need_for(settings.training().method)
    job, rows = job_of(project, settings)
    if settings.fresh and run.folder.is_dir():  # replace nothing for what cannot begin
        rows_that_fit(open_tokenizer(job.base), job, rows.train)
    enter(run, job, rows, fresh=settings.fresh)
    if not _is_done(run):
        run_to_end(run, progress)
    return finished(project, run)


def prepare(project: Project, settings: FinetuneSettings | None = None, **values: Any) -> RunFolder:
    """Write a student's folder, for a worker on another machine. Raises the same errors as
    `finetune`."""
    settings = FinetuneSettings.of(settings, values)
    run = run_folder(project.path, settings.student)
    job, rows = job_of(project, settings)
    enter(run, job, rows, fresh=settings.fresh)
    return run


def job_of(project: Project, settings: FinetuneSettings) -> tuple[TrainingJob, TrainingSet]:
    """The job and its rows. Raises the same errors as `finetune`."""
    trainer = settings.trainer or default_trainer()
    open_trainer(trainer)
    run_folder(project.path, settings.student)
    refuse_taken_name(project, settings.student)
    training = settings.training()
    match = tuple(map(Arm.parse, settings.match))
    rows = training_set(project, settings.system, settings.rows, match=match, seed=training.seed)
    base, licence = find_base(project, settings.base)
    job = TrainingJob(
        name=settings.student,
        system=settings.system,
        choice=rows.choice,
        base=base,
        licence=licence,
        practice=is_practice(base),
        trainer=trainer,
        settings=training,
        rows=len(rows.train),
        dev_rows=len(rows.dev),
        fingerprint=rows.fingerprint,
        matched_with=rows.matched_with,
        gguf=settings.gguf_types if settings.gguf else (),
    )
    return job, rows


def enter(run: RunFolder, job: TrainingJob, rows: TrainingSet, *, fresh: bool = False) -> None:
    """Write the job and its rows into the folder, unless it holds this very job.

    Raises InputError where it holds another training, or other files.
    """
    if fresh:
        refuse_running(run)
    elif run.job_file.is_file():
        earlier = run.job()
        if earlier == job:
            return
        if earlier.model_copy(update={"gguf": job.gguf}) == job and not run.is_running():
            write_atomically(run.job_file, job.model_dump_json(indent=1))
            run.artifacts_file.unlink(missing_ok=True)  # the same student, with other files
            return
        if not _ended_before_first_step(run):
            raise InputError(
                f"There is a student {job.name!r} already, of another set or other settings.",
                "Choose another name with --into, or replace it with --fresh.",
            )
    if run.folder.is_dir():
        _clear(run)
    run.folder.mkdir(parents=True, exist_ok=True)
    write_rows(run.train_file, rows.train)
    write_rows(run.dev_file, rows.dev)
    write_atomically(run.job_file, job.model_dump_json(indent=1))


def _ended_before_first_step(run: RunFolder) -> bool:
    """There is nothing to lose."""
    state = run.state()
    ended = state is not None and state.phase in FINAL
    return ended and not run.steps() and not run.trained_file.is_file()


def _clear(run: RunFolder) -> None:
    """Raises InputError for a folder that is no training's."""
    written_first = {run.train_file.name, run.dev_file.name}  # before the job
    paths = list(run.folder.iterdir())
    foreign = [p for p in paths if not p.name.startswith(".") and p.name not in written_first]
    if not run.job_file.is_file() and foreign:
        raise InputError(
            f"{run.folder} holds files, but no training.",
            "Choose another name with --into, or move the folder away.",
        )
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_done(run: RunFolder) -> bool:
    state = run.state()
    return run.artifacts_file.is_file() and state is not None and state.phase == "done"


def finished(project: Project, run: RunFolder) -> FinetuneReport:
    """The report of a training; its student is entered as a model of the project.

    Raises TrainingFault for a training that failed.
    """
    state = run.state() or state_now("preparing")
    if state.phase == "failed":
        raise TrainingFault(state.reason or "bug", state.message, state.hint)
    models = register(project, run) if run.artifacts_file.is_file() else ()
    return report_of(project, run, state, models)
