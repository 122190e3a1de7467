"""The ways of docs/architecture.md, walked from end to end. The fourth, from a training row to a
student's summary, is walked by the tests of training."""

import json
from pathlib import Path

import pytest
from items import with_model
from scripted_server import Scripted, ScriptedServer

from arf_core import Project, analyze, error_rates, export, load, revise, verify
from arf_core.records import Conversation, Finding, Summary, System
from arf_core.store.findings import finding_rows
from arf_core.store.round_counts import round_outcome

CSV = """conversation_id,speaker,text,split,summary
7,customer,My lamp came broken. I paid 42.50.,train,The lamp broke. A refund of 45.20 was promised.
7,agent,I will refund 42.50 within five days.,train,
"""


@pytest.fixture
def imported(project: Project, tmp_path: Path) -> Project:
    file = tmp_path / "chats.csv"
    file.write_text(CSV, encoding="utf-8")
    report = load(project, file)
    assert (report.read, report.conversations, report.summaries) == (2, 1, 1)
    return project


def test_a_csv_row_comes_to_the_store(imported: Project) -> None:
    (conversation,) = imported.store.all(Conversation)
    assert [(t.speaker, t.text) for t in conversation.turns] == [
        ("customer", "My lamp came broken. I paid 42.50."),
        ("agent", "I will refund 42.50 within five days."),
    ]
    assert (conversation.external_id, conversation.source) == ("7", "chats")
    (summary,) = imported.store.all(Summary)
    assert summary.conversation_id == conversation.id
    assert [s.name for s in imported.store.all(System)] == ["teacher"]


def test_a_summary_goes_through_a_revision_into_the_training_set(
    imported: Project, tmp_path: Path
) -> None:
    analyze(imported, system="teacher", detector="rules")
    revise(imported, system="teacher", into="r1", editor="rules")
    checked = {"checks": [{"finding": 1, "result": "fixed", "reason": "42.50"}], "new_errors": []}
    with ScriptedServer(lambda body, n: Scripted(json.dumps(checked))) as server:
        project = with_model(imported, "v", server.url, schema_means="json_schema")
        verify(project, system="r1", verifier="llm", model="v")
    outcome = round_outcome(project.store, "r1")
    assert (outcome.edited, outcome.fixed, outcome.unchecked) == (1, 1, 0)
    assert export(project, system="r1", into=tmp_path / "set", splits=("train",)).rows == 1
    (line,) = (tmp_path / "set" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert "42.50 was promised" in json.loads(line)["messages"][-1]["content"]


def test_a_reply_becomes_a_finding(imported: Project) -> None:
    reply = {
        "facts": [],
        "findings": [
            {
                "category": "wrong_figure",
                "quote": "45.20",
                "turns": [0],
                "explanation": "It is 42.50.",
                "confidence": "high",
            }
        ],
    }
    wrong = {"facts": [], "findings": [reply["findings"][0] | {"quote": "99.99"}]}
    replies = iter([wrong, reply])  # the first quotes what is not there, so it is asked again
    with ScriptedServer(lambda body, n: Scripted(json.dumps(next(replies)))) as server:
        project = with_model(imported, "a", server.url, schema_means="json_schema")
        report = analyze(project, system="teacher", detector="llm", model="a")
    assert (report.done, report.calls) == (1, 2)
    (finding,) = project.store.all(Finding)
    assert finding.id
    (row,) = finding_rows(project.store, "teacher")
    assert (row.quote, row.summary[row.start : row.end], row.evidence) == ("45.20", "45.20", (0,))
    assert error_rates(project.store, "teacher", "llm:a").any_error.count == 1
