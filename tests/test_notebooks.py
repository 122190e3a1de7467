"""Every notebook runs from top to bottom, and is small enough to read on the web."""

import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from arf_core.training.requirements import missing

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LARGEST = 400_000
"""Bytes, outputs included."""


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_without_an_error(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # tqdm misses ipywidgets, which a reader's Jupyter brings along
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    if "finetune" in path.stem and missing():
        pytest.skip(f"no {missing()}: make train")
    # the interpreter that runs the tests, whatever kernels are installed for the user
    kernel = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=KernelSpecManager(ensure_native_kernel=True)
    )
    client = NotebookClient(
        notebook, km=kernel, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert ran
    assert all(cell.execution_count for cell in ran)
    warned = [o.text for c in ran for o in c.outputs if o.get("name") == "stderr"]
    assert not warned
    assert not list(tmp_path.iterdir()), "a notebook leaves nothing where it is run"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_saved_notebook_is_small_and_names_no_folder_of_its_maker(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    text = path.read_text(encoding="utf-8")
    assert sys.prefix not in text
    assert str(Path.home()) + "/" not in text
    assert "/tmp/" not in text
    notebook = nbformat.reads(text, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in code), "saved with outputs, so that it reads on the web"
    assert not any(o.output_type == "error" for cell in code for o in cell.outputs)
