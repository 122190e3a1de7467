"""Training on a GPU: tokens a second, memory, and share of the card's peak, of both trainers and of
a bare Unsloth script.

    python -m benchmarks.gpu_finetune [--shapes 1b 8b] [--methods lora qlora] [--steps 20]
        [--length 1024] [--minutes 4] [--json FILE]

Random weights in the shapes of Llama 3.2 1B and Llama 3.1 8B, the same rows for all, each training
in a process of its own, whose end frees the card. A line is printed as each one ends, and the file
written anew; one that fails, or takes more than `--minutes`, says so, and the others go on. Without
a GPU there is nothing to measure: it says so, and ends. The shape `tiny` tries the path on a CPU;
its figures mean nothing.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from arf_core.project import Project
from arf_core.training import prepare
from arf_core.training.memory import FreeMemory, estimate
from arf_core.training.model_shape import ModelShape
from arf_core.training.settings import FinetuneSettings, TrainingSettings, training_options
from arf_core.training.trainers import trainers
from arf_core.training.training_records import StepRow
from benchmarks.bare_unsloth import FIRST
from benchmarks.finetune import off
from benchmarks.random_llama import make_shape, rows_of_length, shape_named

ROOT = Path(__file__).parent.parent
BARE = "bare Unsloth"
BATCH, ACCUMULATION = 2, 4
LIBRARIES = ("torch", "transformers", "trl", "peft", "unsloth", "unsloth_zoo", "bitsandbytes")
PEAK_TFLOPS = {
    "B200": 2250,
    "H200": 989,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L40": 181,
    "L4": 121,
    "A10G": 70,
    "A10": 125,
    "RTX 5090": 210,
    "RTX 4090": 165,
    "RTX 3090": 71,
}
"""Dense 16-bit matrix work, as the maker states it; the first name that fits the card's counts."""
COLUMNS = (
    *("shape", "method", "trainer", "tokens/s", "of the card's peak", "tensors, GB"),
    *("on the card, GB", "estimate, GB", "its error", "whole run, s"),
)


class Run(NamedTuple):
    """What one training did. None: not known here."""

    shape: str
    method: str
    trainer: str
    seconds: float
    """Of the whole process, libraries and compilation included."""
    estimate_gb: tuple[float, float]
    tokens_per_second: float | None = None
    """After the first steps, padding not counted."""
    tokens_per_step: float | None = None
    loss: float | None = None
    """Of the last step."""
    share_of_peak: float | None = None
    tensors_gb: float | None = None
    """Torch's own count at its peak; without a GPU the process at its peak."""
    card_gb: float | None = None
    """What the card's tool saw more in use than before."""
    problem: str = ""
    log: str = ""
    """The end of what it said, where it failed."""


class Figures(NamedTuple):
    """What is read from a training that went to its end."""

    tokens_per_second: float
    tokens_per_step: float
    peak: float
    """Bytes."""
    loss: float


class TrainingFailed(Exception):
    """One training did not go to its end."""

    def __init__(self, problem: str, log: str = "") -> None:
        super().__init__(problem)
        self.log = log


class Bench(NamedTuple):
    """What all trainings have alike."""

    folder: Path
    card: str | None
    steps: int
    length: int
    most_s: float

    def settings(self, method: str) -> TrainingSettings:
        return TrainingSettings.model_validate(
            {
                "method": method,
                "batch": BATCH,
                "accumulation": ACCUMULATION,
                "steps": self.steps,
                "max_length": self.length,
                "evaluate": False,
                "checkpoint_every": self.steps,
            }
        )

    def call(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A training's process. Nothing is fetched or told, and no other training is waited for."""
        quiet = {
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "ARF_LOCKS": str(self.folder),
        }
        try:
            return subprocess.run(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=os.environ | quiet,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=self.most_s,
            )
        except subprocess.TimeoutExpired as error:
            said = error.stderr or b""
            told = said if isinstance(said, str) else said.decode(errors="replace")
            raise TrainingFailed(f"not done after {self.most_s:.0f} s", told) from error


def ours(bench: Bench, project: Project, asked: FinetuneSettings) -> Figures:
    """One of our trainings, without what is made of a student afterwards."""
    place = prepare(project, asked)
    said = bench.call("arf_core.training.worker", str(place.folder), "--no-export")
    if not place.trained_file.is_file():
        state = place.stored_state()
        raise TrainingFailed(state.message if state else "it did not begin", said.stderr)
    return figures_of(place.steps())


def figures_of(rows: Sequence[StepRow]) -> Figures:
    """Steps, and between which moments, as the bare script counts them."""
    steps = [row for row in rows if row.loss is not None]
    last = steps[-1]
    spans = [
        (row.tokens_per_second or 0, row.seconds - before.seconds)
        for before, row in zip(steps[FIRST - 1 :], steps[FIRST:], strict=False)
    ]
    tokens = sum(pace * span for pace, span in spans)
    seconds = sum(span for _, span in spans)
    return Figures(tokens / seconds, tokens / len(spans), last.memory_gb * 1e9, last.loss or 0)


def bare(bench: Bench, project: Project, asked: FinetuneSettings) -> Figures:
    """The script that knows nothing of us, on the rows of the same training."""
    folder = prepare(project, asked).folder
    file, settings = folder / "figures.json", asked.training()
    said = bench.call(
        *("benchmarks.bare_unsloth", asked.base, str(folder / "train.jsonl")),
        *(str(settings.max_length), str(settings.steps)),
        *(str(settings.batch), str(settings.accumulation), settings.method, str(file)),
    )
    if not file.is_file():
        raise TrainingFailed(last_error(said.stderr), said.stderr)
    return Figures(**json.loads(file.read_text()))


def last_error(told: str) -> str:
    """The line that names the error, at the end of a trace or before its advice."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    return (named or lines or ["it said nothing"])[-1]


def work_of_a_token(shape: ModelShape, length: int) -> float:
    """Floating-point operations that LoRA needs for one token: the weights once forward and once
    backward (a frozen weight has no gradient), and attention over half the length on average.
    What is computed twice to save memory is not counted."""
    dense = shape.linear + shape.vocabulary * shape.width
    attention = shape.layers * shape.heads * shape.head * length
    return 4 * dense + 6 * attention


def needs(method: str, gpu: str | None) -> str:
    """Why a method cannot be tried here; empty if it can."""
    if method == "qlora" and gpu is None:
        return "needs a GPU"
    if method == "qlora" and find_spec("bitsandbytes") is None:
        return "needs bitsandbytes, not installed here"
    return ""


def measured(bench: Bench, project: Project, base: Path, method: str, who: str) -> Run:
    """One line of the table, whatever happens."""
    name, settings = base.name, bench.settings(method)
    trainer = "unsloth" if who == BARE else who
    into = f"{method}-{who}".replace(" ", "-")
    asked = FinetuneSettings(
        system="teacher",
        base=str(base),
        into=into,
        trainer=trainer,
        gguf=False,
        fresh=True,
        **training_options(str(base), settings),
    )
    shape = shape_named(name)
    said = estimate(
        shape, settings, trainer, bench.length, FreeMemory("gpu" if bench.card else "cpu", 0)
    )
    began = time.monotonic()
    run = Run(name, method, who, 0.0, (said.low, said.high), problem=needs(method, bench.card))
    if run.problem:
        return run
    try:
        with card_watched(bench) as watched:
            found = (bare if who == BARE else ours)(bench, project, asked)
    except Exception as error:  # noqa: BLE001 (told in the table; the others go on)
        problem = str(error) or type(error).__name__
        run = run._replace(problem=problem, log=getattr(error, "log", "")[-4000:])
    else:
        peak = next((t * 1e12 for n, t in PEAK_TFLOPS.items() if n in (bench.card or "")), None)
        work = found.tokens_per_second * work_of_a_token(shape, bench.length)
        run = run._replace(
            tokens_per_second=found.tokens_per_second,
            tokens_per_step=found.tokens_per_step,
            loss=found.loss,
            share_of_peak=work / peak if peak else None,
            tensors_gb=found.peak / 1e9,
            card_gb=watched[0] if watched else None,
        )
    return run._replace(seconds=round(time.monotonic() - began, 1))


@contextmanager
def card_watched(bench: Bench) -> Iterator[list[float]]:
    """Afterwards the list holds by how many GB the card was fuller than before, at most: what
    decides whether a training fits, the libraries' own part included. Empty without a card."""
    grown: list[float] = []
    if bench.card is None:
        yield grown
        return
    file = bench.folder / "memory"
    before = card_says("memory.used")
    card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    ask = ["nvidia-smi", "-i", card, "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    with file.open("w") as out:
        watcher = subprocess.Popen([*ask, "-lms", "200"], stdout=out, stderr=subprocess.DEVNULL)
        try:
            yield grown
        finally:
            watcher.kill()
            watcher.wait()
    seen = [float(line) for line in file.read_text().split() if line.isdigit()]
    if seen and before and before.isdigit():
        grown.append((max(seen) - float(before)) * 2**20 / 1e9)


def card_says(what: str) -> str | None:
    """Of the first GPU; None where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    ask = [tool, "-i", card, f"--query-gpu={what}", "--format=csv,noheader,nounits"]
    said = subprocess.run(ask, capture_output=True, text=True, check=False)
    return said.stdout.strip() if said.returncode == 0 and said.stdout.strip() else None


def cells(run: Run) -> tuple[str, ...]:
    """A run as a line of the table."""
    low, high = run.estimate_gb
    pace, peak = run.tokens_per_second, run.card_gb or run.tensors_gb
    return (
        f"{run.shape} ({shape_named(run.shape).weights / 1e9:.2g}e9)",
        run.method,
        run.trainer,
        f"{pace:,.0f}" if pace else " ".join(run.problem.split())[:200].replace("|", "/"),
        f"{100 * run.share_of_peak:.0f} %" if run.share_of_peak else "–",
        f"{run.tensors_gb:.1f}" if run.tensors_gb else "–",
        f"{run.card_gb:.1f}" if run.card_gb else "–",
        f"{low:.1f}–{high:.1f}",
        off(low, high, peak) if peak else "–",
        f"{run.seconds:.0f}" if run.seconds else "–",
    )


def runs(bench: Bench, shapes: Sequence[str], methods: Sequence[str]) -> Iterator[Run]:
    """Each shape is written once, trained on by everybody, and removed."""
    for name in shapes:
        base = bench.folder / name
        # spawned, so that what it takes of the card is free before anything is measured
        maker = multiprocessing.get_context("spawn").Process(
            target=make_shape, args=(base, shape_named(name))
        )
        maker.start()
        maker.join()
        if maker.exitcode != 0:
            print(f"| {name} | could not be made: see above |", flush=True)
            continue
        project = rows_of_length(bench.folder / f"rows-{name}", base, bench.length)
        for method in methods:
            for who in (*trainers(), BARE):
                yield measured(bench, project, base, method, who)
        shutil.rmtree(base)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", default=["1b", "8b"], choices=["tiny", "1b", "8b"])
    parser.add_argument("--methods", nargs="+", default=["lora"], choices=["lora", "qlora"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--minutes", type=float, default=4.0, help="at most, for one training")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there")
    given = parser.parse_args(arguments)
    if given.steps <= FIRST + 1:
        parser.error(f"--steps {given.steps}: the first {FIRST} are not counted, so give more")
    card = card_says("name")
    if card is None and given.shapes != ["tiny"]:
        print("left out: no GPU on this machine")
        return 0
    print(f"{BATCH} × {ACCUMULATION} rows of {given.length} tokens: {card or 'a CPU'}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    done: list[Run] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), card, given.steps, given.length, 60 * given.minutes)
        for run in runs(bench, given.shapes, given.methods):
            print(f"| {' | '.join(cells(run))} |", flush=True)
            done.append(run)
            if given.json:
                keep(given.json, bench, done)
    for run in (r for r in done if r.log):
        print(f"\n{run.shape} {run.method} {run.trainer}:\n{run.log}", file=sys.stderr)
    return 0


def keep(file: Path, bench: Bench, done: Sequence[Run]) -> None:
    """All figures so far, with what they were taken on."""
    said = {
        "card": bench.card,
        "driver": card_says("driver_version"),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "rows": {"batch": BATCH, "accumulation": ACCUMULATION, "tokens": bench.length},
        "steps": bench.steps,
        "not_counted": FIRST,
        "runs": [run._asdict() for run in done],
    }
    file.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _version(name: str) -> str | None:
    """None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
