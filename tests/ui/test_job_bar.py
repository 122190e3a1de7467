"""Jobs as every page shows them, and what becomes of them when server and browser are killed."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from job_rows import enter
from running_app import shown, start_server

from arf_core.jobs import queue as jobs
from arf_core.jobs.rows import LOST_AFTER_S, OPEN, Job
from arf_core.project import Project


def test_a_job_at_work_shows_how_far_it_is_and_can_be_cancelled(open_app, sample: Path) -> None:
    job = enter(sample, phase="reading teacher", done=30, total=120, rate=10.0, message="3 failed")
    at = open_app(sample)
    assert not at.exception
    said = shown(at).replace("\\", "")
    assert "30 of 120" in said
    assert "9 s left" in said
    assert "3 failed" in said
    at.button(key=f"cancel-{job.id}").click().run()
    with Project.open(sample) as project:
        assert jobs.find_job(project.store, job.id).asked_to_stop is not None


def test_a_failed_job_says_what_to_do_until_it_is_put_away(open_app, sample: Path) -> None:
    job = enter(
        sample, status="failed", error="The server says no.", hint="Ask nicely.", silent_s=99
    )
    at = open_app(sample)
    assert "The server says no." in shown(at)
    assert "Ask nicely." in shown(at)
    at.button(key=f"dismiss-{job.id}").click().run()
    assert not at.exception
    assert f"resume-{job.id}" not in [b.key for b in at.button]


def test_a_lost_job_goes_on_at_one_click(open_app, sample: Path) -> None:
    job = enter(sample, silent_s=LOST_AFTER_S + 5)
    at = open_app(sample)
    at.button(key=f"resume-{job.id}").click().run()
    assert not at.exception
    with Project.open(sample) as project:
        again = jobs.jobs(project.store)[0]
        assert again.resumes == job.id
        end = time.monotonic() + 60
        while jobs.find_job(project.store, again.id).status in OPEN:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert jobs.find_job(project.store, again.id).state == "done"


def test_ten_jobs_at_once_do_not_slow_the_page(open_app, sample: Path) -> None:
    def seconds() -> float:
        times = []
        at = open_app(sample)
        for _ in range(5):
            began = time.perf_counter()
            at.run()
            times.append(time.perf_counter() - began)
        assert not at.exception
        return min(times)

    before = seconds()
    for n in range(10):
        enter(sample, title=f"Job {n}", done=n, total=10)
    assert seconds() < before + 0.25


@pytest.mark.browser
def test_killing_server_and_browser_in_the_middle_of_an_import_loses_nothing(
    tmp_path: Path, tmp_path_factory, browser
) -> None:
    home, config = tmp_path / "home", tmp_path / "config"
    home.mkdir()
    server = start_server(config, HOME=str(home))
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(server.url())
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(chats(tmp_path, 8_000))
    page.get_by_role("button", name="Import files").click()
    page.get_by_text("Import chats.jsonl").first.wait_for()
    (path,) = (home / "arf-projects").iterdir()
    with Project.open(path) as project:
        job = until_working(project)
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        context.close()
        assert jobs.find_job(project.store, job.id).is_open, "it ended too soon to tell anything"
        done = until_ended(project, job)
        assert (done.state, done.error) == ("done", None)
    again = start_server(config, HOME=str(home))
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(again.url(path))
        page.get_by_text("8,000").first.wait_for()
    finally:
        os.killpg(again.process.pid, signal.SIGKILL)
        again.process.wait()
        context.close()


def chats(folder: Path, n: int) -> Path:
    file = folder / "chats.jsonl"
    with file.open("w") as out:
        for i in range(n):
            turns = [
                {"speaker": "customer", "text": f"My lamp {i} came broken. I paid {i}.50."},
                {"speaker": "agent", "text": f"Sorry. I will refund {i}.50 within five days."},
            ]
            row = {"id": f"c{i}", "turns": turns, "summary": f"A refund of {i}.50 for lamp {i}."}
            out.write(json.dumps(row) + "\n")
    return file


def until_working(project: Project) -> Job:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for job in jobs.jobs(project.store):
            if job.status == "running" and job.phase:
                return job
        time.sleep(0.02)
    raise AssertionError("no job began")


def until_ended(project: Project, job: Job) -> Job:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if (found := jobs.find_job(project.store, job.id)).status not in OPEN:
            return found
        time.sleep(0.1)
    raise AssertionError("the job did not end")
