"""The line for a terminal that trains the same student."""

import shlex

from arf_core.finetune import Wanted
from arf_core.finetune.practice import CLOSED_WORLD
from arf_core.finetune.settings import TRIAL_STEPS, Method, TrainingSettings

DEFAULT = TrainingSettings()
FLAGS = {
    "rank": "--rank",
    "learning_rate": "--learning-rate",
    "batch": "--batch",
    "accumulation": "--accumulation",
    "epochs": "--epochs",
    "max_length": "--max-length",
    "seed": "--seed",
    "checkpoint_every": "--checkpoint-every",
}
"""Settings that the command takes, by its flag."""


def command_of(project: str, wanted: Wanted) -> str:
    """`arf finetune …` with what is other than the default."""
    words = ["arf", "finetune", project, "--system", wanted.system, "--base", wanted.base]
    words += ["--trainer", wanted.trainer, "--into", wanted.into]
    settings = wanted.settings
    if settings.method != default_method(wanted.base):
        words += ["--method", settings.method]
    if settings.steps is not None:
        words += ["--trial"] if settings.steps == TRIAL_STEPS else ["--steps", str(settings.steps)]
    for name, flag in FLAGS.items():
        value = getattr(settings, name)
        if value != getattr(DEFAULT, name):
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    if wanted.choice:
        words += ["--rows", wanted.choice]
    for arm in wanted.match:
        words += ["--match", arm.system if arm.choice is None else f"{arm.system}:{arm.choice}"]
    if not wanted.gguf:
        words.append("--no-gguf")
    return " ".join(shlex.quote(word) for word in words)


def default_method(base: str) -> Method:
    """LoRA; every weight of a tiny base, which has little to keep."""
    return "full" if base.startswith("practice") or base == CLOSED_WORLD else "lora"
