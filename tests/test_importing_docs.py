"""The examples of docs/file-shapes.md are read as it says."""

import re
from pathlib import Path

import pytest

from arf_core import importing
from arf_core.importing import FIELDS, SHAPES
from arf_core.project import Project

PAGE = (Path(__file__).parents[1] / "docs" / "file-shapes.md").read_text(encoding="utf-8")
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
        assert project.load(file).conversations == 1


def test_every_field_is_named() -> None:
    assert all(re.search(rf"\b{field}\b", PAGE) for field in FIELDS)
