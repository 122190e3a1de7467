"""The training itself, the same for every trainer: TRL's, on rows that we encoded.

A trainer brings the model; what it learns from, how it is watched, saved and resumed is here.
"""

import math
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, in_one_line
from arf_core.finetune.dataset import read_rows
from arf_core.finetune.export import ExportRow
from arf_core.finetune.requirements import need_for
from arf_core.finetune.run_folder import STOPS, Place, Trained, TrainingJob, write_whole
from arf_core.finetune.settings import TrainingSettings, learning_rate
from arf_core.finetune.tokens import Encoded, Lengths, prepared, with_template
from arf_core.finetune.training_errors import KNOWN_FAMILIES, TrainingFault, no_gpu_any_more

ADAPTED = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""All linear layers of a block: attention alone learns less for the same rank."""
CHECKPOINTS = 5
"""So many in a training, where nobody says otherwise."""
OURS_ALONE = ("training_args.bin", "README.md")
"""What TRL and PEFT write beside the weights, with paths of this machine."""
LoadModel = Callable[[TrainingJob, int], Any]
"""Opens the base for texts of at most so many tokens, adapter and all."""


class Stopped(BaseException):
    """Somebody asked it to stop; a checkpoint, if there is one, is whole."""


def run(place: Place, load: LoadModel, trainer_class: Any) -> Trained:
    """Train, or go on from the last checkpoint, with TRL's SFTTrainer or a child of it.

    Raises Stopped, TrainingFault, InputError where no row fits, and whatever torch raises.
    """
    from arf_core.finetune.callbacks import last_checkpoint, peak_memory, watcher_of

    job = place.job()
    need_for(job.settings.method)
    _same_kind_of_device(place)
    tokenizer = open_tokenizer(job.base)
    train, lengths = rows_that_fit(tokenizer, job, read_rows(place.train_file))
    dev, _ = prepared_dev(tokenizer, place, lengths.max_length)
    if os.environ.get("RANK", "0") == "0":
        write_whole(place.lengths_file, lengths.model_dump_json())
    model = load(job, lengths.max_length)
    watcher = watcher_of(place, _asked_to_stop(), len(tokenizer))
    watcher.evaluates, watcher.patience = bool(dev), job.settings.patience
    trainer = _trainer(place, job, model, tokenizer, train, dev, watcher, trainer_class)
    checkpoint = last_checkpoint(place)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = watcher.seconds()
    if watcher.stop[0] and trainer.state.global_step < trainer.state.max_steps:
        raise Stopped
    kept = place.adapter if job.settings.method != "full" else place.merged
    trainer.save_model(str(kept))
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(kept)
        for name in OURS_ALONE:
            (kept / name).unlink(missing_ok=True)
    return _trained(job.settings, trainer, watcher, lengths, seconds, peak_memory())


def _same_kind_of_device(place: Place) -> None:
    """Note that there is a GPU. Raises TrainingFault where there was one, and is none now."""
    import torch

    if torch.cuda.is_available():
        place.gpu_mark.touch()
    elif place.gpu_mark.exists():
        raise no_gpu_any_more()


def rows_that_fit(
    tokenizer: Any, job: TrainingJob, rows: Sequence[ExportRow]
) -> tuple[list[Encoded], Lengths]:
    """The rows as the trainer takes them. Raises InputError where no answer fits the length."""
    limit = context_of(job.base)
    kept, lengths = prepared(tokenizer, rows, job.settings.max_length, limit)
    if not kept:
        raise InputError(
            f"No answer fits {lengths.max_length} tokens, with something of its conversation.",
            "Give a larger --max-length."
            if lengths.max_length < limit
            else "The base reads no more: choose another one.",
        )
    return kept, lengths


def prepared_dev(
    tokenizer: Any, place: Place, max_length: int
) -> tuple[list[Encoded], Lengths | None]:
    """The dev rows, cut as the others; none where there are none or nobody wants them."""
    rows = read_rows(place.dev_file) if place.dev_file.is_file() else []
    if not rows or not place.job().settings.evaluate:
        return [], None
    return prepared(tokenizer, rows, max_length, max_length)


def open_tokenizer(base: str) -> Any:
    """The base's tokenizer with a chat template. Raises InputError where there is none, ConfigError
    where its template is of no use."""
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    with _reading(base):
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    return with_template(tokenizer)


def context_of(base: str) -> int:
    """The longest text that the base can read, in tokens. Raises InputError where there is no base,
    or its config.json says what cannot be."""
    from transformers import AutoConfig

    with _reading(base):
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    said = getattr(config, "max_position_embeddings", None)
    if said is None:
        return 2048
    if not isinstance(said, int) or not 0 < said < 2**31:
        raise InputError(
            f"The base model at {base!r} reads {said!r} tokens, by its max_position_embeddings.",
            "Correct that in its config.json.",
        )
    return said


@contextmanager
def _reading(base: str) -> Iterator[None]:
    """Raises InputError for whatever transformers raises at files of strangers."""
    try:
        yield
    except MemoryError:
        raise  # which is no fault of the files
    except Exception as error:
        if "custom code" in str(error):
            raise InputError(
                f"The base model at {base!r} brings code of its own, which is never run here.",
                KNOWN_FAMILIES,
            ) from error
        raise InputError(
            f"No model can be read at {base!r}: {in_one_line(error)}",
            "Give a folder in the form of transformers (config.json, tokenizer.json, weights), an "
            f"id on the Hugging Face hub, or practice. {KNOWN_FAMILIES}",
        ) from error


def _asked_to_stop() -> list[bool]:
    """A flag that the first SIGTERM or SIGINT raises; a second one ends the process."""
    flag = [False]

    def ask(number: int, _: object) -> None:
        if flag[0]:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        flag[0] = True

    for number in STOPS:
        signal.signal(number, ask)
    return flag


def total_steps(settings: TrainingSettings, rows: int, devices: int = 1) -> int:
    """Optimiser steps of the whole training."""
    if settings.steps is not None:
        return settings.steps
    batches = math.ceil(rows / (settings.batch * devices))
    return math.ceil(settings.epochs * max(1, math.ceil(batches / settings.accumulation)))


def _trainer(
    place: Place,
    job: TrainingJob,
    model: Any,
    tokenizer: Any,
    train: list[Encoded],
    dev: list[Encoded],
    watcher: Any,
    trainer_class: Any,
) -> Any:
    from datasets import Dataset, disable_progress_bars
    from transformers import DataCollatorForSeq2Seq
    from trl import SFTConfig

    disable_progress_bars()

    def as_set(rows: list[Encoded]) -> Any:
        return Dataset.from_list([{"input_ids": r.input_ids, "labels": r.labels} for r in rows])

    steps = total_steps(job.settings, len(train), int(os.environ.get("WORLD_SIZE", "1")))
    arguments = _arguments(job, place.checkpoints, steps, bool(dev))
    return trainer_class(
        model=model,
        args=SFTConfig(**arguments),
        train_dataset=as_set(train),
        eval_dataset=as_set(dev) if dev else None,
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
        callbacks=[watcher],
    )


def _arguments(job: TrainingJob, checkpoints: Path, steps: int, evaluates: bool) -> dict[str, Any]:
    """The settings in TRL's words."""
    import torch

    settings, gpu = job.settings, torch.cuda.is_available()
    every = settings.checkpoint_every or max(1, math.ceil(steps / CHECKPOINTS))
    bf16 = settings.precision == "bf16" or (
        settings.precision == "auto" and gpu and torch.cuda.is_bf16_supported()
    )
    recompute = gpu if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    return {
        "output_dir": str(checkpoints),
        "max_steps": steps,
        "per_device_train_batch_size": settings.batch,
        "per_device_eval_batch_size": settings.batch,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": learning_rate(settings, job.practice),
        "lr_scheduler_type": "linear",
        "warmup_steps": math.ceil(settings.warmup_share * steps),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": bf16,
        "fp16": False,
        "use_cpu": not gpu,
        "gradient_checkpointing": recompute,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would hide a loss that is no number
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": every,
        "load_best_model_at_end": evaluates and settings.patience is not None,
        "metric_for_best_model": "eval_loss" if evaluates else None,
        "greater_is_better": False if evaluates else None,
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "remove_unused_columns": False,
        "dataloader_pin_memory": gpu,
        "ddp_find_unused_parameters": False,  # there are none, and looking for them takes time
        "include_num_input_tokens_seen": "non_padding",
        "report_to": [],
        "disable_tqdm": True,
    }


def _trained(
    settings: TrainingSettings,
    trainer: Any,
    watcher: Any,
    lengths: Lengths,
    seconds: float,
    memory: int,
) -> Trained:
    import torch

    history = trainer.state.log_history
    losses = [entry["loss"] for entry in history if "loss" in entry]
    if not losses:
        raise TrainingFault("bug", "No step was made.", "Give --steps of at least 1.")
    evaluated = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    kept = min(evaluated, default=None) if settings.patience else (evaluated or [None])[-1]
    gpu = torch.cuda.is_available()
    return Trained(
        steps=trainer.state.global_step,
        final_loss=float(losses[-1]),
        eval_loss=kept,
        seconds=round(seconds, 3),
        peak_memory_gb=round(memory / 1e9, 4),
        device=torch.cuda.get_device_name(0) if gpu else "cpu",
        lengths=lengths,
        stopped_early=watcher.stopped_early,
        used=_used(settings, trainer.args),
    )


def _used(settings: TrainingSettings, arguments: Any) -> TrainingSettings:
    """The settings as TRL had them, with nothing left to be found out."""
    told = {
        "learning_rate": arguments.learning_rate,
        "checkpoint_every": arguments.save_steps,
        "precision": "bf16" if arguments.bf16 else "fp32",
        "gradient_checkpointing": bool(arguments.gradient_checkpointing),
    }
    return settings.model_copy(update=told)
