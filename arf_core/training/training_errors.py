"""What can end a training, as a reason, a message and what to do."""

import errno
import math

from arf_core.errors import ArfError
from arf_core.training.run_folder import FILES_AGAIN, RESUME
from arf_core.training.training_records import EndReason

SMALLER = (
    "Make it smaller, under another name or with --fresh: a shorter --max-length, --batch 1 with a "
    "larger --accumulation, or --method qlora on a GPU; --dry-run says what would fit. Where "
    f"another program took the memory: {RESUME[0].lower()}{RESUME[1:]}"
)
NEW_COPY = (
    "Fetch or copy the base again, weights and config.json, then give the same command again; "
    "log.txt beside it says more."
)
LOOK = "See whether nvidia-smi still lists it; if not, the machine has to be restarted."
AGAIN = "If it ends at the same step again, it is no accident: see log.txt beside it."
LOG = "See log.txt beside it; "
KNOWN_FAMILIES = "Take a Llama, Qwen2 or Qwen3 model; arf finetune DIR --bases names some."
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DIVERGED_AT = 5.0
"""Multiple of the loss of uniform guessing above which a training will not recover."""


class TrainingFault(ArfError):
    """A training ended, and the user can do something about it."""

    exit_code = 1

    def __init__(self, reason: EndReason, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.reason: EndReason = reason


KNOWN: tuple[tuple[tuple[str, ...], EndReason, str, str], ...] = (
    (
        ("can't allocate memory", "out of memory", "cannot allocate memory", "bad_alloc"),
        *("out_of_memory", "Out of memory", SMALLER),
    ),
    (
        ("no space left", "disk quota", "file too large", "unexpected pos", "failed writing"),
        *("full_disk", "The disk is full", f"Free some space. {RESUME}"),
    ),
    (
        # the GPU is there, and refused an operation
        ("device-side assert", "illegal memory access", "misaligned address"),
        *("lost_gpu", "The GPU stopped at an error", f"{RESUME} {AGAIN}"),
    ),
    (
        (
            *("acceleratorerror", "cuda error", "cuda gpus are available", "cuda-capable"),
            *("nvidia driver", "device handle", "cublas", "cudnn", "nccl", "gpu is lost"),
            *("nvml", "hip error"),
        ),
        *("lost_gpu", "The GPU was lost", f"{LOOK} {RESUME}"),
    ),
    (
        # there are none, they are cut short, or of another shape than config.json says
        ("no file named", "deserializing header", "ignore_mismatched_sizes"),
        *("unusable", "The base's weights cannot be read", NEW_COPY),
    ),
    (
        ("target modules",),
        *("unusable", "The base's layers are of another kind", KNOWN_FAMILIES),
    ),
)
"""Words in an error's text (lower case), and what they mean; the first match counts."""


def fault_of(error: BaseException, *, trained: bool = False) -> TrainingFault:
    """What an exception means; an unknown one is a bug. `trained`: only the student's files were
    still to be made."""
    if isinstance(error, TrainingFault):
        return error
    if isinstance(error, ArfError):
        return TrainingFault("unusable", error.message, error.hint)
    first = str(error).split("\n", 1)[0][:300] or type(error).__name__
    text = _whole_text(error)
    if isinstance(error, MemoryError):
        text = f"out of memory {text}"
    elif isinstance(error, OSError) and error.errno in FULL_DISK:
        text = f"no space left {text}"
    for words, reason, message, hint in KNOWN:
        if any(word in text for word in words):
            again = trained and reason == "out_of_memory"
            return TrainingFault(reason, f"{message}: {first}", FILES_AGAIN if again else hint)
    return TrainingFault("bug", f"{type(error).__name__}: {first}", LOG + RESUME)


def _whole_text(error: BaseException) -> str:
    """The texts of an error and its causes, in lower case."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < 5:
        parts.append(f"{type(cause).__name__} {cause}")
        cause = cause.__cause__ or cause.__context__
    return " ".join(parts).lower()


def no_gpu_any_more() -> TrainingFault:
    """For a training that began on a GPU: on a CPU it would silently go on for days."""
    return TrainingFault(
        "lost_gpu",
        "This training began on a GPU, and torch sees none here now.",
        f"{LOOK} Once it is back, the same command goes on. To begin anew on the CPU: --fresh.",
    )


def check_loss(loss: float, gradient: float | None, step: int, vocabulary: int) -> None:
    """Raises TrainingFault where the loss is not finite or far above that of uniform guessing, and
    where the gradient is zero: weights so large that no step changes the output."""
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
