"""The line for a terminal that trains the same student."""

import shlex

from arf_core.finetune import Wanted
from arf_core.finetune.settings import TRIAL_STEPS, starting_settings

FLAGS = {
    "method": "--method",
    "rank": "--rank",
    "learning_rate": "--learning-rate",
    "batch": "--batch",
    "accumulation": "--accumulation",
    "epochs": "--epochs",
    "max_length": "--max-length",
    "seed": "--seed",
    "checkpoint_every": "--checkpoint-every",
    "patience": "--patience",
}
"""Settings that the command takes, by its flag."""


def command_of(project: str, wanted: Wanted) -> str:
    """`arf finetune …` with what is other than the default."""
    words = ["arf", "finetune", project, "--system", wanted.system, "--base", wanted.base]
    words += ["--trainer", wanted.trainer, "--into", wanted.into]
    settings, default = wanted.settings, starting_settings(wanted.base)
    if settings.steps is not None:
        words += ["--trial"] if settings.steps == TRIAL_STEPS else ["--steps", str(settings.steps)]
    for name, flag in FLAGS.items():
        value = getattr(settings, name)
        if value != getattr(default, name):
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value or 0)]
    if wanted.choice:
        words += ["--rows", wanted.choice]
    for arm in wanted.match:
        words += ["--match", arm.system if arm.choice is None else f"{arm.system}:{arm.choice}"]
    if not wanted.gguf:
        words.append("--no-gguf")
    return " ".join(shlex.quote(word) for word in words)
