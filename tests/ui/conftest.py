"""What tests of the app share: a finished sample project, a server, a real browser.

AppTest starts from `app.py` and then goes to the page under test:

    def test_it_says_so(open_app, sample):
        at = open_app(sample, "pages/2_Analyze.py")
        assert at.button(key="…")
        assert "Wrong figure" in shown(at)      # from running_app import shown

In a browser (mark the test `browser`; it is skipped with the reason where there is none):

    def test_it_shows(server, sample, page):
        page.goto(server.url(sample, "Analyze"))
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_app import CHROMIUM, FLAGS, PATIENCE_MS, ROOT, Server, start_server
from streamlit.testing.v1 import AppTest

from arf_core.jobs.demo import make_demo
from arf_core.project import Project

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
