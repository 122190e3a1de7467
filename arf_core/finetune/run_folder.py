"""A training as files in its own folder, `students/<name>/` of the project: what was asked for, how
far it is, each step, the checkpoints and what came out. A page, a command line and a cluster read
the same files, and a training that was killed goes on from them.
"""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, TypeVar

from pydantic import ValidationError

from arf_core.errors import InputError
from arf_core.finetune.artifacts import Artifacts
from arf_core.finetune.dataset import Choice
from arf_core.finetune.settings import TrainingSettings
from arf_core.finetune.tokens import Lengths
from arf_core.records import Record, now

FOLDER = "students"
GGUF = "-gguf"
"""After a student's name: the model that runs its GGUF file."""
BEGINNING_S = 20
"""A process takes so long, at most, until it says that it is there."""
Phase = Literal["waiting", "preparing", "training", "exporting", "stopped", "failed", "done"]
"""`waiting` for another training on the same device; the last three are ends."""
Reason = Literal["out_of_memory", "full_disk", "diverged", "lost_gpu", "killed", "unusable", "bug"]
Progress = Callable[[int, int, str], None]
"""Told the step, the steps in all (0 while not known), and what goes on."""
ENDS: tuple[Phase, ...] = ("stopped", "failed", "done")
ANSWER = 512
"""Tokens of a summary, at most."""
NAME = re.compile(r"[^\W_][\w.-]{0,79}")
"""Of a student: its folder, its models, and a word in the command that is shown."""
RESUME = "The same command goes on from the last checkpoint."
STOPS = (signal.SIGTERM, signal.SIGINT)
"""Signals that ask a training to stop."""
FILES_AGAIN = (
    "It is trained, and its weights are kept: the same command makes the files again, with "
    "--no-gguf in a third less memory."
)
R = TypeVar("R", bound=Record)


class TrainingJob(Record):
    """What is trained on what, by whom and how: all that decides the result."""

    name: str
    system: str
    choice: Choice
    base: str
    """A folder, or an id on the Hugging Face hub."""
    licence: str
    """The base model's licence."""
    practice: bool
    """Is the base a practice base, so that the student is for practice only?"""
    trainer: str
    settings: TrainingSettings
    rows: int
    dev_rows: int
    fingerprint: str
    """Of the training set."""
    matched_with: tuple[str, ...] = ()
    gguf: tuple[str, ...] = ("f16", "q8_0")

    @property
    def base_name(self) -> str:
        """The base in words for people: where a practice base lies is of no interest."""
        return Path(self.base).name if self.practice else self.base


class TrainingState(Record):
    """How far a training is, or how it ended."""

    phase: Phase
    step: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""
    reason: Reason | None = None
    pid: int = 0
    at: datetime


class StepRow(Record):
    """One optimiser step, as page and command line show it."""

    step: int
    total: int
    loss: float | None = None
    """Mean of the step's rows, on the answers alone."""
    eval_loss: float | None = None
    """On the dev split, at a checkpoint."""
    learning_rate: float | None = None
    gradient_norm: float | None = None
    tokens_per_second: float | None = None
    memory_gb: float = 0.0
    """Peak so far: of the card, or of the process on a CPU."""
    seconds: float = 0.0
    """Of training until here, all runs together."""
    seconds_left: float | None = None


class Trained(Record):
    """What a training came to."""

    steps: int
    final_loss: float
    """Of the last step."""
    eval_loss: float | None
    """On the dev split, of the weights that were kept: the best, or the last without patience."""
    seconds: float
    """Of training, all runs of it together."""
    peak_memory_gb: float
    device: str
    lengths: Lengths
    stopped_early: bool = False
    used: TrainingSettings | None = None
    """The settings, with what was found out where they say nothing; None in older files."""


class Place:
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
        if not self.job_file.is_file():
            raise InputError(f"{self.folder} holds no training.", "Begin one: arf finetune …")
        return _read(self.job_file, TrainingJob, "Replace the student with --fresh, or remove it.")

    def trained(self) -> Trained | None:
        """What the training came to, once it ended. Raises InputError for a broken file."""
        hint = f"Remove that file. {RESUME}"
        return _read_any(self.trained_file, Trained, hint)

    def artifacts(self) -> Artifacts | None:
        """What was made of the student, once all is there. Raises InputError for a broken file."""
        hint = "Remove that file: the same command makes what it tells of again."
        return _read_any(self.artifacts_file, Artifacts, hint)

    def lengths(self) -> Lengths | None:
        """How long the rows are, once that is known. Raises InputError for a broken file."""
        hint = "Remove that file: the next run writes it again."
        return _read_any(self.lengths_file, Lengths, hint)

    def state(self) -> TrainingState | None:
        """How far it is. A training whose process is gone without a word has failed: killed."""
        state = self.last_told()
        if state is None or state.phase in ENDS or self.alive():
            return state
        state = self.last_told() or state  # it may have ended between the two looks
        return state if begins(state) or state.phase in ENDS else killed(state)

    def tell(self, state: TrainingState) -> None:
        """Replace the state in one step."""
        # once a step: no waiting for the disk
        write_whole(self.state_file, state.model_dump_json(), lasting=False)

    def last_told(self) -> TrainingState | None:
        """The state as it stands in the file, whether or not its process lives. A file that a
        failing disk or a cut in power left broken is a failed training, which can go on."""
        if not self.state_file.is_file():
            return None
        try:
            return _read(self.state_file, TrainingState, RESUME)
        except InputError as error:
            told = state_now("failed", message=error.message)
            return told.model_copy(update={"reason": "killed", "hint": error.hint})

    def context(self) -> int:
        """The longest text that the student reads, in tokens."""
        file = self.merged / "config.json"
        try:
            return int(json.loads(file.read_bytes()).get("max_position_embeddings") or 2048)
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(
                f"{file} cannot be read: {error}",
                f"Remove {self.artifacts_file}: the same command makes it again.",
            ) from error

    def window(self) -> int:
        """Tokens of a question and its answer that it is given room for, where room costs memory:
        those that it learnt with and an answer more, if it reads so many."""
        lengths = self.lengths()
        return min(self.context(), max(8192, lengths.max_length + ANSWER if lengths else 0))

    def steps(self) -> list[StepRow]:
        """Every whole line of the steps' file. One that is being written, or that a cut in power
        left broken, is left out: figures to look at, from which nothing goes on."""
        if not self.steps_file.is_file():
            return []
        found = []
        for line in self.steps_file.read_bytes().split(b"\n")[:-1]:
            with suppress(ValidationError):
                found.append(StepRow.model_validate_json(line))
        return found

    def alive(self) -> bool:
        """Does a process work on it?"""
        if not self.lock.is_file():
            return False
        with locked(self.lock) as free:
            return not free


def begins(state: TrainingState) -> bool:
    """May its process be one that cannot say yet that it is there?"""
    return state.phase == "preparing" and (now() - state.at).total_seconds() < BEGINNING_S


def killed(state: TrainingState) -> TrainingState:
    message = f"The training was killed at step {state.step} of {state.total}."
    hint = f"{RESUME} If nobody killed it, the machine ran out of memory: see the estimate with "
    hint += "--dry-run."
    if state.phase == "exporting":
        message, hint = "It was killed while its files were made.", FILES_AGAIN
    told = {"phase": "failed", "reason": "killed", "message": message, "hint": hint}
    return state.model_copy(update=told)


def place_of(project_path: Path, name: str) -> Place:
    """Where the training of this name lies. Raises InputError for a name that is none."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a student.",
            "Use letters, digits, - _ and . (80 at most), and begin with a letter or a digit.",
        )
    return Place(project_path / FOLDER / name)


def places(project_path: Path) -> list[Place]:
    """Every training of a project, the newest first."""
    found = [Place(file.parent) for file in (project_path / FOLDER).glob("*/job.json")]
    return sorted(found, key=lambda p: p.job_file.stat().st_mtime, reverse=True)


def learnt_from(project_path: Path, model: str) -> str | None:
    """The system that a model of the project was trained on here; None for other models, and for a
    student whose files tell no more (which page Finetune says)."""
    for name in (model, model.removesuffix(GGUF)):
        with suppress(InputError):
            return Place(project_path / FOLDER / name).job().system
    return None


def _read(file: Path, kind: type[R], hint: str) -> R:
    """Raises InputError where the file does not hold such a record."""
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError(f"{file} cannot be read: it is empty, or broken.", hint) from error


def _read_any(file: Path, kind: type[R], hint: str) -> R | None:
    return _read(file, kind, hint) if file.is_file() else None


def write_whole(file: Path, text: str, *, lasting: bool = True) -> None:
    """A file that is never seen half written; a `lasting` one is on the disk afterwards."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as handle:
        handle.write(text)
        if lasting:
            handle.flush()
            os.fsync(handle.fileno())
    fresh.replace(file)


def append_line(file: IO[str], row: Record) -> None:
    file.write(json.dumps(row.model_dump()) + "\n")
    file.flush()


@contextmanager
def locked(file: Path) -> Iterator[bool]:
    """Hold a file's lock, if nobody else does; says whether. The system frees it with its holder,
    however that one ends."""
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.set_inheritable(handle.fileno(), True)  # the export goes on in a fresh program
        yield True


@contextmanager
def stops_wait() -> Iterator[None]:
    """Signals to stop wait; a process that begins meanwhile hears them once it can."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def state_now(phase: Phase, step: int = 0, total: int = 0, message: str = "") -> TrainingState:
    return TrainingState(
        phase=phase, step=step, total=total, message=message, pid=os.getpid(), at=now()
    )
