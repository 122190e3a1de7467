"""The one command: a practice student of the sample project, from summaries to files that run.

    python -m benchmarks practice

`arf finetune` on r1 of a fresh sample project, as one command in a process of its own, then `arf
generate` of the test split by the student's GGUF file. Conversations and teacher's summaries are
written examples. Ends with 1 where the one command takes two minutes or more. Needs `make train`
and llama-cpp-python.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from arf_core.jobs.demo import make_demo
from arf_core.project import Project
from arf_core.records import RunReport
from arf_core.training.gguf_check import LARGEST
from arf_core.training.model_shape import shape_of
from arf_core.training.plan import memory_of
from arf_core.training.run_folder import GGUF, RunFolder, run_folder
from arf_core.training.students import FinetuneReport
from arf_core.training.training_records import Artifacts
from benchmarks.finetune import off

TARGET_S = 120
SYSTEM, TRAINER = "r1", "trl"
STUDENT = f"student-{SYSTEM}"
Row = tuple[str, str, str]


class Timed(NamedTuple):
    """A command: what it said, and what it took, with all processes that it started."""

    said: dict[str, Any]
    seconds: float
    """By the clock."""
    cpu: float


def timed(*words: str) -> Timed:
    """Run `arf` with these words. Exits where it fails."""
    before, began = _cpu(), time.perf_counter()
    command = [sys.executable, "-m", "arf_core.cli", *words, "--json"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    said = json.loads(run.stdout or "{}")
    if not said or "error" in said:  # answers that are cut make it end with 1 too
        sys.exit(f"arf {' '.join(words)} ended with {run.returncode}: {said.get('error')}")
    return Timed(said, seconds, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows_of(place: RunFolder, trained: Timed, written: Timed, most_tokens: int) -> Iterator[Row]:
    """The table, from what both commands said and what the first one left. `most_tokens` is where
    an answer is cut."""
    yield _of_the_command(place, trained)
    yield _of_the_answers(written, most_tokens)
    made = place.artifacts()
    assert made is not None
    for kind in place.job().gguf:
        yield _of_the_file(kind, made)
    yield _of_the_memory(place)


def _of_the_command(place: RunFolder, trained: Timed) -> Row:
    report, job = FinetuneReport.model_validate(trained.said), place.job()
    verdict = "met" if trained.seconds < TARGET_S else "MISSED"
    return (
        f"one command: practice student on {job.system}, {job.trainer} ({job.rows} rows, "
        f"{report.steps} steps of {job.settings.rows_a_step}, {len(job.gguf)} GGUF files)",
        f"under {TARGET_S} s",
        f"{trained.seconds:.0f} s, of which {report.seconds:.0f} s of training; "
        f"{trained.cpu:.0f} s of CPU; last loss {report.final_loss:.2f}: {verdict}",
    )


def _of_the_answers(written: Timed, most_tokens: int) -> Row:
    report = RunReport.model_validate({k: v for k, v in written.said.items() if k != "system"})
    cut = report.failed["truncated"]
    said = f"{report.done} answers end"
    if report.done:
        tokens = (report.completion_tokens - cut * most_tokens) / report.done
        said += f", on average after {tokens:.0f} tokens"
    said += f"; {cut} are cut at {most_tokens}"
    others = {reason: n for reason, n in report.failed.items() if reason != "truncated"}
    said += "".join(f"; {n} {reason}" for reason, n in others.items())
    return (
        f"arf generate of the {report.asked} test conversations by its GGUF file",
        "",
        f"{written.seconds:.1f} s, {written.cpu:.1f} s of CPU; {said}",
    )


def _of_the_file(kind: str, made: Artifacts) -> Row:
    check = made.checks.get(kind)
    what = f"{kind.upper()} file against the merged model"
    if check is None:
        return what, "", f"not kept: {made.gguf_missing}"
    return (
        f"{what}: {check.tokens:,} tokens, {check.positions:,} positions",
        f"token ids equal, a logit within {100 * LARGEST[kind]:.0f} % of the spread",
        f"ids all equal; largest difference of a logit {check.largest_difference:.2f} of a spread "
        f"of {check.spread:.1f}; the same next token at {100 * check.same_choice:.1f} %",
    )


def _of_the_memory(place: RunFolder) -> Row:
    trained, job = place.trained(), place.job()
    assert trained is not None
    said, shape = memory_of(job, trained.lengths.max_length), shape_of(job.base)
    assert said is not None
    assert shape is not None
    peak = trained.peak_memory_gb
    within = "within" if said.low <= peak <= said.high else "NOT within"
    return (
        f"memory of the training: {shape.weights / 1e6:.1f} M weights, {job.settings.method}, "
        f"{job.settings.batch} × {trained.lengths.max_length} tokens",
        f"estimate {said.low:.2f}–{said.high:.2f} GB",
        f"{peak:.2f} GB at its peak: {within}, {off(said.low, said.high, peak)}",
    )


def main() -> int:
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo"
        make_demo(path)
        named = ("--system", SYSTEM, "--trainer", TRAINER, "--into", STUDENT)
        trained = timed("finetune", str(path), *named)
        place = run_folder(path, STUDENT)
        made = place.artifacts()
        if made is None or not made.gguf:
            sys.exit(f"No GGUF file came out: {made.gguf_missing if made else trained.said}")
        model = STUDENT + GGUF
        named = ("--model", model, "--into", STUDENT, "--split", "test")
        written = timed("generate", str(path), *named)
        with Project.open(path) as project:
            most_tokens = int(project.settings.models[model]["max_tokens"])
        table = Table("what", "target", "measured", title="The practice student", show_lines=True)
        for row in rows_of(place, trained, written, most_tokens):
            table.add_row(*row)
    Console(width=120).print(table)
    print(f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after")
    return 0 if trained.seconds < TARGET_S else 1


if __name__ == "__main__":
    sys.exit(main())
