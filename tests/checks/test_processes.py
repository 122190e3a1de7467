"""The rules in processes of their own end well, whatever ends them."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from arf_core.checks.processes import Task, in_processes
from arf_core.errors import ArfError

TASK = Task((("agent", "I will refund 42.50.", None),), [], "A refund of 45.20 was promised.")
CATEGORIES = ("wrong_figure",)

SCRIPT = """
from arf_core.analysis.detectors.rules import FEW, RulesDetector
from arf_core.records import Conversation, Item, Summary, Turn
from arf_core.project.taxonomy import load_taxonomy

print("once")
conversation = Conversation(
    id="c", external_id="c", source="s", fingerprint="f", split="train",
    turns=(Turn(speaker="agent", text="I will refund 42.50."),),
)
summary = Summary.of("c", "teacher", "A refund of 45.20 was promised.")
items = [Item(conversation=conversation, summary=summary)] * (FEW + 1)
answers = list(RulesDetector(load_taxonomy()).read(items))
print(sum(len(answer.value.findings) for answer in answers) == len(items))
"""


def test_a_script_without_a_main_guard_is_run_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(script)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["once", "True"], "")


def test_a_worker_that_was_killed_is_told_of() -> None:
    texts = [f"A refund of {n}.20 was promised." for n in range(5000)]
    read = in_processes(texts, lambda text: TASK._replace(text=text), CATEGORIES, 2)
    next(read)
    children = [p for p in psutil.Process().children() if "loky" in " ".join(p.cmdline())]
    assert children
    for child in children:
        child.kill()
    with pytest.raises(ArfError, match="ended before its time") as caught:
        list(read)
    assert "memory" in caught.value.hint


def test_a_fault_of_the_rules_is_no_clean_summary() -> None:
    broken = TASK._replace(lines=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not iterable"):
        list(in_processes([broken], lambda task: task, CATEGORIES, 2))


def test_results_come_with_their_items_in_order() -> None:
    texts = [f"A refund of {n}.20 was promised." for n in range(45, 645)]
    read = list(in_processes(texts, lambda text: TASK._replace(text=text), CATEGORIES, 2))
    assert [text for text, _ in read] == texts
    assert all(text[found[0].start :].startswith(text.split()[3]) for text, found in read)
