"""Servers that are broken, far away or ill-meaning, and keys that must not be seen."""

import json
import threading
from typing import Any

import pytest
from items import REFUND, add_items, make_item, with_model
from scripted_replies import CLEAN
from scripted_server import Scripted, ScriptedServer

from arf_core.analysis.analyze import analyze
from arf_core.errors import ConfigError, ModelError
from arf_core.models import open_model
from arf_core.models.cost import BudgetReached, spent
from arf_core.models.registry import try_model
from arf_core.project import Project
from arf_core.project.settings import edited
from arf_core.records import Analysis

KEY = "sk-very-secret-0123456789"
GOOD = {"message": {"role": "assistant", "content": json.dumps(CLEAN)}, "finish_reason": "stop"}


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arf_core.models.calls.FIRST_WAIT_S", 0.01)


def many(project: Project, n: int) -> None:
    add_items(project, [make_item(f"c{i}", [f"customer: {i}"], f"Summary {i}.") for i in range(n)])


def answer(**changed: Any) -> bytes:
    return json.dumps({"choices": [GOOD], "usage": {}} | changed).encode()


HALF_A_PAIR = answer(choices=[GOOD | {"message": {"content": "\ud83d is half a face"}}])
BODIES = {
    "deep": b"[" * 200_000,
    "half": answer()[:-20],
    "empty": b"",
    "a list": b"[1, 2]",
    "no choices": answer(choices=[]),
    "text that is a number": answer(choices=[GOOD | {"message": {"content": 7}}]),
    "negative tokens": answer(usage={"prompt_tokens": -(10**9), "completion_tokens": -(10**9)}),
    "tokens that are words": answer(usage={"prompt_tokens": "many"}),
    "not a number": answer().replace(b"{}", b'{"prompt_tokens": NaN}'),
    "not UTF-8": answer().replace(b"assistant", b"\xff\xfe"),
    "half a surrogate pair": HALF_A_PAIR,
    "too long": b" " * (2**25 + 1),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_answer_is_a_recorded_failure_and_the_run_goes_on(
    project: Project, body: bytes
) -> None:
    many(project, 3)

    def first_hostile(said: dict, n: int) -> Scripted:
        hostile = "Summary 0" in said["messages"][1]["content"]
        return Scripted(body=body if hostile else answer())

    with ScriptedServer(first_hostile) as server:
        project = with_model(project, "a", server.url, schema_means="prompt", retries=1)
        report = analyze(project, system="teacher", detector="llm", model="a")
    assert report.done == 2
    assert sum(report.failed.values()) == 1
    assert spent(project.store) >= 0
    (failed,) = [a for a in project.store.all(Analysis) if a.status == "failed"]
    assert failed.reason in ("server", "schema")


# -- keys ------------------------------------------------------------------------------------------


def everything_told(
    arf: Any, project: Project, caplog: pytest.LogCaptureFixture, *arguments: object
) -> str:
    result = arf(*arguments)
    return result.out + result.err + caplog.text


@pytest.mark.parametrize(
    "said",
    [
        Scripted(status=401, body=f'{{"error": "bad key {KEY}"}}'.encode()),
        Scripted(status=500, body=f"trace: Authorization: Bearer {KEY}".encode()),
        Scripted(status=302, headers={"Location": f"http://127.0.0.1:9/?key={KEY}"}),
        Scripted(body=f"<html>{KEY}</html>".encode()),
        Scripted(f"Your key is {KEY}."),
        Scripted(json.dumps({"facts": [], "findings": [{"category": KEY}]})),
        Scripted(refusal=f"I refuse {KEY}"),
    ],
    ids=["401", "500", "redirect", "html", "words", "in JSON", "refusal"],
)
def test_a_key_that_a_server_sends_back_is_seen_nowhere(
    arf: Any,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    said: Scripted,
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    add_items(project, [REFUND])
    caplog.set_level("DEBUG")
    p = project.path
    with ScriptedServer(lambda body, n: said) as server:
        with_model(project, "a", server.url, key_env="TEST_KEY", retries=1)
        told = ""
        for more in ([], ["--json"]):
            told += everything_told(arf, project, caplog, "models", "test", p, "a", *more)
            run = ("analyze", p, "--detector", "llm", "--model", "a")
            told += everything_told(arf, project, caplog, *run, *more)
            told += everything_told(arf, project, caplog, "models", "list", p, *more)
            told += everything_told(arf, project, caplog, "ledger", p, *more)
        assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert told
    assert KEY not in told
    project.close()
    files = [f for f in p.rglob("*") if f.is_file()]
    assert len(files) >= 2
    assert not [f for f in files if KEY.encode() in f.read_bytes()]


def test_a_key_is_refused_where_it_would_be_kept(arf: Any, project: Project) -> None:
    for url in (
        f"https://user:{KEY}@host/v1",
        f"https://host/v1?key={KEY}",
        f"http://{KEY}@host/v1",
    ):
        told = arf("models", "add", project.path, "a", "--base-url", url, "--model", "m")
        assert told.code == 2
        assert "key_env" in told.err
        assert KEY not in told.err + told.out
    assert KEY not in (project.path / "arf.toml").read_text()
    with pytest.raises(ConfigError, match="api_key") as caught:
        open_model(
            "a",
            {"provider": "openai_api", "base_url": "http://h/v1", "model": "m", "api_key": KEY},
            project.path,
        )
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("value", [f"{KEY}\n", f" {KEY} "])
def test_white_space_around_a_key_is_no_part_of_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    with ScriptedServer(lambda body, n: Scripted('{"hello": "world"}')) as server:
        try_model(with_model(project, "a", server.url, key_env="TEST_KEY"), "a")
        assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("value", [f"{KEY}\nX-Other: 1", f"“{KEY}”", f"{KEY}\x00"[:-1] + "\x07"])
def test_what_is_no_key_is_told_without_showing_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    with ScriptedServer(lambda body, n: Scripted('{"hello": "world"}')) as server:
        project = with_model(project, "a", server.url, key_env="TEST_KEY")
        with pytest.raises(ModelError, match="TEST_KEY holds is no key") as caught:
            try_model(project, "a")
        assert server.requests == []
    assert KEY not in str(caught.value)


# -- places that cannot be reached -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/v1", "cannot reach"),
        ("http://no-such-host.invalid/v1", "cannot reach"),
        ("http://255.255.255.255/v1", "cannot reach"),
    ],
    ids=["refused", "no such name", "no route"],
)
def test_a_place_that_cannot_be_reached_is_one_line_with_the_remedy(
    arf: Any, project: Project, url: str, told: str
) -> None:
    add_items(project, [REFUND])
    with_model(project, "a", url, retries=1)
    p = project.path
    for command in (
        ["models", "test", p, "a"],
        ["analyze", p, "--detector", "llm", "--model", "a"],
    ):
        result = arf(*command)
        assert result.code == 2
        assert told in result.err
        assert "base_url" in result.err
        assert "Traceback" not in result.err
        assert len(result.err.strip().splitlines()) == 2


def test_a_host_that_swallows_everything_is_told_soon(
    arf: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arf_core.models.http_client.CONNECT_S", 0.3)
    add_items(project, [REFUND])
    # reserved for documentation (RFC 5737): packets to it get lost, or are refused on the way
    with_model(project, "a", "http://192.0.2.1/v1", retries=1)
    result = arf("analyze", project.path, "--detector", "llm", "--model", "a")
    assert (result.code, "cannot reach" in result.err) == (2, True)


def test_a_wrong_key_says_which_variable_to_check(
    arf: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    add_items(project, [REFUND])
    with ScriptedServer(lambda body, n: Scripted(status=401, body=b"no")) as server:
        with_model(project, "a", server.url, key_env="TEST_KEY")
        run = ["analyze", project.path, "--detector", "llm", "--model", "a"]
        for command in (["models", "test", project.path, "a"], run):
            result = arf(*command)
            assert (result.code, "Check the key in TEST_KEY" in result.err) == (2, True)


# -- the budget ------------------------------------------------------------------------------------


def priced(project: Project, url: str, budget: float, **options: object) -> Project:
    project = with_model(project, "a", url, schema_means="prompt", **options)
    with edited(project.path / "arf.toml") as document:
        document["models"]["a"]["price"] = {"prompt": 1000.0, "completion": 1000.0}
        document["limits"] = {"budget": budget}
    return Project.open(project.path)


def dense(body: dict, n: int) -> Scripted:
    """Counts a token for every byte, the most there can be, and uses all that it may answer."""
    size = sum(len(m["content"].encode()) for m in body["messages"])
    usage = {"prompt_tokens": size, "completion_tokens": body["max_tokens"]}
    return Scripted(body=answer(usage=usage), wait=0.01)


def test_the_budget_is_not_passed_with_64_calls_at_a_time_whatever_they_cost(
    project: Project,
) -> None:
    many(project, 400)
    with ScriptedServer(dense) as server:
        one = 0.001 * (50 + sum(len(m["content"].encode()) for m in _asked(project, server)))
        budget = 100.5 * one
        project = priced(project, server.url, budget, max_tokens=50, max_concurrency=64)
        with pytest.raises(BudgetReached):
            analyze(project, system="teacher", detector="llm", model="a")
        assert server.most_in_flight > 30
        sent = len(server.requests) - 1
    assert spent(project.store) <= budget
    assert sent * one <= budget * 1.01
    assert spent(project.store) >= 0.9 * budget


def _asked(project: Project, server: ScriptedServer) -> list[dict[str, str]]:
    """The messages of one question."""
    trial = with_model(project, "trial", server.url, schema_means="prompt")
    analyze(trial, system="teacher", detector="llm", model="trial", limit=1)
    return server.requests[0]["messages"]


def test_two_runs_at_once_share_the_budget(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arf_core.models.cost.REFRESH_S", 0.0)
    many(project, 200)
    add_items(
        project,
        [make_item(f"d{i}", [f"customer: {i}"], f"Other {i}.", "other") for i in range(200)],
    )
    with ScriptedServer(dense) as server:
        one = 0.001 * (50 + sum(len(m["content"].encode()) for m in _asked(project, server)))
        budget = 60 * one
        project = priced(project, server.url, budget, max_tokens=50, max_concurrency=4)
        stopped: list[str] = []

        def run(system: str) -> None:
            try:
                analyze(Project.open(project.path), system=system, detector="llm", model="a")
            except BudgetReached:
                stopped.append(system)

        threads = [threading.Thread(target=run, args=[s]) for s in ("teacher", "other")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(stopped) == ["other", "teacher"]
    # each may not know yet what the other has in flight (4), waiting to be stored (4) or in a write
    assert spent(project.store) <= budget + 4 * 4 * one
