import pytest
from items import MakeItem, add_items, make_item

from arf_core.analysis.analyze import analyze
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Check
from arf_core.revision.editors import open_editor
from arf_core.revision.revise import revise
from arf_core.revision.verifiers import CheckTask, open_verifier
from arf_core.revision.verify import verify
from arf_core.store.queries import items
from arf_core.store.round_counts import round_outcome

TURNS = [
    "customer: My order 88-1201 came broken, I paid $42.50 for it. My mail is ana@example.com.",
    "agent: I will refund $42.50 within five days.",
]


def one(project: Project, summary: str) -> None:
    add_items(project, [make_item("one", TURNS, summary)])


def text_of(project: Project, system: str) -> str:
    return next(items(project.store, system))[0].summary.text


@pytest.mark.parametrize(
    ("wrong", "mended"),
    [
        (
            "Order 88-1201 came broken; $45.50 will be refunded within five days.",
            "Order 88-1201 came broken; $42.50 will be refunded within five days.",
        ),
        (
            "Order 88-1201 came broken. A refund of $42.50 is promised. Order 88-1201 came broken.",
            "Order 88-1201 came broken. A refund of $42.50 is promised.",
        ),
    ],
)
def test_the_rules_find_mend_and_check_what_they_can_prove(
    project: Project, wrong: str, mended: str
) -> None:
    one(project, wrong)
    analyze(project, system="teacher", detector="rules")
    revise(project, system="teacher", into="r1", editor="rules")
    assert text_of(project, "r1") == mended
    outcome = round_outcome(project.store, "r1")
    assert (outcome.edited, outcome.failed) == (1, 0)


def test_personal_data_are_taken_out(project: Project) -> None:
    one(project, "Ana (ana@example.com) wants a refund of $42.50 for order 88-1201.")
    analyze(project, system="teacher", detector="rules")
    revise(project, system="teacher", into="r1", editor="rules")
    assert "ana@example.com" not in text_of(project, "r1")
    assert "$42.50" in text_of(project, "r1")


def test_what_the_rules_cannot_mend_they_leave(project: Project) -> None:
    one(project, "A refund of $42.50 and a voucher of $700 were promised for 88-1201.")
    analyze(project, system="teacher", detector="rules")
    revise(project, system="teacher", into="r1", editor="rules")
    assert "$700" in text_of(project, "r1")
    assert round_outcome(project.store, "r1").edited == 0


def check(
    project: Project, make: MakeItem, before: str, after: str, category: str, quote: str | None
) -> list[str]:
    """What the rules verifier says of one finding; a "+" for each new error."""
    from arf_core.records import Finding, Summary

    item = make("one", TURNS, before)
    start = before.index(quote) if quote else None
    finding = Finding(
        id="f",
        analysis_id="a",
        category=category,
        quote=quote,
        start=start,
        end=None if start is None or quote is None else start + len(quote),
        explanation="x",
    )
    revised = Summary.of(item.conversation.id, "r1", after, item.summary.id)
    task = CheckTask(
        conversation=item.conversation, before=item.summary, after=revised, findings=(finding,)
    )
    (answer,) = open_verifier(project, "rules").verify([task])
    assert answer.value is not None
    return [*(j.result for j in answer.value.judgements), *("+" for _ in answer.value.new_errors)]


def test_the_rules_verifier_knows_what_it_knows(project: Project) -> None:
    wrong, right = "A refund of $45.50 was promised.", "A refund of $42.50 was promised."
    assert check(project, make_item, wrong, right, "wrong_figure", "$45.50") == ["fixed"]
    still = "A refund of $45.50 was promised to her."
    assert check(project, make_item, wrong, still, "wrong_figure", "$45.50") == ["not_fixed"]
    other = "A refund of $77.77 was promised."
    assert check(project, make_item, wrong, other, "wrong_figure", "$45.50") == ["fixed", "+"]


def test_the_rules_verifier_never_says_fixed_of_what_it_cannot_judge(project: Project) -> None:
    before, after = "A refund of $42.50 was made.", "A refund of $42.50 was promised."
    for category, quote in (
        ("wrong_status", "was made"),
        ("missing_issue", None),
        ("wrong_figure", "$42.50"),
    ):
        assert check(project, make_item, before, after, category, quote) == ["unchecked"]


def test_the_rules_cannot_check_what_the_rules_asked_for(project: Project) -> None:
    one(project, "A refund of $45.50 is promised for order 88-1201.")
    analyze(project, system="teacher", detector="rules")
    revise(project, system="teacher", into="r1", editor="rules")
    with pytest.raises(InputError, match="asked for this revision"):
        verify(project, system="r1", verifier="rules")
    assert project.store.all(Check) == []


@pytest.mark.parametrize("open_it", [open_editor, open_verifier])
def test_the_rules_ask_no_model(project: Project, open_it) -> None:
    with pytest.raises(InputError, match="asks no model"):
        open_it(project, "rules", "gpt")
