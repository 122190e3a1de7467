"""An import that is killed while it stores: what is there is whole, and the next finishes it."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from importing_files import numbered, summaries, write_jsonl

from arf_core.importing import load
from arf_core.project import Project
from arf_core.records import Conversation

COUNT = 1_700
KILLED = """
import os, signal, sys
from arf_core import importing
from arf_core.importing import write
from arf_core.project import Project

folder, file, where = sys.argv[1:]

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

insert = write._Batch.insert
calls = []

def half_of_a_write(plan, conn):
    calls.append(plan)
    if len(calls) == 3:
        plan.summaries.clear()
        insert(plan, conn)
        kill()
    insert(plan, conn)

def told(doing, done, of):
    if doing == "storing" and done >= 1000 and where == "between writes":
        kill()

if where == "within a write":
    write._Batch.insert = half_of_a_write
importing.load(Project.open(folder), file, progress=told)
"""


def database(folder: Path) -> Path:
    (found,) = [p for p in folder.iterdir() if p.suffix in (".db", ".sqlite")]
    return found


@pytest.mark.parametrize("where", ["between writes", "within a write"])
def test_what_a_killed_import_stored_is_whole_and_the_same_command_finishes_it(
    project: Project, tmp_path: Path, where: str
) -> None:
    rows = [numbered(n, summary=f"Summary number {n}.", channel=f"c{n % 3}") for n in range(COUNT)]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    command = [sys.executable, "-c", KILLED, str(project.path), str(file), where]
    done = subprocess.run(command, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL

    with sqlite3.connect(database(project.path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    with Project.open(project.path) as left:
        there = left.store.all(Conversation)
        assert len(there) == 1_000
        assert len(summaries(left)) == 1_000, "each with its summary"
        assert all(set(c.attributes) == {"channel"} for c in there)

        report = load(left, file)
        assert (report.duplicates, report.conversations) == (1_000, COUNT - 1_000)
        assert (report.summaries_known, report.summaries) == (1_000, COUNT - 1_000)
        whole = Project.create(tmp_path / "whole")
        load(whole, file)
        assert left.store.all(Conversation) == whole.store.all(Conversation)
        assert summaries(left) == summaries(whole)
        again = load(left, file)
    assert (again.conversations, again.summaries) == (0, 0)
