"""A training as files in its own folder, `students/<name>/` of the project: the job, its state,
the steps, the checkpoints, and what came out. Page, command line and cluster read the same files.

A training runs as long as its lock is held. Whoever starts a training takes the lock and passes it
to the process, so there is no moment in which a training runs and the lock is free; the system
frees it with the process, however that ends.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from arf_core.errors import InputError
from arf_core.records import Record, now
from arf_core.training.training_records import (
    FINAL,
    Artifacts,
    Phase,
    RowLengths,
    StepRow,
    Trained,
    TrainingJob,
    TrainingState,
)

STUDENTS = "students"
GGUF = "-gguf"
"""After a student's name: the model that runs its GGUF file."""
ANSWER_TOKENS = 512
"""Longest summary of a student."""
STUDENT_NAME = re.compile(r"[^\W_][\w.-]{0,79}")
"""Fit for a folder, a model, and a word on the command line."""
RESUME = "The same command goes on from the last checkpoint."
FILES_AGAIN = (
    "It is trained, and its weights are kept: the same command makes the files again, with "
    "--no-gguf in a third less memory."
)
R = TypeVar("R", bound=Record)


class RunFolder:
    """The folder of one training, and the files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.job_file = folder / "job.json"
        self.state_file = folder / "state.json"
        self.steps_file = folder / "steps.jsonl"
        self.lengths_file = folder / "lengths.json"
        self.gpu_mark = folder / ".gpu"
        self.trained_file = folder / "trained.json"
        self.artifacts_file = folder / "artifacts.json"
        self.log_file = folder / "log.txt"
        self.train_file = folder / "train.jsonl"
        self.dev_file = folder / "dev.jsonl"
        self.checkpoints = folder / "checkpoints"
        self.adapter = folder / "adapter"
        self.merged = folder / "merged"
        self.lock = folder / ".lock"
        self.reserve = folder / ".reserve"

    def job(self) -> TrainingJob:
        """Raises InputError where the folder holds no training."""
        hint = "Replace the student with --fresh, or remove it."
        job = _read(self.job_file, TrainingJob, hint)
        if job is None:
            raise InputError(f"{self.folder} holds no training.", "Begin one: arf finetune …")
        return job

    def trained(self) -> Trained | None:
        """The outcome of the training, once it ended. Raises InputError for a broken file."""
        return _read(self.trained_file, Trained, f"Remove that file. {RESUME}")

    def artifacts(self) -> Artifacts | None:
        """The student's files, once all are made. Raises InputError for a broken file."""
        hint = "Remove that file: the same command makes the student's files again."
        return _read(self.artifacts_file, Artifacts, hint)

    def lengths(self) -> RowLengths | None:
        """The row lengths, once they are known. Raises InputError for a broken file."""
        return _read(self.lengths_file, RowLengths, "Remove that file: the next run writes it.")

    def state(self) -> TrainingState | None:
        """How far it is. A training that is neither final nor running was killed."""
        state = self.stored_state()
        if state is None or state.phase in FINAL or self.is_running():
            return state
        state = self.stored_state() or state  # it may have ended between the two looks
        return state if state.phase in FINAL else _killed(state)

    def stored_state(self) -> TrainingState | None:
        """The state in the file, whether or not the process lives; failed for a broken file, which
        a failing disk or a power cut may leave."""
        try:
            return _read(self.state_file, TrainingState, RESUME)
        except InputError as error:
            broken = {"reason": "killed", "hint": error.hint}
            return state_now("failed", message=error.message).model_copy(update=broken)

    def write_state(self, state: TrainingState) -> None:
        """Replace the state atomically."""
        # once per step: no waiting for the disk
        write_atomically(self.state_file, state.model_dump_json(), durable=False)

    def context(self) -> int:
        """The student's context length in tokens."""
        file = self.merged / "config.json"
        try:
            return int(json.loads(file.read_bytes()).get("max_position_embeddings") or 2048)
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(
                f"{file} cannot be read: {error}",
                f"Remove {self.artifacts_file}: the same command makes it again.",
            ) from error

    def window(self) -> int:
        """Context to reserve for a prompt and its answer, where context costs memory: the length
        of the training rows plus an answer, within the model's context."""
        lengths = self.lengths()
        needed = lengths.max_length + ANSWER_TOKENS if lengths else 0
        return min(self.context(), max(8192, needed))

    def steps(self) -> list[StepRow]:
        """The steps so far. A line that is incomplete or broken is left out."""
        if not self.steps_file.is_file():
            return []
        found = []
        for line in self.steps_file.read_bytes().split(b"\n")[:-1]:
            with suppress(ValidationError):
                found.append(StepRow.model_validate_json(line))
        return found

    def add_step(self, row: StepRow) -> None:
        with self.steps_file.open("a", encoding="utf-8") as file:
            file.write(row.model_dump_json() + "\n")

    def is_running(self) -> bool:
        """Does a process hold the training's lock?"""
        if not self.lock.is_file():
            return False
        with locked(self.lock) as handle:
            return handle is None


def _killed(state: TrainingState) -> TrainingState:
    if state.phase == "exporting":
        message, hint = "It was killed while its files were made.", FILES_AGAIN
    else:
        message = f"The training was killed at step {state.step} of {state.total}."
        hint = (
            f"{RESUME} If nobody killed it, the machine ran out of memory: see the estimate with "
            "--dry-run."
        )
    change = {"phase": "failed", "reason": "killed", "message": message, "hint": hint}
    return state.model_copy(update=change)


def run_folder(project_path: Path, student: str) -> RunFolder:
    """The folder of this student's training. Raises InputError for an unfit name."""
    if not STUDENT_NAME.fullmatch(student):
        raise InputError(
            f"{student!r} cannot name a student.",
            "Use letters, digits, - _ and . (80 at most), and begin with a letter or a digit.",
        )
    return RunFolder(project_path / STUDENTS / student)


def run_folders(project_path: Path) -> list[RunFolder]:
    """All trainings of a project, newest first."""
    found = [RunFolder(file.parent) for file in (project_path / STUDENTS).glob("*/job.json")]
    return sorted(found, key=lambda run: run.job_file.stat().st_mtime, reverse=True)


def learnt_from(project_path: Path, model: str) -> str | None:
    """The system that a model of the project was trained on; None for other models, and for a
    student with a broken job file (the page Finetune reports it)."""
    for name in (model, model.removesuffix(GGUF)):
        with suppress(InputError):
            return RunFolder(project_path / STUDENTS / name).job().system
    return None


def state_now(phase: Phase, step: int = 0, total: int = 0, message: str = "") -> TrainingState:
    """A state of this process, now."""
    return TrainingState(
        phase=phase, step=step, total=total, message=message, pid=os.getpid(), at=now()
    )


def _read(file: Path, record: type[R], hint: str) -> R | None:
    """None where there is no file. Raises InputError where it does not hold such a record."""
    if not file.is_file():
        return None
    try:
        return record.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError(f"{file} cannot be read: it is empty, or broken.", hint) from error


def write_atomically(file: Path, text: str, *, durable: bool = True) -> None:
    """Write a file that nobody sees half written; a durable one is on the disk afterwards."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as handle:
        handle.write(text)
        if durable:
            handle.flush()
            os.fsync(handle.fileno())
    temporary.replace(file)


@contextmanager
def locked(file: Path, wait_s: float = 0.0) -> Iterator[int | None]:
    """Hold a file's lock; yields its descriptor, or None where another process holds it.

    A process that is given the descriptor holds the lock on until it ends. `wait_s` outlasts
    others who only look whether the lock is held.
    """
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    with file.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    yield None
                    return
            time.sleep(0.01)
        os.set_inheritable(handle.fileno(), True)  # for the fresh program that makes the files
        yield handle.fileno()
