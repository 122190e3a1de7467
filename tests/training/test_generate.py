from collections.abc import Iterator

import pytest
from items import add_items, make_item, with_model
from scripted_server import Scripted, ScriptedServer
from sqlalchemy import select

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.prompts import SHIPPED
from arf_core.records import Summary, System
from arf_core.store import schema
from arf_core.training.generate import generate, system_for, try_on


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda body, n: Scripted(f"Summary of {_asked(body)}.")) as server:
        yield server


def _asked(body: dict) -> str:
    return body["messages"][-1]["content"].partition("question ")[2].split()[0]


def held_out(project: Project, url: str, n: int = 5) -> Project:
    """n conversations of the test split that nobody has summarised, and one to learn from."""
    items = [make_item(f"c{i}", [f"customer: question {i}"], "-", split="test") for i in range(n)]
    project.store.add([i.conversation for i in items])
    add_items(project, [make_item("known", ["customer: question known"], "Known.")])
    return with_model(project, "m", url)


def texts(project: Project, system: str) -> list[str]:
    return sorted(s.text for s in project.store.all(Summary, schema.summary.c.system == system))


def failures(project: Project) -> list:
    with project.store.read() as conn:
        return conn.execute(select(schema.unwritten)).all()


def test_a_model_summarises_a_split_that_nobody_has_summarised(
    project: Project, server: ScriptedServer
) -> None:
    project = held_out(project, server.url)
    report = generate(project, model="m", into="student")
    assert (report.asked, report.done, dict(report.failed)) == (5, 5, {})
    assert texts(project, "student") == [f"Summary of {i}." for i in range(5)]
    system = project.store.get(System, schema.system.c.name == "student")
    assert system is not None
    assert (system.kind, system.model) == ("student", "m")


def test_it_is_asked_with_the_prompt_that_students_learn(
    project: Project, server: ScriptedServer
) -> None:
    from arf_core.training.training_set import training_set

    project = held_out(project, server.url)
    generate(project, model="m", into="student", splits=("train",))
    (row,) = training_set(project, "teacher").train
    (asked,) = server.requests
    assert tuple(asked["messages"]) == row.messages[:-1]


def test_the_second_run_asks_only_for_what_is_missing(
    project: Project, server: ScriptedServer
) -> None:
    project = held_out(project, server.url)
    assert generate(project, model="m", into="student", limit=2).done == 2
    report = generate(project, model="m", into="student")
    assert (report.asked, report.skipped, report.done) == (5, 2, 3)
    assert len(server.requests) == 5
    assert generate(project, model="m", into="student").done == 0


def test_what_failed_is_kept_with_its_reason_and_tried_again(project: Project) -> None:
    cut = {"2": True}

    def answer(body: dict, n: int) -> Scripted:
        which = _asked(body)
        reason = "length" if cut.get(which) else "stop"
        return Scripted(f"Summary of {which}.", finish_reason=reason)

    with ScriptedServer(answer) as server:
        project = held_out(project, server.url)
        report = generate(project, model="m", into="student")
        assert (report.done, dict(report.failed)) == (4, {"truncated": 1})
        (failed,) = failures(project)
        assert failed.reason == "truncated"
        assert "Summary of 2" in failed.raw
        cut.clear()
        assert generate(project, model="m", into="student").done == 1
        assert texts(project, "student") == [f"Summary of {i}." for i in range(5)]


def test_a_system_of_another_model_is_not_written_over(
    project: Project, server: ScriptedServer
) -> None:
    project = with_model(held_out(project, server.url), "other", server.url, model="another")
    generate(project, model="m", into="student", limit=1)
    with pytest.raises(InputError, match="another model"):
        generate(project, model="other", into="student")
    with pytest.raises(InputError, match="another model"):
        generate(project, model="m", into="teacher")
    assert texts(project, "teacher") == ["Known."]


def test_a_model_is_given_a_system_that_it_can_write_into(
    project: Project, server: ScriptedServer
) -> None:
    project = with_model(held_out(project, server.url), "other", server.url, model="another")
    assert system_for(project, "m", "student") == "student"
    generate(project, model="m", into="student", limit=1)
    assert system_for(project, "m", "student") == "student"
    assert system_for(project, "other", "student") == "student-2"
    assert system_for(project, "m", "teacher") == "teacher-2"
    generate(project, model="other", into="student-2", limit=1)
    assert system_for(project, "other", "student") == "student-2"
    own = project.path / "prompts" / "summarise.md"
    own.parent.mkdir(exist_ok=True)
    own.write_text((SHIPPED / "summarise.md").read_text() + "\n")
    assert system_for(project, "other", "student") == "student-3"
    assert generate(project, model="other", into="student-3", limit=1).done == 1


def test_a_split_without_conversations_is_said(project: Project, server: ScriptedServer) -> None:
    project = held_out(project, server.url)
    with pytest.raises(InputError, match="no conversation in dev"):
        generate(project, model="m", into="student", splits=("dev",))


def test_the_command_prints_what_was_asked_done_and_failed(
    project: Project, server: ScriptedServer, arf
) -> None:
    project = held_out(project, server.url)
    said = arf("generate", project.path, "--model", "m", "--into", "s", "--split", "test", "--json")
    assert said.code == 0
    assert (said.json["asked"], said.json["done"], said.json["failed"]) == (5, 5, {})


def test_one_conversation_is_tried_and_nothing_is_stored(
    project: Project, server: ScriptedServer, arf
) -> None:
    project = held_out(project, server.url)
    said = arf("generate", project.path, "--model", "m", "--only", "c3", "--json")
    assert said.code == 0
    assert (said.json["text"], said.json["problem"]) == ("Summary of 3.", None)
    assert project.store.all(System, schema.system.c.name != "teacher") == []
    assert "No system named" in arf("generate", project.path, "--model", "m").err
    assert "no conversation" in arf("generate", project.path, "--model", "m", "--only", "?").err


def test_an_answer_that_was_cut_is_shown_with_why_it_is_no_summary(project: Project) -> None:
    with ScriptedServer(lambda body, n: Scripted("On and on", finish_reason="length")) as server:
        tried = try_on(held_out(project, server.url), "m", "c1")
    assert tried.text == "On and on"
    assert tried.problem
    assert tried.problem.startswith("truncated")
