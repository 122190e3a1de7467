"""The whole way of a newcomer with a file of their own, in a real browser, with no model at all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_app import ROOT, Server, pick, settled, start_server

from arf_core.project import Project
from arf_core.records import Summary
from arf_core.review.queue import QueueItem, queue

FILE = ROOT / "examples" / "support" / "conversations.jsonl"
PATIENCE_MS = 60_000
MINE = "What I would say instead."


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose user has a home folder of their own, and no project yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    running = start_server(tmp_path / "config")
    yield running
    running.process.kill()
    running.process.wait()


def bring_in(page, server: Server) -> None:
    """Home: drop the file. Data: take a mapping away and undo that, then import."""
    page.goto(server.url())
    page.set_input_files("input[type=file]", str(FILE))
    page.get_by_text("Preview of the first conversations").wait_for()
    pick(page, ".st-key-map-summary", "none")
    page.get_by_text("No summary.").wait_for()
    page.get_by_role("button", name="Undo: Summary").click()
    page.get_by_text("Summary by Teacher").wait_for()
    page.get_by_role("button", name="Import files").click()
    page.get_by_text("summaries by Teacher: 7 findings.").wait_for()


def look_at_findings(page) -> None:
    """Analyze: draw round the findings, open one of them."""
    page.get_by_role("link", name="Analyze", exact=True).click()
    page.get_by_role("tab", name="Clusters").click()
    plot = page.locator(".st-key-clusters .nsewdrag").first
    plot.wait_for()
    page.wait_for_timeout(1500)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=12)
    page.mouse.up()
    page.get_by_text("findings selected").wait_for()
    table = page.locator(".st-key-chosen canvas").first
    table.wait_for()
    table.scroll_into_view_if_needed()
    settled(page)
    page.wait_for_timeout(500)
    rows = table.bounding_box()
    assert rows
    page.mouse.click(rows["x"] + 240, rows["y"] + 52, delay=100)
    page.wait_for_selector(".arf-finding.arf-chosen")


def correct(page) -> None:
    """Revise: a round by the rules, with what they found."""
    page.get_by_role("link", name="Revise", exact=True).click()
    page.get_by_role("button", name="Start round").click()
    page.get_by_role("tab", name="Review").wait_for()


def decide(page, order: list[str]) -> None:
    """Accept the first two, reject the third, reword the fourth."""
    shows(page, order[0])
    for key, then in (("a", order[1]), ("a", order[2]), ("x", order[3])):
        press(page, key)
        shows(page, then)
    press(page, "w")
    box = page.get_by_label("New text")
    box.fill(MINE)
    box.press("Control+Enter")
    shows(page, order[4])


def press(page, key: str) -> None:
    """Press a key of the review, once its buttons are there."""
    page.locator(".st-key-accept button").first.wait_for()
    settled(page)
    page.locator("body").press(key)


def shows(page, conversation: str) -> None:
    page.locator(".arf-row b", has_text=conversation).first.wait_for()


def export(page) -> None:
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("button", name="Export ").click()
    page.get_by_text(" rows exported").locator("visible=true").first.wait_for()


@pytest.mark.browser
@pytest.mark.slow
def test_from_a_dropped_file_to_a_training_set(at_home: Server, tmp_path: Path, page) -> None:
    page.set_default_timeout(PATIENCE_MS)
    bring_in(page, at_home)
    look_at_findings(page)
    correct(page)
    project = Project.open(next((tmp_path / "arf-projects").iterdir()))
    waiting = queue(project.store, "r1")
    order = [q.external_id for q in waiting]
    assert len(order) == 7
    decide(page, order)
    export(page)
    rows = exported(project.path / "exports" / "r1-reviewed")
    expected = stands(project, waiting[:4])
    by_person = [row for row in rows if row["origin"] != "clean"]
    assert {row["conversation"]: row["messages"][-1]["content"] for row in by_person} == expected
    assert not {q.external_id for q in waiting[4:]} & {row["conversation"] for row in rows}
    assert {row["origin"] for row in rows} == {"clean", *origins(waiting[:4])}


def stands(project: Project, decided: list[QueueItem]) -> dict[str, str]:
    """What should go out of the four decided ones: those that are not in the test split."""
    texts = {s.id: s for s in project.store.all(Summary)}
    found = {}
    for q, word in zip(decided, ("accept", "accept", "reject", "reword"), strict=True):
        revised = texts[q.summary_id]
        before = texts[revised.parent_id or ""]
        found[q.external_id] = {"accept": revised.text, "reject": before.text, "reword": MINE}[word]
    return {q.external_id: found[q.external_id] for q in decided if q.split != "test"}


def origins(decided: list[QueueItem]) -> set[str]:
    said = zip(decided, ("accepted", "accepted", "kept", "reworded"), strict=True)
    return {origin for q, origin in said if q.split != "test"}


def exported(folder: Path) -> list[dict]:
    files = [folder / "train.jsonl", folder / "dev.jsonl"]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert rows
    assert (folder / "README.md").exists()
    return rows
