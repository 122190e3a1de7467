"""Jobs: long actions as processes of their own. Real processes are started, killed and resumed."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from items import REFUND, add_items, make_item, with_model
from scripted_server import Scripted, ScriptedServer
from sqlalchemy import func, select, update

from arf_core.analysis.analyze import AnalyzeSettings, analyze
from arf_core.errors import InputError
from arf_core.importing import ImportReport, ImportSettings
from arf_core.jobs import queue as jobs
from arf_core.jobs.kinds import (
    KINDS,
    DemoJob,
    ImportJob,
    command_of,
    name_of,
    stored_settings,
)
from arf_core.jobs.rows import OPEN, Job
from arf_core.project import Project
from arf_core.records import RunReport
from arf_core.revision.revise import ReviseSettings
from arf_core.store import schema
from arf_core.store.queries import detectors_of
from arf_core.store.round_counts import round_outcome
from arf_core.training.export import ExportSettings
from arf_core.training.students import FinetuneReport
from arf_core.training.training_records import Phase

PATIENCE_S = 60


def until(said: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def ended(project: Project, job: Job) -> Job:
    """The job, when it has ended."""
    until(lambda: jobs.find_job(project.store, job.id).status not in OPEN)
    return jobs.find_job(project.store, job.id)


def rows(project: Project, table: str) -> int:
    with project.store.read() as conn:
        return conn.scalar(select(func.count()).select_from(schema.metadata.tables[table])) or 0


def chats(folder: Path, n: int) -> Path:
    file = folder / "chats.jsonl"
    with file.open("w") as out:
        for i in range(n):
            turns = [
                {"speaker": "customer", "text": f"My lamp {i} came broken. I paid {i}.50."},
                {"speaker": "agent", "text": f"Sorry. I will refund {i}.50 within five days."},
            ]
            row = {
                "id": f"c{i}",
                "turns": turns,
                "summary": f"A refund of {i + 1}.50 for lamp {i}.",
            }
            out.write(json.dumps(row) + "\n")
    return file


def test_an_import_ends_with_its_report_and_the_rules_follow(
    project: Project, tmp_path: Path
) -> None:
    job = jobs.start(project, ImportJob(files=(str(chats(tmp_path, 5)),)))
    done = ended(project, job)
    assert (done.state, done.error) == ("done", None), jobs.log_of(project, job.id)
    report = jobs.report_of(project.store, job.id, ImportReport)
    assert report is not None
    assert (report.conversations, report.summaries) == (5, 5)
    (rules,) = [j for j in jobs.jobs(project.store) if j.follows == job.id]
    assert ended(project, rules).state == "done", jobs.log_of(project, rules.id)
    assert detectors_of(project.store, "teacher") == ["rules"]
    assert rows(project, "analysis") == 5


def test_a_file_that_cannot_be_read_fails_with_the_remedy_and_nothing_follows(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "nothing.csv"
    file.write_text("a,b\n")
    done = ended(project, jobs.start(project, ImportJob(files=(str(file),))))
    assert done.state == "failed"
    assert done.error
    assert done.hint
    assert "Traceback" in jobs.log_of(project, done.id)
    assert len(jobs.jobs(project.store)) == 1


def test_a_bug_is_told_and_its_trace_is_in_the_log(project: Project) -> None:
    add_items(project, [REFUND])
    job = jobs.start(project, AnalyzeSettings())
    with project.store.write() as conn:
        conn.execute(update(schema.job).where(schema.job.c.id == job.id).values(arguments="{"))
    done = ended(project, job)
    if done.state == "done":
        pytest.skip("the process was quicker than the damage")
    assert done.state == "failed"
    assert "JSONDecodeError" in (done.error or "")
    assert f"log {job.id}" in (done.hint or "")
    assert "Traceback" in jobs.log_of(project, done.id)


def test_an_import_killed_at_any_moment_is_finished_by_resuming(
    project: Project, tmp_path: Path
) -> None:
    file = chats(tmp_path, 4000)
    job = jobs.start(project, ImportJob(files=(str(file),), read=False))
    until(lambda: jobs.find_job(project.store, job.id).phase)
    kill(project, job)
    again = jobs.resume(project, job.id)
    assert again.resumes == job.id
    assert again.arguments == job.arguments
    done = ended(project, again)
    assert done.state == "done", jobs.log_of(project, done.id)
    assert rows(project, "conversation") == rows(project, "summary") == 4000


def kill(project: Project, job: Job) -> None:
    """The process and its workers die at once; whoever started it sees it."""
    pid = jobs.find_job(project.store, job.id).pid
    assert pid
    os.killpg(pid, signal.SIGKILL)
    until(lambda: jobs.find_job(project.store, job.id).state == "lost")
    assert "signal 9" in (jobs.find_job(project.store, job.id).error or "")


def age(project: Project, job: Job) -> None:
    """As if nothing had been heard of it for long."""
    before = datetime.now(UTC) - timedelta(seconds=60)
    assert jobs.change(project.store, job.id, heartbeat=before)


def answer(body: dict) -> str:
    """A reply to any task: the first word of each summary is wrong, mended, and checked."""
    task = body["response_format"]["json_schema"]["name"]
    if task == "detect" and "FAULTY" in body["messages"][1]["content"]:
        finding = {"category": "wrong_figure", "quote": "FAULTY", "turns": [0]}
        finding |= {"explanation": "It is not.", "confidence": "high"}
        return json.dumps({"facts": [], "findings": [finding]})
    return json.dumps(
        {
            "detect": {"facts": [], "findings": []},
            "edit": {"edits": [{"finding": 1, "find": "FAULTY", "replace": "Right"}]},
            "verify": {
                "checks": [{"finding": 1, "result": "fixed", "reason": "gone"}],
                "new_errors": [],
            },
        }[task]
    )


class Slow:
    """A server that takes its time."""

    def __init__(self) -> None:
        self.delay = 0.0
        self._server = ScriptedServer(lambda body, n: Scripted(answer(body), wait=self.delay))

    def __enter__(self) -> "Slow":
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def asked(self) -> int:
        return len(self._server.requests)


@pytest.fixture
def scripted() -> Iterator[Slow]:
    with Slow() as server:
        yield server


def slow_model(project: Project, scripted: Slow, n: int, text: str = "Text") -> Project:
    turns = ["customer: Hi.", "agent: Hello."]
    add_items(project, [make_item(f"c{i}", turns, f"{text} {i}.") for i in range(n)])
    return with_model(project, "slow", scripted.url, max_concurrency=2, schema_means="json_schema")


def test_a_killed_reading_loses_no_answer_and_asks_none_twice(
    project: Project, scripted: Slow
) -> None:
    scripted.delay = 0.1
    project = slow_model(project, scripted, 40)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: rows(project, "call") >= 6)
    kill(project, job)
    stored = rows(project, "call")
    scripted.delay = 0
    asked = scripted.asked
    done = ended(project, jobs.resume(project, job.id))
    assert done.state == "done", jobs.log_of(project, done.id)
    assert rows(project, "analysis") >= 40
    assert scripted.asked - asked == 40 - stored


@pytest.mark.parametrize("cut_at", [35, 70], ids=["while it edits", "while it checks"])
def test_a_killed_revision_loses_no_answer_and_asks_none_twice(
    project: Project, scripted: Slow, cut_at: int
) -> None:
    project = slow_model(project, scripted, 30, "FAULTY")
    project = with_model(project, "other", scripted.url, model="other", schema_means="json_schema")
    analyze(project, system="teacher", detector="llm", model="slow")
    scripted.delay = 0.1
    work = ReviseSettings(into="r1", model="slow", verifier="llm", verifier_model="other")
    job = jobs.start(project, work)
    until(lambda: rows(project, "call") >= cut_at)
    kill(project, job)
    stored, asked = rows(project, "call"), scripted.asked
    scripted.delay = 0
    done = ended(project, jobs.resume(project, job.id))
    assert done.state == "done", jobs.log_of(project, done.id)
    assert scripted.asked - asked == 90 - stored
    outcome = round_outcome(project.store, "r1")
    assert (outcome.edited, outcome.fixed, outcome.failed) == (30, 30, 0)


def test_a_killed_export_is_finished_by_resuming(project: Project) -> None:
    add_items(project, [make_item(f"c{i}", ["customer: Hi."], f"Text {i}.") for i in range(2000)])
    job = jobs.start(project, ExportSettings(system="teacher", into="out", everything=True))
    until(lambda: (project.path / "out").exists())
    kill(project, job)
    assert ended(project, jobs.resume(project, job.id)).state == "done"
    out = project.path / "out"
    assert {p.name for p in out.iterdir()} == {"README.md", "dataset", "train.jsonl", "dev.jsonl"}
    assert len((out / "train.jsonl").read_text().splitlines()) == 2000


def test_cancelling_ends_in_a_state_and_keeps_what_was_done(
    project: Project, scripted: Slow
) -> None:
    scripted.delay = 0.1
    project = slow_model(project, scripted, 60)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: rows(project, "call") >= 4)
    asked = jobs.cancel(project, job.id)
    assert asked.asked_to_stop is not None
    done = ended(project, job)
    assert done.state == "cancelled", jobs.log_of(project, job.id)
    assert 4 <= rows(project, "call") < 60
    with pytest.raises(InputError, match="already ended"):
        jobs.cancel(project, job.id)
    scripted.delay = 0
    assert ended(project, jobs.resume(project, job.id)).state == "done"


def test_a_job_that_is_deaf_is_killed_at_the_second_asking(
    project: Project, scripted: Slow
) -> None:
    scripted.delay = 30
    project = slow_model(project, scripted, 4)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: jobs.find_job(project.store, job.id).status == "running")
    long_ago = datetime.now(UTC) - timedelta(seconds=jobs.PATIENCE_S + 1)
    jobs.change(project.store, job.id, asked_to_stop=long_ago)
    assert jobs.cancel(project, job.id).status == "cancelled"


def test_a_job_taken_for_lost_that_was_only_silent_stops_by_itself(
    project: Project, scripted: Slow
) -> None:
    scripted.delay = 0.5
    project = slow_model(project, scripted, 200)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: jobs.find_job(project.store, job.id).pid)
    pid = jobs.find_job(project.store, job.id).pid
    os.kill(pid, signal.SIGSTOP)
    age(project, job)
    assert jobs.find_job(project.store, job.id).state == "lost"
    again = jobs.resume(project, job.id)
    os.kill(pid, signal.SIGCONT)
    until(lambda: "no longer open" in jobs.log_of(project, job.id))
    assert jobs.find_job(project.store, job.id).status == "lost"
    until(lambda: jobs.find_job(project.store, again.id).status == "running")
    jobs.cancel(project, again.id)
    assert ended(project, again).state == "cancelled"


def test_two_jobs_that_write_the_same_system_are_not_started(
    project: Project, scripted: Slow
) -> None:
    scripted.delay = 0.3
    project = slow_model(project, scripted, 50)
    first = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    with pytest.raises(InputError, match="teacher") as refused:
        jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    assert f"cancel {first.id}" in refused.value.hint
    with pytest.raises(InputError):
        jobs.start(project, ImportJob(files=("x.csv",)))
    other = jobs.start(project, AnalyzeSettings(detector="rules"))
    jobs.start(project, ImportJob(files=("x.csv",), options=ImportSettings(system="other")))
    assert ended(project, other).state == "done"
    jobs.cancel(project, first.id)
    ended(project, first)


def test_a_heartbeat_leaves_the_caches_of_figures_alone(project: Project, scripted: Slow) -> None:
    scripted.delay = 20
    project = slow_model(project, scripted, 3)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: jobs.find_job(project.store, job.id).status == "running")
    before = project.store.revision()
    beat = jobs.find_job(project.store, job.id).heartbeat
    until(lambda: jobs.find_job(project.store, job.id).heartbeat > beat, 15)
    assert project.store.revision() <= before + 4  # the versions of settings that a run keeps
    jobs.cancel(project, job.id)
    assert ended(project, job).state == "cancelled"


def test_only_a_job_that_has_stopped_can_be_resumed(project: Project, tmp_path: Path) -> None:
    job = jobs.start(project, ImportJob(files=(str(chats(tmp_path, 2)),), read=False))
    ended(project, job)
    with pytest.raises(InputError, match="is done"):
        jobs.resume(project, job.id)


def test_a_job_is_found_by_the_beginning_of_its_id(project: Project) -> None:
    with pytest.raises(InputError, match="No job"):
        jobs.find_job(project.store, "abc")


@pytest.mark.parametrize(
    ("state", "steps", "loss", "said"),
    [
        ("done", 180, 0.5, "180 steps, loss 0.500"),
        ("stopped", 19, 7.572, "stopped at step 19 of 180, loss 7.572"),
        ("stopped", 0, None, "stopped before its first step"),
    ],
)
def test_a_training_that_was_stopped_is_not_told_as_a_whole_one(
    state: Phase, steps: int, loss: float | None, said: str
) -> None:
    report = FinetuneReport(
        name="student",
        state=state,
        steps=steps,
        total=180,
        final_loss=loss,
        seconds=1.0,
        artifacts={},
        models=(),
        practice=True,
    )
    assert KINDS["finetune"].summary(report) == said


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_work_comes_back_from_its_row(kind: str) -> None:
    given = {
        "import": ImportJob(files=("a b.csv",), options=ImportSettings(columns={"text": "x y"})),
        "analyze": AnalyzeSettings(system="reference", limit=3),
        "revise": ReviseSettings(into="r1", detectors=("llm:a",), verifier="rules"),
    }
    arguments = {
        "verify": {"system": "r1"},
        "review": {"system": "r1", "by": "anna", "step": "undo"},
        "export": {"system": "r1", "into": "exports/r1"},
        "finetune": {"wanted": {"system": "r1", "base": "practice", "into": "student"}},
        "generate": {"model": "student", "into": "student-1"},
        "try": {"model": "student", "conversation": "c1"},
    }
    settings = given.get(kind) or KINDS[kind].settings.model_validate(arguments.get(kind, {}))
    assert stored_settings(kind, settings.model_dump_json()) == settings
    assert name_of(settings) == kind
    assert KINDS[kind].title(settings)
    assert KINDS[kind].locks(settings)


def test_the_command_of_a_job_is_one_that_the_command_line_takes(
    arf, project: Project, tmp_path: Path
) -> None:
    import shlex

    add_items(project, [REFUND])
    work = ImportJob(
        files=(str(chats(tmp_path, 2)),),
        options=ImportSettings(system="other", attributes=(), speakers={"a": "agent"}),
    )
    lines = [
        command_of(work, project.path),
        command_of(AnalyzeSettings(limit=1, splits=("train",)), project.path),
        command_of(ReviseSettings(into="r9", editor="rules", detectors=("rules",)), project.path),
        command_of(DemoJob(example="closed_world"), tmp_path / "world"),
    ]
    for line in lines:
        result = arf(*shlex.split(line)[1:])
        assert result.code == 0, (line, result.err)


def test_jobs_are_listed_logged_and_cancelled_at_the_terminal(
    arf, project: Project, scripted: Slow
) -> None:
    scripted.delay = 0.3
    project = slow_model(project, scripted, 50)
    job = jobs.start(project, AnalyzeSettings(detector="llm", model="slow"))
    until(lambda: jobs.find_job(project.store, job.id).status == "running")
    (listed,) = arf("jobs", project.path, "--json").json["jobs"]
    assert (listed["id"], listed["state"]) == (job.id, "running")
    assert job.id in arf("jobs", project.path).out.replace("\n", "")
    assert arf("jobs", project.path, "cancel", job.id[:6]).code == 0
    assert ended(project, job).state == "cancelled"
    assert arf("jobs", project.path, "log", job.id).code == 0
    assert arf("jobs", project.path, "nonsense").code == 2
    assert arf("jobs", project.path, "log", "zzz").code == 2


def test_what_a_job_reported_is_there_though_the_list_does_not_load_it(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND])
    job = ended(project, jobs.start(project, AnalyzeSettings()))
    assert "result" not in Job.model_fields
    report = jobs.report_of(project.store, job.id, RunReport)
    assert report is not None
    assert report.done == 1
    assert job.message == "1 done"
    shutil.rmtree(jobs.folder_of(project, job.id))
    assert jobs.log_of(project, job.id) == ""
