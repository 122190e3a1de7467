import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from items import with_model
from scripted_server import Scripted, ScriptedServer
from sqlalchemy import select

from arf_core.errors import ConfigError, ModelError, ReplyError
from arf_core.models import Request, open_model
from arf_core.models.calls import Ask, stream
from arf_core.models.registry import model_for
from arf_core.project import Project
from arf_core.run import Answer
from arf_core.store import schema
from arf_core.store.database import Store

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def number(text: str) -> int:
    try:
        return int(json.loads(text)["n"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReplyError("it holds no number n.") from error


def asks(n: int, repeat: int = 0) -> list[Ask[int, int]]:
    return [
        Ask(
            item=i,
            request=Request(
                task="count",
                conversation=f"c{i}",
                subject="s",
                repeat=repeat,
                messages=(
                    {"role": "system", "content": "Count."},
                    {"role": "user", "content": str(i)},
                ),
                schema_=SCHEMA,
            ),
            parse=number,
        )
        for i in range(n)
    ]


def echo(body: dict, n: int) -> Scripted:
    """Answers with the number in the first user message."""
    return Scripted(json.dumps({"n": int(body["messages"][1]["content"])}))


def ask(
    project: Project, handler: Callable, n: int = 1, fresh: bool = False, **options: object
) -> list[Answer]:
    options.setdefault("schema_means", "json_schema")
    with ScriptedServer(handler) as server:
        return ask_at(project, server, n, fresh, **options)


def ask_at(
    project: Project, server: ScriptedServer, n: int, fresh: bool = False, **options: object
) -> list[Answer]:
    settings = {
        "provider": "openai_api",
        "base_url": server.url,
        "model": "m",
        "retries": 2,
    } | options
    model = open_model("m", settings, project.path)
    return sorted(stream(project, model, asks(n), fresh=fresh), key=lambda a: a.item)


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arf_core.models.calls.FIRST_WAIT_S", 0.01)


def test_every_request_is_answered_with_its_own_value(project: Project) -> None:
    answers = ask(project, echo, 300, max_concurrency=20)
    assert [a.value for a in answers] == list(range(300))
    assert all(a.usage.calls == 1 and a.usage.prompt_tokens == 10 for a in answers)


def test_no_more_calls_at_once_than_allowed(project: Project) -> None:
    with ScriptedServer(lambda b, n: Scripted(echo(b, n).text, wait=0.02)) as server:
        ask_at(project, server, 60, max_concurrency=7, schema_means="json_schema")
        assert server.most_in_flight == 7


def test_what_was_answered_is_not_asked_again_unless_fresh(project: Project) -> None:
    with ScriptedServer(echo) as server:
        ask_at(project, server, 10)
        again = ask_at(project, server, 12)
        assert len(server.requests) == 12
        assert [a.usage.cached for a in again] == [1] * 10 + [0] * 2
        assert [a.value for a in again] == list(range(12))
        ask_at(project, server, 10, fresh=True)
        assert len(server.requests) == 22


def test_another_model_or_parameter_is_another_question(project: Project) -> None:
    with ScriptedServer(echo) as server:
        for options in ({}, {"model": "other"}, {"temperature": 0.7}, {"max_tokens": 7}):
            ask_at(project, server, 3, **options)
        assert len(server.requests) == 12


def test_a_repeat_is_asked_anew(project: Project) -> None:
    with ScriptedServer(echo) as server:
        options = {"provider": "openai_api", "base_url": server.url, "model": "m"}
        for repeat in (0, 1, 1):
            model = open_model("m", options, project.path)
            assert len(list(stream(project, model, asks(4, repeat)))) == 4
        assert len(server.requests) == 8


def test_an_unusable_reply_is_asked_again_with_the_fault(project: Project) -> None:
    def first_wrong(body: dict, n: int) -> Scripted:
        return Scripted("none") if len(body["messages"]) == 2 else Scripted('{"n": 7}')

    with ScriptedServer(first_wrong) as server:
        (answer,) = ask_at(project, server, 1)
        assert answer.value == 7
        assert answer.usage.calls == 2
        shown = server.requests[1]["messages"]
        assert shown[2] == {"role": "assistant", "content": "none"}
        assert "no number n" in shown[3]["content"]
        (again,) = ask_at(project, server, 1)
        assert (again.value, again.usage.calls) == (7, 0)


def test_twice_unusable_is_a_failure_with_the_raw_text_and_is_not_kept(project: Project) -> None:
    with ScriptedServer(lambda b, n: Scripted(f"nonsense {n}")) as server:
        (answer,) = ask_at(project, server, 1)
        assert answer.value is None
        assert answer.failure is not None
        assert (answer.failure.reason, answer.failure.raw) == ("schema", "nonsense 1")
        ask_at(project, server, 1)
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Scripted('{"n": 1', finish_reason="length"), "truncated"),
        (Scripted(refusal="I cannot help with that."), "refused"),
        (Scripted("", finish_reason="content_filter"), "refused"),
        (
            Scripted(
                status=400, body=b'{"error": {"message": "maximum context length is 8 tokens"}}'
            ),
            "context",
        ),
        (Scripted(status=500, body=b"oops"), "server"),
        (Scripted(body=b"<html>not json"), "server"),
        (Scripted('{"n": 1}', cut=True), "server"),
        (Scripted('{"n": 1}', wait=5), "timeout"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_each_fault_is_a_failure_with_its_reason(
    project: Project, said: Scripted, reason: str
) -> None:
    (answer,) = ask(project, lambda b, n: said, timeout_s=0.3, retries=1)
    assert answer.failure is not None
    assert answer.failure.reason == reason
    with project.store.read() as conn:
        assert conn.execute(select(schema.call)).all() == []


def test_a_passing_fault_is_retried(project: Project) -> None:
    faults = [
        Scripted(status=503),
        Scripted(body=b"{}"),
        Scripted(status=429, headers={"Retry-After": "0.01"}),
    ]
    (answer,) = ask(project, lambda b, n: faults[n] if n < 3 else echo(b, n), retries=5)
    assert (answer.value, answer.usage.calls) == (0, 4)


def test_retry_after_is_respected(project: Project) -> None:
    times: list[float] = []

    def busy_once(body: dict, n: int) -> Scripted:
        times.append(time.monotonic())
        return Scripted(status=429, headers={"Retry-After": "0.7"}) if n == 0 else echo(body, n)

    ask(project, busy_once)
    assert times[1] - times[0] >= 0.7


def test_a_wrong_key_stops_the_run_and_is_never_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret-123")
    body = b'{"error": {"message": "Incorrect API key provided: sk-secret-123"}}'
    with ScriptedServer(lambda b, n: Scripted(status=401, body=body)) as server:
        with pytest.raises(ModelError, match="401") as caught:
            ask_at(project, server, 50, key_env="TEST_KEY", max_concurrency=2)
        assert len(server.requests) <= 4
        assert server.headers[0]["Authorization"] == "Bearer sk-secret-123"
    assert "sk-secret" not in str(caught.value)
    assert "TEST_KEY" in caught.value.hint


def test_a_missing_key_and_a_missing_server_say_what_to_do(project: Project) -> None:
    options = {
        "provider": "openai_api",
        "base_url": "http://127.0.0.1:9/v1",
        "model": "m",
        "retries": 1,
    }
    with pytest.raises(ModelError, match="NO_SUCH_KEY is not set") as caught:
        list(
            stream(
                project,
                open_model("m", options | {"key_env": "NO_SUCH_KEY"}, project.path),
                asks(1),
            )
        )
    assert "export NO_SUCH_KEY" in caught.value.hint
    with pytest.raises(ModelError, match="cannot reach") as caught:
        list(stream(project, open_model("m", options, project.path), asks(1)))
    assert "base_url" in caught.value.hint
    options["base_url"] = "http://no-such-host.invalid/v1"
    with pytest.raises(ModelError, match="cannot reach"):
        list(stream(project, open_model("m", options, project.path), asks(1)))


def test_a_faulty_entry_lists_all_its_faults_at_once(tmp_path: Path) -> None:
    options = {"provider": "openai_api", "base_url": "nowhere", "temprature": 1, "max_tokens": -1}
    with pytest.raises(ConfigError) as caught:
        open_model("m", options, tmp_path)
    for fault in ("base_url", "model", "temprature", "max_tokens"):
        assert fault in str(caught.value)
    with pytest.raises(ConfigError, match="no provider 'opanai'") as caught:
        open_model("m", {"provider": "opanai"}, tmp_path)
    assert "openai_api" in caught.value.hint


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        ({"json_schema", "json_object"}, "json_schema"),
        ({"json_object"}, "json_object"),
        (set(), "prompt"),
    ],
)
def test_the_schema_goes_by_the_best_means_found_out_once(
    project: Project, takes: set[str], expected: str
) -> None:
    def picky(body: dict, n: int) -> Scripted:
        means = body.get("response_format", {}).get("type", "prompt")
        if means != "prompt" and means not in takes:
            return Scripted(status=400 if n % 2 else 500, body=b"unsupported response_format")
        return Scripted(echo(body, n).text, wait=0.01)

    with ScriptedServer(picky) as server:
        answers = ask_at(project, server, 30, max_concurrency=8, retries=0)
        assert [a.value for a in answers] == list(range(30))
        means = [r.get("response_format", {}).get("type", "prompt") for r in server.requests]
        refused = {"json_schema": 0, "json_object": 1, "prompt": 2}[expected]
        assert means.count(expected) == 30
        assert len(means) == 30 + refused


def test_answers_are_stored_before_they_are_handed_on(project: Project) -> None:
    with ScriptedServer(echo) as server:
        model = open_model(
            "m", {"provider": "openai_api", "base_url": server.url, "model": "m"}, project.path
        )
        for n, _ in enumerate(stream(project, model, asks(40)), 1):
            with project.store.read() as conn:
                assert len(conn.execute(select(schema.call.c.key)).all()) >= n


def test_closing_the_stream_stops_the_calls(project: Project) -> None:
    with ScriptedServer(lambda b, n: Scripted(echo(b, n).text, wait=0.02)) as server:
        options = {
            "provider": "openai_api",
            "base_url": server.url,
            "model": "m",
            "max_concurrency": 4,
        }
        answers = stream(project, open_model("m", options, project.path), asks(2000))
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        assert not [t for t in threading.enumerate() if t.name.startswith("calls to")]
        sent = len(server.requests)
        time.sleep(0.2)
        assert len(server.requests) == sent < 500


def test_requests_are_made_only_a_little_ahead_of_the_calls(project: Project) -> None:
    made = 0

    def counted() -> Iterator[Ask[int, int]]:
        nonlocal made
        for a in asks(3000):
            made += 1
            yield a

    with ScriptedServer(lambda b, n: Scripted(echo(b, n).text, wait=0.05)) as server:
        options = {
            "provider": "openai_api",
            "base_url": server.url,
            "model": "m",
            "max_concurrency": 4,
        }
        answers = stream(project, open_model("m", options, project.path), counted())
        next(answers)
        assert made < 600
        answers.close()  # type: ignore[attr-defined]


def test_an_error_of_ours_while_making_requests_is_not_swallowed(project: Project) -> None:
    def broken() -> Iterator[Ask[int, int]]:
        yield from asks(3)
        raise ZeroDivisionError("a bug")

    with ScriptedServer(echo) as server:
        options = {"provider": "openai_api", "base_url": server.url, "model": "m"}
        with pytest.raises(ZeroDivisionError):
            list(stream(project, open_model("m", options, project.path), broken()))


def test_calls_work_where_an_event_loop_runs_already(project: Project) -> None:
    async def in_a_notebook() -> list[Answer]:
        return ask(project, echo, 3)

    assert [a.value for a in asyncio.run(in_a_notebook())] == [0, 1, 2]


def test_a_write_that_fails_ends_the_run_with_its_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("arf_core.models.calls.replace_rows", full)
    with pytest.raises(OSError, match="disk is full"):
        ask(project, echo, 100, max_concurrency=4)


def test_project_entries_open_as_models(project: Project) -> None:
    with ScriptedServer(echo) as server:
        opened = with_model(project, "gpt", server.url)
        assert model_for(opened, "detector", "gpt").name == "gpt"
        assert isinstance(opened.store, Store)
