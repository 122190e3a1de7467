"""Finetune: a student learns from a system's summaries.

`finetune` writes the training set and the job into `students/<name>/`, and a process of its own
trains there; the same call again goes on where the last one ended. See `worker` for that process,
`job` for the files.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from arf_core.errors import InputError
from arf_core.finetune.base_models import find_base
from arf_core.finetune.dataset import Arm, Choice, TrainingSet, training_set, write_rows
from arf_core.finetune.practice import is_practice
from arf_core.finetune.requirements import need_for, need_training
from arf_core.finetune.run_folder import (
    ENDS,
    Place,
    Progress,
    TrainingJob,
    begins,
    killed,
    place_of,
    state_now,
    stops_wait,
    write_whole,
)
from arf_core.finetune.settings import TrainingSettings
from arf_core.finetune.students import (
    FinetuneReport,
    refuse_running,
    refuse_taken_name,
    register,
    report_of,
)
from arf_core.finetune.trainers import open_trainer
from arf_core.finetune.training import open_tokenizer, rows_that_fit
from arf_core.finetune.training_errors import TrainingFault
from arf_core.project import Project

LOOK_S = 0.2


class Wanted(NamedTuple):
    """What a student is to be: all that `finetune` and a look at the plan take alike."""

    system: str
    base: str
    into: str
    trainer: str = "unsloth"
    settings: TrainingSettings = TrainingSettings()
    choice: Choice | None = None
    match: tuple[Arm, ...] = ()
    gguf: tuple[str, ...] = ("f16", "q8_0")


def finetune(
    project: Project,
    wanted: Wanted,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
) -> FinetuneReport:
    """Train a student, make its files, and enter it as a model of the project.

    Goes on with a training of the same name and settings, joins one that runs; `fresh` throws an
    earlier one away. Raises InputError for names that do not fit, a name that is taken by another
    training, or QLoRA without a GPU, MissingExtra without the training extra, TrainingFault where
    it ended by a fault. An interruption stops it with a checkpoint, and is raised again.
    """
    trainer = open_trainer(wanted.trainer)
    need_training(*trainer.NEEDS)
    place = place_of(project.path, wanted.into)
    if not place.alive() and (fresh or not place.trained_file.is_file()):
        need_for(wanted.settings.method)
    job, rows = job_of(project, wanted)
    if fresh and place.folder.is_dir():  # nothing is thrown away for what cannot begin
        rows_that_fit(open_tokenizer(job.base), job, rows.train)
    _enter(place, job, rows, fresh)
    if not _done(place):
        _follow(place, progress)
    return finished(project, place)


def _done(place: Place) -> bool:
    state = place.state()
    return place.artifacts_file.is_file() and state is not None and state.phase == "done"


def prepare(project: Project, wanted: Wanted, *, fresh: bool = False) -> Path:
    """Write a student's folder, for a worker on another machine. Raises as `finetune` does."""
    place = place_of(project.path, wanted.into)
    job, rows = job_of(project, wanted)
    _enter(place, job, rows, fresh)
    return place.folder


def job_of(project: Project, wanted: Wanted) -> tuple[TrainingJob, TrainingSet]:
    """The job that the words make, and its rows. Raises as `finetune` does."""
    open_trainer(wanted.trainer)
    place_of(project.path, wanted.into)
    refuse_taken_name(project, wanted.into)
    rows = training_set(
        project,
        wanted.system,
        wanted.choice,
        match=wanted.match,
        seed=wanted.settings.seed,
    )
    base, licence = find_base(project, wanted.base)
    settings = wanted.settings
    practice = is_practice(base)
    job = TrainingJob(
        name=wanted.into,
        system=wanted.system,
        choice=rows.choice,
        base=base,
        licence=licence,
        practice=practice,
        trainer=wanted.trainer,
        settings=settings,
        rows=len(rows.train),
        dev_rows=len(rows.dev),
        fingerprint=rows.fingerprint,
        matched_with=rows.matched_with,
        gguf=wanted.gguf,
    )
    return job, rows


def _enter(place: Place, job: TrainingJob, rows: TrainingSet, fresh: bool) -> None:
    """Write the job and its rows, or make sure that the ones there are these very ones."""
    if fresh:
        refuse_running(place)
    if place.job_file.is_file() and not fresh:
        there = place.job()
        if there == job:
            return
        if there.model_copy(update={"gguf": job.gguf}) == job and not place.alive():
            write_whole(place.job_file, job.model_dump_json(indent=1))
            place.artifacts_file.unlink(missing_ok=True)  # other files are made of the same student
            return
        if not _came_to_nothing(place):
            raise InputError(
                f"There is a student {job.name!r} already, of another set or other settings.",
                "Choose another name with --into, or replace it with --fresh.",
            )
    if place.folder.is_dir():
        _refuse_strangers(place)
        _clear(place)
    place.folder.mkdir(parents=True, exist_ok=True)
    write_rows(place.train_file, rows.train)
    write_rows(place.dev_file, rows.dev)
    write_whole(place.job_file, job.model_dump_json(indent=1))


def _came_to_nothing(place: Place) -> bool:
    """Did it end before its first step, so that there is nothing to lose?"""
    state = place.state()
    ended = state is not None and state.phase in ENDS
    return ended and not place.steps() and not place.trained_file.is_file()


def _refuse_strangers(place: Place) -> None:
    """What is no training of ours is not thrown away."""
    ours = {place.train_file.name, place.dev_file.name}  # written before the job
    there = [p.name for p in place.folder.iterdir() if not p.name.startswith(".")]
    if not place.job_file.is_file() and set(there) - ours:
        raise InputError(
            f"{place.folder} holds files, but no training.",
            "Choose another name with --into, or move the folder away.",
        )


def _clear(place: Place) -> None:
    import shutil

    for path in place.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _start(place: Place) -> "subprocess.Popen[bytes]":
    """The process that trains, in a session of its own: no terminal's end is its end. Signals to
    stop have to wait meanwhile, here and there."""
    with place.log_file.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "arf_core.finetune.worker", str(place.folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(place.job()),
            cwd=place.folder,
        )
    place.tell(state_now("preparing").model_copy(update={"pid": process.pid}))
    return process


def _environment(job: TrainingJob) -> dict[str, str]:
    # threads that wait by spinning starve whoever shares the cores, and a tiny model gains nothing
    # from a second one
    quiet = {"TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}
    if Path(job.base).is_dir():
        quiet["HF_HUB_OFFLINE"] = "1"  # nothing is to be fetched, so nothing is asked or told
    if job.practice:
        quiet["OMP_NUM_THREADS"] = "1"
    return quiet | os.environ


def _follow(place: Place, progress: Progress | None) -> None:
    """Start it where it does not work yet, and wait for its end, telling how far it is. An
    interruption asks it to stop, and waits."""
    process = None
    try:
        if not place.alive():
            with stops_wait():
                process = _start(place)
        while _runs(place, process):
            _tell(place, progress)
            time.sleep(LOOK_S)
    except BaseException:
        stop(place)
        while _runs(place, process):
            time.sleep(LOOK_S)
        raise
    if process is not None and process.returncode not in (0, 1):
        _note_kill(place)
    _tell(place, progress)


def _runs(place: Place, process: "subprocess.Popen[bytes] | None") -> bool:
    return place.alive() if process is None else process.poll() is None


def _tell(place: Place, progress: Progress | None) -> None:
    state = place.last_told()
    if progress and state is not None:
        progress(state.step, state.total, state.message or state.phase)


def _note_kill(place: Place) -> None:
    """Leave the state that the killed process could not."""
    if (state := place.last_told()) is not None and state.phase not in ENDS:
        place.tell(killed(state))


def stop(place: Place) -> None:
    """Ask a training to stop with a checkpoint."""
    state = place.last_told()
    if state is None or state.phase in ENDS or not state.pid:
        return
    if place.alive() or begins(state):
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.pid, signal.SIGTERM)


def finished(project: Project, place: Place) -> FinetuneReport:
    """What came out; the student is entered as a model of the project. Raises TrainingFault."""
    state = place.state() or state_now("preparing")
    if state.phase == "failed":
        raise TrainingFault(state.reason or "bug", state.message, state.hint)
    models = register(project, place) if place.artifacts_file.is_file() else ()
    return report_of(project, place, state, models)
