"""The page Revise: full, empty and failing, and by keyboard in a real browser."""

from pathlib import Path

import pytest
from items import DELIVERY, add_items
from running_app import settled, shown

from arf_core.evaluate.rates import error_rates
from arf_core.project import Project
from arf_core.records import Summary
from arf_core.review.decisions import decide
from arf_core.review.queue import QueueFilter, queue
from arf_core.store import schema
from arf_core.store.round_counts import review_counts, round_outcome

PAGE = "pages/3_Revise.py"


def waiting(project: Path) -> list[str]:
    with Project.open(project) as opened:
        return [q.external_id for q in queue(opened.store, "r1")]


def in_queue(project: Path, decision: str) -> list[str]:
    with Project.open(project) as opened:
        return [q.external_id for q in queue(opened.store, "r1", QueueFilter(decision=decision))]


# -- without a browser ------------------------------------------------------------------------


def test_an_empty_project_is_told_what_comes_first(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "No summaries yet" in shown(at)


def test_without_findings_the_way_goes_to_analyze(open_app, empty_project: Path) -> None:
    with Project.open(empty_project) as project:
        add_items(project, [DELIVERY])
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "No findings to correct yet" in shown(at)


def test_the_riskiest_revision_is_shown_with_its_edits_and_checks(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    assert not at.exception
    words = shown(at)
    assert waiting(sample)[0] in words
    assert "large change" in words
    assert "<del>" in words
    assert "✓ fixed" in words
    assert at.query_params["conversation"] == waiting(sample)[0]


def test_the_figures_are_those_of_the_demo(open_app, sample: Path) -> None:
    with Project.open(sample) as project:
        outcome = round_outcome(project.store, "r1")
        rates = error_rates(project.store, "r1", "llm:second-reader").any_error
    at = open_app(sample, PAGE, view="Outcome")
    assert not at.exception
    words = shown(at)
    assert f"{outcome.edited} of 120 Teacher summaries edited" in words
    assert f"{outcome.fixed} of {outcome.fixed} findings verified as fixed" in words
    assert at.selectbox(key="counted_by").value == "llm:second-reader"
    assert (rates.count, rates.total) == (3, 120)


def test_accept_reject_reword_and_undo(open_app, sample: Path) -> None:
    first, second, third = waiting(sample)[:3]
    at = open_app(sample, PAGE)
    at.button(key="accept").click().run()
    assert f"Accepted {first}" in shown(at).replace("\\", "")
    at.button(key="reject").click().run()
    at.button(key="reword").click().run()
    at.text_area[0].set_value("A better one.")
    at.button(key="save").click().run()
    assert not at.exception
    assert in_queue(sample, "accept") == [first]
    assert in_queue(sample, "reject") == [second]
    assert in_queue(sample, "reword") == [third]
    again = open_app(sample, PAGE)  # as after a restart
    for _ in range(3):
        again.button(key="undo").click().run()
    assert not again.exception
    assert waiting(sample)[:3] == [first, second, third]
    assert again.button(key="undo").disabled


def test_accept_all_verified_has_a_count_and_an_undo(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE)
    assert at.button(key="accept_verified").label == "Accept all verified (40)"
    at.button(key="accept_verified").click().run()
    assert len(in_queue(sample, "accept")) == 40
    assert "40 of 49 decided" in str(at.get("progress")[0].proto)
    at.button(key="undo").click().run()
    assert in_queue(sample, "accept") == []


def test_an_address_holds_the_filters_and_the_conversation(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, stands="verified", error="wrong_figure")
    with Project.open(sample) as project:
        wanted = QueueFilter(statuses=("verified",), category="wrong_figure")
        found = queue(project.store, "r1", wanted)
    assert found[0].external_id in shown(at)
    to = waiting(sample)[7]
    at = open_app(sample, PAGE, conversation=to)
    assert f"<b>{to}</b>" in shown(at)
    at.text_input(key="jump").set_value(found[-1].external_id).run()
    assert f"<b>{found[-1].external_id}</b>" in shown(at)
    at.text_input(key="jump").set_value("nobody's").run()
    assert not at.exception
    assert "no conversation" in at.error[0].value


def test_next_and_previous_walk_the_queue(open_app, sample: Path) -> None:
    order = waiting(sample)
    at = open_app(sample, PAGE)
    for expected in order[1:3]:
        at.button(key="next").click().run()
        assert f"<b>{expected}</b>" in shown(at)
    at.button(key="previous").click().run()
    assert f"<b>{order[1]}</b>" in shown(at)


def test_a_revision_whose_teacher_text_is_gone_cannot_be_rejected(open_app, sample: Path) -> None:
    with Project.open(sample) as project:
        first = queue(project.store, "r1")[0]
        (summary,) = project.store.all(Summary, schema.summary.c.id == first.summary_id)
        project.store.put_summaries([Summary.of(summary.conversation_id, "teacher", "Anew.")])
    at = open_app(sample, PAGE)
    assert not at.exception
    at.button(key="reject").click().run()
    assert not at.exception
    assert "has been replaced since" in at.error[0].value


def test_an_export_tells_what_goes_and_what_stays(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, view="Export")
    assert not at.exception
    assert at.button(key="export-start").label == "Export 80 rows"
    assert "test split" in shown(at)


def test_a_new_round_has_a_free_name_and_a_command(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, view="New round")
    assert not at.exception
    assert at.text_input(key="start-into").value == "r2"
    assert at.multiselect(key="start-detectors-teacher").value == ["llm:reader"]
    assert any("--into r2" in c.value for c in at.code)


def test_a_project_that_is_all_decided_says_so(open_app, sample: Path) -> None:
    with Project.open(sample) as project:
        for row in queue(project.store, "r1"):
            decide(project.store, "r1", row.summary_id, "accept", "anna")
        assert QueueFilter().count(review_counts(project.store, "r1")) == 0
    at = open_app(sample, PAGE)
    assert not at.exception
    assert "Every revision is decided" in shown(at)


# -- in a browser -----------------------------------------------------------------------------


def shows(page, conversation: str) -> None:
    page.locator(".arf-row b", has_text=conversation).first.wait_for()


def press(page, key: str) -> None:
    """Press a key of the review, once its buttons are there."""
    page.locator(".st-key-accept button").first.wait_for()
    settled(page)
    page.locator("body").press(key)


@pytest.mark.browser
def test_a_round_is_reviewed_by_keyboard(server, sample: Path, page) -> None:
    first, second, third, fourth = waiting(sample)[:4]
    page.set_default_timeout(60_000)
    page.goto(server.url(sample, "Revise"))
    shows(page, first)
    for key, then in (("a", second), ("x", third)):
        press(page, key)
        shows(page, then)
    press(page, "w")
    box = page.get_by_label("New text")
    box.wait_for()
    box.fill("A text with a, x, j and u in it.")
    box.press("Control+Enter")
    shows(page, fourth)
    page.get_by_text("3 of 49 decided").wait_for()
    assert in_queue(sample, "accept") == [first]
    assert in_queue(sample, "reject") == [second]
    assert in_queue(sample, "reword") == [third]
    press(page, "u")
    shows(page, third)
    page.get_by_text("2 of 49 decided").wait_for()
    assert in_queue(sample, "reword") == []
