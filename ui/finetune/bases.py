"""Finetune: the base models on offer."""

from arf_core.training.base_models import PRESETS, preset
from arf_core.training.settings import CLOSED_WORLD, FAMILIES, practice_family

PRACTICE = "practice"
BASES = (
    PRACTICE,
    *(f"{PRACTICE}-{family}" for family in FAMILIES[1:]),
    CLOSED_WORLD,
    *(p.name for p in PRESETS),
)
OTHER = "another folder or hub id"
HELP = (
    "The practice model is tiny and made from nothing: it tries every step on any machine. The "
    "closed-world model knows only the language of that example."
)


def base_label(base: str) -> str:
    """ "Practice model", "Practice model (Qwen2)", "Llama-3.2-1B-Instruct"."""
    if base == OTHER:
        return "Other: a folder or a Hugging Face id"
    if base == CLOSED_WORLD:
        return "Closed-world model"
    family = practice_family(base)
    if family:
        return "Practice model" + ("" if base == PRACTICE else f" ({family.capitalize()})")
    known = preset(base)
    return known.base.rpartition("/")[2] if known else base
