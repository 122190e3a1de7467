"""What tests of the app share: a finished sample project, a server, a real browser.

AppTest starts from `app.py` and then goes to the page under test:

    def test_it_says_so(open_app, sample):
        at = open_app(sample, "pages/2_Analyze.py")
        assert at.button(key="…")
        assert "Wrong figure" in shown(at)      # from app.conftest import shown

In a browser (mark the test `browser`; it is skipped with the reason where there is none):

    def test_it_shows(server, sample, page):
        page.goto(server.url(sample, "Analyze"))
"""

import html
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from streamlit.testing.v1 import AppTest

from arf_core.jobs.demo import make_demo
from arf_core.project import Project

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # where `ui` lies
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE_MS = 20_000

OpenApp = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def config_dir(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's own list of projects stays out of the user's folder."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("ARF_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """AppTest leaves the app's script as `__main__`; processes spawned later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def finished_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project after the whole path. Not to be changed: take `sample`."""
    path = tmp_path_factory.mktemp("sample") / "sample"
    make_demo(path)
    with Project.open(path) as project, project.store.read() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def sample(finished_sample: Path, tmp_path: Path) -> Path:
    """A copy of the sample project, to do with as one likes."""
    return Path(shutil.copytree(finished_sample, tmp_path / "sample"))


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    """A project without any data."""
    with Project.create(tmp_path / "empty", "Empty") as project:
        return project.path


@pytest.fixture
def open_app() -> OpenApp:
    """Run a page as a user's browser would open it first, without a browser."""

    def run(project: Path | None = None, page: str | None = None, **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        if project is not None:
            at.query_params["project"] = str(project)
        for name, value in query.items():
            at.query_params[name] = value
        if page is not None:
            at.switch_page(page)
        return at.run()

    return run


def settled(page) -> None:
    """Wait until the page has drawn what was asked for."""
    page.locator('[data-test-script-state="notRunning"]').wait_for()


def pick(page, field: str, option: str) -> None:
    """Choose from a list. Where the page is drawn anew meanwhile it closes, and is opened again."""
    from playwright.sync_api import TimeoutError as TooLate

    chosen = page.get_by_role("option", name=option, exact=True)
    for patience_ms in (5000, 5000, 5000, PATIENCE_MS):
        settled(page)
        page.locator(f"{field} input").click()
        try:
            chosen.click(timeout=patience_ms)
        except TooLate:
            continue
        return
    raise AssertionError(f"{field} offers no {option!r}")


def shown(at: AppTest) -> str:
    """All text on the page and in its sidebar, as far as AppTest knows it."""
    words = []
    for block in (at.main, at.sidebar):
        for element in block:
            proto = getattr(element, "proto", None)
            for name in ("body", "label", "title", "text"):
                said = getattr(proto, name, "")
                words.append(html.unescape(said) if isinstance(said, str) else "")
    return "\n".join(w for w in words if w)


class Server(NamedTuple):
    """A running app."""

    process: subprocess.Popen[bytes]
    port: int

    def url(self, project: Path | None = None, page: str = "", **query: str) -> str:
        """The address of a page (`Analyze`; Home where none is named)."""
        asked = ({"project": str(project)} if project else {}) | query
        return f"http://127.0.0.1:{self.port}/{page}?{urlencode(asked)}"


def start_server(config_dir: Path, **environment: str) -> Server:
    """Start the app on a free port, and wait until it answers."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.headless", "true"],
        cwd=ROOT,
        env=os.environ | {"ARF_CONFIG_DIR": str(config_dir)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return Server(process, port)
        except OSError:
            assert process.poll() is None, "the server ended at once"
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, started once for a file of tests."""
    running = start_server(tmp_path_factory.mktemp("server-config"))
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A real browser. Not for the session: while it is open, its event loop runs in this thread."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: as root, apt-get install -y chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: object) -> Iterator[object]:
    """A fresh page, 1280 pixels wide, as a new visitor has it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()
