"""What the documentation tells is run, so that it stays true."""

import importlib
import re
import sys
from pathlib import Path

import pytest
from items import add_items, make_item

import arf_core.analysis.detectors
from arf_core.analysis.analyze import analyze
from arf_core.cli import build
from arf_core.models import open_model, provider_names
from arf_core.project import Project
from arf_core.project.settings import TEMPLATE, read_settings
from arf_core.store.findings import finding_rows

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/*/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_detector_that_the_docs_show_works(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = [b for b in blocks(ROOT / "docs" / "extending.md", "python") if "open_detector" in b]
    (tmp_path / "shouting.py").write_text(code)
    monkeypatch.setattr(
        arf_core.analysis.detectors,
        "__path__",
        [*arf_core.analysis.detectors.__path__, str(tmp_path)],
    )
    monkeypatch.delitem(sys.modules, "arf_core.analysis.detectors.shouting", raising=False)
    add_items(
        project, [make_item("a", ["customer: hello"], "The customer is ANGRY, says the AGENT.")]
    )
    analyze(project, system="teacher", detector="shouting")
    assert [r.quote for r in finding_rows(project.store, "teacher")] == ["ANGRY", "AGENT"]


def test_the_settings_that_the_docs_show_are_valid(tmp_path: Path) -> None:
    shown = [b for page in PAGES for b in blocks(page, "toml")]
    assert len(shown) >= 4
    # the new project's own file, with its commented examples switched on
    template = re.sub(r"(?m)^# (?=\[|\w+ = )", "", TEMPLATE.format(name='"x"'))
    assert template.count("[models.") == 2
    for block in [template, *(f'name = "x"\n{b}' for b in shown)]:
        file = tmp_path / "arf.toml"
        file.write_text(block)
        for name, options in read_settings(file).models.items():
            if options["provider"] in (
                "llama_cpp",
                "replay",
                "transformers",
            ):  # of files that are not here
                module = importlib.import_module(f"arf_core.models.providers.{options['provider']}")
                module.OPTIONS.model_validate(options)
            else:
                assert open_model(name, options, tmp_path).name == name


def test_every_command_that_the_docs_show_exists() -> None:
    app = build()
    known = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    known |= {group.name for group in app.registered_groups if group.name}
    shown = {
        m
        for page in PAGES
        for m in re.findall(r"(?m)(?:^|`)arf ([a-z]+)", page.read_text(encoding="utf-8"))
    }
    assert len(shown) >= 8
    assert shown <= known


def test_every_python_example_compiles_and_imports_what_there_is() -> None:
    examples = [b for page in PAGES for b in blocks(page, "python")]
    assert len(examples) >= 2
    for example in examples:
        compile(example, "example", "exec")
        for line in re.findall(r"(?m)^from arf_core\S* import .+$|^import arf_core.*$", example):
            exec(line, {})


def test_every_link_within_the_docs_leads_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) >= 5
    missing = [f"{p.name} -> {t}" for p, t in links if not (p.parent / t).exists()]
    assert not missing


def test_the_docs_name_every_provider() -> None:
    text = (ROOT / "docs" / "models.md").read_text()
    assert len(provider_names()) >= 3
    assert all(f"`{p}`" in text for p in provider_names())
