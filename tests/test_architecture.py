"""The rules that keep the house in order, held by reading the imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "unsloth",
    "transformers",
    "trl",
    "peft",
    "llama_cpp",
    "openai",
    "ray",
    "datasets",
}
PLUG_INS = (
    "models/providers",
    "analysis/detectors",
    "revision/editors",
    "revision/verifiers",
    "finetune/trainers",
)


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"no source files under {folder}: this test would check nothing"
    return found


def imports(path: Path, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_core_knows_neither_the_app_nor_streamlit() -> None:
    for path in sources("arf_core"):
        assert not {m.split(".")[0] for m in imports(path)} & {"streamlit", "ui", "pages", "app"}, (
            path
        )


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    for path in sources("arf_core"):
        assert not {m.split(".")[0] for m in imports(path, top_level_only=True)} & HEAVY, path


def test_only_the_store_opens_the_database() -> None:
    allowed = {"database.py"}
    for path in sources("arf_core"):
        opened = {m for m in imports(path) if m in ("sqlite3", "sqlalchemy.create_engine")}
        # the importer's staging file is a scratch database of its own, never the project's
        if path.parent.name == "importing":
            opened.discard("sqlite3")
        assert not opened or path.name in allowed, path


@pytest.mark.parametrize("kind", PLUG_INS)
def test_plug_ins_never_import_each_other(kind: str) -> None:
    folder = ROOT / "arf_core" / kind
    modules = {p.stem for p in folder.glob("*.py")} - {"__init__"}
    assert modules, kind
    every = {
        f"arf_core.{k.replace('/', '.')}.{p.stem}"
        for k in PLUG_INS
        for p in (ROOT / "arf_core" / k).glob("*.py")
        if p.stem != "__init__"
    }
    for module in modules:
        found = set(imports(folder / f"{module}.py")) & every
        assert not found, f"{kind}/{module}.py imports {found}"


def test_importing_the_core_is_quick_and_needs_no_network() -> None:
    code = (
        "import socket, sys, time; t = time.perf_counter();"
        "socket.socket.connect = None; import arf_core.cli;"
        "print(time.perf_counter() - t);"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, heavy = out.stdout.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 10


def test_no_function_is_a_wall() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({length} lines)"
        for path in sources("arf_core")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 60
    ]
    assert not long
