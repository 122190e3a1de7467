"""An offline project reaches nobody from the app either."""

import socket
from pathlib import Path

import pytest
from running_app import shown
from streamlit.testing.v1 import AppTest

from arf_core.project.settings import edited


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that anybody asks for."""
    asked: list[str] = []

    def refuse(host: str, *args: object, **more: object) -> None:
        asked.append(str(host))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    return asked


def test_the_page_data_does_not_look_at_data_sets_of_the_hub(
    open_app, sample: Path, reached: list[str]
) -> None:
    with edited(sample / "arf.toml") as document:
        document["privacy"] = {"offline": True}
    at: AppTest = open_app(sample, "pages/1_Data.py", part="Import")
    (path,) = [t for t in at.text_input if str(t.key).startswith("import-path")]
    at = path.set_value("somebody/some-set").run()
    assert not at.exception
    told = " ".join(e.value for e in at.error) + shown(at)
    assert "this project is offline" in told.replace("\\", "")
    assert reached == []
