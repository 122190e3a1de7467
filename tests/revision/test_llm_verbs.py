"""Analyze, revise and verify with a language model, over a real server that follows a script."""

from typing import Any

import pytest
from items import DELIVERY, REFUND, add_items, with_model
from scripted_replies import CLEAN, EDITS, REFUND_READING, Script
from scripted_server import ScriptedServer

from arf_core.analysis.analyze import analyze
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Analysis, Check, Edit, Fact, Revision, Summary
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.store.findings import finding_rows
from arf_core.store.queries import findings_of, items
from arf_core.store.round_counts import round_outcome

FIXED_BUT_ONE = {
    "checks": [
        {"finding": 2, "result": "fixed", "reason": "promised"},
        {"finding": 1, "result": "fixed", "reason": "42.50"},
        {"finding": 3, "result": "unchecked", "reason": "cannot tell"},
    ],
    "new_errors": [],
}


def analysed(project: Project, server: ScriptedServer) -> Project:
    add_items(project, [REFUND, DELIVERY])
    project = with_model(project, "a", server.url, schema_means="json_schema")
    project = with_model(project, "b", server.url, model="other", schema_means="json_schema")
    analyze(project, system="teacher", detector="llm", model="a")
    return project


def texts(project: Project, system: str) -> dict[str, str]:
    return {
        i.conversation.external_id: i.summary.text
        for page in items(project.store, system)
        for i in page
    }


def test_a_reading_becomes_findings_with_spans_and_omissions(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
    rows = list(finding_rows(project.store, "teacher"))
    assert [(r.category, r.quote, r.evidence) for r in rows] == [
        ("wrong_figure", "45.20", (0, 1)),
        ("wrong_status", "was made", (1,)),
        ("missing_resolution", None, (1,)),
    ]
    assert all(r.summary[r.start : r.end] == r.quote for r in rows if r.quote)
    assert {r.detector for r in rows} == {"llm:a"}
    assert [f.kind for f in project.store.all(Fact)] == ["issue", "next_step", "cause"]
    assert {a.status for a in project.store.all(Analysis)} == {"done"}


def test_a_second_run_asks_nothing_and_a_changed_prompt_asks_again(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        report = analyze(project, system="teacher", detector="llm", model="a")
        assert (report.asked, report.skipped, report.done, report.calls) == (2, 2, 0, 0)
        (project.path / "prompts").mkdir()
        (project.path / "prompts" / "detect.md").write_text(
            "{% block system %}Short.{% endblock %}{% block user %}"
            "{{ conversation | turns }}{{ sentences | sentences }}{% endblock %}"
        )
        report = analyze(project, system="teacher", detector="llm", model="a")
        assert (report.done, report.calls) == (2, 2)
        assert server.requests[-1]["messages"][0]["content"] == "Short."


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            {
                "findings": [
                    {"category": "wrong_figure", "quote": "99.99", "turns": [], "explanation": "x"}
                ],
                "facts": [],
            },
            "99.99",
        ),
        (
            {
                "findings": [
                    {"category": "wrong_figure", "quote": "45.20", "turns": [4], "explanation": "x"}
                ],
                "facts": [],
            },
            "turn 4",
        ),
        (
            {
                "findings": [
                    {"category": "rude", "quote": "45.20", "turns": [], "explanation": "x"}
                ],
                "facts": [],
            },
            "rude",
        ),
        (
            {
                "findings": [
                    {"category": "missing_issue", "quote": "45.20", "turns": [], "explanation": "x"}
                ],
                "facts": [],
            },
            "missing_issue",
        ),
        ({"findings": []}, "facts"),
        (
            {
                "facts": [{"kind": "issue", "text": "x", "turns": [-1], "covered": "yes"}],
                "findings": [],
            },
            "turn -1",
        ),
        ("I found no errors, great summary!", "no JSON"),
    ],
)
def test_a_reply_that_cites_what_is_not_there_is_asked_again(
    project: Project, fault: Any, told: str
) -> None:
    script = Script(detect_refund=[fault, REFUND_READING], detect_delivery=CLEAN)
    with ScriptedServer(script) as server:
        analysed(project, server)
        again = next(r for r in server.requests if len(r["messages"]) == 4)
    assert told in again["messages"][3]["content"]
    assert len(list(finding_rows(project.store, "teacher"))) == 3


def test_a_summary_that_cannot_be_read_is_failed_not_clean_and_tried_again(
    project: Project,
) -> None:
    script = Script(detect_refund="nothing to say", detect_delivery=CLEAN)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        failed = [a for a in project.store.all(Analysis) if a.status == "failed"]
        assert [(a.reason, a.raw) for a in failed] == [("schema", "nothing to say")]
        script.replies["detect_refund"] = REFUND_READING
        report = analyze(project, system="teacher", detector="llm", model="a")
        assert (report.asked, report.skipped, report.done) == (2, 1, 1)


def test_a_round_edits_just_what_was_found_and_copies_the_rest(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        report = revise(project, system="teacher", into="r1", model="a")
        assert report.done == 2
        assert [a for a in script.asked if a.startswith("edit")] == ["edit refund"]
        again = revise(project, system="teacher", into="r1", model="a")
        assert (again.skipped, again.done, again.calls) == (2, 0, 0)
    assert texts(project, "r1") == {
        "refund": "The customer's lamp came broken. A refund of 42.50 was promised, once the photo "
        "is there. The second lamp was cancelled.",
        "delivery": DELIVERY.summary.text,
    }
    revisions = {r.status: r for r in project.store.all(Revision)}
    assert set(revisions) == {"edited", "unchanged"}
    assert len(revisions["edited"].findings) == 3
    asked = findings_of(project.store, [REFUND.summary.id], ["llm:a"])[REFUND.summary.id]
    edits = project.store.all(Edit)
    assert [e.finding_id for e in edits] == [asked[0].id, asked[1].id]
    assert [REFUND.summary.text[e.start : e.end] for e in edits] == ["45.20", "was made"]
    children = {s.text: s for s in project.store.all(Summary) if s.system == "r1"}
    assert all(s.parent_id in (REFUND.summary.id, DELIVERY.summary.id) for s in children.values())


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ([{"finding": 1, "find": "46.20", "replace": "x"}], "46.20"),
        ([{"finding": 4, "find": "45.20", "replace": "x"}], "finding 4"),
        ([{"finding": 1, "find": "lamp", "replace": "x"}], "2 times"),
        (
            [
                {"finding": 1, "find": "of 45.20", "replace": "x"},
                {"finding": 2, "find": "45.20 was", "replace": "y"},
            ],
            "overlap",
        ),
        ([{"finding": 1, "find": REFUND.summary.text, "replace": " "}], "whole summary"),
    ],
)
def test_an_edit_that_cannot_be_made_is_asked_again_then_fails(
    project: Project, edits: list, told: str
) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit={"edits": edits})
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        report = revise(project, system="teacher", into="r1", model="a")
        assert told in server.requests[-1]["messages"][3]["content"]
        assert (report.done, dict(report.failed)) == (1, {"schema": 1})
        assert texts(project, "r1")["refund"] == REFUND.summary.text
        script.replies["edit"] = EDITS
        report = revise(project, system="teacher", into="r1", model="a")
        assert (report.skipped, report.done, dict(report.failed)) == (1, 1, {})
    assert "42.50" in texts(project, "r1")["refund"]
    assert round_outcome(project.store, "r1").failed == 0


def test_checks_count_and_only_fixed_is_verified(project: Project) -> None:
    script = Script(
        detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS, verify=FIXED_BUT_ONE
    )
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a")
        before = round_outcome(project.store, "r1")
        assert (before.unchecked, before.fixed) == (3, 0)
        report = verify(project, system="r1", verifier="llm", model="b")
        assert (report.asked, report.done) == (1, 1)
        assert verify(project, system="r1", verifier="llm", model="b").skipped == 1
    outcome = round_outcome(project.store, "r1")
    assert (outcome.fixed, outcome.unchecked, outcome.not_fixed, outcome.new_errors) == (2, 1, 0, 0)
    assert outcome.model_dump()["edited"] == outcome.unchanged == 1
    assert [c.reason for c in project.store.all(Check)] == ["42.50", "promised", "cannot tell"]


def test_the_detector_that_asked_cannot_be_the_verifier(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a")
        with pytest.raises(InputError, match="asked for this revision"):
            verify(project, system="r1", verifier="llm", model="a")
        with pytest.raises(InputError, match="not a targeted revision"):
            verify(project, system="teacher", verifier="llm", model="b")


def test_the_next_round_answers_what_is_not_fixed_and_what_came_in(project: Project) -> None:
    verdict = {
        "checks": [
            {"finding": 1, "result": "fixed", "reason": "a"},
            {"finding": 2, "result": "not_fixed", "reason": "still told as done"},
            {"finding": 3, "result": "fixed", "reason": "c"},
        ],
        "new_errors": [
            {
                "category": "invented_detail",
                "quote": "by courier",
                "turns": [1],
                "explanation": "Nobody said so.",
            },
            {
                "category": "wrong_party",
                "quote": "The second lamp",
                "turns": [],
                "explanation": "stood there before",
            },
        ],
    }
    first = {"edits": [{"finding": 1, "find": "45.20", "replace": "42.50 by courier"}]}
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=first, verify=verdict)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a")
        verify(project, system="r1", verifier="llm", model="b")
        assert round_outcome(project.store, "r1").new_errors == 1
        script.replies["edit"] = {
            "edits": [
                {"finding": 1, "find": " by courier", "replace": ""},
                {"finding": 2, "find": "was made", "replace": "was promised"},
            ]
        }
        report = revise(project, system="r1", into="r2", model="a")
        assert report.done == 2
        shown = server.requests[-1]["messages"][1]["content"]
    assert '1. invented_detail, at "by courier"' in shown
    assert '2. wrong_status, at "was made"' in shown
    assert "still told as done" in shown
    assert "3." not in shown.split("Findings:")[1]
    assert "A refund of 42.50 was promised." in texts(project, "r2")["refund"]
    assert texts(project, "r2")["delivery"] == DELIVERY.summary.text


def test_what_the_editor_left_is_not_fixed_without_asking_anyone(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit={"edits": []})
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a")
        verify(project, system="r1", verifier="llm", model="b")
    assert "verify refund" not in script.asked
    assert round_outcome(project.store, "r1").not_fixed == 3


def test_summaries_that_nobody_read_are_failed_until_somebody_does(project: Project) -> None:
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS)
    with ScriptedServer(script) as server:
        add_items(project, [REFUND, DELIVERY])
        project = with_model(project, "a", server.url, schema_means="json_schema")
        with pytest.raises(InputError, match="Choose the detectors") as caught:
            revise(project, system="teacher", into="r1", model="a")
        assert "arf analyze" in caught.value.hint
        analyze(project, system="teacher", detector="llm", model="a", limit=1)
        report = revise(project, system="teacher", into="r1", model="a")
        assert (report.done, dict(report.failed)) == (1, {"not_analysed": 1})
        analyze(project, system="teacher", detector="llm", model="a")
        report = revise(project, system="teacher", into="r1", model="a")
        assert (report.skipped, report.done) == (1, 1)


def test_only_the_chosen_categories_are_answered(project: Project) -> None:
    edit = {"edits": [{"finding": 1, "find": "45.20", "replace": "42.50"}]}
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=edit)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a", categories=["wrong_figure"])
        prompt = server.requests[-1]["messages"]
        assert "wrong_status" not in prompt[0]["content"] + prompt[1]["content"]
        with pytest.raises(InputError, match="with other settings"):
            revise(project, system="teacher", into="r1", model="a")
        with pytest.raises(InputError, match="no category 'wrong'"):
            revise(project, system="teacher", into="r9", model="a", categories=["wrong"])


def test_a_large_change_is_flagged(project: Project) -> None:
    new = "Completely other words about nothing that anybody here has ever said at all, sadly."
    edit = {"edits": [{"finding": 1, "find": REFUND.summary.text, "replace": new}]}
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=edit)
    with ScriptedServer(script) as server:
        project = analysed(project, server)
        revise(project, system="teacher", into="r1", model="a")
    assert round_outcome(project.store, "r1").flagged == 1


def test_the_untargeted_arm_sees_no_findings_and_rewrites_everything(project: Project) -> None:
    script = Script(
        rewrite_refund={"summary": "A lamp came broken."}, rewrite_delivery={"summary": "Better."}
    )
    with ScriptedServer(script) as server:
        add_items(project, [REFUND, DELIVERY])
        project = with_model(project, "a", server.url, schema_means="json_schema")
        revise(project, system="teacher", into="better", editor="rewrite", model="a")
        assert not any("finding" in r["messages"][1]["content"].lower() for r in server.requests)
    assert texts(project, "better") == {"refund": "A lamp came broken.", "delivery": "Better."}
    assert round_outcome(project.store, "better").edited == 2
