"""What a run would take, told before it begins."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from items import DELIVERY, REFUND, add_items, make_item, with_model
from scripted_replies import CLEAN, EDITS, REFUND_READING, Script
from scripted_server import Scripted, ScriptedServer

from arf_core.analysis.analyze import analyze
from arf_core.errors import InputError, ModelError
from arf_core.jobs.estimate import estimate_analyze, estimate_revise, estimate_verify
from arf_core.models.estimate import Range
from arf_core.models.history import answers_a_second
from arf_core.project import Project
from arf_core.project.settings import edited
from arf_core.records import System
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.store.queries import count_summaries

NOTHING_FOUND = Scripted(json.dumps(CLEAN))


def many(project: Project, n: int) -> None:
    add_items(
        project,
        [
            make_item(f"c{i}", [f"customer: {'word ' * (50 + i % 7)}{i}"], f"Summary {i}.")
            for i in range(n)
        ],
    )


def priced(project: Project, url: str, **options: object) -> Project:
    project = with_model(project, "a", url, schema_means="json_schema", **options)
    with edited(project.path / "arf.toml") as document:
        document["models"]["a"]["price"] = {"prompt": 1000.0, "completion": 2000.0}
    return Project.open(project.path)


def holds(told: Range | None, value: float) -> bool:
    assert told is not None
    assert told.low <= told.likely <= told.high
    return told.low <= value <= told.high


def counted(body: dict, n: int) -> Scripted:
    """A server whose tokens are four bytes each."""
    size = sum(len(m["content"].encode()) for m in body["messages"])
    text = json.dumps(CLEAN)
    usage = {"prompt_tokens": size // 4, "completion_tokens": 12}
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return Scripted(body=json.dumps({"choices": [choice], "usage": usage}).encode())


def test_before_any_call_the_range_holds_what_the_run_then_takes(project: Project) -> None:
    many(project, 60)
    with ScriptedServer(counted) as server:
        project = priced(project, server.url)
        told = estimate_analyze(project, system="teacher", detector="llm", model="a")
        assert server.requests == []
        assert project.store.all(System)[0].name == "teacher"
        report = analyze(project, system="teacher", detector="llm", model="a")
    assert (told.items, told.calls.low) == (60, 60)
    assert holds(told.calls, report.calls)
    assert holds(told.prompt_tokens, report.prompt_tokens)
    assert holds(told.cost, report.cost)
    assert told.completion_tokens.low <= 60 * 20
    assert told.seconds is None
    assert "--limit 20" in " ".join(told.rests_on)


def test_a_trial_makes_the_range_narrow(project: Project) -> None:
    many(project, 400)
    with ScriptedServer(counted) as server:
        project = priced(project, server.url, max_concurrency=4)
        before = estimate_analyze(project, system="teacher", detector="llm", model="a")
        analyze(project, system="teacher", detector="llm", model="a", limit=20)
        told = estimate_analyze(project, system="teacher", detector="llm", model="a")
        report = analyze(project, system="teacher", detector="llm", model="a")
    assert told.items == 380
    assert told.cost is not None
    assert before.cost is not None
    narrow, wide = told.cost.high / told.cost.low, before.cost.high / before.cost.low
    assert narrow < 1.5 < wide
    assert holds(told.cost, report.cost)
    assert holds(told.prompt_tokens, report.prompt_tokens)
    assert holds(told.completion_tokens, report.completion_tokens)
    assert told.seconds is not None
    assert "20 earlier answers of a: 12 tokens a reply, 4.0 bytes a token" in told.rests_on[1]


def test_a_large_system_is_sampled_from_all_over(project: Project) -> None:
    add_items(
        project,
        [
            make_item(f"c{i}", [f"customer: {'word ' * (20 if i < 1500 else 400)}"], f"No. {i}.")
            for i in range(3000)
        ],
    )
    with ScriptedServer(counted) as server:
        project = with_model(project, "a", server.url)
        told = estimate_analyze(project, system="teacher", detector="llm", model="a")
    assert told.items == 3000
    assert "of 3,000 summaries" in told.rests_on[0]
    assert int(told.rests_on[0].split()[3]) < 250
    short = estimate_analyze(project, system="teacher", detector="llm", model="a", limit=1000)
    assert (short.items, short.calls.likely) == (1000, 1000)
    assert told.prompt_tokens.likely / 3000 > 1.1 * short.prompt_tokens.likely / 1000


def test_what_is_answered_already_is_not_counted(project: Project) -> None:
    many(project, 30)
    with ScriptedServer(counted) as server:
        project = priced(project, server.url)
        analyze(project, system="teacher", detector="llm", model="a", limit=10)
        # the readings are asked for again, their answers are still there
        told = estimate_analyze(project, system="teacher", detector="llm", model="a")
        assert (told.items, told.stored, told.calls.low) == (20, 0, 20)
        add_items(
            project,
            [
                make_item(f"c{i}", [f"customer: {'word ' * (50 + i)}{i}"], f"Summary {i}.", "copy")
                for i in range(7)
            ],
        )
        told = estimate_analyze(project, system="copy", detector="llm", model="a")
        assert (told.items, told.stored, told.calls.likely) == (7, 7, 0)
        assert told.cost is not None
        assert told.cost.high == 0
        fresh = estimate_analyze(project, system="copy", detector="llm", model="a", fresh=True)
        assert (fresh.stored, fresh.calls.low) == (0, 7)


def test_a_round_and_its_checks_are_estimated_before_there_is_a_round(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    fixed = {"checks": [{"finding": n, "result": "fixed"} for n in (1, 2, 3)], "new_errors": []}
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS, verify=fixed)
    with ScriptedServer(script) as server:
        project = priced(project, server.url)
        project = with_model(project, "b", server.url, model="other", schema_means="json_schema")
        analyze(project, system="teacher", detector="llm", model="a")
        sent = len(server.requests)
        edit, check = estimate_revise(
            project, system="teacher", into="r1", model="a", verifier="llm", verifier_model="b"
        )
        assert len(server.requests) == sent
        assert [s.name for s in project.store.all(System)] == ["teacher"]
        assert (edit.items, edit.calls.likely, check.calls.likely) == (2, 1, 1)
        assert check.cost is None
        with pytest.raises(InputError, match="asked for this revision"):
            estimate_revise(
                project, system="teacher", into="r1", model="a", verifier="llm", verifier_model="a"
            )
        revise(project, system="teacher", into="r1", model="a")
        told = estimate_verify(project, system="r1", model="b")
        assert (told.items, told.calls.likely) == (1, 1)
        assert holds(told.prompt_tokens, check.prompt_tokens.likely)
        verify(project, system="r1", model="b")
        assert estimate_verify(project, system="r1", model="b").calls.high == 0
    (rules,) = estimate_revise(
        project, system="teacher", into="r9", editor="rules", detectors=["llm:a"]
    )
    assert (rules.calls.high, rules.cost) == (0, None)


def test_the_budget_is_compared_and_privacy_refuses(project: Project) -> None:
    many(project, 30)
    with ScriptedServer(lambda body, n: NOTHING_FOUND) as server:
        project = priced(project, server.url)
        told = estimate_analyze(project, system="teacher", detector="llm", model="a")
        assert (told.budget_left, told.within_budget) == (None, None)
        assert told.cost is not None
        for budget, expected in (
            (told.cost.high * 2, "yes"),
            (told.cost.likely, "perhaps"),
            (told.cost.low / 2, "no"),
        ):
            with edited(project.path / "arf.toml") as document:
                document["limits"] = {"budget": budget}
            again = estimate_analyze(
                Project.open(project.path), system="teacher", detector="llm", model="a"
            )
            assert again.within_budget == expected
    far = with_model(project, "far", "http://models.example.com/v1")
    with edited(far.path / "arf.toml") as document:
        document["privacy"] = {"offline": True}
    with pytest.raises(ModelError, match="offline"):
        estimate_analyze(Project.open(far.path), system="teacher", detector="llm", model="far")


def test_the_command_line_tells_it_and_sends_nothing(arf, project: Project) -> None:
    many(project, 12)
    p = project.path
    with ScriptedServer(lambda body, n: NOTHING_FOUND) as server:
        priced(project, server.url)
        told = arf("analyze", p, "--detector", "llm", "--model", "a", "--estimate")
        assert told.code == 0, told.err
        for words in ("12 summaries to do", "tokens in", "USD", "Rests on"):
            assert words in told.out
        of = arf("analyze", p, "--detector", "llm", "--model", "a", "--estimate", "--json").json
        assert of["estimate"]["analyze"]["calls"]["low"] == 12
        rules = arf("analyze", p, "--estimate")
        assert "makes no calls" in rules.out
        assert server.requests == []
    assert arf("revise", p, "--estimate").code == 2
    with Project.open(p) as opened:
        assert count_summaries(opened.store, "teacher") == 12


def test_the_pace_leaves_out_the_night_between_two_runs() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    evening = [start + timedelta(seconds=i // 5) for i in range(500)]
    morning = [t + timedelta(hours=9) for t in evening]
    assert answers_a_second([*evening, *morning]) == pytest.approx(5, rel=0.1)
    slow = [start + timedelta(seconds=40 * i) for i in range(50)]
    assert answers_a_second(slow) == pytest.approx(1 / 40, rel=0.1)
    assert answers_a_second(evening[:3]) is None
