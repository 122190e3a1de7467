"""The line that the page shows trains what the page would."""

import json
import shlex
from collections.abc import Callable

import pytest
from items import Result, with_model
from trainings import leave_finished, shop, tiny_base

from arf_core.errors import InputError
from arf_core.jobs.command_line import command_line
from arf_core.jobs.kinds import stored_settings
from arf_core.project import Project
from arf_core.training import finetune, job_of, prepare
from arf_core.training.base_models import find_base, name_of_base
from arf_core.training.requirements import missing
from arf_core.training.run_folder import locked, run_folder
from arf_core.training.settings import (
    FinetuneSettings,
    TrainingSettings,
    starting_settings,
    training_options,
)

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train"),
]


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return shop(tmp_path_factory.mktemp("command") / "p")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_base(tmp_path_factory.mktemp("bases"), "llama"))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"patience": 7},
        {"patience": 0},
        {"steps": 30},
        {"steps": 12, "seed": 1, "checkpoint_every": 4},
        {"method": "qlora", "rank": 8, "alpha": 8, "learning_rate": 1e-5},
        {"epochs": 0.5, "batch": 1, "accumulation": 3, "max_length": 64},
    ],
)
@pytest.mark.parametrize("practice", [True, False])
def test_the_line_that_is_shown_gives_the_very_settings(
    arf: Callable[..., Result], orders: Project, base: str, given: dict[str, object], practice: bool
) -> None:
    named = "practice" if practice else base
    settings = FinetuneSettings(system="teacher", base=named, into="s", trainer="trl", **given)
    line = command_line(settings, orders.path)
    plan = arf(*shlex.split(line)[1:], "--dry-run", "--json")
    assert plan.code == 0, plan.err
    assert plan.json["job"]["settings"] == settings.training().model_dump()


@pytest.mark.parametrize("taken", ["s", "s-gguf"])
def test_a_student_takes_no_name_of_another_model(project: Project, taken: str) -> None:
    project = with_model(project, taken, "http://127.0.0.1:9/v1")
    settings = FinetuneSettings(system="teacher", base="practice", into="s")
    with pytest.raises(InputError, match=f"model '{taken}' already"):
        job_of(project, settings)


def test_files_that_are_no_training_are_not_thrown_away(orders: Project, base: str) -> None:
    folder = orders.path / "students" / "notes"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    settings = FinetuneSettings(system="teacher", base=base, into="notes")
    for fresh in (False, True):
        with pytest.raises(InputError, match="no training"):
            prepare(orders, settings, fresh=fresh)
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_training_that_runs_is_not_replaced_and_not_joined_by_another(
    orders: Project, base: str
) -> None:
    settings = FinetuneSettings(system="teacher", base=base, into="runs", steps=3)
    run = prepare(orders, settings)
    with locked(run.lock):
        with pytest.raises(InputError, match="is being trained"):
            prepare(orders, settings, fresh=True)
        with pytest.raises(InputError, match="already"):
            finetune(orders, settings, steps=7)
    assert run.job().settings.steps == 3


@pytest.mark.parametrize("named", ["practice", "practice-qwen3", "closed-world"])
def test_a_base_that_was_made_here_has_its_name_in_a_command(orders: Project, named: str) -> None:
    base, _ = find_base(orders, named)
    assert name_of_base(orders, base) == named


def test_only_a_practice_base_is_trained_as_one(orders: Project, base: str) -> None:
    assert starting_settings("practice-qwen2").method == "full"
    assert starting_settings("practice-corp/Llama-8B").method == "lora"
    assert name_of_base(orders, base) == base


@pytest.mark.parametrize(("name", "into"), [("new", "new"), ("teacher", "teacher-2")])
def test_the_line_to_try_a_student_writes_into_a_system_that_it_can_write(
    arf: Callable[..., Result], orders: Project, base: str, name: str, into: str
) -> None:
    settings = FinetuneSettings(system="teacher", base=base, into=name, trainer="trl")
    run = leave_finished(prepare(orders, settings))
    said = arf(*shlex.split(command_line(settings, orders.path))[1:])
    assert said.code == 0, said.err
    line = said.out.splitlines()[-1]
    assert line.endswith(f"--model {run.folder.name}-gguf --into {into}")


def test_patience_has_the_dev_loss_measured() -> None:
    def training(base: str, **options: int) -> TrainingSettings:
        return FinetuneSettings(base=base, **options).training()

    assert training("practice").evaluate is False
    assert training("practice", patience=2).evaluate is True
    never = training("llama-3.2-1b", patience=0)
    assert (never.patience, never.evaluate) == (None, True)


OLD = {
    **{"method": "full", "rank": 16, "alpha": 16, "learning_rate": None, "warmup_share": 0.05},
    **{"batch": 8, "accumulation": 1, "epochs": 12.0, "steps": None, "max_length": 320},
    **{"seed": 3407, "evaluate": True, "patience": 4, "checkpoint_every": None},
    **{"precision": "auto", "gradient_checkpointing": None},
}
"""Training settings in a job's row, as version 0.1 stored them."""
OLD_ROWS = (
    ["r1", "practice", "s", "trl", OLD, "good", [["teacher", "good"], ["r0", None]], []],
    {
        **{"system": "r1", "base": "practice", "into": "s", "trainer": "trl", "settings": OLD},
        **{"choice": "good", "match": [["teacher", "good"], ["r0", None]], "gguf": []},
    },
)


@pytest.mark.parametrize("row", OLD_ROWS)
def test_a_job_of_an_older_version_goes_on_with_the_very_same_training(row: object) -> None:
    settings = stored_settings("finetune", json.dumps({"wanted": row}))
    assert isinstance(settings, FinetuneSettings)
    assert settings.training() == TrainingSettings.model_validate(OLD)
    assert (settings.system, settings.student, settings.trainer) == ("r1", "s", "trl")
    assert (settings.rows, settings.match, settings.gguf) == ("good", ("teacher:good", "r0"), False)


@pytest.mark.parametrize("base", ["practice", "closed-world", "llama-3.2-1b"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"rank": 8, "alpha": 8},
        {"rank": 8, "alpha": 32},
        {"patience": None},
        {"patience": 2, "evaluate": False},
        {"steps": 30, "precision": "fp32"},
    ],
)
def test_a_training_is_resumed_with_the_settings_that_it_began_with(
    base: str, changed: dict[str, object]
) -> None:
    began = starting_settings(base).model_copy(update=changed)
    assert FinetuneSettings(base=base, **training_options(base, began)).training() == began


@pytest.mark.parametrize(
    "flags",
    [
        ("--learning-rate", "0"),
        ("--learning-rate", "-1"),
        ("--learning-rate", "nan"),
        ("--learning-rate", "inf"),
        ("--epochs", "inf"),
        ("--match", "teacher:goood"),
        ("--steps", "4", "--trial"),
    ],
)
def test_what_cannot_be_a_setting_is_refused_with_what_can(
    arf: Callable[..., Result], orders: Project, base: str, flags: tuple[str, str]
) -> None:
    command = ["finetune", str(orders.path), "--system", "teacher", "--base", base]
    said = arf(*command, "--dry-run", *flags)
    assert said.code == 2
    named = {"--match": "teacher:good", "--steps": "--trial and --steps"}
    assert named.get(flags[0], flags[0].strip("-").replace("-", "_")) in said.err
    assert len(said.err.splitlines()) >= 2  # what is wrong, and what to do


def test_bases_are_listed_without_a_project(arf: Callable[..., Result]) -> None:
    said = arf("finetune", "--bases")
    assert said.code == 0
    assert "qwen3-4b" in said.out
    said = arf("finetune")
    assert said.code == 2
    assert "arf finetune DIR" in said.err


def test_qlora_without_a_gpu_is_refused_before_anything_is_made_but_can_be_prepared(
    arf: Callable[..., Result], orders: Project, base: str
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    command = ["finetune", str(orders.path), "--system", "teacher", "--base", base, "--into", "q"]
    said = arf(*command, "--trainer", "trl", "--method", "qlora")
    assert said.code == 2
    assert "QLoRA needs a GPU" in said.err
    assert "--method lora" in said.err
    assert not run_folder(orders.path, "q").folder.exists()
    assert arf(*command, "--trainer", "trl", "--method", "qlora", "--prepare").code == 0
    assert run_folder(orders.path, "q").job().settings.method == "qlora"
