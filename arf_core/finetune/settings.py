"""What a training may be told, with defaults and the reason for each.

`presets()` names bases that people ask for; any other Llama, Qwen2 or Qwen3 works by its folder.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError

from arf_core.errors import InputError, validation_message
from arf_core.records import Record

Method = Literal["lora", "qlora", "full"]
Precision = Literal["auto", "bf16", "fp32"]
LORA_LEARNING_RATE = 2e-4
FULL_LEARNING_RATE = 2e-5
PRACTICE_LEARNING_RATE = 2e-3
TRIAL_STEPS = 30


class TrainingSettings(Record):
    """How a student is trained. None means: found out from the data or the base model."""

    method: Method = "lora"
    """`lora` in 16 bit, `qlora` on a base in 4 bit, `full` for every weight."""
    rank: Annotated[int, Field(gt=0)] = 16
    alpha: Annotated[int, Field(gt=0)] = 16
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    batch: Annotated[int, Field(gt=0)] = 2
    accumulation: Annotated[int, Field(gt=0)] = 4
    epochs: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
    steps: Annotated[int, Field(gt=0)] | None = None
    """Instead of epochs."""
    max_length: Annotated[int, Field(ge=32)] | None = None
    """Tokens of prompt and answer; None for the data's 99th percentile."""
    seed: int = 3407
    evaluate: bool = True
    """Loss on the dev split at every checkpoint, if the project has one."""
    patience: Annotated[
        Annotated[int, Field(gt=0)] | None, BeforeValidator(lambda given: given or None)
    ] = 3
    """Stop after so many checkpoints without a better dev loss, and keep the best; None or 0: go on
    to the end, and keep that."""
    checkpoint_every: Annotated[int, Field(gt=0)] | None = None
    """Steps; None for a fifth of the training."""
    precision: Precision = "auto"
    gradient_checkpointing: bool | None = None
    """None: on a GPU yes, on a CPU no."""

    @property
    def rows_a_step(self) -> int:
        """Rows that one optimiser step sees on one device."""
        return self.batch * self.accumulation


FAMILIES = ("llama", "qwen2", "qwen3")
"""Of a practice base."""
PRACTICE = TrainingSettings(
    method="full",
    batch=4,
    accumulation=1,
    epochs=12.0,
    max_length=320,
    evaluate=False,
    patience=None,
)
"""Of a practice base every weight moves, over short rows and often, until it ends its answers. It
learns by heart, so the dev split would choose its first weights."""
CLOSED_WORLD = "closed-world"
"""The base of the second example, which knows that example's language and no other."""
CLOSED_WORLD_START = TrainingSettings(
    method="full", batch=8, accumulation=1, evaluate=False, patience=None
)
"""As its students in docs/benchmarks.md are trained."""
REASONS = {
    "method": "LoRA in 16 bit learns as well as full training at this size of data and keeps the "
    "base as it is; QLoRA where the card is small; full for tiny models",
    "rank": "16 is enough for one task; 8 to 64 make little difference",
    "alpha": "equal to the rank, so that the adapter is added at its own scale",
    "learning_rate": "2e-4 for adapters, 2e-5 for full training, 2e-3 for a practice base, "
    "which is tiny",
    "warmup_share": "the first steps of an optimiser that knows no gradient yet are kept small",
    "batch": "2 rows at a time fit a small card; 4 such batches make one step of 8 rows",
    "epochs": "a second pass still helps with some hundred rows, a third begins to learn by heart",
    "max_length": "the 99th percentile of the data: one very long conversation should not set the "
    "memory for all; longer ones lose the middle of the conversation, and are counted",
    "seed": "any fixed number: the same data in the same order twice",
    "evaluate": "the dev loss is the first to show learning by heart",
    "patience": "three checkpoints without a better dev loss, and it ends, and the best one is "
    "kept; with 0 it goes on to its last step, and that is kept",
}
"""Why the defaults are what they are, by setting."""


class Shape(Record):
    """The sizes of a Llama-like model that decide its memory."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    """Width of one attention head."""
    inner: int
    """Width of the feed-forward part."""
    vocabulary: int
    tied: bool
    """Do input and output share their embeddings?"""

    @property
    def linear(self) -> int:
        """Weights of all linear layers of the blocks."""
        attention = 2 * self.width * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.width * self.inner)

    @property
    def weights(self) -> int:
        return self.linear + self.vocabulary * self.width * (1 if self.tied else 2)

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA adapter on all linear layers."""
        query, key = self.head * self.heads, self.head * self.kv_heads
        sides = 2 * (self.width + query) + 2 * (self.width + key) + 3 * (self.width + self.inner)
        return self.layers * rank * sides


class Preset(Record):
    """A base model that people ask for."""

    name: str
    base: str
    """Its id on the Hugging Face hub; a folder with a copy does as well."""
    licence: str
    why: str
    shape: Shape


def _shape(
    layers: int, width: int, heads: int, kv_heads: int, inner: int, vocabulary: int, **more: int
) -> Shape:
    head = more.get("head", width // heads)
    return Shape(
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        inner=inner,
        vocabulary=vocabulary,
        tied=bool(more.get("tied", 1)),
    )


LLAMA_31, LLAMA_32 = "Llama 3.1 Community Licence", "Llama 3.2 Community Licence"
APACHE, QWEN_RESEARCH = "Apache-2.0", "Qwen Research Licence"
PRESETS: tuple[Preset, ...] = (
    Preset(
        name="llama-3.1-8b",
        base="unsloth/Meta-Llama-3.1-8B-Instruct",
        licence=LLAMA_31,
        why="the student of the paper; 16-bit LoRA wants a card of 24 GB, --method qlora 12 GB",
        shape=_shape(32, 4096, 32, 8, 14336, 128256, tied=0),
    ),
    Preset(
        name="llama-3.2-1b",
        base="unsloth/Llama-3.2-1B-Instruct",
        licence=LLAMA_32,
        why="runs on any laptop once trained; fits a card of 8 GB",
        shape=_shape(16, 2048, 32, 8, 8192, 128256),
    ),
    Preset(
        name="llama-3.2-3b",
        base="unsloth/Llama-3.2-3B-Instruct",
        licence=LLAMA_32,
        why="between the two; a card of 12 GB",
        shape=_shape(28, 3072, 24, 8, 8192, 128256),
    ),
    Preset(
        name="qwen3-4b",
        base="unsloth/Qwen3-4B-Instruct-2507",
        licence=APACHE,
        why="added in the paper's second version; a card of 16 GB",
        shape=_shape(36, 2560, 32, 8, 9728, 151936, head=128),
    ),
    Preset(
        name="qwen2.5-0.5b",
        base="unsloth/Qwen2.5-0.5B-Instruct",
        licence=APACHE,
        why="the smallest that summarises at all; trains on a CPU in hours",
        shape=_shape(24, 896, 14, 2, 4864, 151936),
    ),
    Preset(
        name="qwen2.5-1.5b",
        base="unsloth/Qwen2.5-1.5B-Instruct",
        licence=APACHE,
        why="a card of 8 GB",
        shape=_shape(28, 1536, 12, 2, 8960, 151936),
    ),
    Preset(
        name="qwen2.5-3b",
        base="unsloth/Qwen2.5-3B-Instruct",
        licence=QWEN_RESEARCH,
        why="a card of 12 GB; its licence is for research only",
        shape=_shape(36, 2048, 16, 2, 11008, 151936),
    ),
    Preset(
        name="qwen2.5-7b",
        base="unsloth/Qwen2.5-7B-Instruct",
        licence=APACHE,
        why="as good as 8B at this task; a card of 24 GB",
        shape=_shape(28, 3584, 28, 4, 18944, 152064, tied=0),
    ),
)


def practice_family(base: str) -> str | None:
    """Of `practice` and `practice-FAMILY`; None for any other base."""
    family = FAMILIES[0] if base == "practice" else base.removeprefix("practice-")
    return family if family in FAMILIES and base.startswith("practice") else None


def starting_settings(base: str) -> TrainingSettings:
    """The defaults for a base, by its name: LoRA; for a practice base every weight, since it has
    nothing yet to keep, in many small steps, so that it learns where an answer ends."""
    if base == CLOSED_WORLD:
        return CLOSED_WORLD_START
    return PRACTICE if practice_family(base) else TrainingSettings()


def settings_with(base: str, given: Mapping[str, object]) -> TrainingSettings:
    """The defaults for a base, but for what is given; None is not given. Patience is with the dev
    loss, so who asks for some has it measured. Raises InputError for what cannot be a setting."""
    default = starting_settings(base)
    said = {name: value for name, value in given.items() if value is not None}
    if said.get("patience") and said["patience"] != default.patience:
        said["evaluate"] = True
    try:
        return TrainingSettings.model_validate(default.model_dump() | said)
    except ValidationError as error:
        raise InputError(
            f"The training cannot be set so: {validation_message(error)}",
            "Leave it out for the default, or see arf finetune --help.",
        ) from error


def preset(name: str) -> Preset | None:
    """The preset of this name or base id, if there is one."""
    return next((p for p in PRESETS if name in (p.name, p.base)), None)


def learning_rate(settings: TrainingSettings, practice: bool) -> float:
    """The one given, else the one that suits the method."""
    if settings.learning_rate is not None:
        return settings.learning_rate
    if practice:
        return PRACTICE_LEARNING_RATE
    return FULL_LEARNING_RATE if settings.method == "full" else LORA_LEARNING_RATE
