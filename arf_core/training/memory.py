"""Memory estimate of a training, from the base's shape and the settings, as a range."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from arf_core.records import Record
from arf_core.training.model_shape import ModelShape
from arf_core.training.settings import TrainingSettings

GB = 1e9
LIBRARIES = (0.55, 0.95)
"""GB of torch and the other libraries: in the process on a CPU, on the card on a GPU."""
SLACK = (0.85, 1.3)
"""Factors from the sum of the parts to the range: allocators keep pieces, kernels need room."""
FOUR_BIT = 0.56
"""Bytes per 4-bit weight, scales included."""
EXPORT_BYTES = 6.0
"""Main memory per weight while the files are made: the merged model in 32 bit, a GGUF in 16."""
OFFLOADS_FROM = 512
"""Row length in tokens from which Unsloth moves checkpointed activations to main memory."""


class MemoryEstimate(Record):
    """What a training will take, in GB."""

    parts: dict[str, float]
    low: float
    high: float
    free: float | None
    """On the GPU, or in main memory on a CPU; None where unknown."""
    on: str
    """`gpu` or `cpu`."""
    fits: bool | None
    instead: str | None = None
    """Options that would fit."""
    files: float
    """Main memory for making the student's files afterwards."""
    main: float | None
    """Free main memory; None where unknown."""

    def in_words(self) -> str:
        where = "the GPU" if self.on == "gpu" else "this machine (no GPU)"
        text = f"memory on {where}: {self.low:.1f} to {self.high:.1f} GB"
        if self.free is not None:
            text += f", {self.free:.1f} GB are free"
        if self.fits is False:
            text += ": too much. " + (
                f"It would fit with {self.instead}"
                if self.instead
                else "No setting makes it fit here: take a smaller base, or a larger machine"
            )
        text += "."
        if self.main is not None and self.files > self.main:
            text += (
                f" Making its files afterwards takes some {self.files:.0f} GB of main memory, and "
                f"{self.main:.0f} are free (a third less with --no-gguf)."
            )
        return text


class FreeMemory(NamedTuple):
    on: str
    """`gpu` or `cpu`."""
    gb: float | None
    main: float | None = None
    """Main memory; the same as `gb` on a CPU."""


def estimate(
    shape: ModelShape,
    settings: TrainingSettings,
    trainer: str,
    length: int,
    free: FreeMemory | None = None,
) -> MemoryEstimate:
    """Memory for rows of `length` tokens; `free` is measured where it is not given."""
    free = free or free_memory()
    parts = _parts(shape, settings, trainer, length, free.on)
    low, high = _range(parts)
    fits = None if free.gb is None else high <= free.gb
    return MemoryEstimate(
        parts={name: round(gb, 3) for name, gb in parts.items()},
        low=round(low, 2),
        high=round(high, 2),
        free=free.gb,
        on=free.on,
        fits=fits,
        instead=None if fits is not False else _smaller(shape, settings, trainer, length, free),
        files=round(shape.weights * EXPORT_BYTES / GB, 2),
        main=free.main,
    )


def _range(parts: dict[str, float]) -> tuple[float, float]:
    total = sum(parts.values())
    return total * SLACK[0] + LIBRARIES[0], total * SLACK[1] + LIBRARIES[1]


def _parts(
    shape: ModelShape, settings: TrainingSettings, trainer: str, length: int, on: str
) -> dict[str, float]:
    """GB by what takes them."""
    gpu = on == "gpu"
    full = settings.method == "full"
    trained = shape.weights if full else shape.adapter(settings.rank)
    if settings.method == "qlora":
        resting = shape.linear * FOUR_BIT + (shape.weights - shape.linear) * 2
    else:
        resting = shape.weights * (4.0 if full or not gpu else 2.0)
    tokens = settings.batch * length
    value = 2.0 if gpu and settings.precision != "fp32" else 4.0  # bytes of an activation
    recompute = gpu if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    layer = tokens * value * (10 * shape.width + 4 * shape.inner)
    # the attention matrix itself: GPU kernels never hold it whole
    scores = 0.0 if gpu else settings.batch * shape.heads * length**2 * value
    # a layer's input is kept until it is recomputed; Unsloth keeps it in main memory
    elsewhere = gpu and trainer == "unsloth" and length >= OFFLOADS_FROM
    inputs = 0.0 if elsewhere else shape.layers * tokens * shape.width * value
    layers = layer + scores + inputs if recompute else shape.layers * (layer + scores)
    copies = 0.4 if gpu else 3.0  # on a GPU both trainers' fused losses work in pieces
    sizes = {
        "weights": resting,
        "adapter": 0.0 if full else trained * 4,
        "gradients": trained * 4,
        "optimiser": trained * 8,
        "activations": layers,
        "logits": tokens * shape.vocabulary * 4 * copies,
    }
    return {name: size / GB for name, size in sizes.items() if size}


def _smaller(
    shape: ModelShape, settings: TrainingSettings, trainer: str, length: int, free: FreeMemory
) -> str | None:
    """The mildest change of options that fits; None where nothing does."""
    rows = settings.rows_a_step
    for method in (settings.method, "qlora") if free.on == "gpu" else (settings.method,):
        changed = {"method": method, "batch": 1, "accumulation": rows}
        smaller = settings.model_copy(update=changed)
        words = f"--batch 1 --accumulation {rows}"
        if method != settings.method:
            words = f"--method {method} {words}"
        for cut in (length, length // 2):
            high = _range(_parts(shape, smaller, trainer, cut, free.on))[1]
            if free.gb is not None and high <= free.gb:
                return words if cut == length else f"{words} --max-length {cut}"
    return None


def free_memory() -> FreeMemory:
    """Free memory of the first visible GPU, or of the machine without one."""
    main = _free_main_memory()
    tool = shutil.which("nvidia-smi")
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    query = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    # CUDA takes names that the tool does not know, such as that of a MIG slice
    for chosen in (["-i", device], []) if tool and device else ():
        run = subprocess.run(  # noqa: S603
            [str(tool), *chosen, *query], capture_output=True, text=True, check=False
        )
        if run.returncode == 0 and run.stdout.strip():
            return FreeMemory("gpu", float(run.stdout.split()[0]) * 2**20 / GB, main)
    return FreeMemory("cpu", main, main)


def _free_main_memory() -> float | None:
    file = Path("/proc/meminfo")
    if not file.is_file():
        return None
    lines = file.read_text(encoding="ascii").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return round(int(kib) * 1024 / GB, 2)
