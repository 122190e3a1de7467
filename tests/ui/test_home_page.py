"""The home page: full, empty, failing; projects opened, made, forgotten; a file that starts one."""

import sqlite3
import time
from pathlib import Path

import pytest
from running_app import shown
from streamlit.testing.v1 import AppTest

from arf_core.jobs import queue as jobs
from arf_core.jobs.demo import CLOSED_WORLD, example_of
from arf_core.project import Project


def names(at: AppTest) -> list[str]:
    return [b.key for b in at.button if b.key]


def test_it_says_what_the_sample_came_to(open_app, sample: Path) -> None:
    at = open_app(sample)
    assert not at.exception
    said = shown(at)
    assert "42\u00a0%" in said
    assert "50 of 120" in said
    assert "3 of 120" in said
    assert "took no part in the correction" in said
    assert "written examples" in said
    assert "recordings" in said
    assert "<del>" in said
    assert "Corrected (r1)" in said
    assert at.button(key="next-do").label == "Review and export"


def test_what_only_the_rules_have_read_gets_a_count_and_no_rate(open_app, sample: Path) -> None:
    with Project.open(sample) as project, project.store.write() as conn:
        conn.exec_driver_sql("DELETE FROM analysis WHERE detector NOT LIKE 'rules'")
    said = shown(open_app(sample))
    assert "The rules proved errors in" in said
    assert "there are more errors than that" in said
    assert "have errors" not in said


def test_an_empty_project_asks_for_conversations(open_app, empty_project: Path) -> None:
    at = open_app(empty_project)
    assert not at.exception
    assert at.button(key="next-do").label == "Import conversations"


def test_without_a_project_a_file_or_the_sample_begins(open_app) -> None:
    at = open_app()
    assert at.file_uploader(key="home-drop")
    assert {"sample-do", "closed-world-do"} <= set(names(at))


def test_an_example_is_made_with_a_press_and_says_what_it_is(
    open_app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    at = open_app()
    at.button(key="closed-world-do").click().run()
    assert not at.exception
    path = tmp_path / "arf-projects" / "closed-world"
    with Project.open(path) as project:
        assert example_of(project) is CLOSED_WORLD
        (job,) = jobs.jobs(project.store)
        end = time.monotonic() + 120
        while jobs.find_job(project.store, job.id).status in ("queued", "running"):
            assert time.monotonic() < end
            time.sleep(0.2)
        assert jobs.find_job(project.store, job.id).status == "done"
    said = shown(open_app(path))
    assert "simulations with chosen error rates" in said
    assert "student-r1" in said


def test_a_settings_file_that_is_wrong_is_told_with_the_line(open_app, sample: Path) -> None:
    (sample / "arf.toml").write_text("name = \n", encoding="utf-8")
    at = open_app(sample)
    assert not at.exception
    assert "not valid TOML" in at.error[0].value


def test_a_database_that_is_none_is_told(open_app, sample: Path, empty_project: Path) -> None:
    open_app(empty_project)
    (sample / "arf.db").write_bytes(b"this is no database at all" * 100)
    at = open_app(sample)
    assert not at.exception
    assert "not a database" in at.error[0].value
    assert [b for b in at.button if b.key and b.key.startswith("open-other")]


def test_a_database_of_a_newer_version_is_told(open_app, sample: Path) -> None:
    with sqlite3.connect(sample / "arf.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    at = open_app(sample)
    assert not at.exception
    assert "newer ARF Studio" in at.error[0].value


def test_forgetting_takes_a_project_off_the_list_alone(
    open_app, sample: Path, empty_project: Path
) -> None:
    open_app(empty_project)
    at = open_app(sample)
    at.button(key=f"forget-{empty_project}").click().run()
    assert f"forget-{empty_project}" not in names(at)
    assert (empty_project / "arf.toml").exists()
    at.button(key=f"forget-{sample}").click().run()
    assert not at.exception
    assert at.title[0].value == "ARF Studio"


def test_another_project_is_opened_from_the_list(
    open_app, sample: Path, empty_project: Path
) -> None:
    open_app(empty_project)
    at = open_app(sample)
    at.button(key=f"open-{empty_project}").click().run()
    assert at.button(key="next-do").label == "Import conversations"
    assert at.query_params["project"] in (str(empty_project), [str(empty_project)])


def test_a_folder_is_opened_by_its_path_or_the_fault_is_told(
    open_app, sample: Path, tmp_path: Path
) -> None:
    at = open_app()
    at.text_input(key="open-path").input(str(tmp_path / "nothing"))
    at.button(key="open-do").click().run()
    assert "holds no project" in at.error[0].value
    at.text_input(key="open-path").input(str(sample))
    at.button(key="open-do").click().run()
    assert not at.error
    assert "50 of 120" in shown(at)


def test_a_project_is_made_in_a_folder_of_its_own(
    open_app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for expected in ("chats-of-spring", "chats-of-spring-2"):
        at = open_app()
        at.text_input(key="new-name").input("Chats of spring!")
        at.button(key="new-do").click().run()
        assert not at.exception
        assert Project.open(tmp_path / "arf-projects" / expected).settings.name == (
            "Chats of spring!"
        )


def test_a_file_dropped_here_starts_a_project_and_is_kept(
    open_app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    at = open_app()
    at.file_uploader(key="home-drop").upload(
        "my chats.csv", b"id,text,summary\n1,Hi,Hello\n", "text/csv"
    ).run()
    assert not at.exception
    project = tmp_path / "arf-projects" / "my-chats"
    (kept,) = (project / "uploads").glob("*/my chats.csv")
    assert kept.read_bytes().startswith(b"id,text")


def test_the_rules_are_started_from_here_and_the_page_shows_the_job(open_app, sample: Path) -> None:
    project = Project.open(sample)
    with project.store.write() as conn:
        for table in ("analysis", "finding", "revision", "edit", "check", "block"):
            conn.exec_driver_sql(f'DELETE FROM "{table}"')
        conn.exec_driver_sql("DELETE FROM summary WHERE system = 'r1'")
        conn.exec_driver_sql("DELETE FROM system WHERE name = 'r1'")
    at = open_app(sample)
    assert at.button(key="next-do").label == "Run the rules"
    at.button(key="next-do").click().run()
    assert not at.exception
    (job,) = jobs.jobs(project.store)
    assert job.title == "Analyze teacher with the rules"
