"""The page Finetune: empty, full, and a training from its start to its end in a real browser."""

import json
import shutil
import time
from pathlib import Path

import pytest
from running_app import Server, shown
from trainings import leave_finished

from arf_core.jobs.queue import jobs, open_jobs
from arf_core.project import Project
from arf_core.records import System
from arf_core.training import prepare
from arf_core.training.requirements import missing
from arf_core.training.run_folder import RunFolder, run_folder, state_now, write_atomically
from arf_core.training.settings import PRACTICE, FinetuneSettings
from arf_core.training.students import register
from arf_core.training.training_records import EndReason, TrainingJob

PAGE = "pages/4_Finetune.py"


def finished(path: Path, name: str) -> RunFolder:
    """A student of r1 as a finished training leaves it, and its models."""
    place = run_folder(path, name)
    job = TrainingJob(
        name=name,
        system="r1",
        choice="good",
        base="practice",
        licence="made here",
        practice=True,
        trainer="trl",
        settings=PRACTICE,
        rows=60,
        dev_rows=20,
        fingerprint="f",
    )
    place.folder.mkdir(parents=True)
    write_atomically(place.job_file, job.model_dump_json())
    leave_finished(place)
    with Project.open(path) as project:
        register(project, place)
    return place


def test_an_empty_project_is_told_what_comes_first(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "No summaries yet" in shown(at)


def test_the_set_is_shown_before_anything_is_trained(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    assert not at.exception
    assert at.selectbox(key="train-system").value == "r1"
    words = shown(at)
    assert "60 rows to learn from, 20 to evaluate on" in words
    assert "Only the highlighted answer counts towards the loss" in words
    at.selectbox(key="train-system").set_value("teacher").run()
    at.radio(key="train-rows").set_value("good").run()
    assert "35 rows to learn from" in shown(at)
    assert "35 left out: a detector found errors in it" in shown(at)


def test_a_large_base_says_what_memory_it_takes(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    at.selectbox(key="train-base").set_value("llama-3.1-8b").run()
    assert not at.exception
    assert "Memory on" in " ".join(str(e.value) for e in (*at.info, *at.warning))


def test_the_command_that_does_the_same_follows_the_settings(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    at.checkbox(key="train-trial").check().run()
    at.number_input(key="train-full-batch").set_value(8).run()
    assert not at.exception
    commands = [c.value for c in at.code if c.value.startswith("arf finetune")]
    assert len(commands) == 1
    assert "--base practice --trainer trl --into student-r1 --trial --batch 8" in commands[0]
    assert "30 steps" in shown(at)
    at.selectbox(key="train-base").set_value("llama-3.2-1b").run()
    assert at.number_input(key="train-lora-batch").value == 2
    at.selectbox(key="train-base").set_value("closed-world").run()
    assert at.number_input(key="train-closed-world-batch").value == 8
    assert not at.exception
    (command,) = [c.value for c in at.code if c.value.startswith("arf finetune")]
    assert "--base closed-world" in command
    assert "--batch" not in command


def test_without_the_extra_the_page_says_what_installs_it(
    open_app, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arf_core.training.requirements.TRAINING", ("torch", "no_such_package"))
    at = open_app(sample, PAGE)
    assert not at.exception
    assert any("needs no_such_package" in i.value and "make train" in i.value for i in at.info)
    assert at.button(key="train-start").disabled


def test_sets_are_cut_to_one_size_for_a_comparison(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    at.multiselect(key="train-match-r1:good").set_value(["teacher", "teacher:good"]).run()
    assert not at.exception
    words = shown(at)
    assert "35 rows to learn from" in words
    assert "25 left out: the other arms have no more rows" in words
    (command,) = [c.value for c in at.code if c.value.startswith("arf finetune")]
    assert command.endswith("--match teacher --match teacher:good")


def test_patience_is_a_part_of_the_command_and_has_the_dev_loss_measured(
    open_app, sample: Path
) -> None:
    at = open_app(sample, PAGE)
    unseen = "Set a patience to evaluate on"
    assert unseen in shown(at)
    at.number_input(key="train-full-patience").set_value(4).run()
    assert not at.exception
    assert unseen not in shown(at)
    (command,) = [c.value for c in at.code if c.value.startswith("arf finetune")]
    assert "--patience 4" in command


@pytest.mark.train
@pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")
@pytest.mark.parametrize(
    ("reason", "buttons", "words"),
    [("diverged", 0, "Choose a lower learning rate"), ("lost_gpu", 1, "What happened.")],
)
def test_a_failed_training_is_resumed_only_where_that_helps(
    open_app, sample: Path, reason: EndReason, buttons: int, words: str
) -> None:
    with Project.open(sample) as project:
        place = prepare(project, system="r1", base="practice", into="student-r1", trainer="trl")
    told = {"phase": "failed", "reason": reason, "message": "What happened.", "hint": "Do this."}
    place.write_state(state_now("training", 3, 180).model_copy(update=told))
    at = open_app(sample, PAGE)
    assert not at.exception
    said = at.error[0].value.replace("\\", "")
    assert "What happened." in said
    assert "Do this." in said
    assert len([b for b in at.button if b.key == "go-on-student-r1"]) == buttons
    assert words in shown(at) + said


@pytest.mark.train
@pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")
def test_a_broken_student_is_told_of_beside_the_others_and_can_be_removed(
    open_app, sample: Path
) -> None:
    settings = FinetuneSettings(system="r1", base="practice", into="whole", trainer="trl")
    with Project.open(sample) as project:
        prepare(project, settings)
        broken = prepare(project, settings, into="broken")
    broken.job_file.write_text("")
    at = open_app(sample, PAGE)
    assert not at.exception
    assert "job.json" in at.error[0].value.replace("\\", "")
    assert "whole" in [found.value for found in at.subheader]
    at.button(key="remove-broken-now").click().run()
    assert not at.exception
    assert not at.error
    assert not broken.folder.exists()
    assert "whole" in [found.value for found in at.subheader]


@pytest.mark.parametrize(
    ("gone", "asked_as"),
    [
        (["f16.gguf"], ["whole-gguf", "whole"]),
        (["merged"], ["whole-gguf"]),
        (["merged", "q8_0.gguf"], []),
    ],
)
def test_a_student_whose_files_are_gone_in_part_is_shown_with_the_rest(
    open_app, sample: Path, gone: list[str], asked_as: list[str]
) -> None:
    finished(sample, "older")
    place = finished(sample, "whole")
    for name in gone:
        path = place.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    at = open_app(sample, PAGE)
    assert not at.exception
    assert shown(at).count("not found") == len(gone)
    assert [found.value for found in at.subheader][-2:] == ["whole", "older"]
    offered = [box.options for box in at.selectbox if box.key == "model-whole"]
    assert offered == ([asked_as] if asked_as else [])
    at.button(key="remove-whole-now").click().run()
    assert not at.exception
    assert not place.folder.exists()
    assert at.selectbox(key="model-older").options == ["older-gguf", "older"]


def test_a_student_trained_anew_writes_into_a_system_of_its_own(open_app, sample: Path) -> None:
    place = finished(sample, "student-r1")
    with Project.open(sample) as project:
        earlier = System(name="student-r1", kind="student", model="student-r1-gguf")
        project.store.add([earlier])  # what its earlier weights wrote
    at = open_app(sample, PAGE)
    assert not at.exception
    (line,) = [c.value for c in at.code if "--into student-r1" in c.value and "generate" in c.value]
    assert "--model student-r1-gguf --into student-r1-2 --split test" in line
    at.button(key=f"write-{place.folder.name}").click().run()
    assert not at.exception
    with Project.open(sample) as project:
        while open_jobs(project.store):  # it ends at once: the weights are none
            time.sleep(0.1)
        job = next(j for j in jobs(project.store) if j.kind == "generate")
    assert json.loads(job.arguments)["into"] == "student-r1-2"


@pytest.mark.browser
@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")
def test_a_training_is_launched_watched_stopped_resumed_and_seen_to_finish(
    server: Server, sample: Path, page
) -> None:
    from playwright.sync_api import expect

    slow = 300_000
    page.goto(server.url(sample, "Finetune"))
    page.get_by_text("Training settings").click(timeout=slow)
    page.get_by_role("spinbutton", name="Epochs").fill("4", timeout=slow)
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    expect(page.get_by_text("60 steps", exact=True)).to_be_visible(timeout=slow)
    page.get_by_role("button", name="Train student", exact=True).click(timeout=slow)
    student = page.locator(".st-key-student-student-r1")
    expect(student).to_contain_text("practice model", timeout=slow)
    expect(student).to_contain_text("tokens/s", timeout=slow)
    place = run_folder(sample, "student-r1")
    title = student.locator(".gtitle").first  # the old one lingers while a new one is drawn
    before = title.text_content(timeout=slow)
    assert before
    assert before.startswith("Training loss ")
    expect(title).not_to_have_text(before, timeout=slow)  # it moves by itself
    student.get_by_role("button", name="Stop").click(timeout=slow)
    expect(student).to_contain_text("Stopped; a checkpoint is kept.", timeout=slow)
    stopped = place.state()
    assert stopped is not None
    assert 0 < stopped.step < stopped.total
    student.get_by_role("button", name="Resume").click(timeout=slow)
    expect(student).to_contain_text("Done.", timeout=slow)
    done = [row.step for row in place.steps() if row.loss is not None]
    assert done == list(range(1, stopped.total + 1))
    student.get_by_text("Files", exact=True).click()
    with page.expect_download(timeout=slow) as fetched:
        student.locator(".st-key-fetch-students-student-r1-README-md button").click()
    card = fetched.value.path().read_text()
    assert "A practice model" in card
    student.get_by_role("button", name="Try student", exact=True).click()
    expect(student).to_contain_text("Summary by student-r1-gguf", timeout=slow)
    assert student.locator(".arf-chat").count() == 1
