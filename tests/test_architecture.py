"""The rules that keep the house in order, held by reading the imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "arf_core"
ROOMS = (
    *("errors", "records", "text", "plugins", "run", "store", "project", "checks", "models"),
    *("importing", "analysis", "revision", "review", "evaluate", "training", "report", "jobs"),
    "cli",
)
"""A room imports from those before it alone."""
HEAVY = {
    *("torch", "unsloth", "transformers", "trl", "peft", "llama_cpp", "openai", "ray"),
    *("datasets", "sklearn"),
}
PLUG_INS = (
    *("models/providers", "analysis/detectors", "revision/editors", "revision/verifiers"),
    "training/trainers",
)
MODULE_LINES, FUNCTION_LINES, PAGE_LINES = 300, 60, 80


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


def room_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def for_types_alone(path: Path) -> set[str]:
    """What is imported under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    inside = [n for block in blocks for n in ast.walk(block) if isinstance(n, ast.ImportFrom)]
    return {name for n in inside for name in (n.module, *(f"{n.module}.{a.name}" for a in n.names))}


def test_the_core_has_the_rooms_of_the_picture_and_nothing_else() -> None:
    entries = {p.name.removesuffix(".py") for p in CORE.iterdir() if p.name != "__pycache__"}
    assert entries - {"__init__", "py.typed"} == set(ROOMS)
    assert len(entries) <= 20


def test_a_room_imports_from_the_rooms_before_it_alone() -> None:
    checked = 0
    for path in sources("arf_core"):
        if path == CORE / "__init__.py":  # it offers the verbs of all rooms
            continue
        own = ROOMS.index(room_of(path))
        for name in set(imports(path)) - for_types_alone(path):
            package, *rest = name.split(".")
            if package == "arf_core" and rest and rest[0] in ROOMS:
                assert ROOMS.index(rest[0]) <= own, f"{path.relative_to(ROOT)} imports {name}"
                checked += 1
    assert checked > 500


def test_no_module_imports_itself_in_a_circle() -> None:
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sources("arf_core")}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    graph = {
        name: set(imports(path, top_level_only=True)) & modules.keys() - {name, "arf_core"}
        for name, path in modules.items()
        if name != "arf_core"
    }
    finished: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " imports ".join((*above[above.index(name) :], name))
        if name not in finished:
            for other in sorted(graph[name]):
                walk(other, (*above, name))
            finished.add(name)

    for name in graph:
        walk(name, ())
    assert len(finished) == len(graph)


def test_the_core_knows_neither_the_app_nor_streamlit() -> None:
    for path in sources("arf_core"):
        assert not {m.split(".")[0] for m in imports(path)} & {"streamlit", "ui", "pages", "app"}, (
            path
        )


def test_pages_and_ui_import_downwards_alone() -> None:
    for path in sources("ui"):
        assert not {m.split(".")[0] for m in imports(path)} & {"pages", "app"}, path


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    for path in sources("arf_core"):
        assert not {m.split(".")[0] for m in imports(path, top_level_only=True)} & HEAVY, path


def test_only_the_store_opens_the_database() -> None:
    for path in sources("arf_core"):
        opened = {m for m in imports(path) if m in ("sqlite3", "sqlalchemy.create_engine")}
        # the importer's staging file is a scratch database of its own, never the project's
        if room_of(path) == "importing":
            opened.discard("sqlite3")
        assert not opened or room_of(path) == "store", path


@pytest.mark.parametrize("kind", PLUG_INS)
def test_plug_ins_never_import_each_other(kind: str) -> None:
    folder = CORE / kind
    modules = {p.stem for p in folder.glob("*.py")} - {"__init__"}
    assert modules, kind
    every = {
        f"arf_core.{k.replace('/', '.')}.{p.stem}"
        for k in PLUG_INS
        for p in (CORE / k).glob("*.py")
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


def test_the_verbs_are_offered_at_the_top() -> None:
    import arf_core

    assert {"Project", "load", "analyze", "revise", "verify", "generate"} <= set(arf_core.__all__)
    for name in arf_core.__all__:
        offered = getattr(arf_core, name)
        assert name == "__version__" or callable(offered), name


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_module_is_a_drawer_and_no_function_a_wall() -> None:
    paths = [*sources("arf_core"), *sources("ui")]
    assert not [(str(p.relative_to(ROOT)), lines(p)) for p in paths if lines(p) > MODULE_LINES]
    walls = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({length} lines)"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not walls


def test_a_page_reads_calls_and_draws() -> None:
    pages = [*sources("pages"), ROOT / "app.py"]
    assert not [(p.name, lines(p)) for p in pages if lines(p) > PAGE_LINES]


def test_the_core_stays_small() -> None:
    total = sum(map(lines, sources("arf_core")))
    assert total <= 27_400, f"{total:,} lines: what could go, or become data?"
