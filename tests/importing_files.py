"""Files to import, and what came of them."""

import json
from pathlib import Path

from arf_core.project import Project
from arf_core.records import Conversation, Summary

TALK = [("customer", "My lamp came broken."), ("agent", "Sorry! A new one is on its way.")]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    return write(path, "".join(json.dumps(r) + "\n" for r in rows))


def stored(project: Project) -> dict[str, list[tuple[str, str]]]:
    """The turns of every conversation in the project, by its own id."""
    found = project.store.all(Conversation)
    return {c.external_id: [(t.speaker, t.text) for t in c.turns] for c in found}


def summaries(project: Project) -> dict[tuple[str, str], str]:
    """Texts by the conversation's own id and the system."""
    names = {c.id: c.external_id for c in project.store.all(Conversation)}
    return {(names[s.conversation_id], s.system): s.text for s in project.store.all(Summary)}


MESSAGES = """conversation_id,created_at,speaker,channel,text
b,2024-01-02T10:00:05,agent,phone,It left our store today.
a,2024-01-01T10:00:00,customer,chat,My lamp came broken.
b,2024-01-02T10:00:00,customer,phone,Where is my order?
a,2024-01-01T10:00:05,agent,chat,Sorry! A new one is on its way.
"""


def numbered(n: int, **more: object) -> dict[str, object]:
    words = " ".join(f"w{n}x{i}" for i in range(40))
    return {"id": f"c{n}", "turns": [{"speaker": "user", "text": words}], **more}
