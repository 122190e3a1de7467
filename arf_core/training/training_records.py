"""The records of a training. They need nothing but the base packages to be read."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from arf_core.records import Record
from arf_core.training.settings import TrainingSettings
from arf_core.training.training_set import Choice

Phase = Literal["waiting", "preparing", "training", "exporting", "stopped", "failed", "done"]
"""`waiting` for the device; the last three are final."""
FINAL: tuple[Phase, ...] = ("stopped", "failed", "done")
EndReason = Literal[
    "out_of_memory", "full_disk", "diverged", "lost_gpu", "killed", "unusable", "bug"
]


class TrainingJob(Record):
    """Everything that decides the result of a training."""

    name: str
    system: str
    choice: Choice
    base: str
    """A folder, or an id on the Hugging Face hub."""
    licence: str
    """The base model's licence."""
    practice: bool
    """The base is a practice base, so the student is for practice only."""
    trainer: str
    settings: TrainingSettings
    rows: int
    dev_rows: int
    fingerprint: str
    """Of the training set."""
    matched_with: tuple[str, ...] = ()
    gguf: tuple[str, ...] = ("f16", "q8_0")

    @property
    def base_name(self) -> str:
        """The base for display: a practice base without its folder."""
        return Path(self.base).name if self.practice else self.base


class TrainingState(Record):
    """How far a training is, or how it ended."""

    phase: Phase
    step: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""
    reason: EndReason | None = None
    pid: int = 0
    at: datetime


class StepRow(Record):
    """One optimiser step."""

    step: int
    total: int
    loss: float | None = None
    """Mean over the step's rows, answers only."""
    eval_loss: float | None = None
    """On the dev split, at a checkpoint."""
    learning_rate: float | None = None
    gradient_norm: float | None = None
    tokens_per_second: float | None = None
    memory_gb: float = 0.0
    """Peak so far: of the GPU, or of the process on a CPU."""
    seconds: float = 0.0
    """Training time so far, earlier runs included."""
    seconds_left: float | None = None


class RowLengths(Record):
    """How long the rows are, in tokens, and what did not fit."""

    rows: int
    median: int
    p99: int
    longest: int
    max_length: int
    """Longer rows are cut to this."""
    truncated: int
    """Rows that lost the middle of their conversation."""
    too_long: int
    """Rows left out because their answer alone does not fit."""
    learned_share: float
    """Share of all tokens that count in the loss."""


class Trained(Record):
    """The outcome of a training."""

    steps: int
    final_loss: float
    """Of the last step."""
    eval_loss: float | None
    """On the dev split, of the weights that were kept: the best, or the last without patience."""
    seconds: float
    """Training time, all runs together."""
    peak_memory_gb: float
    device: str
    lengths: RowLengths
    stopped_early: bool = False
    used: TrainingSettings | None = None
    """The settings with every default filled in; None in older files."""


class GgufCheck(Record):
    """How a GGUF file compares with the merged model; only files that passed have one."""

    texts: int
    tokens: int
    """All token ids were equal."""
    positions: int
    """Positions at which logits were compared."""
    largest_difference: float
    """Of any logit."""
    spread: float
    """Between the largest and the smallest logit."""
    same_choice: float
    """Share of positions at which both models rank the same token first."""


class Smoke(Record):
    """One answer of the merged model to a conversation of its own training set."""

    conversation: str
    prompt_tokens: int
    answer: str


class Artifacts(Record):
    """The student's files, by path within its folder; None where the training makes none."""

    adapter: str | None
    merged: str
    gguf: dict[str, str]
    """By weight type; only files that passed the comparison."""
    checks: dict[str, GgufCheck]
    gguf_missing: str | None = None
    """Why a GGUF file is missing."""
    modelfile: str | None
    card: str
    smoke: Smoke
