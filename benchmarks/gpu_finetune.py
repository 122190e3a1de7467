"""Training on a GPU: tokens a second, memory, and share of the card's peak, of both trainers and of
a bare Unsloth script.

    python -m benchmarks.gpu_finetune [--shapes 1b 8b] [--methods lora qlora] [--steps 20]

Random weights in the shapes of Llama 3.2 1B and Llama 3.1 8B, the same rows for all, each training
in a process of its own. Without a GPU there is nothing to measure: it says so, and ends. The shape
`tiny` tries the path on a CPU; its figures mean nothing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from arf_core.finetune import Wanted, prepare
from arf_core.finetune.job import Place
from arf_core.finetune.memory import Free, estimate
from arf_core.finetune.practice import PRACTICE, make_base
from arf_core.finetune.settings import Shape, TrainingSettings, preset
from arf_core.finetune.trainers import trainers
from arf_core.project import Project
from benchmarks.bare_unsloth import FIRST
from benchmarks.finetune import WORDS, project_in

BARE = "bare Unsloth"
BATCH, ACCUMULATION = 2, 4
TINY = Shape(
    width=64, layers=2, heads=4, kv_heads=2, head=16, inner=192, vocabulary=2000, tied=True
)
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


class Run(NamedTuple):
    """What one training did. None: not known here."""

    tokens_per_second: float | None
    peak_gb: float | None
    problem: str = ""


def shape_named(name: str) -> Shape:
    if name == "tiny":
        return TINY
    known = preset({"1b": "llama-3.2-1b", "8b": "llama-3.1-8b"}[name])
    assert known is not None
    return known.shape


def make_shape(folder: Path, shape: Shape) -> Path:
    """A Llama of this shape with random weights in 16 bit, and a small tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    make_base(folder, [" ".join(WORDS)], width=64, layers=1)  # for its tokenizer
    (folder / PRACTICE).unlink()
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head,
        max_position_embeddings=8192,
        tie_word_embeddings=shape.tied,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    return folder


def ours(project: Project, wanted: Wanted) -> Run:
    """One of our trainings, without what is made of a student afterwards."""
    place = Place(prepare(project, wanted, fresh=True))
    worker = ["-m", "arf_core.finetune.worker", str(place.folder), "--no-export"]
    subprocess.run([sys.executable, *worker], capture_output=True, check=False)
    state = place.last_told()
    if not place.trained_file.is_file():
        return Run(None, None, state.message if state else "it did not begin")
    rows = [row for row in place.steps() if row.tokens_per_second and row.step > FIRST]
    speed = median(row.tokens_per_second or 0 for row in rows)
    return Run(speed, place.steps()[-1].memory_gb)


def bare(project: Project, wanted: Wanted) -> Run:
    """The script that knows nothing of us, on the rows of the same training."""
    rows = prepare(project, wanted, fresh=True) / "train.jsonl"
    settings = wanted.settings
    said = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.bare_unsloth", wanted.base, str(rows)),
            *(str(settings.max_length), str(settings.steps)),
            *(str(settings.batch), str(settings.accumulation), settings.method),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode != 0:
        return Run(None, None, (said.stderr.strip().splitlines() or ["?"])[-1][:200])
    figures = json.loads(said.stdout.strip().splitlines()[-1])
    return Run(figures["tokens_per_second"], figures["peak"])


def work_of_a_token(shape: Shape, length: int) -> float:
    """Floating-point operations that LoRA needs for one token: the weights once forward and once
    backward (a frozen weight has no gradient), and attention over half the length on average.
    What is computed twice to save memory is not counted."""
    dense = shape.linear + shape.vocabulary * shape.width
    attention = shape.layers * shape.heads * shape.head * length
    return 4 * dense + 6 * attention


def measured(project: Project, base: Path, name: str, settings: TrainingSettings, peak: float):
    """The rows of the table for one shape and method."""
    shape, length = shape_named(name), settings.max_length or 0
    for who in (*trainers(), BARE):
        trainer = "unsloth" if who == BARE else who
        wanted = Wanted("teacher", str(base), f"{name}-{trainer}", trainer, settings, gguf=())
        run = bare(project, wanted) if who == BARE else ours(project, wanted)
        said = estimate(shape, settings, trainer, length, Free("gpu", None))
        middle = (said.low + said.high) / 2
        pace = run.tokens_per_second
        share = pace * work_of_a_token(shape, length) / peak if pace and peak else None
        yield (
            f"{name} ({shape.weights / 1e9:.2g}e9)",
            settings.method,
            who,
            f"{pace:,.0f}" if pace else run.problem,
            f"{run.peak_gb:.1f}" if run.peak_gb else "–",
            f"{100 * share:.0f} %" if share else "–",
            f"{said.low:.1f}–{said.high:.1f}",
            f"{100 * (middle / run.peak_gb - 1):+.0f} %" if run.peak_gb else "–",
        )


def card() -> str | None:
    """The first GPU's name."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    ask = [tool, "--query-gpu=name", "--format=csv,noheader"]
    said = subprocess.run(ask, capture_output=True, text=True, check=False)
    return said.stdout.strip().splitlines()[0] if said.stdout.strip() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", default=["1b", "8b"], choices=["tiny", "1b", "8b"])
    parser.add_argument("--methods", nargs="+", default=["lora"], choices=["lora", "qlora"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--length", type=int, default=1024)
    given = parser.parse_args(arguments)
    console, name = Console(), card()
    if name is None and given.shapes != ["tiny"]:
        console.print("left out: no GPU on this machine")
        return 0
    peak = next((t * 1e12 for n, t in PEAK_TFLOPS.items() if name and n in name), 0.0)
    table = Table(title=f"LoRA, {BATCH} × {ACCUMULATION} rows of {given.length}: {name or 'a CPU'}")
    for column in ("shape", "method", "trainer", "tokens/s", "peak GB", "of the card's peak"):
        table.add_column(column)
    table.add_column("estimate GB")
    table.add_column("its error")
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder) / "p")
        for shape in given.shapes:
            base = make_shape(Path(folder) / shape, shape_named(shape))
            for method in given.methods:
                settings = TrainingSettings(
                    method=method,
                    batch=BATCH,
                    accumulation=ACCUMULATION,
                    steps=given.steps,
                    max_length=given.length,
                    evaluate=False,
                    checkpoint_every=given.steps,
                )
                for row in measured(project, base, shape, settings, peak):
                    table.add_row(*row)
            shutil.rmtree(base)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
