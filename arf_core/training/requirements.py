"""Checks that the packages for training are installed. They are an extra of several gigabytes."""

from importlib.util import find_spec

from arf_core.errors import InputError, MissingExtra

REMEDY = "Install it (it shows the size first): make train"
TRAINING = ("torch", "transformers", "trl", "peft", "accelerate")


def missing(*more: str) -> list[str]:
    """The packages that are not installed."""
    return [name for name in (*TRAINING, *more) if find_spec(name) is None]


def need_training(*more: str) -> None:
    """Raises MissingExtra that names the missing packages and the command that installs them."""
    if gone := missing(*more):
        raise MissingExtra(f"Training needs {', '.join(gone)}, not installed here.", REMEDY)


def need_for(method: str) -> None:
    """Raises InputError for QLoRA without a GPU, MissingExtra without bitsandbytes."""
    if method != "qlora":
        return
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "QLoRA needs a GPU, and torch sees none here.",
            "Use --method lora, or train elsewhere: --prepare writes the folder for it.",
        )
    if find_spec("bitsandbytes") is None:
        raise MissingExtra(
            "QLoRA needs bitsandbytes, not installed here.", "Install it: pip install bitsandbytes"
        )
