"""A project that an earlier version made opens as it was: same figures, same decisions, same jobs.

`fixtures/project_v1` is sixteen conversations of the sample project (written examples, answered
from recordings), taken through import, labels, three detectors, two rounds, checks, decisions by
two people, an undone step, an export and three jobs, one of them killed.
"""

import gzip
import hashlib
import json
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

from arf_core.evaluate.agreement import agreement
from arf_core.jobs import queue as jobs
from arf_core.project import Project
from arf_core.store.findings import finding_rows
from arf_core.store.round_counts import round_outcome

FIXTURE = Path(__file__).parent / "fixtures" / "project_v1"
EXPECTED = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old"
    path.mkdir()
    shutil.copy(FIXTURE / "arf.toml", path)
    (path / "arf.db").write_bytes(gzip.decompress((FIXTURE / "arf.db.gz").read_bytes()))
    return path


def test_status_is_as_it_was(old: Path, arf) -> None:
    assert arf("status", old, "--json").json == EXPECTED["status"]


def test_the_review_queue_is_as_it_was(old: Path, arf) -> None:
    assert arf("review", old, "--json").json == EXPECTED["queue"]


@pytest.mark.parametrize("command", EXPECTED["outputs"])
def test_what_other_programs_read_is_the_same_to_the_byte(old: Path, arf, command: str) -> None:
    """SHA-256 of what the earlier version printed."""
    name, *options = command.split()
    printed = arf(name, old, *options).out.encode()
    assert hashlib.sha256(printed).hexdigest()[:16] == EXPECTED["outputs"][command], printed


def test_findings_and_outcomes_are_as_they_were(old: Path) -> None:
    with Project.open(old) as project:
        for system, expected in EXPECTED["findings"].items():
            rows = finding_rows(project.store, system)
            assert Counter(f"{r.detector} {r.category}" for r in rows) == expected
        for system, expected in EXPECTED["round_outcome"].items():
            assert round_outcome(project.store, system).model_dump() == expected
        found = agreement(project.store, "teacher", "llm:reader", "person:gold")
        assert found.model_dump(mode="json") == EXPECTED["agreement"]


def test_its_jobs_are_there_and_a_killed_one_goes_on(old: Path) -> None:
    with Project.open(old) as project:
        listed = jobs.jobs(project.store)
        shown = [{k: getattr(j, k) for k in ("kind", "title", "state")} for j in listed]
        expected = [{k: j[k] for k in ("kind", "title", "state")} for j in EXPECTED["jobs"]]
        assert shown == expected
        (lost,) = [j for j in listed if j.state == "lost"]
        resumed = jobs.resume(project, lost.id)
        end = time.monotonic() + 60
        while jobs.find_job(project.store, resumed.id).is_open and time.monotonic() < end:
            time.sleep(0.1)
        ended = jobs.find_job(project.store, resumed.id)
        assert (ended.state, ended.message) == ("done", "Revised: 0 done, 16 done before")


def test_work_goes_on_in_it(old: Path, arf) -> None:
    again = arf("analyze", old, "--detector", "rules", "--json").json
    assert (again["asked"], again["failed"]) == (16, {})
    more = arf("revise", old, "--detector", "rules", "--editor", "rules", "--into", "r3", "--json")
    assert more.json["revise"]["done"] == 16
