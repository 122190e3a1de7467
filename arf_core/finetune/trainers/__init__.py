"""Trainers: who opens the base model and makes it trainable. A module here is one, and its
file name is its name; it has `NEEDS`, the packages beside the training extra, `CHANGES_LIBRARIES`,
whether transformers is another one afterwards, and `train(place) -> Trained`.
"""

import shutil
from importlib.util import find_spec
from typing import Protocol

from arf_core import plugins
from arf_core.finetune.run_folder import Place, Trained


class Trainer(Protocol):
    """What a trainer's module has."""

    NEEDS: tuple[str, ...]
    CHANGES_LIBRARIES: bool

    def train(self, place: Place) -> Trained:
        """Train what the place's job says, or go on with it."""
        ...


def trainers() -> list[str]:
    """The names of all trainers."""
    return plugins.names(__name__)


def default_trainer() -> str:
    """Unsloth where there are a GPU and Unsloth; plain TRL, which starts sooner, elsewhere."""
    return "unsloth" if shutil.which("nvidia-smi") and find_spec("unsloth") else "trl"


def open_trainer(name: str) -> Trainer:
    """Raises InputError that lists the trainers there are."""
    module: Trainer = plugins.load_plugin(__name__, name, "trainer")
    return module
