"""Unsloth: the same training with less memory and time on one GPU; runs on a CPU as well.

Its own export to GGUF is never called: it runs package managers by itself.
"""

import os
from typing import Any

from arf_core.training.run_folder import RunFolder
from arf_core.training.training_records import Trained, TrainingJob

NEEDS: tuple[str, ...] = ("unsloth", "unsloth_zoo")
CHANGES_LIBRARIES = True


def train(run: RunFolder) -> Trained:
    """Raises the same errors as `run_training`."""
    # by default it writes compiled code into the current folder
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(run.folder / "compiled"))
    os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")
    import unsloth  # noqa: F401 (before trl and transformers, which it changes)
    from trl import SFTTrainer

    from arf_core.training.train import run_training

    return run_training(run, _load, SFTTrainer)


def _load(job: TrainingJob, max_length: int) -> Any:
    import torch
    from unsloth import FastLanguageModel

    from arf_core.training.train import ADAPTED, recomputes

    settings, gpu = job.settings, torch.cuda.is_available()
    # a base loaded in 16 bit would train all its weights in 16 bit, where small steps vanish
    whole = settings.method == "full"
    model, _ = FastLanguageModel.from_pretrained(
        job.base,
        max_seq_length=max_length,
        dtype=None if gpu else torch.float32,
        load_in_4bit=settings.method == "qlora",
        full_finetuning=whole,
        **({"float32_mixed_precision": True} if gpu and whole else {}),
    )
    if whole:
        return model
    recompute = recomputes(settings)
    return FastLanguageModel.get_peft_model(
        model,
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=ADAPTED,
        use_gradient_checkpointing="unsloth" if recompute and gpu else recompute,
        random_state=settings.seed,
    )
