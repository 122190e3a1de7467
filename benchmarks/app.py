"""The app at 100,000 and at 1,000,000 summaries, in a real browser: python -m benchmarks.app

    python -m benchmarks.app [--folder DIR] [--sizes 100000 1000000] [--rounds 3]

For each size a fresh server is started with that project, and Chromium goes to Analyze and to the
queue of Revise: the first render on the fresh server, the same in a new browser session, a filter,
opening a finding or the next revision. A page counts as drawn when what was asked for is there and
the app says that it is idle. What is sent is what the browser received in the session, beside the
app's own files; memory is that of the server's process at the end. Budgets are DESIGN.md's.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
from playwright.sync_api import TimeoutError, sync_playwright

from benchmarks.projects import made

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE_MS = 180_000
TRIES = 6
IDLE = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app && app.getAttribute('data-test-script-state') === 'notRunning';
}"""
BUDGETS = {"first": 3.5, "next": 1.5, "filter": 0.7, "open": 0.7, "sent": 2.0, "memory": 500.0}


class Visit(NamedTuple):
    """What one page is asked for: text that shows that it is drawn, a filter, something to open."""

    page: str
    query: dict[str, str]
    drawn: Callable[[Any], Any]
    filter: Callable[[Any], None]
    open: Callable[[Any], None]


class Took(NamedTuple):
    """Seconds, megabytes sent to the browser, megabytes of the server."""

    first: float
    next: float
    filter: float
    open: float
    sent: float
    memory: float


# -- the two pages --------------------------------------------------------------------------------


def _rates_drawn(page: Any) -> None:
    page.wait_for_selector(".st-key-rates .js-plotly-plot .point", state="attached")


def _narrow(page: Any) -> None:
    """Choose a category; the list shows how many findings are left."""
    before = page.locator(".st-key-list-head .arf-text").inner_text()
    page.locator(".st-key-category input").click()
    page.get_by_role("option", name="Wrong figure").wait_for()
    _begin(page)
    page.get_by_role("option", name="Wrong figure").click()
    page.wait_for_function(
        "was => document.querySelector('.st-key-list-head .arf-text')?.innerText !== was",
        arg=before,
    )


def _open_row(page: Any) -> None:
    """Click on the first finding of the list; its conversation is drawn."""
    page.locator("h1").click()  # away from the menu of the filter
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for()
    for _ in range(TRIES):
        _click_on_row(page, table)
        try:
            page.wait_for_selector(".arf-chat .arf-evidence", timeout=10_000)
            return
        except TimeoutError:  # a busy browser may have missed the click
            continue
    raise RuntimeError("a click on a row opens no finding")


def _click_on_row(page: Any, table: Any) -> None:
    box = table.bounding_box()
    page.mouse.move(box["x"] + 240, box["y"] + 52)  # the canvas lies under its own scroller
    page.mouse.down()
    page.wait_for_timeout(100)  # as a finger does; a click of no length is no click to the table
    _begin(page)
    page.mouse.up()


def _queue_drawn(page: Any) -> None:
    page.wait_for_selector(".arf-chat")


def _by_standing(page: Any) -> None:
    """Look at one kind of revision alone."""
    before = _chat(page)
    pills = page.locator(".st-key-stands button")
    pills.nth(1).wait_for()
    _begin(page)
    pills.nth(1).click()
    page.wait_for_function(_CHAT_IS_ANOTHER, arg=before)


def _next_revision(page: Any) -> None:
    before = _chat(page)
    _begin(page)
    page.locator(".st-key-next button").click()
    page.wait_for_function(_CHAT_IS_ANOTHER, arg=before)


_CHAT_IS_ANOTHER = "was => (document.querySelector('.arf-chat')?.dataset.arf ?? was) !== was"


def _chat(page: Any) -> str:
    return str(page.locator(".arf-chat").first.get_attribute("data-arf"))


VISITS = (
    Visit("Analyze", {}, _rates_drawn, _narrow, _open_row),
    Visit("Revise", {}, _queue_drawn, _by_standing, _next_revision),
)


# -- measuring ------------------------------------------------------------------------------------


def _begin(page: Any) -> None:
    """The moment from which a step counts."""
    page.evaluate("() => { window.arfBegan = performance.now(); }")


def _since_begin(page: Any) -> float:
    page.wait_for_function(IDLE)
    return float(page.evaluate("() => (performance.now() - window.arfBegan) / 1000"))


class Session:
    """A new visitor's browser, and how much it was sent."""

    def __init__(self, browser: Any, url: str) -> None:
        self._context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self._url, self.sent = url, 0
        self.page.on("websocket", lambda ws: ws.on("framereceived", self._received))

    def _received(self, frame: bytes | str) -> None:
        self.sent += len(frame)

    def visit(self, drawn: Callable[[Any], Any]) -> float:
        begun = time.perf_counter()
        self.page.goto(self._url)
        drawn(self.page)
        self.page.wait_for_function(IDLE)
        return time.perf_counter() - begun

    def close(self) -> None:
        self._context.close()


FLOORS = {
    "a page with nothing but a table": (
        """
import pandas as pd
import streamlit as st
st.dataframe(pd.DataFrame({"n": range(10_000)}))
""",
        "canvas",
    ),
    "a page with nothing but a Plotly chart": (
        """
import plotly.graph_objects as go
import streamlit as st
st.plotly_chart(go.Figure(go.Bar(x=[1, 2], y=["a", "b"], orientation="h")))
""",
        ".js-plotly-plot .point",
    ),
}
"""Scripts, and what is there once they are drawn."""


def floor(browser: Any, text: str, drawn: str) -> tuple[float, float]:
    """What Streamlit takes for next to nothing: first render, next session. The budgets were set
    where a table took 2.7 s: it tells how much slower or busier a machine is."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "floor.py"
        script.write_text(text, encoding="utf-8")
        with served(Path(folder), script) as (_, address):
            took = []
            for _ in range(2):
                session = Session(browser, address)
                took.append(session.visit(lambda p: p.wait_for_selector(drawn, state="attached")))
                session.close()
    return took[0], took[1]


@contextmanager
def served(folder: Path, script: Path = ROOT / "app.py") -> Iterator[tuple[psutil.Process, str]]:
    """The app, or another script, on a free port, just started."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=ROOT,
        env=os.environ | {"ARF_CONFIG_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def measured(browser: Any, project: Path, visit: Visit) -> Took:
    """One page with one project, on a server of its own."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (process, address):

        def url(**query: str) -> str:
            asked = {"project": str(project)} | visit.query | query
            return f"{address}/{visit.page}?{urlencode(asked)}"

        first = Session(browser, url())
        took_first = first.visit(visit.drawn)
        first.close()
        again = Session(browser, url())
        took_next = again.visit(visit.drawn)
        again.close()
        at_work = again
        if visit.page == "Analyze":
            at_work = Session(browser, url(show="Findings"))
            at_work.visit(lambda p: p.wait_for_selector(".st-key-list-head"))
        else:
            at_work = Session(browser, url())
            at_work.visit(visit.drawn)
        visit.filter(at_work.page)
        took_filter = _since_begin(at_work.page)
        visit.open(at_work.page)
        took_open = _since_begin(at_work.page)
        at_work.close()
        sent = max(first.sent, again.sent, at_work.sent) / 1e6
        memory = process.memory_info().rss / 1e6
    return Took(took_first, took_next, took_filter, took_open, sent, memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the generated projects are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="each figure is a median")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        projects = made(options.folder or Path(temporary), options.sizes)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        names = "page summaries first,s next_session,s filter,s open,s sent,MB server,MB load"
        columns = [name.replace("_", " ").replace(",", ", ") for name in names.split()]
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        limits = " | ".join(f"≤ {limit:g}" for limit in BUDGETS.values())
        print(f"| budget | | {limits} | |", flush=True)
        for name, (text, drawn) in FLOORS.items():
            first, again = floor(browser, text, drawn)
            print(f"| {name} | 0 | {first:.2f} | {again:.2f} | | | | | |", flush=True)
        for n, project in projects.items():
            for visit in VISITS:
                rounds = [measured(browser, project, visit) for _ in range(options.rounds)]
                figures = [statistics.median(figure) for figure in zip(*rounds, strict=True)]
                cells = [f"{x:.2f}" for x in figures[:5]] + [f"{figures[5]:.0f}"]
                load = f"{os.getloadavg()[0]:.1f}"
                print(f"| {visit.page} | {n:,} | {' | '.join(cells)} | {load} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
