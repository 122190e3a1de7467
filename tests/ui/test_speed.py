"""Speed, at a size that a test can afford; benchmarks/app.py measures the budgets themselves."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from running_app import Server

from arf_core.evaluate.rates import error_rates
from arf_core.evaluate.slices import error_rates_by
from arf_core.project import Project
from arf_core.store import finding_list, schema
from arf_core.store.arrays import finding_columns
from arf_core.store.patterns import error_patterns
from arf_core.store.queries import detectors_of
from arf_core.store.review_status import update_outcomes
from benchmarks.projects import PERSON, READER, generate

SUMMARIES = 40_000
SENT = 2_000_000
"""Bytes that a page may send."""


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project. Not to be changed."""
    path = tmp_path_factory.mktemp("large") / "project"
    generate(path, SUMMARIES)
    return path


def cpu_seconds(read: Callable[[], object]) -> float:
    """Of the quickest of three runs: what others do on the machine counts little."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        read()
        times.append(time.process_time() - begun)
    return min(times)


def test_a_generated_project_is_as_the_store_would_have_written_it(tmp_path: Path) -> None:
    path = tmp_path / "small"
    generate(path, 400)
    columns = [schema.revision.c[n] for n in ("summary_id", "split", "outcome", "risk", "decision")]
    query = schema.revision.select().with_only_columns(*columns).order_by(columns[0])
    with Project.open(path) as project:
        assert detectors_of(project.store, "teacher") == [READER, PERSON, "rules"]
        with project.store.write() as conn:
            before = conn.execute(query).all()
            conn.exec_driver_sql("UPDATE revision SET outcome = '', risk = 9, split = ''")
            update_outcomes(conn, [row.summary_id for row in before])
            assert conn.execute(query).all() == before
    assert len({row.risk for row in before}) >= 6


def test_counts_come_from_columns_and_not_from_rows(large: Path) -> None:
    """Reading what is counted costs a small part of counting it."""
    with Project.open(large) as project:
        store = project.store
        quick = cpu_seconds(lambda: error_rates(store, "teacher", READER, ["train", "dev"]))
        assert error_rates(store, "teacher", READER).any_error.total == SUMMARIES

        def slow() -> object:
            with store.read() as conn:
                return conn.execute(schema.finding.select()).all()

        assert quick < 0.2 * cpu_seconds(slow)


def test_what_the_page_reads_takes_a_few_hundredths_of_a_second(large: Path) -> None:
    with Project.open(large) as project:
        store = project.store
        found = finding_columns(store, "teacher", READER)
        seqs = finding_list.listed(found)
        reads: dict[str, Callable[[], object]] = {
            "rates": lambda: error_rates(store, "teacher", READER, ["train", "dev"]),
            "slices": lambda: error_rates_by(store, "teacher", READER, "product", ["train"]),
            "patterns": lambda: error_patterns(store, "teacher", READER, ["train"]),
            "list": lambda: finding_list.listed(found, ["wrong_figure"], "sure"),
            "page": lambda: finding_list.page(store, seqs, 300),
            "card": lambda: finding_list.finding_card(store, int(seqs[-1])),
            "neighbours": lambda: finding_list.neighbours(seqs, int(seqs[-1])),
            "words": lambda: finding_list.with_words(store, seqs, "99-9999"),
        }
        took = {name: cpu_seconds(read) for name, read in reads.items()}
    assert max(took.values()) < 0.5, took
    assert sum(took.values()) < 1.0, took


@pytest.mark.browser
@pytest.mark.parametrize("show", ["Error rates", "Slices", "Clusters", "Findings"])
def test_a_page_sends_little_however_much_there_is(
    server: Server, large: Path, page, show: str
) -> None:
    sent: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sent.append(len(frame))))
    page.goto(server.url(large, "Analyze", show=show, slice="channel"))
    ready = ".js-plotly-plot" if show != "Findings" else "[data-testid=stDataFrame] canvas"
    page.wait_for_selector(ready, timeout=120_000)
    page.wait_for_timeout(500)
    assert sent
    assert sum(sent) < SENT
