"""The examples of docs/file-shapes.md are read as it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import arf_core
from arf_core import importing
from arf_core.importing import FIELDS, SHAPES, load
from arf_core.importing.settings import Shape
from arf_core.project import Project

PAGE = (Path(__file__).parents[2] / "docs" / "file-shapes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"\*\*(\w+)\*\*: .*?```(csv|json)\n(.*?)```", PAGE, re.DOTALL)


def test_every_shape_has_an_example() -> None:
    assert {shape for shape, _, _ in EXAMPLES} == set(SHAPES) == set(get_args(Shape))


@pytest.mark.parametrize(("shape", "kind", "text"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_each_example_has_the_shape_it_shows(
    project: Project, tmp_path: Path, shape: str, kind: str, text: str
) -> None:
    file = tmp_path / f"a.{'jsonl' if kind == 'json' else kind}"
    file.write_text(text, encoding="utf-8")
    assert importing.preview(file).mappings[0].shape == shape
    if shape != "linked":
        assert load(project, file).conversations == 1


CHECK = """
import sys
from arf_core import importing
from arf_core.importing import shapes
from arf_core.importing import chat_log
shapes.chat_log = chat_log
exec(sys.argv[1], vars(shapes))
assert importing.preview("a.csv").mappings[0].shape == "chat_log"
settings = importing.ImportSettings(shape="chat_log", columns={"text": "log"})
seen = importing.preview("b.csv", settings)
print([t.text for t in seen.conversations[0].turns], [(r.line, r.seen) for r in seen.rejected])
"""


def test_the_shape_that_the_page_adds_is_read(tmp_path: Path) -> None:
    """In a copy of the package, changed as the page says."""
    section = PAGE.split("## Adding to it")[1]
    (text,) = re.findall(r"```csv\n(.*?)```", section, re.DOTALL)
    module, entry = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    shutil.copytree(
        Path(arf_core.__file__).parent,
        tmp_path / "arf_core",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    folder = tmp_path / "arf_core" / "importing"
    (folder / "chat_log.py").write_text(module, encoding="utf-8")
    settings = (folder / "settings.py").read_text(encoding="utf-8")
    assert 'Shape = Literal["turns",' in settings
    settings = settings.replace('Shape = Literal["turns",', 'Shape = Literal["chat_log", "turns",')
    (folder / "settings.py").write_text(settings, encoding="utf-8")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    more = text + 'c2,"10:04 <Eve> Hello\nand more"\n'
    (tmp_path / "b.csv").write_text(more, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", CHECK, entry],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == (
        "['My lamp came broken.', 'A new one is on its way.'] [(4, 'and more')]\n"
    )


def test_every_field_is_named() -> None:
    assert all(re.search(rf"\b{field}\b", PAGE) for field in FIELDS)
