"""Real trainings of tiny models, each in its own process, as a user's are."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from items import Result, add_items, make_item
from scripted_server import Scripted, ScriptedServer
from trainings import Break, Nursery, Running, entered, losses, settings_of, shop, tiny_base

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.training import enter, finetune, finished, job_of
from arf_core.training.artifacts import merge
from arf_core.training.generate import generate
from arf_core.training.process import stop
from arf_core.training.requirements import missing
from arf_core.training.run_folder import RunFolder, run_folder
from arf_core.training.training_errors import TrainingFault
from arf_core.training.training_records import Artifacts, Trained

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train"),
]
needs_unsloth = pytest.mark.skipif(bool(missing("unsloth")), reason="no unsloth: make train")
TRL_QWEN3 = ("trl", "qwen3")
UNSLOTH_LLAMA = pytest.param("unsloth", "llama", marks=needs_unsloth)
UNSLOTH_QWEN3 = pytest.param("unsloth", "qwen3", marks=needs_unsloth)
Nurseries = Callable[[str], Nursery]


@pytest.fixture(scope="module", autouse=True)
def _locks_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A training of another test file is no reason to wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARF_LOCKS", str(tmp_path_factory.mktemp("locks")))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nurseries]:
    """The nursery of a trainer."""
    made: dict[str, Nursery] = {}

    def of(trainer: str) -> Nursery:
        if trainer not in made:
            made[trainer] = Nursery(trainer)
        return made[trainer]

    yield of
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("bases")
    return lambda family: tiny_base(folder, family)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that all trainings of this file share; each has a name of its own."""
    return shop(tmp_path_factory.mktemp("shop") / "p")


@pytest.fixture(scope="module")
def whole(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> Callable[[str, str], RunFolder]:
    """An uninterrupted training of 10 steps by a trainer on a family, made once."""

    def of(trainer: str, family: str) -> RunFolder:
        run = run_folder(orders.path, f"whole-{trainer}-{family}")
        if not run.folder.is_dir():
            asked = settings_of(bases(family), trainer, run.folder.name, steps=10, gguf=("f16",))
            nursery(trainer).train(entered(orders, asked))
        return run

    return of


def test_interrupted_before_its_first_step_it_has_stopped_and_goes_on(
    orders: Project, bases: Callable[[str], Path]
) -> None:
    command = ["finetune", str(orders.path), "--system", "teacher", "--base", str(bases("llama"))]
    command += ["--trainer", "trl", "--into", "hasty", "--steps", "3", "--no-gguf", "--json"]
    arf = [sys.executable, "-c", "from arf_core.cli import main; main()", *command]
    run = run_folder(orders.path, "hasty")
    process = subprocess.Popen(arf, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while run.stored_state() is None and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(said)["state"] == "stopped"
    assert run.state().message == "Stopped before it began."
    process = subprocess.run(arf, capture_output=True, text=True, timeout=120)
    assert json.loads(process.stdout)["state"] == "done", process.stderr


class Student(NamedTuple):
    """One that the command made, with what it printed."""

    project: Path
    command: tuple[str, ...]
    said: dict

    @property
    def run(self) -> RunFolder:
        return run_folder(self.project, "s")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory, bases: Callable[[str], Path]) -> Student:
    project = shop(tmp_path_factory.mktemp("student") / "p")
    command = ["finetune", str(project.path), "--system", "teacher", "--base", str(bases("llama"))]
    command += ["--trainer", "trl", "--into", "s", "--steps", "8", "--checkpoint-every", "3"]
    command += ["--batch", "2", "--accumulation", "1", "--json"]
    arf = "from arf_core.cli import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", arf, *command], capture_output=True, text=True, timeout=280
    )
    assert process.returncode == 0, process.stderr
    return Student(project.path, tuple(command), json.loads(process.stdout))


def test_the_command_says_what_came_out(student: Student) -> None:
    said = student.said
    assert (said["state"], said["steps"], said["practice"]) == ("done", 8, True)
    assert said["final_loss"] > 0
    assert said["seconds"] > 0
    assert set(said["artifacts"]) == {
        *("adapter", "merged", "card", "gguf_f16", "gguf_q8_0", "modelfile")
    }
    assert all((student.project / file).exists() for file in said["artifacts"].values())


def test_each_step_is_told_with_its_figures(student: Student) -> None:
    rows = student.run.steps()
    steps = [row for row in rows if row.loss is not None]
    assert [row.step for row in steps] == list(range(1, 9))
    assert all(r.gradient_norm and r.memory_gb and r.learning_rate is not None for r in steps)
    assert all(row.tokens_per_second for row in steps)
    assert any(row.eval_loss for row in rows)


def test_a_student_comes_with_a_card_that_says_what_it_is(student: Student) -> None:
    card = (student.run.folder / "README.md").read_text()
    assert "practice model" in card
    assert "| learning_rate | 0.002 |" in card
    assert "| auto |" not in card
    assert "evaluated on 3 rows of the dev split" in card
    assert student.run.job().fingerprint in card
    assert (student.run.merged / "practice.json").is_file()
    modelfile = (student.run.folder / "gguf" / "Modelfile").read_text()
    assert "FROM ./s-q8_0.gguf" in modelfile
    assert f"PARAMETER num_ctx {student.run.context()}" in modelfile


def test_the_command_given_again_trains_nothing_and_another_is_refused(
    student: Student, arf: Callable[..., Result]
) -> None:
    before = student.run.steps_file.stat().st_mtime_ns
    assert arf(*student.command).json["state"] == "done"
    assert student.run.steps_file.stat().st_mtime_ns == before
    assert arf(*student.command, "--rank", "4").code == 2
    student.run.state_file.write_text("")  # as a cut in power may leave it
    assert arf(*student.command).json["state"] == "done"
    assert student.run.steps_file.stat().st_mtime_ns == before


def test_a_training_that_fails_says_how_far_it_came(
    student: Student, arf: Callable[..., Result]
) -> None:
    command = [*student.command, "--into", "wild", "--learning-rate", "1e9"]
    said = arf(*command)
    assert said.code == 1
    assert {"state", "steps", "final_loss", "seconds", "artifacts"} <= set(said.json)
    assert said.json["state"] == "failed"
    assert "diverged" in said.json["error"]
    assert "--learning-rate" in said.json["hint"]


@pytest.mark.parametrize("model", ["s", "s-gguf"])
def test_a_student_is_a_model_of_the_project_and_writes(student: Student, model: str) -> None:
    with Project.open(student.project) as project:
        provider = "llama_cpp" if model == "s-gguf" else "transformers"
        assert project.settings.models[model]["provider"] == provider
        written = generate(project, model=model, into=f"by-{model}", splits=("dev",))
    assert (written.asked, written.done + sum(written.failed.values())) == (3, 3)
    assert set(written.failed) <= {"truncated", "refused"}  # eight steps may teach no end
    assert "practice model" in written.notes[0]


def test_the_plan_is_shown_and_its_memory_is_that_of_the_training(
    student: Student, arf: Callable[..., Result]
) -> None:
    plan = arf(*student.command, "--dry-run")
    assert plan.code == 0, plan.err
    assert (plan.json["steps"], plan.json["lengths"]["rows"]) == (8, 14)
    assert plan.json["example"]["learnt"].startswith("The ")
    assert plan.json["example"]["learnt"].endswith("<|im_end|>\n")
    measured = student.run.steps()[-1].memory_gb
    assert plan.json["memory"]["low"] * 0.7 < measured < plan.json["memory"]["high"] * 1.3


@pytest.mark.parametrize(("trainer", "family"), [TRL_QWEN3, UNSLOTH_LLAMA, UNSLOTH_QWEN3])
def test_a_student_of_each_trainer_and_family_is_exported_and_compared(
    whole: Callable[[str, str], RunFolder], nursery: Nurseries, trainer: str, family: str
) -> None:
    run = nursery("trl").export(whole(trainer, family))
    state = run.state()
    assert state is not None
    assert state.phase == "done"
    assert list(losses(run)) == list(range(1, 11))
    made = Artifacts.model_validate_json(run.artifacts_file.read_text())
    assert set(made.gguf) == {"f16"}, made.gguf_missing
    assert made.checks["f16"].largest_difference < 0.01
    assert made.checks["f16"].same_choice == 1.0


def test_what_the_files_are_compared_with_is_what_is_kept(
    whole: Callable[[str, str], RunFolder],
) -> None:
    """A model has more than its weights: the frequencies of its positions, which 16 bits round."""
    import torch
    from transformers import AutoModelForCausalLM

    run = whole("trl", "llama")
    compared, _ = merge(run, run.job())
    kept = AutoModelForCausalLM.from_pretrained(run.merged, dtype=torch.float32).eval()
    ids = torch.arange(3, 203).unsqueeze(0) % kept.config.vocab_size
    with torch.no_grad():
        assert torch.equal(compared(input_ids=ids).logits, kept(input_ids=ids).logits)


@pytest.mark.parametrize(("trainer", "family"), [TRL_QWEN3, UNSLOTH_LLAMA])
def test_stopped_and_resumed_it_has_the_losses_of_an_uninterrupted_run(
    orders: Project,
    bases: Callable[[str], Path],
    whole: Callable[[str, str], RunFolder],
    nursery: Nurseries,
    trainer: str,
    family: str,
) -> None:
    clean = losses(whole(trainer, family))
    asked = settings_of(bases(family), trainer, f"halted-{trainer}", steps=10, gguf=("f16",))
    run = entered(orders, asked)
    running = nursery(trainer).begin(run)
    running.wait_for_step(4)
    running.send(signal.SIGTERM)
    assert running.end() == 0
    state = run.state()
    assert state is not None
    assert state.phase == "stopped"
    assert 4 <= state.step < 10
    first_run = run.steps()[-1].seconds
    nursery(trainer).train(run)
    assert list(losses(run)) == list(range(1, 11))
    assert losses(run) == pytest.approx(clean, abs=1e-4)
    trained = run.trained()
    assert trained is not None
    assert trained.seconds >= run.steps()[-1].seconds > first_run


def test_it_ends_where_the_dev_loss_gets_no_better(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    # steps of nothing: no checkpoint is better than the first
    how = {"patience": 2, "checkpoint_every": 1, "learning_rate": 1e-12}
    run = entered(orders, settings_of(bases("llama"), "trl", "early", **how))
    nursery("trl").train(run)
    trained = Trained.model_validate_json(run.trained_file.read_text())
    assert (trained.steps, trained.stopped_early) == (3, True)


def test_without_patience_it_keeps_its_last_weights_so_that_arms_have_the_same_steps(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    # steps of next to nothing: by the dev loss the first checkpoint would be as good as any
    how = {"patience": None, "checkpoint_every": 3, "learning_rate": 1e-12}
    run = nursery("trl").train(
        entered(orders, settings_of(bases("llama"), "trl", "patient", **how))
    )
    evaluated = [row.eval_loss for row in run.steps() if row.eval_loss is not None]
    assert list(losses(run)) == list(range(1, 9))
    assert len(evaluated) == 3  # at steps 3 and 6, and at the end
    trained = run.trained()
    assert trained is not None
    assert trained.eval_loss == evaluated[-1]
    last = run.checkpoints / "checkpoint-8" / "adapter_model.safetensors"
    assert (run.adapter / last.name).read_bytes() == last.read_bytes()


def test_killed_again_and_again_it_ends_where_one_clean_run_ends(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    kills = int(os.environ.get("ARF_TRAINING_KILLS", "5"))
    steps = 4 * kills + 6
    how = {"steps": steps, "checkpoint_every": 2}
    asked = settings_of(bases("llama"), "trl", "clean", **how)
    clean = losses(nursery("trl").train(entered(orders, asked)))
    run = entered(orders, settings_of(bases("llama"), "trl", "killed", **how))
    chance = random.Random(3)
    for n in range(kills):
        running = nursery("trl").begin(run)
        running.wait_for_step(4 * n + chance.randint(1, 4))
        time.sleep(chance.random() * 0.05)
        running.send(signal.SIGKILL)
        assert running.end() is None
        state = run.state()
        assert state is not None
        assert (state.phase, state.reason) == ("failed", "killed")
        assert "same command" in state.hint
    nursery("trl").train(run)
    assert list(losses(run)) == list(range(1, steps + 1))
    assert losses(run) == pytest.approx(clean, abs=1e-4)


def test_a_loss_that_is_no_number_ends_it_with_what_to_do(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    asked = settings_of(bases("llama"), "trl", "wild", learning_rate=1e6, method="full")
    run = entered(orders, asked)
    assert nursery("trl").begin(run).end() == 1
    state = run.state()
    assert state is not None
    assert (state.phase, state.reason) == ("failed", "diverged")
    assert "--learning-rate" in state.hint
    with pytest.raises(TrainingFault, match="has diverged"):
        finished(orders, run)


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize(
    ("limit", "size", "reason", "remedy"),
    [
        (resource.RLIMIT_FSIZE, 100_000, "full_disk", "Free some space"),
        (resource.RLIMIT_AS, 100_000_000, "out_of_memory", "--max-length"),
    ],
)
def test_memory_or_disk_that_ends_is_told_with_what_to_do(
    project: Project,
    bases: Callable[[str], Path],
    nursery: Nurseries,
    limit: int,
    size: int,
    reason: str,
    remedy: str,
) -> None:
    items = [make_item(f"c{i}", ["customer: " + "a word " * 400], f"Nr {i}.") for i in range(32)]
    add_items(project, items)
    batch = 32 if limit == resource.RLIMIT_AS else 2
    asked = settings_of(bases("llama"), "trl", "s", method="full", batch=batch, checkpoint_every=1)
    run = entered(project, asked)
    code = nursery("trl").begin(run, limit, size).end()
    state = run.state()
    assert state is not None
    assert (code, state.phase, state.reason) == (1, "failed", reason), state
    assert remedy in state.hint


ASYNCHRONOUS = (
    "\nCUDA kernel errors might be asynchronously reported at some other API call, so the "
    "stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1"
)
BREAKS = (
    (
        Break(4, "AcceleratorError", "CUDA error: unspecified launch failure" + ASYNCHRONOUS),
        ("lost_gpu", "The GPU was lost: CUDA error: unspecified launch failure", "nvidia-smi"),
    ),
    (
        Break(5, "AcceleratorError", "CUDA error: device-side assert triggered" + ASYNCHRONOUS),
        ("lost_gpu", "The GPU stopped at an error: CUDA error: device-side", "the same step again"),
    ),
    (
        Break(7, "RuntimeError", "CUDA error: no CUDA-capable device is detected" + ASYNCHRONOUS),
        ("lost_gpu", "The GPU was lost: CUDA error: no CUDA-capable device", "nvidia-smi"),
    ),
    (
        Break(8, "OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …"),
        ("out_of_memory", "Out of memory: CUDA out of memory.", "--max-length"),
    ),
)
"""What a GPU that fails in a step has torch raise, and what is then said."""


def test_a_gpu_that_fails_is_told_each_time_and_the_training_goes_on_afterwards(
    orders: Project,
    bases: Callable[[str], Path],
    whole: Callable[[str, str], RunFolder],
    nursery: Nurseries,
) -> None:
    clean = losses(whole("trl", "qwen3"))
    asked = settings_of(bases("qwen3"), "trl", "shaken", steps=10, gguf=("f16",))
    run = entered(orders, asked)
    for broken, (reason, message, remedy) in BREAKS:
        assert nursery("trl").begin(run, breaks=broken).end() == 1
        state = run.state()
        assert state is not None
        assert (state.phase, state.reason, state.step) == ("failed", reason, broken.after)
        assert state.message.startswith(message)
        assert "\n" not in state.message
        assert remedy in state.hint
        with pytest.raises(TrainingFault) as told:
            finished(orders, run)
        assert (told.value.message, told.value.hint) == (state.message, state.hint)
    nursery("trl").train(run)
    assert list(losses(run)) == list(range(1, 11))
    assert losses(run) == pytest.approx(clean, abs=1e-4)


def test_what_began_on_a_gpu_does_not_go_on_without_one_unasked(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    asked = settings_of(bases("llama"), "trl", "moved")
    run = entered(orders, asked)
    run.gpu_mark.touch()
    assert nursery("trl").begin(run).end() == 1
    state = run.state()
    assert state is not None
    assert (state.phase, state.reason) == ("failed", "lost_gpu")
    assert "began on a GPU" in state.message
    assert "--fresh" in state.hint
    enter(run, *job_of(orders, asked), fresh=True)
    nursery("trl").train(run)


def test_another_training_under_a_name_is_not_overwritten(
    orders: Project, bases: Callable[[str], Path]
) -> None:
    run = entered(orders, settings_of(bases("llama"), "trl", "taken"))
    asked = settings_of(bases("llama"), "trl", "taken", rank=4)
    with pytest.raises(InputError, match="already"):
        finetune(orders, asked)
    other, rows = job_of(orders, asked)
    (run.folder / "left").touch()
    enter(run, other, rows, fresh=True)
    assert run.job() == other
    assert not (run.folder / "left").exists()


def test_one_training_at_a_time_on_a_device(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    started = []
    for name in ("a", "b"):
        run = entered(orders, settings_of(bases("llama"), "trl", name, steps=4000))
        started.append((run, nursery("trl").begin(run)))
    try:
        deadline = time.monotonic() + 120
        phases: set[str] = set()
        while phases != {"training", "waiting"} and time.monotonic() < deadline:
            phases = {str(s.phase) for p, _ in started if (s := p.stored_state())}
            time.sleep(0.05)
        assert phases == {"training", "waiting"}
        waits = next(p for p, _ in started if p.stored_state().phase == "waiting")
        stop(waits)
        assert dict(started)[waits].end() == 0
        assert waits.state().phase == "stopped"
        assert waits.state().message == "Stopped before it began."
    finally:
        for running in (r for _, r in started if r.alive()):
            running.send(signal.SIGKILL)
            running.end()


def launched(run: RunFolder, steps: int = 0) -> int:
    """Train with two processes of accelerate; asked to stop after so many steps, if any."""
    # with --cpu it starts one process, whatever number it is given
    launch = "-m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1"
    plain = "--mixed_precision no --dynamo_backend no --main_process_port 0"
    with run.log_file.open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, *launch.split(), *plain.split()),
                *("-m", "arf_core.training.worker", str(run.folder), "--no-export"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"ACCELERATE_USE_CPU": "true", "ACCELERATE_TORCH_DEVICE": "cpu"},
        )
    try:
        if steps:
            Running(run, process.pid).wait_for_step(steps)
            stop(run)
        return process.wait(280)
    finally:
        process.kill()


def test_two_processes_of_accelerate_train_one_student_and_stop_together(
    orders: Project, bases: Callable[[str], Path], nursery: Nurseries
) -> None:
    asked = settings_of(bases("llama"), "trl", "two", steps=60, checkpoint_every=30)
    run = entered(orders, asked)
    assert launched(run, steps=2) == 0, run.log_file.read_text()[-3000:]
    state = run.state()
    assert state is not None
    assert (state.phase, state.message) == ("stopped", "Stopped; a checkpoint is kept.")
    assert 2 <= state.step < 60
    assert launched(run) == 0, run.log_file.read_text()[-3000:]
    state = run.state()
    assert state is not None
    assert (state.phase, state.message) == ("stopped", "Trained; its files are not made yet.")
    assert list(losses(run)) == list(range(1, 61))
    # the rows of a step are as many as one process would take that has room for all of them
    alone = settings_of(bases("llama"), "trl", "alone", steps=60, checkpoint_every=30, batch=4)
    assert losses(nursery("trl").train(entered(orders, alone)))[1] == pytest.approx(
        losses(run)[1], abs=1e-3
    )
    nursery("trl").export(run)
    assert finetune(orders, asked).models == ("two",)


@pytest.mark.parametrize("trainer", ["trl", pytest.param("unsloth", marks=needs_unsloth)])
def test_a_training_tells_nobody_of_itself(
    orders: Project, bases: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, trainer: str
) -> None:
    """TRL would report every training to a hub. The worker here is started as accelerate does it,
    where nothing keeps it offline."""
    run = entered(orders, settings_of(bases("llama"), trainer, f"quiet-{trainer}", steps=2))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with ScriptedServer(lambda body, n: Scripted("")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url.removesuffix("/v1"))
        worker = [sys.executable, "-m", "arf_core.training.worker", str(run.folder)]
        process = subprocess.run(
            [*worker, "--no-export"], capture_output=True, text=True, timeout=120
        )
        time.sleep(0.5)  # it would be told from a thread
    assert process.returncode == 0, process.stderr
    assert (hub.asked, hub.requests) == ([], [])
