"""Fixtures that several test files share."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from arf_core.cli import main
from arf_core.project import Project
from arf_core.records import (
    Conversation,
    Item,
    Split,
    Summary,
    System,
    Turn,
    digest,
    fingerprint_of,
)

# how long one example takes says more about the machine than about the code
hypothesis.settings.register_profile("arf", deadline=None)
hypothesis.settings.load_profile("arf")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real data that is not part of the project; tests that read it skip where it is absent."""

MakeItem = Callable[..., Item]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project.create(tmp_path / "project", "A project")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, where there is one."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA.name}: it is not part of the project")
    return SHARED_DATA


def make_item(
    name: str, turns: list[str], summary: str, system: str = "teacher", split: Split = "train"
) -> Item:
    """A summary beside its conversation; turns are "speaker: text"."""
    parsed = tuple(Turn(speaker=t.split(": ", 1)[0], text=t.split(": ", 1)[1]) for t in turns)
    conversation = Conversation(
        id=digest("test", name),
        external_id=name,
        source="test",
        fingerprint=fingerprint_of(parsed),
        turns=parsed,
        split=split,
    )
    return Item(conversation=conversation, summary=Summary.of(conversation.id, system, summary))


def add_items(project: Project, items: list[Item]) -> None:
    """Store items, and their systems as teachers."""
    project.store.add([i.conversation for i in items])
    names = sorted({i.summary.system for i in items})
    project.store.add([System(name=n, kind="teacher") for n in names])
    project.store.put_summaries([i.summary for i in items])


def with_model(project: Project, name: str, url: str, **options: object) -> Project:
    """The project with an openai_api model entered in its arf.toml, opened anew."""
    values = {"provider": "openai_api", "base_url": url, "model": "scripted"} | options
    lines = [
        f"{k} = {v!r}" if not isinstance(v, str) else f'{k} = "{v}"' for k, v in values.items()
    ]
    file = project.path / "arf.toml"
    text = file.read_text(encoding="utf-8") + f"\n[models.{name}]\n" + "\n".join(lines) + "\n"
    file.write_text(text, encoding="utf-8")
    return Project.open(project.path)


REFUND = make_item(
    "refund",
    [
        "customer: My lamp 88-1201 came broken. I paid 42.50.",
        "agent: Sorry. I will refund 42.50 within five days, once we have the photo.",
        "customer: Fine. And can you cancel the second lamp?",
        "agent: Done, it is cancelled.",
    ],
    "The customer's lamp came broken. A refund of 45.20 was made. The second lamp was cancelled.",
)
"""Errors: 45.20 is 42.50, and the refund is promised on a condition, not made."""

DELIVERY = make_item(
    "delivery",
    ["customer: Where is my parcel?", "agent: It comes tomorrow."],
    "The customer asks for a parcel, which comes tomorrow.",
)
"""No errors."""


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict:
        (line,) = self.out.splitlines()
        return json.loads(line)


@pytest.fixture
def arf(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run the command line in this process; what it prints is caught."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["arf", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Result(code, *capfd.readouterr())

    return run
