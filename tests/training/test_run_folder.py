"""A training's files: what stands in them, and what is said where they are broken."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from items import Result, add_items, make_item
from trainings import leave_finished, shop

from arf_core.errors import InputError
from arf_core.models.registry import add_model
from arf_core.project import Project
from arf_core.training import finetune, finished, prepare
from arf_core.training.requirements import missing
from arf_core.training.run_folder import (
    RunFolder,
    learnt_from,
    locked,
    run_folder,
    state_now,
    write_atomically,
)
from arf_core.training.settings import FinetuneSettings
from arf_core.training.students import register
from arf_core.training.training_records import StepRow

needs_training = pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")
PRACTICE_STUDENT = FinetuneSettings(system="teacher", base="practice", into="s", trainer="trl")
BROKEN = pytest.mark.parametrize("text", ["", '{"name": "s', "\0" * 40, "[]"])


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "students" / "s")
    made.folder.mkdir(parents=True)
    return made


@BROKEN
@pytest.mark.parametrize(
    ("file", "read", "remedy"),
    [
        ("job.json", RunFolder.job, "--fresh"),
        ("trained.json", RunFolder.trained, "Remove that file"),
        ("artifacts.json", RunFolder.artifacts, "Remove that file"),
        ("lengths.json", RunFolder.lengths, "Remove that file"),
    ],
)
def test_a_broken_file_is_told_with_what_to_do(
    run: RunFolder, text: str, file: str, read: Callable[[RunFolder], object], remedy: str
) -> None:
    (run.folder / file).write_text(text)
    with pytest.raises(InputError, match=file) as told:
        read(run)
    assert remedy in told.value.hint


@BROKEN
def test_a_broken_state_is_that_of_a_failed_training_that_can_go_on(
    run: RunFolder, text: str
) -> None:
    run.state_file.write_text(text)
    state = run.state()
    assert state is not None
    assert (state.phase, state.reason) == ("failed", "killed")
    assert "state.json" in state.message
    assert "same command" in state.hint


def test_a_training_runs_as_long_as_its_process_has_the_lock(run: RunFolder) -> None:
    """However early one looks, and however it ends."""
    with locked(run.lock) as lock:
        assert lock is not None
        process = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    run.write_state(state_now("preparing"))
    assert run.is_running()
    assert run.state().phase == "preparing"
    with locked(run.lock) as other:
        assert other is None
    process.kill()
    process.wait()
    assert not run.is_running()
    assert (run.state().phase, run.state().reason) == ("failed", "killed")


def test_a_broken_line_of_the_steps_is_left_out(run: RunFolder) -> None:
    run.add_step(StepRow(step=1, total=3, loss=2.0))
    with run.steps_file.open("a") as file:
        file.write("\0" * 30 + "\n")
    run.add_step(StepRow(step=2, total=3, loss=1.0))
    with run.steps_file.open("a") as file:
        file.write('{"step": 3, "to')
    assert [row.step for row in run.steps()] == [1, 2]


def test_a_student_whose_job_is_broken_hides_no_other_model(run: RunFolder) -> None:
    run.job_file.write_text("")
    assert learnt_from(run.folder.parents[1], "s") is None


@pytest.mark.parametrize("name", ["s", "student-r1", "llama-3.2_1b", "étudiant", "7b", "a" * 80])
def test_a_name_that_a_folder_a_command_and_a_model_can_have(tmp_path: Path, name: str) -> None:
    assert run_folder(tmp_path, name).folder.name == name


@pytest.mark.parametrize("name", ["", ".", "..", "..foo", "-x", "_x", "s\n", "a" * 81])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a student"):
        run_folder(tmp_path, name)


@pytest.mark.parametrize("sign", [*" /\\:#\n\0\"'$"])
def test_a_sign_that_breaks_a_path_or_a_command_is_refused(tmp_path: Path, sign: str) -> None:
    for name in (f"a{sign}b", sign):
        with pytest.raises(InputError, match="cannot name a student"):
            run_folder(tmp_path, name)


@pytest.mark.parametrize("into", ["", "a/b"])
@pytest.mark.parametrize("flag", ["--dry-run", "--prepare", "--json"])
@needs_training
def test_the_command_refuses_such_a_name_whatever_it_is_to_do(
    arf: Callable[..., Result], project: Project, into: str, flag: str
) -> None:
    said = arf("finetune", str(project.path), "--system", "teacher", "--into", into, flag)
    assert said.code == 2
    assert "cannot name a student" in said.err + said.out


@needs_training
def test_a_job_that_ended_before_its_first_step_gives_way(tmp_path: Path) -> None:
    """Else a longer --max-length, after no answer fitted, would need --fresh."""
    orders = shop(tmp_path / "p")
    settings = PRACTICE_STUDENT.model_copy(update={"max_length": 32})
    longer = settings.model_copy(update={"max_length": 64})
    run = prepare(orders, settings)
    with pytest.raises(InputError, match="already"):
        prepare(orders, longer)  # made for another machine, which may be at it
    run.write_state(state_now("failed"))
    prepare(orders, longer)
    assert run.job().settings.max_length == 64
    run.add_step(StepRow(step=1, total=3, loss=2.0))
    run.write_state(state_now("stopped"))
    with pytest.raises(InputError, match="already"):
        prepare(orders, settings)


@needs_training
def test_other_files_of_the_same_student_are_asked_for_without_training_it_anew(
    tmp_path: Path,
) -> None:
    orders = shop(tmp_path / "p")
    settings = PRACTICE_STUDENT
    run = prepare(orders, settings)
    for file in (run.trained_file, run.artifacts_file):
        file.write_text("{}")
    run.write_state(state_now("done"))
    prepare(orders, settings, gguf=False)
    assert run.job().gguf == ()
    assert run.trained_file.is_file()
    assert not run.artifacts_file.is_file()  # the next run makes them


def test_a_training_killed_while_its_files_were_made_is_told_so(run: RunFolder) -> None:
    run.write_state(state_now("exporting", 8, 8))
    state = run.state()
    assert state is not None
    assert "files" in state.message
    assert "--no-gguf" in state.hint


@pytest.mark.parametrize("text", ["", "[]", '{"max_position_embeddings": "x"}'])
def test_a_broken_model_is_told_with_what_to_do(run: RunFolder, text: str) -> None:
    run.merged.mkdir()
    (run.merged / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json") as told:
        run.context()
    assert "artifacts.json" in told.value.hint


@pytest.fixture
def wordy(tmp_path: Path) -> Project:
    """One whose summaries are long."""
    made = Project.create(tmp_path / "p", "A shop")
    add_items(made, [make_item("c", ["customer: my lamp is broken"], "It is broken. " * 40)])
    return made


@needs_training
def test_a_length_that_no_answer_fits_is_told_before_anything_is_trained(
    arf: Callable[..., Result], wordy: Project
) -> None:
    said = arf(
        "finetune", str(wordy.path), "--system", "teacher", "--dry-run", "--max-length", "32"
    )
    assert said.code == 2
    assert "larger --max-length" in said.err


@needs_training
@pytest.mark.parametrize("fault", ["no model in it", "too short"])
def test_an_old_student_is_kept_where_the_new_one_cannot_begin(
    wordy: Project, tmp_path: Path, fault: str
) -> None:
    settings = PRACTICE_STUDENT
    run = prepare(wordy, settings)
    run.write_state(state_now("done"))
    before = sorted(p.name for p in run.folder.iterdir())
    other = settings.model_copy(update={"max_length": 32})
    if fault == "no model in it":
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "config.json").write_text("{}")
        other = settings.model_copy(update={"base": str(tmp_path / "base")})
    with pytest.raises(InputError):
        finetune(wordy, other, fresh=True)
    assert sorted(p.name for p in run.folder.iterdir()) == before
    assert finished(wordy, run).state == "done"


@needs_training
def test_a_student_is_removed_with_its_models_and_nothing_else(
    arf: Callable[..., Result], tmp_path: Path
) -> None:
    project = shop(tmp_path / "p")
    settings = PRACTICE_STUDENT
    run = prepare(project, settings)
    for name, student in (("s", "s"), ("s-gguf", "s"), ("other", "s2")):
        file = Path("students", student, f"{name}.jsonl")
        (project.path / file).parent.mkdir(exist_ok=True)
        (project.path / file).touch()
        add_model(project, name, {"provider": "replay", "path": str(file)})
    command = ("finetune", str(project.path), "--remove", "--json")
    assert arf(*command).code == 2
    assert arf(*command, "--into", "nobody").code == 2
    with locked(run.lock):
        said = arf(*command, "--into", "s")
    assert said.code == 2
    assert "being trained" in said.out
    assert run.job().name == "s"
    said = arf(*command, "--into", "s")
    assert said.json == {"removed": "s", "models": ["s", "s-gguf"]}
    assert not run.folder.exists()
    assert list(Project.open(project.path).settings.models) == ["other"]


@needs_training
def test_a_student_without_its_gguf_file_is_no_longer_asked_as_one(tmp_path: Path) -> None:
    project = shop(tmp_path / "p")
    run = leave_finished(prepare(project, PRACTICE_STUDENT))
    assert register(project, run) == ("s", "s-gguf")
    made = run.artifacts()
    assert made is not None
    write_atomically(run.artifacts_file, made.model_copy(update={"gguf": {}}).model_dump_json())
    register(project, run)
    assert set(project.settings.models) == {"s", "s-gguf"}  # its file is there, and works
    for file in made.gguf.values():
        (run.folder / file).unlink()
    assert register(project, run) == ("s",)
    assert set(project.settings.models) == {"s"}
