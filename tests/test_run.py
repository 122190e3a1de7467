"""How far a run is, while it works."""

import threading
import time

import pytest
from items import add_items, make_item, with_model
from scripted_server import Scripted, ScriptedServer

from arf_core.analysis.analyze import analyze
from arf_core.project import Project
from arf_core.project.settings import edited
from arf_core.records import RunReport
from arf_core.run import Meter, RunProgress

CLEAN = '{"facts": [], "findings": []}'


def many(project: Project, n: int) -> None:
    add_items(project, [make_item(f"c{i}", [f"customer: {i}"], f"Summary {i}.") for i in range(n)])


def test_a_run_can_be_watched_from_another_thread(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arf_core.models.calls.FIRST_WAIT_S", 0.01)
    many(project, 80)
    analyze(project, system="teacher", detector="rules", limit=5)
    seen: list[RunProgress] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(opened.meter.now())
            time.sleep(0.02)

    def slow_with_faults(body: dict, n: int) -> Scripted:
        if n % 10 == 0:
            return Scripted(status=500, body=b"oops")
        return Scripted("nonsense" if n % 10 == 1 else CLEAN, wait=0.05)

    with ScriptedServer(slow_with_faults) as server:
        opened = with_model(project, "a", server.url, schema_means="prompt", max_concurrency=4)
        with edited(project.path / "arf.toml") as document:
            document["models"]["a"]["price"] = {"prompt": 0.0, "completion": 1000.0}
        opened = Project.open(project.path)
        watcher = threading.Thread(target=watch)
        watcher.start()
        report = analyze(opened, system="teacher", detector="llm", model="a")
        over.set()
        watcher.join()
    working = [p for p in seen if p.in_flight]
    assert len(working) > 10
    assert max(p.in_flight for p in working) == 4
    assert {p.total for p in working} == {80}
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    late = working[-1]
    assert late.refused["server"] >= 4
    assert 0 < late.cost <= report.cost + 0.005 * 4
    assert any(p.rate and p.seconds_left for p in working)
    at_last = opened.meter.now()
    assert (at_last.done, at_last.in_flight, at_last.seconds_left) == (80, 0, 0)
    assert at_last.calls == report.calls
    assert at_last.cost == pytest.approx(report.cost)


def test_the_rate_is_that_of_late_and_what_was_done_before_is_no_part_of_it() -> None:
    clock = [1000.0]
    meter = Meter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arf_core.run.time.monotonic", lambda: clock[0])
        report = RunReport(asked=1000, skipped=400)
        with meter.run(report):
            assert (meter.now().done, meter.now().rate) == (400, None)
            for _ in range(60):  # a minute at one a second, then half a minute at five
                clock[0] += 1
                report.done += 1
                meter.now()
            assert meter.now().rate == pytest.approx(1, rel=0.05)
            for _ in range(31):
                clock[0] += 1
                report.done += 5
                told = meter.now()
            assert told.rate == pytest.approx(5, rel=0.05)
            assert told.seconds_left == pytest.approx((600 - 215) / 5, rel=0.05)
            clock[0] += 600  # nothing comes any more
            assert meter.now().rate is None or meter.now().rate < 0.02  # type: ignore[operator]


def test_it_is_told_in_words() -> None:
    told = RunProgress(
        done=3,
        total=9,
        failed={"schema": 2},
        refused={"server": 5},
        in_flight=7,
        at_once=8,
        cost=0.1234,
        rate=12.34,
    )
    assert told.in_words("EUR") == (
        "12.3/s · 7 in flight · 2 failed (schema) · 5 calls failed (server) · 0.1234 EUR"
    )
    assert RunProgress(done=0, total=0).in_words() == ""
