"""Trainers open the base model and make it trainable. Each module here is one, named by its file.

It has `NEEDS`, the packages beside the training extra, `CHANGES_LIBRARIES`, whether it changes
transformers for the rest of the process, and `train(run) -> Trained`.
"""

import shutil
from importlib.util import find_spec
from typing import Protocol

from arf_core import plugins
from arf_core.training.run_folder import RunFolder
from arf_core.training.training_records import Trained


class Trainer(Protocol):
    """The contract of a trainer's module."""

    NEEDS: tuple[str, ...]
    CHANGES_LIBRARIES: bool

    def train(self, run: RunFolder) -> Trained:
        """Do the folder's training, or go on with it."""
        ...


def trainers() -> list[str]:
    """The names of all trainers."""
    return plugins.names(__name__)


def default_trainer() -> str:
    """Unsloth on a GPU, if it is installed; plain TRL, which starts sooner, elsewhere."""
    return "unsloth" if shutil.which("nvidia-smi") and find_spec("unsloth") else "trl"


def open_trainer(name: str) -> Trainer:
    """Raises InputError that lists the trainers."""
    module: Trainer = plugins.load_plugin(__name__, name, "trainer")
    return module
