"""How much memory a training will take, from the base's shape and the settings, before anything is
loaded: weights, adapter, gradients and optimiser, activations, logits; as a range."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from arf_core.finetune.settings import Shape, TrainingSettings
from arf_core.records import Record

GB = 1e9
LIBRARIES = (0.55, 0.95)
"""GB that torch and the rest take by themselves: in the process on a CPU, on the card on a GPU."""
SLACK = (0.85, 1.3)
"""What the parts add up to, times these, is the range: allocators keep pieces, kernels
want room."""
FOUR_BIT = 0.56
"""Bytes of a weight in 4 bit, its scales included."""

FILES = 6.0
"""Bytes of main memory for a weight: the merged model in 32 bit, a GGUF file in 16 beside it."""

OFFLOADS_FROM = 512
"""Tokens of a row from which on Unsloth moves what it computes again off the card."""


class Part(NamedTuple):
    what: str
    gb: float


class MemoryEstimate(Record):
    """What a training will take, in GB."""

    parts: dict[str, float]
    low: float
    high: float
    free: float | None
    """On the card, or in the machine on a CPU; None where it is not known."""
    on: str
    """`gpu` or `cpu`."""
    fits: bool | None
    instead: str | None = None
    """Settings that would fit, in words of the command line."""
    files: float
    """Of main memory, to make the student's files afterwards."""
    main: float | None
    """Main memory that is free; None where it is not known."""

    def in_words(self) -> str:
        free = f", {self.free:.1f} GB are free" if self.free is not None else ""
        verdict = {True: "", False: ": too much", None: ""}[self.fits]
        better = f". It would fit with {self.instead}" if self.instead else ""
        if self.fits is False and not self.instead:
            better = ". No setting makes it fit here: take a smaller base, or a larger machine"
        where = "the GPU" if self.on == "gpu" else "this machine (no GPU)"
        said = f"memory on {where}: {self.low:.1f} to {self.high:.1f} GB{free}{verdict}{better}."
        if self.main is not None and self.files > self.main:
            said += (
                f" Making its files afterwards takes some {self.files:.0f} GB of main memory, and "
                f"{self.main:.0f} are free (a third less with --no-gguf)."
            )
        return said


def shape_of(folder: str | Path) -> Shape | None:
    """From a folder's config.json; None where there is none, or it is of another kind."""
    file = Path(folder) / "config.json"
    if not file.is_file():
        return None
    try:
        config = json.loads(file.read_bytes())
        heads = config["num_attention_heads"]
        return Shape(
            width=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head=config.get("head_dim") or config["hidden_size"] // heads,
            inner=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            tied=bool(config.get("tie_word_embeddings")),
        )
    except (ValueError, TypeError, KeyError, ZeroDivisionError):
        return None  # what is wrong with it is said where it is opened


def estimate(
    shape: Shape, settings: TrainingSettings, trainer: str, length: int, free: "Free | None" = None
) -> MemoryEstimate:
    """For rows of `length` tokens. `free` is what there is; found out where not given."""
    there = free or free_memory()
    low, high, parts = _range(shape, settings, trainer, length, there.on)
    fits = None if there.gb is None else high <= there.gb
    return MemoryEstimate(
        parts={p.what: round(p.gb, 3) for p in parts},
        low=round(low, 2),
        high=round(high, 2),
        free=there.gb,
        on=there.on,
        fits=fits,
        instead=None if fits is not False else _smaller(shape, settings, trainer, length, there),
        files=round(shape.weights * FILES / GB, 2),
        main=there.main,
    )


class Free(NamedTuple):
    on: str
    gb: float | None
    main: float | None = None
    """Main memory, which is the same on a CPU."""


def _range(
    shape: Shape, settings: TrainingSettings, trainer: str, length: int, on: str
) -> tuple[float, float, list[Part]]:
    parts = _parts(shape, settings, trainer, length, on)
    total = sum(p.gb for p in parts)
    return total * SLACK[0] + LIBRARIES[0], total * SLACK[1] + LIBRARIES[1], parts


def _parts(
    shape: Shape, settings: TrainingSettings, trainer: str, length: int, on: str
) -> list[Part]:
    gpu = on == "gpu"
    full = settings.method == "full"
    moving = shape.weights if full else shape.adapter(settings.rank)
    wide = 4.0 if full or not gpu else 2.0  # bytes of a weight that rests
    if settings.method == "qlora":
        resting = shape.linear * FOUR_BIT + (shape.weights - shape.linear) * 2
    else:
        resting = shape.weights * wide
    tokens = settings.batch * length
    value = 2.0 if gpu and settings.precision != "fp32" else 4.0  # bytes of an activation
    recompute = gpu if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    of_layer = tokens * value * (10 * shape.width + 4 * shape.inner)
    # the matrix of attention itself: kernels of a GPU never hold it whole
    scores = 0.0 if gpu else settings.batch * shape.heads * length**2 * value
    # what enters a layer is kept until it is computed again; Unsloth keeps it in the machine
    elsewhere = gpu and trainer == "unsloth" and length >= OFFLOADS_FROM
    entering = 0.0 if elsewhere else shape.layers * tokens * shape.width * value
    layers = of_layer + scores + entering if recompute else shape.layers * (of_layer + scores)
    copies = 0.4 if gpu else 3.0  # both trainers' fused losses work in pieces on a GPU
    found = [
        Part("weights", resting),
        Part("gradients", moving * 4),
        Part("optimiser", moving * 8),
        Part("activations", layers),
        Part("logits", tokens * shape.vocabulary * 4 * copies),
    ]
    if not full:
        found.insert(1, Part("adapter", moving * 4))
    return [Part(p.what, p.gb / GB) for p in found]


def _smaller(
    shape: Shape, settings: TrainingSettings, trainer: str, length: int, there: Free
) -> str | None:
    """The mildest change that fits, in the command's words; None where nothing does."""
    rows = settings.rows_a_step
    one = settings.model_copy(update={"batch": 1, "accumulation": rows})
    tries: list[tuple[str, TrainingSettings, int]] = [
        (f"--batch 1 --accumulation {rows}", one, length),
        (f"--batch 1 --accumulation {rows} --max-length {length // 2}", one, length // 2),
    ]
    if there.on == "gpu":
        small = one.model_copy(update={"method": "qlora"})
        words = f"--method qlora --batch 1 --accumulation {rows}"
        tries += [
            (words, small, length),
            (f"{words} --max-length {length // 2}", small, length // 2),
        ]
    for words, tried, cut in tries:
        if there.gb is not None and _range(shape, tried, trainer, cut, there.on)[1] <= there.gb:
            return words
    return None


def free_memory() -> Free:
    """Of the first GPU that may be used where there is one, else of the machine."""
    tool = shutil.which("nvidia-smi")
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    ask = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    # the tool does not know every name that CUDA takes, such as that of a part of a card
    for one in (["-i", chosen], []) if tool and chosen else ():
        said = subprocess.run([str(tool), *one, *ask], capture_output=True, text=True, check=False)  # noqa: S603
        if said.returncode == 0 and said.stdout.strip():
            return Free("gpu", float(said.stdout.split()[0]) * 2**20 / GB, _free_in_machine())
    main = _free_in_machine()
    return Free("cpu", main, main)


def _free_in_machine() -> float | None:
    """None where the system does not say."""
    file = Path("/proc/meminfo")
    if not file.is_file():
        return None
    found: dict[str, Any] = dict(
        line.split(":", 1) for line in file.read_text(encoding="ascii").splitlines() if ":" in line
    )
    return round(int(found["MemAvailable"].split()[0]) * 1024 / GB, 2)
