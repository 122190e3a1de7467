"""What came out of a training, as records that need nothing but the base packages to be read."""

from arf_core.records import Record


class GgufCheck(Record):
    """What the comparison of a GGUF file showed; only a file that passed has one."""

    texts: int
    tokens: int
    """Their ids were all equal."""
    positions: int
    """Where the logits were compared."""
    largest_difference: float
    """Of any logit."""
    spread: float
    """Between the largest and the smallest logit."""
    same_choice: float
    """Share of positions where both would choose the same next token."""


class Smoke(Record):
    """One answer of the merged model to a conversation of its own training set."""

    conversation: str
    prompt_tokens: int
    answer: str


class Artifacts(Record):
    """What came out, by path within the student's folder. None: this training makes none."""

    adapter: str | None
    merged: str
    gguf: dict[str, str]
    """By type of weights; only files that were compared with the merged model."""
    checks: dict[str, GgufCheck]
    gguf_missing: str | None = None
    """Why there is none, where there is none."""
    modelfile: str | None
    card: str
    smoke: Smoke
