"""The page Analyze: rates, slices, clusters, findings, and a view that can be sent."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from running_app import Server, shown
from streamlit.testing.v1 import AppTest

from arf_core.evaluate.rates import error_rates
from arf_core.jobs.demo import make_demo
from arf_core.project import Project
from arf_core.records import (
    SPLITS,
    Analysis,
    Conversation,
    Item,
    Reading,
    Summary,
    System,
    Turn,
    fingerprint_of,
    now,
)
from arf_core.store import schema
from arf_core.store.filters import Scope, findings_in
from arf_core.store.finding_list import listed
from arf_core.store.queries import items

PAGE = "pages/2_Analyze.py"
READER = "llm:second-reader"


def said(at: AppTest) -> str:
    return shown(at).replace("\\", "")


def numbers(path: Path, system: str = "teacher", **scope: object) -> list[int]:
    """The findings that the page should list."""
    with Project.open(path) as project:
        found = findings_in(project.store, system, READER, Scope(**scope))
        return [int(n) for n in listed(found)]


# -- full, empty, failing -------------------------------------------------------------------------


@pytest.mark.parametrize("show", ["Error rates", "Slices", "Error pairs", "Clusters", "Findings"])
def test_every_part_opens_by_its_address(open_app, sample: Path, show: str) -> None:
    at = open_app(sample, PAGE, show=show)
    assert not at.exception
    assert not at.error
    assert at.session_state["show"] == show


def test_figures_are_those_of_the_demo(open_app, sample: Path) -> None:
    report = make_demo(sample)
    at = open_app(sample, PAGE, split=["train", "dev", "test"])
    for system, name in (("teacher", "Teacher"), ("r1", "Corrected (r1)")):
        figures = report.systems[system]
        share = round(100 * figures.with_error / figures.summaries)
        assert re.search(
            rf"{re.escape(name)} {share}\s% of {figures.summaries}",
            said(at),
        )
    assert report.counted_by == READER
    assert "second-reader" in said(at)


def test_the_test_split_is_hidden_unless_asked_for(open_app, sample: Path) -> None:
    with Project.open(sample) as project:
        hidden = error_rates(project.store, "teacher", READER, ["train", "dev"])
        all_of_it = error_rates(project.store, "teacher", READER, SPLITS)
    assert hidden.any_error.total < all_of_it.any_error.total
    at = open_app(sample, PAGE)
    assert f"of {hidden.any_error.total}," in said(at)
    assert "Test split hidden" in said(at)
    at.multiselect(key="split").set_value(list(SPLITS)).run()
    assert f"of {all_of_it.any_error.total}," in said(at)
    assert "hidden" not in said(at)


@pytest.fixture
def with_student(sample: Path) -> Path:
    """The sample with two students' summaries of the test split; the first one's were read."""
    with Project.open(sample) as project:
        store = project.store
        tested = store.all(Conversation, schema.conversation.c.split == "test")
        for name in ("pupil", "unread"):
            store.add([System(name=name, kind="student")])
            store.put_summaries([Summary.of(c.id, name, "A call.") for c in tested])
        store.put_readings([reading(item) for page in items(store, "pupil") for item in page])
    return sample


def reading(item: Item) -> Reading:
    """By a reader who found nothing."""
    done = Analysis(
        id=item.summary.id,
        summary_id=item.summary.id,
        detector=READER,
        settings_hash="s",
        taxonomy_hash="t",
        status="done",
        at=now(),
    )
    return Reading(item=item, analysis=done)


def test_it_opens_on_the_teacher_against_a_student_on_what_both_were_read_in(
    open_app, with_student: Path
) -> None:
    at = open_app(with_student, PAGE)
    assert not at.exception
    assert (at.selectbox(key="system").value, at.selectbox(key="against").value) == (
        "teacher",
        "pupil",
    )
    assert at.multiselect(key="split").value == ["test"]
    assert "none read" not in said(at)
    with Project.open(with_student) as project:
        read = error_rates(project.store, "teacher", READER, ["test"]).any_error.total
    assert said(at).count(f"of {read},") == 2
    assert "Test split only" in said(at)


def test_the_splits_follow_the_choice_of_systems_until_they_are_chosen(
    open_app, with_student: Path
) -> None:
    at = open_app(with_student, PAGE, against="Corrected (r1)")
    assert at.multiselect(key="split").value == ["train", "dev"]
    at.selectbox(key="against").set_value("pupil").run()
    assert at.multiselect(key="split").value == ["test"]
    at.selectbox(key="against").set_value("r1").run()
    assert at.multiselect(key="split").value == ["train", "dev"]
    assert "Test split hidden (More filters)" in said(at)
    at.multiselect(key="split").set_value(["dev"]).run()
    at.selectbox(key="system").set_value("pupil").run()
    assert at.multiselect(key="split").value == ["dev"]
    assert not at.exception
    assert "none read" in said(at)


def test_the_splits_of_the_address_stand(open_app, with_student: Path) -> None:
    at = open_app(with_student, PAGE, system="Student (pupil)", split=["train", "dev"])
    assert at.multiselect(key="split").value == ["train", "dev"]
    assert "none read" in said(at)


def test_without_summaries_it_leads_to_the_data(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "No summaries yet" in said(at)


def test_where_nobody_has_read_it_offers_the_rules(open_app, empty_project: Path) -> None:
    turns = (Turn(speaker="customer", text="Hello."),)
    with Project.open(empty_project) as project:
        project.store.add([System(name="teacher", kind="teacher")])
        about = Conversation(
            id="c",
            external_id="c",
            source="s",
            fingerprint=fingerprint_of(turns),
            turns=turns,
            split="train",
        )
        project.store.add([about])
        project.store.put_summaries([Summary.of("c", "teacher", "A greeting.")])
    at = open_app(empty_project, PAGE)
    assert not at.exception
    assert "No detector has read these summaries" in said(at)
    assert at.button(key="start")
    assert any("arf analyze" in code.value for code in at.code)


def test_a_finding_that_is_gone_says_what_to_do(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, show="Findings", finding="999999")
    assert not at.exception
    assert "999999" in " ".join(e.value for e in at.error)
    at.button(key="back").click().run()
    assert not at.error


@pytest.mark.parametrize(
    "query",
    [
        {"finding": "-1"},
        {"finding": "1e9"},
        {"system": "nobody", "by": "nobody", "category": "none", "slice": "x", "only": "y"},
        {"confidence": "7", "order": "up", "split": "none"},
        {"words": "'; DROP TABLE finding; --"},
        {"slice": "channel", "only": "no such channel"},
    ],
)
def test_an_address_that_does_not_fit_is_no_fault(open_app, sample: Path, query: dict) -> None:
    at = open_app(sample, PAGE, show="Findings", **query)
    assert not at.exception


# -- filters and findings -------------------------------------------------------------------------


def test_filters_narrow_the_list_and_what_they_say(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, show="Findings")
    everything = numbers(sample, splits=("train", "dev"))
    assert f"{len(everything)} findings" in said(at)
    at.multiselect(key="category").set_value(["wrong_figure"]).run()
    with Project.open(sample) as project:
        found = findings_in(project.store, "teacher", READER, Scope(splits=("train", "dev")))
        figures = listed(found, ["wrong_figure"])
    assert 0 < len(figures) < len(everything)
    assert f"{len(figures)} findings" in said(at)
    at.text_input(key="words").set_value("zzzz").run()
    assert "No matching findings" in said(at)


def test_a_slice_narrows_rates_and_list(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, show="Findings", slice="channel")
    options = at.selectbox(key="only").options
    assert "e-mail" in options
    at.selectbox(key="only").set_value("e-mail").run()
    inside = numbers(sample, splits=("train", "dev"), attribute="channel", value="e-mail")
    assert len(inside) > 0
    assert f"{len(inside)} findings" in said(at)


def opened(at: AppTest) -> str:
    """The finding that the address names; Streamlit gives it bare or in a list."""
    value = at.query_params["finding"]
    return value if isinstance(value, str) else value[-1]


def test_next_and_previous_go_through_the_list(open_app, sample: Path) -> None:
    every = numbers(sample, splits=("train", "dev"))
    at = open_app(sample, PAGE, show="Findings", finding=str(every[0]))
    assert f"1 of {len(every)}" in said(at)
    assert at.button(key="previous").disabled
    at.button(key="next").click().run()
    assert opened(at) == str(every[1])
    at.button(key="previous").click().run()
    assert opened(at) == str(every[0])
    at.button(key="back").click().run()
    assert "finding" not in at.query_params
    assert f"{len(every)} findings" in said(at)


# -- in a browser ---------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_row_opens_its_finding_beside_the_conversation(
    server: Server, sample: Path, page
) -> None:
    page.goto(server.url(sample, "Analyze", show="Findings", category="Wrong figure"))
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 240, box["y"] + 52, delay=100)
    page.wait_for_selector(".arf-chat .arf-evidence")
    assert page.locator("mark.arf-strong").count() >= 1
    inside = """() => { const box = document.querySelector('.arf-chat').getBoundingClientRect();
        const turn = document.querySelector('.arf-evidence').getBoundingClientRect();
        return turn.top >= box.top - 60 && turn.top < box.bottom; }"""
    page.wait_for_function(inside)
    opened = parse_qs(urlsplit(page.url).query)["finding"]
    place = page.locator(".st-key-reader-steps .arf-text")
    assert place.inner_text().startswith("1 of ")
    for key, stands in (("j", "2 of "), ("k", "1 of ")):
        page.locator("body").press(key)
        place.get_by_text(re.compile(f"^{stands}")).wait_for()
    assert parse_qs(urlsplit(page.url).query)["finding"] == opened
    page.locator("body").press("Escape")
    page.wait_for_selector("[data-testid=stDataFrame]")
    assert "finding=" not in page.url


@pytest.mark.browser
def test_a_lasso_round_points_lists_their_findings(server: Server, sample: Path, page) -> None:
    page.goto(server.url(sample, "Analyze", show="Clusters"))
    plot = page.locator(".st-key-clusters .nsewdrag").first
    plot.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    left, top, right, bottom = (
        box["x"] + 4,
        box["y"] + 4,
        box["x"] + box["width"] - 4,
        box["y"] + box["height"] - 4,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    chosen = page.get_by_text(re.compile(r"^[\d,]+ findings selected$"))
    chosen.wait_for()
    assert (
        chosen.inner_text() == f"{len(numbers(sample, splits=('train', 'dev')))} findings selected"
    )
    table = page.locator(".st-key-chosen canvas").first
    table.wait_for()
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = table.bounding_box()
    page.mouse.click(box["x"] + 240, box["y"] + 52, delay=100)
    page.wait_for_selector(".arf-chat")


@pytest.mark.browser
def test_a_view_can_be_sent_to_a_fresh_server(tmp_path: Path, sample: Path, page) -> None:
    from running_app import start_server

    running = start_server(tmp_path / "config")
    try:
        page.goto(
            running.url(
                sample,
                "Analyze",
                show="Findings",
                category="Missing resolution or next step",
                slice="channel",
                only="e-mail",
                order="Least confident first",
            )
        )
        head = page.locator(".st-key-list-head .arf-text")
        head.wait_for(timeout=60_000)
        with Project.open(sample) as project:
            scope = Scope(splits=("train", "dev"), attribute="channel", value="e-mail")
            found = findings_in(project.store, "teacher", READER, scope)
            expected = len(listed(found, ["missing_resolution"]))
        assert expected > 0
        assert head.inner_text().startswith(f"{expected} finding")
        assert (
            page.locator(".st-key-only input").input_value() == "e-mail"
            or page.get_by_text("e-mail").count()
        )
    finally:
        running.process.kill()
        running.process.wait()
