"""What can end a training, as a reason, a message and what to do."""

import errno
import math
from typing import NamedTuple

from arf_core.errors import ArfError
from arf_core.finetune.run_folder import FILES_AGAIN, RESUME, Reason

SMALLER = (
    "Make it smaller, under another name or with --fresh: a shorter --max-length, --batch 1 with a "
    "larger --accumulation, or --method qlora on a GPU; --dry-run says what would fit. Where "
    f"another program took the memory: {RESUME[0].lower()}{RESUME[1:]}"
)
WHOLE = (
    "Fetch or copy the base again, weights and config.json, then give the same command again; "
    "log.txt beside it says more."
)
LOOK = "See whether nvidia-smi still lists it; if not, the machine has to be restarted."
AGAIN = "If it ends at the same step again, it is no accident: see log.txt beside it."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_SPACE = ("no space left", "disk quota", "file too large", "unexpected pos", "failed writing")
NO_MEMORY = ("can't allocate memory", "out of memory", "cannot allocate memory", "bad_alloc")
GPU_STOPPED = ("device-side assert", "illegal memory access", "misaligned address")
"""The card is there, and refused what it was told to do."""
GPU_GONE = (
    "acceleratorerror",
    "cuda error",
    "cuda gpus are available",
    "cuda-capable",
    "nvidia driver",
    "device handle",
    "cublas",
    "cudnn",
    "nccl",
    "gpu is lost",
    "nvml",
    "hip error",
)
NO_WEIGHTS = ("no file named", "deserializing header", "ignore_mismatched_sizes")
"""There are none, they are cut short, or of another shape than config.json says."""
KNOWN_FAMILIES = "Take a Llama, Qwen2 or Qwen3 model; arf finetune DIR --bases names some."
DIVERGED_AT = 5.0
"""Times the loss of guessing every token alike: above that a training will not come back."""


class TrainingFault(ArfError):
    """A training ended, and the user can do something about it."""

    exit_code = 1

    def __init__(self, reason: Reason, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.reason: Reason = reason


class Fault(NamedTuple):
    reason: Reason
    message: str
    hint: str


def fault_of(error: BaseException, *, trained: bool = False) -> Fault:
    """What an exception means; `trained` where only the student's files were still to be made. One
    that means nothing known is a bug of ours."""
    said = _whole_text(error)
    if isinstance(error, TrainingFault):
        return Fault(error.reason, error.message, error.hint)
    if isinstance(error, ArfError):
        return Fault("unusable", error.message, error.hint)
    first = str(error).split("\n", 1)[0][:300] or type(error).__name__
    if isinstance(error, MemoryError) or any(s in said for s in NO_MEMORY):
        return Fault(
            "out_of_memory", f"Out of memory: {first}", FILES_AGAIN if trained else SMALLER
        )
    if (isinstance(error, OSError) and error.errno in FULL) or any(s in said for s in NO_SPACE):
        return Fault("full_disk", f"The disk is full: {first}", f"Free some space. {RESUME}")
    if any(s in said for s in GPU_STOPPED):
        return Fault("lost_gpu", f"The GPU stopped at an error: {first}", f"{RESUME} {AGAIN}")
    if any(s in said for s in GPU_GONE):
        return Fault("lost_gpu", f"The GPU was lost: {first}", f"{LOOK} {RESUME}")
    if any(s in said for s in NO_WEIGHTS):
        return Fault("unusable", f"The base's weights cannot be read: {first}", WHOLE)
    if "target modules" in said:
        return Fault("unusable", f"The base's layers are of another kind: {first}", KNOWN_FAMILIES)
    return Fault("bug", f"{type(error).__name__}: {first}", "See log.txt beside it; " + RESUME)


def no_gpu_any_more() -> TrainingFault:
    """Of a training that began on a GPU: on a CPU it would go on for days, and without a word."""
    return TrainingFault(
        "lost_gpu",
        "This training began on a GPU, and torch sees none here now.",
        f"{LOOK} Once it is back, the same command goes on. To begin anew on the CPU: --fresh.",
    )


def _whole_text(error: BaseException) -> str:
    """The words of an error and of what caused it, in small letters."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        parts.append(f"{type(seen).__name__} {seen}")
        seen = seen.__cause__ or seen.__context__
    return " ".join(parts).lower()


def check_loss(loss: float, gradient: float | None, step: int, vocabulary: int) -> None:
    """Raises TrainingFault for a loss that is no number, or far beyond that of guessing, and for a
    gradient of nothing: weights so large that no step changes what comes out."""
    guessing = math.log(vocabulary)
    if math.isfinite(loss) and loss < DIVERGED_AT * guessing and gradient != 0:
        return
    without = " and has no gradient" if gradient == 0 else ""
    raise TrainingFault(
        "diverged",
        f"The loss is {loss:.4g}{without} at step {step} (guessing would give {guessing:.1f}): the "
        "training has diverged.",
        "Begin again with a smaller --learning-rate (a tenth is a good try) and --fresh.",
    )
