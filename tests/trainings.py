"""Real trainings of tiny models for tests: a shop's orders to learn from, and a nursery, a process
that has read the libraries once and trains in copies of itself."""

import builtins
import multiprocessing
import os
import resource
import signal
import sys
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from items import add_items, make_item

from arf_core.project import Project
from arf_core.training import enter, job_of, worker
from arf_core.training.practice import make_base
from arf_core.training.run_folder import RunFolder, run_folder, state_now, write_atomically
from arf_core.training.settings import FinetuneSettings, TrainingSettings, training_options
from arf_core.training.training_records import Artifacts, Smoke

SETTINGS = TrainingSettings(
    batch=2, accumulation=1, steps=8, checkpoint_every=3, learning_rate=1e-3, patience=None
)
THINGS = "lamp chair table kettle radio mirror carpet clock".split()
PROMPT = (
    "{% block system %}Summarise.{% endblock %}{% block user %}{{ conversation | turns }}"
    "{% endblock %}"
)
"""A short one: most of a row's tokens would else be the prompt's."""
LIBRARIES = {"trl": ("torch", "peft", "trl"), "unsloth": ("unsloth", "peft", "trl")}


def shop(folder: Path, n: int = 14) -> Project:
    """A project with n short conversations to learn from and 3 to evaluate on."""
    project = Project.create(folder, "A shop")
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "prompts" / "summarise.md").write_text(PROMPT, encoding="utf-8")
    items = [
        make_item(
            f"c{i}",
            [
                f"customer: my {THINGS[i % 8]} {i} is broken",
                "agent: a new one comes " * (i % 5 + 1),
            ],
            f"The {THINGS[i % 8]} {i} is broken; a new one comes.",
            split="train" if i < n else "dev",
        )
        for i in range(n + 3)
    ]
    add_items(project, items)
    return project


def tiny_base(folder: Path, family: str) -> Path:
    """A base of a family that a CPU trains in seconds, made once."""
    made = folder / family
    if not made.is_dir():
        texts = [f"Summarise. customer agent: The {t} is broken; a new one comes." for t in THINGS]
        make_base(made, texts, family, width=64, layers=2)
    return made


def settings_of(base: Path, trainer: str, into: str, **changed: object) -> FinetuneSettings:
    """Settings of a small training on `base`; `changed` are training settings and `gguf`."""
    gguf = changed.pop("gguf", ())
    return FinetuneSettings(
        system="teacher",
        base=str(base),
        into=into,
        trainer=trainer,
        gguf=bool(gguf),
        gguf_types=gguf,
        **training_options(str(base), SETTINGS.model_copy(update=changed)),
    )


def entered(project: Project, asked: FinetuneSettings) -> RunFolder:
    """The folder of a training that has not begun."""
    job, rows = job_of(project, asked)
    run = run_folder(project.path, asked.student)
    enter(run, job, rows)
    return run


def leave_finished(run: RunFolder) -> RunFolder:
    """What a finished training leaves in its folder; the weights are none."""
    run.merged.mkdir(parents=True)
    (run.merged / "config.json").write_text('{"max_position_embeddings": 2048}')
    (run.merged / "model.safetensors").touch()
    (run.folder / "README.md").write_text("A card.")
    gguf = {kind: f"{kind}.gguf" for kind in ("f16", "q8_0")}
    for file in gguf.values():
        (run.folder / file).write_bytes(b"GGUF")
    made = Artifacts(
        adapter=None,
        merged="merged",
        gguf=gguf,
        checks={},
        modelfile=None,
        card="README.md",
        smoke=Smoke(conversation="c", prompt_tokens=1, answer="a"),
    )
    write_atomically(run.artifacts_file, made.model_dump_json())
    run.write_state(state_now("done", 180, 180, "Done."))
    return run


def losses(run: RunFolder) -> dict[int, float]:
    found = {row.step: row.loss for row in run.steps() if row.loss is not None}
    assert found
    return found


class Running:
    """A training in a copy of the nursery."""

    def __init__(self, run: RunFolder, pid: int) -> None:
        self.run, self.pid = run, pid

    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def send(self, what: signal.Signals) -> None:
        os.kill(self.pid, what)

    def end(self, within: float = 120) -> int | None:
        """Wait for its end. Its exit code, None where it was killed."""
        deadline = time.monotonic() + within
        while self.alive():
            assert time.monotonic() < deadline, self.run.stored_state()
            time.sleep(0.01)
        file = _exit_file(self.run)
        return int(file.read_text()) if file.exists() else None

    def wait_for_step(self, step: int) -> None:
        while self.alive():
            state = self.run.stored_state()
            if state is not None and state.phase == "training" and state.step >= step:
                return
            time.sleep(0.005)
        raise AssertionError(f"it ended before step {step}: {self.run.stored_state()}")


def _exit_file(run: RunFolder) -> Path:
    return run.folder / "exit"


class Break(NamedTuple):
    """What a step raises, once so many are done: an error of torch's or of Python's own."""

    after: int
    kind: str
    text: str

    def install(self) -> None:
        import torch
        from transformers import Trainer

        error = getattr(torch, self.kind, None) or getattr(builtins, self.kind)
        whole = Trainer.training_step

        def training_step(trainer: Trainer, *given: object, **named: object) -> object:
            if trainer.state.global_step >= self.after:
                raise error(self.text)
            return whole(trainer, *given, **named)

        Trainer.training_step = training_step


class Nursery:
    """Reading the libraries takes longer than a tiny training, so it is done once."""

    def __init__(self, trainer: str) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        # spawned: a copy of the tests' process would bring its threads along
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=_nurse, args=(theirs, LIBRARIES[trainer]))
        self._process.start()

    def begin(
        self, run: RunFolder, *limit: int, export: bool = False, breaks: Break | None = None
    ) -> Running:
        """Train, without the export, or do the export alone. `limit` is one of `resource`'s, and
        its size: more than there is now, for memory."""
        _exit_file(run).unlink(missing_ok=True)
        self._pipe.send((run.folder, limit, export, breaks))
        return Running(run, self._pipe.recv())

    def train(self, run: RunFolder) -> RunFolder:
        assert self.begin(run).end() == 0, run.stored_state()
        return run

    def export(self, run: RunFolder) -> RunFolder:
        assert self.begin(run, export=True).end() == 0, run.stored_state()
        return run

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def _nurse(pipe: Connection, libraries: tuple[str, ...]) -> None:
    # a copy has one thread; what another one held at that moment stays held in it for ever
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[pool] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # the allocator that pyarrow brings along would have a thread that never ends
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    for name in libraries:
        import_module(name)
    import_module("trl").SFTTrainer  # noqa: B018 (read at its first use)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the ended ones are gone at once
    while True:
        order = pipe.recv()
        _until_alone()
        pid = os.fork()
        if pid == 0:
            _work(*order)
        pipe.send(pid)


def _until_alone(most_s: float = 5) -> None:
    """Wait for threads that an import left behind to end, as far as they do."""
    tasks, deadline = Path("/proc/self/task"), time.monotonic() + most_s
    while tasks.is_dir() and len(list(tasks.iterdir())) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)


def _work(folder: Path, limit: tuple[int, ...], export: bool, breaks: Break | None) -> None:
    """In the copy. Never returns."""
    import torch

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    torch.set_num_threads(1)  # threads do not come along into a copy
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if limit:
        what, size = limit
        if what == resource.RLIMIT_AS:
            size += int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(what, (size, size))
    if breaks:
        breaks.install()
    code = 70
    try:
        code = worker.main([str(folder), "--export" if export else "--no-export"])
    finally:
        _exit_file(RunFolder(folder)).write_text(str(code))
        sys.stdout.flush()
        os._exit(code)
