"""Trainers: who opens the base model and makes it trainable. A module here is one, and its
file name is its name; it has `NEEDS`, the packages beside the training extra, `CHANGES_LIBRARIES`,
whether transformers is another one afterwards, and `train(place) -> Trained`.
"""

import importlib
import pkgutil
import shutil
from importlib.util import find_spec
from typing import Protocol

from arf_core.errors import InputError
from arf_core.finetune.job import Place, Trained


class Trainer(Protocol):
    """What a trainer's module has."""

    NEEDS: tuple[str, ...]
    CHANGES_LIBRARIES: bool

    def train(self, place: Place) -> Trained:
        """Train what the place's job says, or go on with it."""
        ...


def trainers() -> list[str]:
    """The names of all trainers."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def default_trainer() -> str:
    """Unsloth where there are a GPU and Unsloth; plain TRL, which starts sooner, elsewhere."""
    return "unsloth" if shutil.which("nvidia-smi") and find_spec("unsloth") else "trl"


def open_trainer(name: str) -> Trainer:
    """Raises InputError that lists the trainers there are."""
    if name not in trainers():
        raise InputError(f"There is no trainer {name!r}.", f"Use one of: {', '.join(trainers())}.")
    module: Trainer = importlib.import_module(f"{__name__}.{name}")
    return module
