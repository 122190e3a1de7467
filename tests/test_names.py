"""One word has one meaning, all over `arf_core` and `ui`."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNCLEAR = {"told", "tell", "said", "wanted", "place", "standing", "somebody"}
STORED = {"standing"}
"""Unclear names of fields that `--json` prints, and other programs read: allowed as fields and
attributes, not as names of functions, parameters, variables or modules."""
BY_CONTRACT = {"Options"}
"""Each plug-in has its own class of this name: the contract of its kind asks for it."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    paths = [path for top in ("arf_core", "ui") for path in sorted((ROOT / top).rglob("*.py"))]
    assert len(paths) > 100, "no source files: this test would check nothing"
    for path in paths:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def types_defined(tree: ast.Module) -> Iterator[str]:
    """Every class, and every capitalised alias at the top of the module."""
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name.lstrip("_")[:1].isupper() and not name.isupper():
                    yield name


def fields_used(tree: ast.Module) -> Iterator[str]:
    """Names of fields and attributes, and of keywords that set them."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.ClassDef(body=body):
                targets = [part.target for part in body if isinstance(part, ast.AnnAssign)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def names_defined(path: str, tree: ast.Module) -> Iterator[str]:
    """Names of the module, its functions, parameters and variables."""
    yield from Path(path).with_suffix("").parts
    fields = {
        part.target
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.alias(asname=str(name))
            ) if node not in fields:
                yield name


def test_no_class_name_stands_for_two_things() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in sources():
        for name in types_defined(tree):
            homes[name.lstrip("_")].append(path)
    shared = [n for n, paths in homes.items() if len(paths) > 1 and n not in BY_CONTRACT]
    assert not shared, "\n".join(f"{name}: {', '.join(homes[name])}" for name in sorted(shared))


def test_no_name_reads_as_if_translated() -> None:
    found = {
        f"{path}: {name}"
        for path, tree in sources()
        for names, unclear in (
            (names_defined(path, tree), UNCLEAR),
            (fields_used(tree), UNCLEAR - STORED),
        )
        for name in names
        if name.strip("_") in unclear
    }
    assert not found, "\n".join(sorted(found))
