"""The app as tests run it: a server of its own, and what is shown."""

import html
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # where `ui` lies
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE_MS = 20_000


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
