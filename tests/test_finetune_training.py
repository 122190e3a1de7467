"""Real trainings of tiny models, each in its own process, as a user's are."""

import multiprocessing
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Result, add_items, make_item

from arf_core.errors import InputError
from arf_core.finetune import FinetuneReport, Wanted, _enter, finetune, finished, job_of, worker
from arf_core.finetune.artifacts import Artifacts
from arf_core.finetune.extra import missing
from arf_core.finetune.faults import TrainingFault
from arf_core.finetune.job import Place, place_of
from arf_core.finetune.practice import make_base
from arf_core.finetune.settings import TrainingSettings
from arf_core.generate import generate, unwritten
from arf_core.project import Project

pytestmark = [
    pytest.mark.train,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train"),
]
needs_unsloth = pytest.mark.skipif(bool(missing("unsloth")), reason="no unsloth: make train")
SETTINGS = TrainingSettings(
    batch=2, accumulation=1, steps=8, checkpoint_every=3, learning_rate=1e-3, patience=None
)
THINGS = "lamp chair table kettle radio mirror carpet clock".split()


@pytest.fixture(autouse=True)
def _locks_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of another test file is no reason to wait."""
    monkeypatch.setenv("ARF_LOCKS", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A tiny base of a family, made once."""
    folder = tmp_path_factory.mktemp("bases")

    def base(family: str) -> Path:
        made = folder / family
        if not made.is_dir():
            make_base(made, [f"The {t} is broken." for t in THINGS], family, width=32)
        return made

    return base


def orders(project: Project, n: int = 14) -> Project:
    """A project with n conversations to learn from and 3 to evaluate on."""
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


def train(
    project: Project, base: Path, trainer: str, into: str = "s", **changed: object
) -> FinetuneReport:
    return finetune(project, wanted(base, trainer, into, **changed))


def wanted(base: Path, trainer: str, into: str = "s", **changed: object) -> Wanted:
    gguf = changed.pop("gguf", ())
    settings = SETTINGS.model_copy(update=changed)
    return Wanted("teacher", str(base), into, trainer, settings, gguf=gguf)


def losses(place: Place) -> dict[int, float]:
    found = {row.step: row.loss for row in place.steps() if row.loss is not None}
    assert found
    return found


def entered(project: Project, asked: Wanted) -> Place:
    """The folder of a training that has not begun."""
    job, rows = job_of(project, asked)
    place = place_of(project.path, asked.into)
    _enter(place, job, rows, fresh=False)
    return place


def begin(place: Place, *limit: int) -> multiprocessing.process.BaseProcess:
    """Train in a process of its own that ends after the training, without the export. It is a copy
    of this one, which has read the libraries already. `limit` is one of `resource`'s, and its size:
    more than there is now, for memory."""
    import peft  # noqa: F401
    import torch  # noqa: F401
    import trl

    assert trl.SFTTrainer
    process = multiprocessing.get_context("fork").Process(target=_work, args=(place, *limit))
    process.start()
    return process


def _work(place: Place, what: int | None = None, size: int = 0) -> None:
    worker._go_on_with_export = lambda _: None
    if what == resource.RLIMIT_AS:
        size += int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    if what is not None:
        resource.setrlimit(what, (size, size))
    os._exit(worker.main([str(place.folder)]))


def trained(place: Place) -> Place:
    process = begin(place)
    process.join()
    assert process.exitcode == 0, place.last_told()
    return place


def wait_for_step(place: Place, step: int, process: multiprocessing.process.BaseProcess) -> None:
    while process.is_alive():
        state = place.last_told()
        if state is not None and state.phase == "training" and state.step >= step:
            return
        time.sleep(0.01)
    raise AssertionError(f"it ended before step {step}: {place.last_told()}")


@pytest.mark.parametrize(
    ("trainer", "family"), [("trl", "llama"), pytest.param("unsloth", "qwen3", marks=needs_unsloth)]
)
def test_a_student_is_trained_exported_and_entered(
    project: Project, bases: Callable[[str], Path], trainer: str, family: str
) -> None:
    report = train(orders(project), bases(family), trainer, gguf=("f16", "q8_0"))
    assert (report.state, report.steps) == ("done", 8)
    assert report.practice
    place = place_of(project.path, "s")
    steps = [row for row in place.steps() if row.loss is not None]
    assert [row.step for row in steps] == list(range(1, 9))
    assert all(
        row.gradient_norm and row.memory_gb and row.learning_rate is not None for row in steps
    )
    assert all(row.tokens_per_second for row in steps)
    assert any(row.eval_loss for row in place.steps())
    made = Artifacts.model_validate_json(place.artifacts_file.read_text())
    assert set(report.artifacts) == {
        *("adapter", "merged", "card", "gguf_f16", "gguf_q8_0", "modelfile")
    }, made.gguf_missing
    assert all((project.path / file).exists() for file in report.artifacts.values())
    assert made.checks["f16"].largest_difference < 0.01
    assert made.checks["f16"].same_choice == 1.0
    card = (place.folder / "README.md").read_text()
    assert "practice model" in card
    assert place.job().fingerprint in card
    assert (place.merged / "practice.json").is_file()
    again = Project.open(project.path)
    assert again.settings.models["s"]["provider"] == "transformers"
    assert again.settings.models["s-gguf"]["provider"] == "llama_cpp"
    written = generate(again, "s-gguf", "s", splits=("dev",))
    assert (written.asked, written.done + sum(written.failed.values())) == (3, 3)
    assert set(written.failed) <= {"truncated", "refused"}  # a practice model may end nowhere
    assert unwritten(again.store, "s") == [] or written.failed


def test_the_command_shows_the_plan_and_trains(
    project: Project, bases: Callable[[str], Path], arf: Callable[..., Result]
) -> None:
    orders(project)
    command = ["finetune", project.path, "--system", "teacher", "--base", bases("llama")]
    command += ["--trainer", "trl", "--into", "s", "--steps", "3", "--no-gguf", "--json"]
    plan = arf(*command, "--dry-run")
    assert plan.code == 0, plan.err
    assert (plan.json["steps"], plan.json["lengths"]["rows"]) == (3, 14)
    assert plan.json["example"]["learnt"].startswith("The ")
    assert plan.json["memory"]["low"] < plan.json["memory"]["high"]
    assert not (project.path / "students").exists()
    done = arf(*command)
    assert done.code == 0, done.err
    said = done.json
    assert (said["state"], said["steps"]) == ("done", 3)
    assert said["final_loss"] > 0
    assert said["seconds"] > 0
    assert set(said["artifacts"]) == {"adapter", "merged", "card"}
    measured = place_of(project.path, "s").steps()[-1].memory_gb
    assert plan.json["memory"]["low"] * 0.7 < measured < plan.json["memory"]["high"] * 1.3
    assert arf(*command).json["state"] == "done"  # nothing is trained again
    assert arf(*command, "--rank", "4").code == 2


@pytest.mark.parametrize(
    ("trainer", "family"), [("trl", "qwen3"), pytest.param("unsloth", "llama", marks=needs_unsloth)]
)
def test_stopped_and_resumed_it_has_the_losses_of_an_uninterrupted_run(
    project: Project, bases: Callable[[str], Path], trainer: str, family: str
) -> None:
    orders(project)
    whole = trained(entered(project, wanted(bases(family), trainer, "whole", steps=12)))
    place = entered(project, wanted(bases(family), trainer, "halted", steps=12))
    process = begin(place)
    wait_for_step(place, 4, process)
    process.terminate()
    process.join()
    state = place.state()
    assert state is not None
    assert (process.exitcode, state.phase) == (0, "stopped")
    assert 4 <= state.step < 12
    trained(place)
    assert list(losses(place)) == list(range(1, 13))
    assert losses(place) == pytest.approx(losses(whole), abs=1e-4)


def test_killed_again_and_again_it_ends_where_one_clean_run_ends(
    project: Project, bases: Callable[[str], Path]
) -> None:
    kills = int(os.environ.get("ARF_TRAINING_KILLS", "5"))
    steps = 4 * kills + 8
    how = {"steps": steps, "checkpoint_every": 1}
    orders(project)
    clean = trained(entered(project, wanted(bases("llama"), "trl", "clean", **how)))
    place = entered(project, wanted(bases("llama"), "trl", "killed", **how))
    chance = random.Random(3)
    for n in range(kills):
        process = begin(place)
        wait_for_step(place, 4 * n + chance.randint(1, 4), process)
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.join()
        state = place.state()
        assert state is not None
        assert (state.phase, state.reason) == ("failed", "killed")
        assert "same command" in state.hint
    trained(place)
    assert losses(place) == pytest.approx(losses(clean), abs=1e-4)


def test_a_loss_that_is_no_number_ends_it_with_what_to_do(
    project: Project, bases: Callable[[str], Path]
) -> None:
    asked = wanted(bases("llama"), "trl", learning_rate=1e6, method="full")
    place = entered(orders(project), asked)
    process = begin(place)
    process.join()
    state = place.state()
    assert state is not None
    assert (process.exitcode, state.phase, state.reason) == (1, "failed", "diverged")
    assert "--learning-rate" in state.hint
    with pytest.raises(TrainingFault, match="has diverged"):
        finished(project, place)


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
    limit: int,
    size: int,
    reason: str,
    remedy: str,
) -> None:
    items = [make_item(f"c{i}", ["customer: " + "a word " * 400], f"Nr {i}.") for i in range(32)]
    add_items(project, items)
    batch = 32 if limit == resource.RLIMIT_AS else 2
    asked = wanted(bases("llama"), "trl", method="full", batch=batch, checkpoint_every=1)
    place = entered(project, asked)
    process = begin(place, limit, size)
    process.join()
    state = place.state()
    assert state is not None
    assert (process.exitcode, state.phase, state.reason) == (1, "failed", reason), state
    assert remedy in state.hint


def test_another_training_under_a_name_is_not_overwritten(
    project: Project, bases: Callable[[str], Path]
) -> None:
    orders(project)
    place = entered(project, wanted(bases("llama"), "trl"))
    with pytest.raises(InputError, match="already"):
        train(project, bases("llama"), "trl", rank=4)
    other, rows = job_of(project, wanted(bases("llama"), "trl", rank=4))
    (place.folder / "left").touch()
    _enter(place, other, rows, fresh=True)
    assert place.job() == other
    assert not (place.folder / "left").exists()


def test_one_training_at_a_time_on_a_device(project: Project, bases: Callable[[str], Path]) -> None:
    orders(project)
    started = []
    for name in ("a", "b"):
        place = entered(project, wanted(bases("llama"), "trl", name, steps=4000))
        started.append((place, begin(place)))
    try:
        deadline = time.monotonic() + 120
        phases: set[str] = set()
        while phases != {"training", "waiting"} and time.monotonic() < deadline:
            phases = {str(s.phase) for p, _ in started if (s := p.last_told())}
            time.sleep(0.05)
        assert phases == {"training", "waiting"}
    finally:
        for _, process in started:
            process.kill()
            process.join()


def test_two_processes_of_accelerate_train_one_student(
    project: Project, bases: Callable[[str], Path]
) -> None:
    asked = wanted(bases("llama"), "trl", steps=4)
    place = entered(orders(project), asked)
    launch = "-m accelerate.commands.launch --cpu --num_processes 2 --num_machines 1"
    plain = "--mixed_precision no --dynamo_backend no --main_process_port 0"
    run = subprocess.run(
        [
            *(sys.executable, *launch.split(), *plain.split()),
            *("-m", "arf_core.finetune.worker", str(place.folder)),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    state = place.state()
    assert state is not None
    assert state.phase == "done"
    assert list(losses(place)) == [1, 2, 3, 4]
    assert finetune(project, asked).models == ("s",)
