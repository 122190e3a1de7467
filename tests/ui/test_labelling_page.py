"""The labelling queue on the page Analyze."""

from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items
from running_app import settled, shown

from arf_core.analysis.analyze import analyze
from arf_core.analysis.annotations import count_read
from arf_core.evaluate.rates import error_rates
from arf_core.project import Project
from arf_core.records import Item
from arf_core.store.queries import findings_of

PAGE = "pages/2_Analyze.py"
VIEW = {"show": "Label"}


@pytest.fixture
def two(empty_project: Path) -> Path:
    """A project of two summaries, one with an error, that the rules have read."""
    with Project.open(empty_project) as project:
        add_items(project, [REFUND, DELIVERY])
        analyze(project, system="teacher", detector="rules")
    return empty_project


def open_as_anna(open_app, project: Path):
    at = open_app(project, PAGE, **VIEW)
    assert not at.exception
    return at.text_input(key="label-by").set_value("anna").run()


def present(at) -> Item:
    return REFUND if "lamp came broken" in shown(at) else DELIVERY


def read(project: Path) -> int:
    with Project.open(project) as opened:
        return count_read(opened.store, "teacher", "anna")


def test_clean_is_one_key_and_the_next_one_comes(open_app, two: Path) -> None:
    at = open_as_anna(open_app, two)
    first = present(at)
    at.button(key="label-clean").click().run()
    assert not at.exception
    assert present(at) != first
    at.button(key="label-clean").click().run()
    assert "All summaries are annotated" in shown(at)
    with Project.open(two) as project:
        rates = error_rates(project.store, "teacher", "person:anna")
    assert (rates.any_error.count, rates.any_error.total) == (0, 2)


def test_errors_are_noted_and_stored_as_one_reading(open_app, two: Path) -> None:
    at = open_as_anna(open_app, two)
    if present(at) != REFUND:
        at.button(key="label-later").click().run()
    mark = f"{REFUND.summary.id}-0"
    at.selectbox(key=f"label-category-{mark}").set_value("wrong_figure")
    at.text_input(key=f"label-quote-{mark}").set_value("no such words")
    at.button(key=f"label-note-{mark}").click().run()
    assert "is not in the summary" in at.error[0].value
    at.text_input(key=f"label-quote-{mark}").set_value("refund of 45.20")
    at.multiselect(key=f"label-turns-{mark}").set_value([0])
    at.button(key=f"label-note-{mark}").click().run()
    assert not at.exception
    assert "arf-mark" in shown(at)
    assert at.button(key="label-clean").disabled
    at.button(key="label-store").click().run()
    assert not at.exception
    with Project.open(two) as project:
        found = findings_of(project.store, [REFUND.summary.id], ["person:anna"])
    (finding,) = found[REFUND.summary.id]
    assert (finding.quote, finding.evidence) == ("refund of 45.20", (0,))


def test_the_last_reading_can_be_changed(open_app, two: Path) -> None:
    at = open_as_anna(open_app, two)
    first = present(at)
    at.button(key="label-clean").click().run()
    at.button(key="label-back").click().run()
    assert present(at) == first
    at.button(key="label-clean").click().run()
    assert read(two) == 1


def test_detectors_are_measured_as_soon_as_there_is_a_reading(open_app, two: Path) -> None:
    at = open_as_anna(open_app, two)
    assert "Agreement" not in [tab.label for tab in at.tabs]
    at.button(key="label-clean").click().run()
    assert "Agreement" in [tab.label for tab in at.tabs]


@pytest.mark.browser
def test_summaries_are_read_by_keyboard(server, two: Path, page) -> None:
    page.set_default_timeout(60_000)
    page.goto(server.url(two, "Analyze", **VIEW))
    page.get_by_label("Annotator", exact=True).fill("anna")
    page.keyboard.press("Enter")
    page.get_by_text("anna has read 0 of 2").wait_for()
    page.get_by_label("Annotator", exact=True).blur()
    for n in (1, 2):
        page.locator(".st-key-label-clean button").first.wait_for()
        settled(page)
        page.locator("body").press("0")
        page.get_by_text(f"anna has read {n} of 2").wait_for()
    assert read(two) == 2
