"""Settings of `finetune`: what a user asks for, and the training settings that follow from it."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from arf_core.errors import InputError, validation_message
from arf_core.records import Record
from arf_core.run import Flag, VerbSettings
from arf_core.training.training_set import Choice

Method = Literal["lora", "qlora", "full"]
Precision = Literal["auto", "bf16", "fp32"]
GgufType = Literal["f16", "q8_0"]
Positive = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LORA_LEARNING_RATE = 2e-4
FULL_LEARNING_RATE = 2e-5
PRACTICE_LEARNING_RATE = 2e-3
TRIAL_STEPS = 30


class TrainingSettings(Record):
    """The settings of one training, with the defaults for a base with nothing special."""

    method: Method = "lora"
    rank: Positive = 16
    alpha: Positive = 16
    learning_rate: PositiveFloat | None = None
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    batch: Positive = 2
    accumulation: Positive = 4
    epochs: PositiveFloat = 2.0
    steps: Positive | None = None
    max_length: Annotated[int, Field(ge=32)] | None = None
    seed: int = 3407
    evaluate: bool = True
    patience: Annotated[Positive | None, BeforeValidator(lambda given: given or None)] = 3
    checkpoint_every: Positive | None = None
    precision: Precision = "auto"
    gradient_checkpointing: bool | None = None

    @property
    def rows_a_step(self) -> int:
        """Rows per optimiser step on one device."""
        return self.batch * self.accumulation


class FinetuneSettings(VerbSettings):
    """Train a student on a system's summaries.

    Training options that are None take the default for the base.
    """

    verb: ClassVar[str] = "finetune"

    system: Annotated[str, Flag("--system", explicit=True)] = "r1"
    """System whose summaries the student learns from."""
    base: Annotated[str, Flag("--base", explicit=True)] = "practice"
    """Base model: a folder, a preset (--bases), a hub id, practice (a tiny model made from
    nothing), or closed-world (the small model of that example)."""
    trainer: Annotated[str | None, Flag("--trainer", explicit=True)] = None
    """unsloth (default on a GPU), or trl (default without one)."""
    into: Annotated[str | None, Flag("--into", explicit=True)] = None
    """Name of the student. Default: student-SYSTEM."""
    trial: bool = False
    """Train 30 steps only, to see whether it runs."""
    steps: Positive | None = None
    """Optimiser steps, instead of epochs."""
    method: Method | None = None
    """lora (16 bit), qlora (4-bit base, for a small GPU), or full. Default: lora, which learns as
    well as full training on this much data; full for practice."""
    rank: Positive | None = None
    """LoRA rank. Default: 16, enough for one task; 8 to 64 make little difference."""
    alpha: Annotated[Positive | None, Flag(None)] = None
    """LoRA alpha. Default: the rank, so that the adapter is added at its own scale."""
    learning_rate: PositiveFloat | None = None
    """Peak learning rate. Default: 2e-4 for adapters, 2e-5 for full training, 2e-3 for practice."""
    warmup_share: Annotated[float | None, Flag(None)] = None
    """Share of the steps in which the learning rate rises. Default: 0.05, since the optimiser's
    first gradient estimates are poor."""
    batch: Positive | None = None
    """Rows per batch. Default: 2, which fits a small GPU."""
    accumulation: Positive | None = None
    """Batches per step. Default: 4, so that a step has 8 rows."""
    epochs: PositiveFloat | None = None
    """Passes over the rows. Default: 2; a second pass still helps, a third begins to memorise."""
    max_length: Annotated[int, Field(ge=32)] | None = None
    """Longest row in tokens; longer ones lose the middle of the conversation. Default: the data's
    99th percentile, so that one very long conversation does not set the memory for all."""
    seed: int | None = None
    """Seed of the row order and the adapter. Default: 3407."""
    evaluate: Annotated[bool | None, Flag(None)] = None
    """Measure the loss on the dev split at every checkpoint; it shows memorising first."""
    checkpoint_every: Positive | None = None
    """Steps between checkpoints. Default: a fifth of the training."""
    patience: Annotated[int, Field(ge=0)] | None = None
    """Stop after this many checkpoints without a better dev loss and keep the best one; 0 trains
    to the end and keeps the last. Default: 3."""
    precision: Annotated[Precision | None, Flag(None)] = None
    """bf16 or fp32. Default: bf16 on a GPU that has it."""
    gradient_checkpointing: Annotated[bool | None, Flag(None)] = None
    """Recompute activations to save memory. Default: on a GPU."""
    rows: Choice | None = None
    """all rows, or good rows only. Default: good for a revision, all for other systems."""
    match: tuple[str, ...] = ()
    """Cut the set to the size of the smallest of these: teacher, teacher:good ..."""
    gguf: bool = True
    """Write GGUF files."""
    gguf_types: Annotated[tuple[GgufType, ...], Flag(None)] = ("f16", "q8_0")
    """Weight types of the GGUF files."""
    fresh: bool = False
    """Replace an earlier student of this name."""

    @model_validator(mode="before")
    @classmethod
    def _stored_by_older_versions(cls, data: Any) -> Any:
        """Accept the job rows of older versions, `{"wanted": ...}`."""
        return _converted(data["wanted"]) if isinstance(data, dict) and "wanted" in data else data

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.trial and self.steps:
            raise ValueError("--trial and --steps are both given; give one of them")
        return self

    @property
    def student(self) -> str:
        """Name of the student."""
        return f"student-{self.system}" if self.into is None else self.into

    def training(self) -> TrainingSettings:
        """The training settings: the defaults for the base, with what is given here on top.

        Raises InputError for values that do not fit together.
        """
        default = starting_settings(self.base)
        options = {name: getattr(self, name) for name in TrainingSettings.model_fields}
        given = {name: value for name, value in options.items() if value is not None}
        if self.trial:
            given["steps"] = TRIAL_STEPS
        if "rank" in given:
            given.setdefault("alpha", given["rank"])
        if given.get("patience") and given["patience"] != default.patience:
            given.setdefault("evaluate", True)  # patience needs the dev loss
        try:
            return TrainingSettings.model_validate(default.model_dump() | given)
        except ValidationError as error:
            raise InputError(
                f"These training settings do not fit: {validation_message(error)}",
                "Leave the option out for its default; see arf finetune --help.",
            ) from error


OLD_FIELDS = ("system", "base", "into", "trainer", "settings", "choice", "match", "gguf")


def _converted(stored: Any) -> dict[str, Any]:
    """The fields of a request that an older version stored, as a list or a mapping."""
    old = dict(stored) if isinstance(stored, dict) else dict(zip(OLD_FIELDS, stored, strict=False))
    training = old.get("settings")
    return {
        **{name: old[name] for name in ("system", "base", "into")},
        **(
            training_options(old["base"], TrainingSettings.model_validate(training))
            if training
            else {}
        ),
        "trainer": old.get("trainer", "unsloth"),
        "rows": old.get("choice"),
        "match": [system + (f":{rows}" if rows else "") for system, rows in old.get("match", ())],
        "gguf": bool(old.get("gguf", True)),
    }


def training_options(base: str, training: TrainingSettings) -> dict[str, Any]:
    """The options of `FinetuneSettings` that give these training settings on this base."""
    default = starting_settings(base)
    options = {name: v for name, v in training if v != getattr(default, name)}
    if training.patience is None and default.patience is not None:
        options["patience"] = 0
    # off the command line, where they follow from the rank and the patience
    return options | {"alpha": training.alpha, "evaluate": training.evaluate}


REASONS = {
    name: field.description or ""
    for name, field in FinetuneSettings.model_fields.items()
    if name in TrainingSettings.model_fields
}
"""What each training option does, and why its default is what it is."""
FAMILIES = ("llama", "qwen2", "qwen3")
"""Model families of a practice base."""
PRACTICE = TrainingSettings(
    method="full",
    batch=4,
    accumulation=1,
    epochs=12.0,
    max_length=320,
    evaluate=False,
    patience=None,
)
"""A practice base trains every weight, on short rows and often, until its answers end. It learns
by heart, so the dev loss would pick its first weights."""
CLOSED_WORLD = "closed-world"
"""The base of the second example; it knows that example's language only."""
CLOSED_WORLD_START = TrainingSettings(
    method="full", batch=8, accumulation=1, evaluate=False, patience=None
)
"""How the students in docs/benchmarks.md were trained."""


def practice_family(base: str) -> str | None:
    """The family of `practice` or `practice-FAMILY`; None for any other base."""
    family = FAMILIES[0] if base == "practice" else base.removeprefix("practice-")
    return family if family in FAMILIES and base.startswith("practice") else None


def starting_settings(base: str) -> TrainingSettings:
    """The default training settings for a base, by its name."""
    if base == CLOSED_WORLD:
        return CLOSED_WORLD_START
    return PRACTICE if practice_family(base) else TrainingSettings()


def learning_rate(settings: TrainingSettings, practice: bool) -> float:
    """The given learning rate, or the default for the method."""
    if settings.learning_rate is not None:
        return settings.learning_rate
    if practice:
        return PRACTICE_LEARNING_RATE
    return FULL_LEARNING_RATE if settings.method == "full" else LORA_LEARNING_RATE
