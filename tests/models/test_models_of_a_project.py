"""Connecting models, what they cost, and where they may be."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from items import DELIVERY, REFUND, add_items, make_item, with_model
from scripted_replies import CLEAN, REFUND_READING, Script
from scripted_server import Scripted, ScriptedServer

from arf_core.analysis.analyze import analyze
from arf_core.errors import ConfigError, InputError, ModelError
from arf_core.models.cost import BudgetReached, costs, ledger, spent
from arf_core.models.limits import AdaptiveLimit
from arf_core.models.registry import add_model, remove_model, try_model
from arf_core.project import Project
from arf_core.project.privacy import is_this_machine
from arf_core.project.settings import edited
from arf_core.records import Analysis

CLEAN_REPLY = Scripted(json.dumps(CLEAN))


def set_in(project: Project, **tables: dict[str, Any]) -> Project:
    with edited(project.path / "arf.toml") as document:
        for name, values in tables.items():
            document[name] = values
    return Project.open(project.path)


def many(project: Project, n: int) -> None:
    add_items(project, [make_item(f"c{i}", [f"customer: {i}"], f"Summary {i}.") for i in range(n)])


def test_models_are_added_listed_tried_and_removed(arf, project: Project) -> None:
    p = project.path
    assert "No models yet" in arf("models", "list", p).out
    with ScriptedServer(lambda body, n: Scripted('{"hello": "world"}')) as server:
        added = arf(
            "models",
            "add",
            p,
            "gpt",
            "--base-url",
            server.url,
            "--model",
            "m",
            "--max-concurrency",
            3,
            "--json",
        )
        assert added.code == 0
        assert added.json["options"]["max_concurrency"] == 3
        tried = arf("models", "test", p, "gpt", "--json")
        assert tried.json["learned"] == {"schema_means": "json_schema"}
        assert "world" in tried.json["reply"]
    assert Project.open(p).settings.models["gpt"]["schema_means"] == "json_schema"
    assert "gpt" in arf("models", "list", p).out
    for arguments, told in [
        (["add", p, "gpt", "--base-url", "http://x/v1", "--model", "m"], "a model 'gpt' already"),
        (["add", p, "other"], "No model is given"),
        (["add", p, "o", "--base-url", "http://x/v1", "--price", "1"], "not a pair of numbers"),
        (["add", p, "other", "--base-url", "nowhere", "--model", "m"], "base_url"),
        (["add", p, "other", "--base-url", "http://x/v1"], "model: Field required"),
        (["test", p, "nobody"], "no model 'nobody'"),
        (["remove", p, "nobody"], "no model 'nobody'"),
    ]:
        result = arf("models", *arguments)
        assert (result.code, told in result.err) == (2, True), result.err
    assert arf("models", "remove", p, "gpt", "--json").json == {"removed": "gpt"}
    assert Project.open(p).settings.models == {}


def test_adding_keeps_what_people_wrote_in_the_file(project: Project) -> None:
    file = project.path / "arf.toml"
    file.write_text(
        file.read_text()
        + "\n# mine, do not touch\n[limits]\nbudget = 3.5 # euros\ncurrency = 'EUR'\n"
    )
    add_model(Project.open(project.path), "a", {"provider": "batch", "model": "m"})
    project = set_in(Project.open(project.path), roles={"editor": "a", "detector": "a"})
    assert "# mine, do not touch" in file.read_text()
    assert "3.5 # euros" in file.read_text()
    project = remove_model(project, "a")
    assert (project.settings.models, project.settings.roles) == ({}, {})
    assert "3.5 # euros" in file.read_text()


def test_an_entry_stands_apart_from_what_follows_it(project: Project) -> None:
    file = project.path / "arf.toml"
    file.write_text(
        'name = "a"\n\n[models.m]\nprovider = "batch"\nmodel = "m"\n\n[roles]\neditor = "m"\n'
    )
    add_model(Project.open(project.path), "n", {"provider": "batch", "model": "n"})
    assert 'model = "n"\n\n[roles]' in file.read_text()
    assert file.read_text().endswith('"m"\n')


def test_a_change_that_would_break_the_file_is_not_made(project: Project) -> None:
    before = (project.path / "arf.toml").read_text()
    with pytest.raises(ConfigError), edited(project.path / "arf.toml") as document:
        document["colour"] = "red"
    assert (project.path / "arf.toml").read_text() == before
    assert sorted(f.name for f in project.path.iterdir()) == ["arf.toml"]


def test_trying_finds_the_context_as_servers_tell_it(project: Project) -> None:
    class Server(ScriptedServer):
        pass

    with Server(lambda body, n: Scripted('{"hello": "world"}')) as server:
        server.extra["/v1/models"] = {"data": [{"id": "scripted", "max_model_len": 4096}]}
        project = with_model(project, "vllm", server.url)
        assert try_model(project, "vllm").learned["context_tokens"] == 4096
        server.extra = {"/props": {"default_generation_settings": {"n_ctx": 2048}}}
        project = with_model(Project.open(project.path), "cpp", server.url)
        assert try_model(project, "cpp").learned["context_tokens"] == 2048


def test_what_is_too_long_is_refused_before_it_is_sent(project: Project) -> None:
    long = make_item("long", ["customer: " + "very long story " * 2000], "A story.")
    add_items(project, [DELIVERY, long])
    with ScriptedServer(lambda body, n: CLEAN_REPLY) as server:
        project = with_model(project, "a", server.url, context_tokens=8000, max_tokens=500)
        report = analyze(project, system="teacher", detector="llm", model="a")
        assert (report.done, dict(report.failed)) == (1, {"context": 1})
        assert not any("very long story" in json.dumps(r) for r in server.requests)
    (failed,) = [a for a in project.store.all(Analysis) if a.status == "failed"]
    assert "8000" not in (failed.raw or "")
    assert "7500 beside the reply" in (failed.raw or "")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("api.openai.com", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, here: bool) -> None:
    assert is_this_machine(host) is here


def test_offline_and_the_allow_list_refuse_before_anything_is_sent(project: Project) -> None:
    add_items(project, [REFUND])
    project = with_model(project, "far", "http://models.example.com/v1", retries=0)
    offline = set_in(project, privacy={"offline": True})
    with pytest.raises(ModelError, match="nothing leaves this machine") as caught:
        analyze(offline, system="teacher", detector="llm", model="far")
    assert "offline = false" in caught.value.hint
    with pytest.raises(ModelError, match="nothing leaves this machine"):
        try_model(offline, "far")
    listed = set_in(project, privacy={"allow": ["api.example.org"]})
    with pytest.raises(ModelError, match=r"may reach api\.example\.org"):
        analyze(listed, system="teacher", detector="llm", model="far")
    with ScriptedServer(lambda body, n: CLEAN_REPLY) as server:
        near = with_model(offline, "near", server.url)
        assert analyze(near, system="teacher", detector="llm", model="near").done == 1


def test_a_redirect_to_another_host_is_not_followed(project: Project) -> None:
    add_items(project, [REFUND])
    with ScriptedServer(lambda body, n: CLEAN_REPLY) as elsewhere:
        target = {"Location": f"{elsewhere.url}/chat/completions"}
        with ScriptedServer(lambda body, n: Scripted(status=307, headers=target)) as server:
            project = with_model(project, "a", server.url, retries=0, schema_means="prompt")
            report = analyze(project, system="teacher", detector="llm", model="a")
        assert dict(report.failed) == {"server": 1}
        assert elsewhere.requests == []


def test_cost_and_ledger_say_what_was_spent_and_sent(arf, project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    script = Script(detect_refund=REFUND_READING, detect_delivery="nonsense")
    with ScriptedServer(script) as server:
        project = with_model(project, "a", server.url, schema_means="json_schema")
        with edited(project.path / "arf.toml") as document:
            document["models"]["a"]["price"] = {"prompt": 1000.0, "completion": 2000.0}
        project = Project.open(project.path)
        report = analyze(project, system="teacher", detector="llm", model="a")
        sent = sum(len(m["content"].encode()) for r in server.requests for m in r["messages"])
    # three answered calls (one of them asked again) of 10 and 5 tokens
    assert report.cost == pytest.approx(3 * 0.02)
    (row,) = costs(project.store)
    assert (row.model, row.task, row.system, row.calls) == ("a", "detect", "teacher", 3)
    assert row.cost == pytest.approx(0.06)
    assert row.per_thousand == pytest.approx(20)
    entries = ledger(project.store)
    assert {(e.host, e.masked) for e in entries} == {("127.0.0.1", False)}
    assert sum(e.bytes for e in entries) == sent
    assert "0.0600" in arf("cost", project.path).out
    assert arf("cost", project.path, "--json").json["total"] == pytest.approx(0.06)
    assert "127.0.0.1" in arf("ledger", project.path).out
    assert arf("ledger", project.path, "--json").json["entries"][0]["model"] == "a"


def test_a_budget_is_never_passed_and_what_is_done_is_kept(project: Project) -> None:
    many(project, 60)
    with ScriptedServer(lambda body, n: Scripted(CLEAN_REPLY.text, wait=0.01)) as server:
        project = with_model(
            project, "a", server.url, schema_means="prompt", max_tokens=100, max_concurrency=8
        )
        with edited(project.path / "arf.toml") as document:
            document["models"]["a"]["price"] = {"prompt": 0.0, "completion": 1000.0}
            document["limits"] = {"budget": 0.2}
        project = Project.open(project.path)
        # each call costs 5 × 0.001 in fact, and could cost 100 × 0.001
        with pytest.raises(BudgetReached, match=r"budget of 0\.2 USD is reached") as caught:
            analyze(project, system="teacher", detector="llm", model="a")
        assert caught.value.exit_code == 1
        assert spent(project.store) <= 0.2
        done = len([a for a in project.store.all(Analysis) if a.status == "done"])
        assert done == len(server.requests) == 21
        project = set_in(project, limits={"budget": 1.0})
        assert analyze(project, system="teacher", detector="llm", model="a").done == 60 - done
    assert spent(project.store) == pytest.approx(0.3)


def test_a_budget_needs_a_price(project: Project) -> None:
    add_items(project, [REFUND])
    with ScriptedServer(lambda body, n: CLEAN_REPLY) as server:
        project = set_in(with_model(project, "a", server.url), limits={"budget": 1.0})
        with pytest.raises(ConfigError, match="price of a is not known"):
            analyze(project, system="teacher", detector="llm", model="a")
        assert server.requests == []


def test_requests_a_minute_are_kept(project: Project) -> None:
    many(project, 12)
    times: list[float] = []

    def timed(body: dict, n: int) -> Scripted:
        times.append(time.monotonic())
        return CLEAN_REPLY

    with ScriptedServer(timed) as server:
        project = with_model(
            project, "a", server.url, schema_means="prompt", requests_per_minute=600
        )
        with edited(project.path / "arf.toml") as document:
            document["models"]["a"]["requests_per_minute"] = 600
        analyze(Project.open(project.path), system="teacher", detector="llm", model="a")
    assert len(times) == 12


def test_the_limit_grows_to_what_is_allowed_and_halves_at_a_refusal() -> None:
    import asyncio

    async def work() -> tuple[int, int, int]:
        limit = AdaptiveLimit(most=128)
        allowed, refused, done, busy = 40, 0, 0, 0

        async def call() -> None:
            nonlocal refused, done, busy
            while True:
                begun = await limit.acquire()
                if busy >= allowed:
                    refused += 1
                    limit.release(begun, overloaded=True)
                    await asyncio.sleep(0.01)
                    continue
                busy += 1
                await asyncio.sleep(0.02)
                busy -= 1
                done += 1
                limit.release(begun)
                return

        await asyncio.gather(*(call() for _ in range(3000)))
        return limit.limit, refused, done

    at_last, refused, done = asyncio.run(work())
    assert done == 3000
    assert 20 <= at_last <= 42
    assert refused < 60


@given(st.lists(st.booleans(), max_size=300))
def test_the_limit_stays_within_its_bounds_whatever_happens(events: list[bool]) -> None:
    import asyncio

    async def work() -> None:
        limit = AdaptiveLimit(most=50)
        for overloaded in events:
            begun = await limit.acquire()
            limit.release(begun, overloaded=overloaded)
            assert 1 <= limit.limit <= 50
            assert limit.in_flight == 0

    asyncio.run(work())


def test_settings_refuse_what_they_do_not_know(project: Project) -> None:
    for table, key in (("privacy", "ofline"), ("limits", "bugdet")):
        with pytest.raises(ConfigError, match=key):
            set_in(project, **{table: {key: True}})
    with pytest.raises(InputError):
        project.model_for("detector")


def test_project_files_hold_no_key(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-very-secret")
    add_items(project, [REFUND])
    body = b'{"error": {"message": "bad key sk-very-secret given"}}'
    with ScriptedServer(lambda b, n: Scripted(status=400, body=body)) as server:
        project = with_model(project, "a", server.url, key_env="TEST_KEY", retries=0)
        analyze(project, system="teacher", detector="llm", model="a")
    project.close()
    files = [f for f in project.path.rglob("*") if f.is_file()]
    assert len(files) >= 2
    assert not [f for f in files if b"sk-very-secret" in f.read_bytes()]
