"""Nothing leaves this machine that was told to stay, whichever way it would go."""

import re
import socket
from pathlib import Path

import pytest
from importing_files import TALK, write, write_jsonl
from test_architecture import imports, sources

from arf_core import importing
from arf_core.errors import InputError, ModelError
from arf_core.importing import load
from arf_core.project import Project
from arf_core.project.settings import edited

ROOT = Path(__file__).parents[2]
REACHING = {
    *("aiohttp", "datasets", "httpx", "huggingface_hub", "openai", "requests", "socket"),
    "transformers",
}
ROW = {"id": "c1", "turns": [{"speaker": s, "text": t} for s, t in TALK], "summary": "A lamp."}


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that anybody asks for."""
    asked: list[str] = []

    def refuse(host: str, *args: object, **more: object) -> None:
        asked.append(str(host))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    return asked


def with_privacy(project: Project, **privacy: object) -> Project:
    with edited(project.path / "arf.toml") as document:
        document["privacy"] = privacy
    return Project.open(project.path)


def test_an_offline_project_imports_nothing_from_the_hub(
    arf, project: Project, reached: list[str]
) -> None:
    project = with_privacy(project, offline=True)
    for name in ("somebody/some-set", "hf:somebody/some-set"):
        with pytest.raises(ModelError, match=r"huggingface\.co, and this project is offline") as no:
            load(project, name)
        assert "Download its files" in no.value.hint
        with pytest.raises(ModelError, match="offline"):
            importing.preview(name, privacy=project.settings.privacy)
        with pytest.raises(ModelError, match="offline"):
            importing.inspect([name], privacy=project.settings.privacy)
    for more in ([], ["--preview"]):
        told = arf("import", project.path, "somebody/some-set", *more)
        assert (told.code, "offline = false" in told.err) == (2, True)
    assert reached == []


def test_the_allow_list_holds_for_data_sets_too(project: Project, reached: list[str]) -> None:
    project = with_privacy(project, allow=["api.example.org"])
    with pytest.raises(ModelError, match=r"may reach api\.example\.org"):
        load(project, "somebody/some-set")
    assert reached == []
    with pytest.raises(InputError):  # allowed, but there is no network here
        load(with_privacy(project, allow=["huggingface.co"]), "somebody/some-set")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://elsewhere.example.com/a.jsonl", "elsewhere.example.com"),
        ("hf://datasets/somebody/some-set/a.jsonl", "huggingface.co"),
    ],
)
def test_a_folder_whose_card_names_files_elsewhere_is_refused_offline(
    project: Project, tmp_path: Path, reached: list[str], address: str, host: str
) -> None:
    card = f"---\nconfigs:\n- config_name: default\n  data_files:\n  - {address}\n---\nA set.\n"
    write(tmp_path / "set" / "README.md", card)
    write_jsonl(tmp_path / "set" / "data" / "train.jsonl", [ROW])
    with pytest.raises(ModelError, match=re.escape(host)):
        load(with_privacy(project, offline=True), tmp_path / "set")
    assert reached == []


def test_a_folder_on_this_disk_is_read_offline(project: Project, tmp_path: Path) -> None:
    card = (
        "---\nlicense_link: https://example.com/license\nconfigs:\n- config_name: default\n"
        "  data_files:\n  - split: train\n    path: d/a.jsonl\n---\nA set.\n"
    )
    write(tmp_path / "set" / "README.md", card)
    write_jsonl(tmp_path / "set" / "d" / "a.jsonl", [ROW])
    assert load(with_privacy(project, offline=True), tmp_path / "set").conversations == 1


def test_only_these_modules_reach_out_and_each_asks_first() -> None:
    """Whoever opens a connection stands here, and goes through the one place that refuses."""
    files = sources("arf_core")
    found = {
        str(f.relative_to(ROOT / "arf_core"))
        for f in files
        if {name.split(".")[0] for name in imports(f)} & REACHING
    }
    # they write and read folders only
    classifier, transformers = "analysis/nli/classifier.py", "models/providers/transformers.py"
    on_disk = {"training/export.py", classifier, transformers}
    # what runs in a training's process, and reaches the hub where the base is there
    training = {
        f"training/{name}.py" for name in "practice train callbacks artifacts trainers/trl".split()
    }
    reaching = {"importing/tables.py", "models/hub.py", "models/http_client.py"}
    assert found == on_disk | training | reaching
    for name, n in ((classifier, 2), (transformers, 3)):
        loading = (ROOT / "arf_core" / name).read_text(encoding="utf-8")
        loads = loading.count(".from_pretrained(")
        assert loads == loading.count("local_files_only=True") == n
    for name in ("importing/tables.py", "models/hub.py", "training/base_models.py"):
        assert "admit_host(" in (ROOT / "arf_core" / name).read_text(encoding="utf-8")
    opened = {
        str(f.relative_to(ROOT / "arf_core"))
        for f in files
        if re.search(r"\.(complete|probe)\(", f.read_text(encoding="utf-8"))
    }
    in_process = {"models/providers/llama_cpp.py", transformers}
    assert opened == {"models/calls.py", "models/registry.py"} | in_process
    for name in ("models/calls.py", "models/registry.py"):
        assert "admit(" in (ROOT / "arf_core" / name).read_text(encoding="utf-8")
