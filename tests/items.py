"""Conversations and projects that many tests are about, and how they are made."""

import json
from collections.abc import Callable

from arf_core.project import Project
from arf_core.records import (
    Analysis,
    Conversation,
    Finding,
    Item,
    Reading,
    Split,
    Summary,
    System,
    Turn,
    digest,
    fingerprint_of,
    now,
)

MakeItem = Callable[..., Item]


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


def reading(
    item: Item, n: int, findings: int = 0, status: str = "done", detector: str = "d"
) -> Reading:
    analysis = Analysis(
        id=f"a{n}-{item.summary.id}",
        summary_id=item.summary.id,
        detector=detector,
        settings_hash="s",
        taxonomy_hash="t",
        status=status,
        reason=None if status == "done" else "timeout",
        at=now(),
    )
    found = [
        Finding(
            id=f"{analysis.id}-{i}",
            analysis_id=analysis.id,
            category="wrong_figure",
            explanation="x",
        )
        for i in range(findings)
    ]
    return Reading(item=item, analysis=analysis, findings=tuple(found))
