"""The examples of docs/file-shapes.md are read as it says."""

import importlib
import re
import sys
from pathlib import Path

import pytest

from arf_core import importing
from arf_core.importing import FIELDS, SHAPES, load, shapes
from arf_core.project import Project
from arf_core.records import Conversation

PAGE = (Path(__file__).parents[2] / "docs" / "file-shapes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"\*\*(\w+)\*\*: .*?```(csv|json)\n(.*?)```", PAGE, re.DOTALL)


def test_every_shape_has_an_example() -> None:
    assert {shape for shape, _, _ in EXAMPLES} == set(SHAPES)


@pytest.mark.parametrize(("shape", "kind", "text"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_each_example_has_the_shape_it_shows(
    project: Project, tmp_path: Path, shape: str, kind: str, text: str
) -> None:
    file = tmp_path / f"a.{'jsonl' if kind == 'json' else kind}"
    file.write_text(text, encoding="utf-8")
    assert importing.preview(file).mappings[0].shape == shape
    if shape != "linked":
        assert load(project, file).conversations == 1


def test_the_shape_that_the_page_adds_is_read(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.split("## Adding to it")[1]
    (text,) = re.findall(r"```csv\n(.*?)```", section, re.DOTALL)
    module, entry = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "chat_log.py").write_text(module, encoding="utf-8")
    monkeypatch.setattr(importing, "__path__", [*importing.__path__, str(tmp_path)])
    chat_log = importlib.import_module("arf_core.importing.chat_log")
    monkeypatch.delitem(sys.modules, "arf_core.importing.chat_log")
    monkeypatch.setattr(shapes, "chat_log", chat_log, raising=False)
    monkeypatch.setitem(shapes.SHAPES, "chat_log", None)  # taken away again afterwards
    exec(entry, vars(shapes))
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    assert importing.preview(file).mappings[0].shape == "chat_log"
    file.write_text(text + 'c2,"10:04 <Eve> Hello\nand more"\n', encoding="utf-8")
    report = load(project, file, shape="chat_log", columns={"text": "log"})
    assert [t.text for t in project.store.all(Conversation)[0].turns] == [
        "My lamp came broken.",
        "A new one is on its way.",
    ]
    assert [(r.line, r.seen) for r in report.rejected] == [(4, "and more")]


def test_every_field_is_named() -> None:
    assert all(re.search(rf"\b{field}\b", PAGE) for field in FIELDS)
