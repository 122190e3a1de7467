"""Fetching a GGUF file, from a local server that plays the hub."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from arf_core.errors import InputError, ModelError
from arf_core.models.hub import pull
from arf_core.project import Project
from arf_core.project.settings import PrivacySettings

CONTENT = bytes(range(256)) * 160_000  # 41 MB: the hub client reads 10 MB at a time


class Hub(ThreadingHTTPServer):
    """Serves one file of one repository; `cut_after` breaks the next transfer off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cut_after: int | None = None
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return None

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        if self.path.split("?")[0] != "/firm/tiny/resolve/main/tiny.gguf":
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and with_body else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("ETag", '"abc123"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.server.ranges.append(wanted)
            cut, self.server.cut_after = self.server.cut_after, None
            self.wfile.write(body[:cut])
            if cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_with_progress_and_only_once(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    fetch = ("firm/tiny", "tiny.gguf", tmp_path, PrivacySettings())
    got = pull(*fetch, endpoint=hub.url, progress=lambda done, of: told.append((done, of)))
    assert got.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) > 1
    assert pull(*fetch, endpoint=hub.url) == got
    assert len(hub.ranges) == 1


def test_progress_is_told_where_the_bars_of_the_process_are_off(hub: Hub, tmp_path: Path) -> None:
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    told: list[tuple[int, int]] = []
    disable_progress_bars()
    try:
        pull(
            "firm/tiny",
            "tiny.gguf",
            tmp_path,
            PrivacySettings(),
            endpoint=hub.url,
            progress=lambda done, of: told.append((done, of)),
        )
    finally:
        enable_progress_bars()
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_broken_off_download_goes_on_where_it_was_cut(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 25_000_000
    got = pull("firm/tiny", "tiny.gguf", tmp_path, PrivacySettings(), endpoint=hub.url)
    assert got.read_bytes() == CONTENT
    assert len(hub.ranges) == 2
    assert hub.ranges[1] is not None
    assert int(hub.ranges[1].removeprefix("bytes=").split("-")[0]) >= 10 * 2**20


def test_a_wrong_name_and_no_hub_say_what_to_do(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not give other\.gguf of firm/tiny") as caught:
        pull("firm/tiny", "other.gguf", tmp_path, PrivacySettings(), endpoint=hub.url)
    assert "HF_TOKEN" in caught.value.hint
    with pytest.raises(ModelError, match="cannot be reached"):
        pull("firm/tiny", "tiny.gguf", tmp_path, PrivacySettings(), endpoint="http://127.0.0.1:9")


def test_an_offline_project_fetches_nothing_from_afar(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"at huggingface\.co, and this project is offline"):
        pull("firm/tiny", "tiny.gguf", tmp_path, PrivacySettings(offline=True))


def test_pulled_from_the_command_line_it_is_a_model_of_the_project(
    arf, hub: Hub, project: Project
) -> None:
    p = project.path
    done = arf(
        "models",
        "pull",
        p,
        "firm/tiny",
        "tiny.gguf",
        "--name",
        "tiny",
        "--endpoint",
        hub.url,
        "--json",
    )
    assert done.code == 0, done.err
    assert done.json["bytes"] == len(CONTENT)
    options = Project.open(p).settings.models["tiny"]
    assert options["provider"] == "llama_cpp"
    assert (p / options["path"]).read_bytes() == CONTENT
