"""The training itself, the same for every trainer: TRL's, on rows that were encoded here.

A trainer opens the model; training, saving and resuming are here.
"""

import math
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from arf_core.errors import InputError, in_one_line
from arf_core.training.process import STOP_SIGNALS
from arf_core.training.requirements import need_for
from arf_core.training.run_folder import RunFolder, write_atomically
from arf_core.training.settings import TrainingSettings, learning_rate
from arf_core.training.tokens import EncodedRow, prepared, with_template
from arf_core.training.training_errors import KNOWN_FAMILIES, TrainingFault, no_gpu_any_more
from arf_core.training.training_records import RowLengths, Trained, TrainingJob
from arf_core.training.training_rows import ExportRow
from arf_core.training.training_set import read_rows

ADAPTED = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""All linear layers of a block: attention alone learns less for the same rank."""
CHECKPOINTS = 5
"""Checkpoints of a training by default."""
PRIVATE_FILES = ("training_args.bin", "README.md")
"""What TRL and PEFT write beside the weights, with paths of this machine."""
LoadModel = Callable[[TrainingJob, int], Any]
"""Opens the base, with its adapter, for rows of at most this many tokens."""


class Stopped(BaseException):
    """A stop was requested; the last checkpoint, if there is one, is complete."""


def run_training(run: RunFolder, load: LoadModel, trainer_class: Any) -> Trained:
    """Train, or go on from the last checkpoint, with TRL's SFTTrainer or a subclass.

    Raises Stopped, TrainingFault, InputError where no row fits, and whatever torch raises.
    """
    from arf_core.training.callbacks import last_checkpoint, training_callbacks

    job = run.job()
    need_for(job.settings.method)
    _require_same_device(run)
    tokenizer = open_tokenizer(job.base)
    train, lengths = rows_that_fit(tokenizer, job, read_rows(run.train_file))
    dev = _dev_rows(tokenizer, run, lengths.max_length)
    if os.environ.get("RANK", "0") == "0":
        write_atomically(run.lengths_file, lengths.model_dump_json())
    model = load(job, lengths.max_length)
    callbacks = training_callbacks(run, _stop_flag(), len(tokenizer))
    callbacks.evaluates, callbacks.patience = bool(dev), job.settings.patience
    trainer = trainer_class(
        model=model,
        processing_class=tokenizer,
        callbacks=[callbacks],
        **_data(run, job, tokenizer, train, dev),
    )
    checkpoint = last_checkpoint(run)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = callbacks.seconds()
    if callbacks.stop[0] and trainer.state.global_step < trainer.state.max_steps:
        raise Stopped
    kept = run.adapter if job.settings.method != "full" else run.merged
    trainer.save_model(str(kept))
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(kept)
        for name in PRIVATE_FILES:
            (kept / name).unlink(missing_ok=True)
    return _trained(job.settings, trainer, callbacks.stopped_early, lengths, seconds)


def _require_same_device(run: RunFolder) -> None:
    """Note that there is a GPU. Raises TrainingFault where there was one, and is none now."""
    import torch

    if torch.cuda.is_available():
        run.gpu_mark.touch()
    elif run.gpu_mark.exists():
        raise no_gpu_any_more()


def rows_that_fit(
    tokenizer: Any, job: TrainingJob, rows: Sequence[ExportRow]
) -> tuple[list[EncodedRow], RowLengths]:
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


def _dev_rows(tokenizer: Any, run: RunFolder, max_length: int) -> list[EncodedRow]:
    rows = read_rows(run.dev_file) if run.dev_file.is_file() else []
    if not rows or not run.job().settings.evaluate:
        return []
    return prepared(tokenizer, rows, max_length, max_length)[0]


def open_tokenizer(base: str) -> Any:
    """The base's tokenizer with a chat template. Raises InputError where there is none, ConfigError
    for a template that cannot be used."""
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    with _reading(base):
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    return with_template(tokenizer)


def context_of(base: str) -> int:
    """The base's context length in tokens. Raises InputError where there is no base, or its
    config.json is wrong."""
    from transformers import AutoConfig

    with _reading(base):
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    context = getattr(config, "max_position_embeddings", None)
    if context is None:
        return 2048
    if not isinstance(context, int) or not 0 < context < 2**31:
        raise InputError(
            f"The base model at {base!r} reads {context!r} tokens, by its max_position_embeddings.",
            "Correct that in its config.json.",
        )
    return context


@contextmanager
def _reading(base: str) -> Iterator[None]:
    """Raises InputError for whatever transformers raises on a stranger's files."""
    try:
        yield
    except MemoryError:
        raise  # not the files' fault
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


def _stop_flag() -> list[bool]:
    """A flag that the first SIGTERM or SIGINT sets; a second one ends the process."""
    flag = [False]

    def stop(number: int, _: object) -> None:
        if flag[0]:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        flag[0] = True

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    return flag


def total_steps(settings: TrainingSettings, rows: int, devices: int = 1) -> int:
    """Optimiser steps of the whole training."""
    if settings.steps is not None:
        return settings.steps
    batches = math.ceil(rows / (settings.batch * devices))
    return math.ceil(settings.epochs * max(1, math.ceil(batches / settings.accumulation)))


def recomputes(settings: TrainingSettings) -> bool:
    """Gradient checkpointing: as set, else on a GPU."""
    import torch

    chosen = settings.gradient_checkpointing
    return bool(torch.cuda.is_available()) if chosen is None else chosen


def _data(
    run: RunFolder,
    job: TrainingJob,
    tokenizer: Any,
    train: list[EncodedRow],
    dev: list[EncodedRow],
) -> dict[str, Any]:
    """The trainer's data sets and arguments."""
    from datasets import Dataset, disable_progress_bars
    from transformers import DataCollatorForSeq2Seq
    from trl import SFTConfig

    disable_progress_bars()

    def as_set(rows: list[EncodedRow]) -> Any:
        return Dataset.from_list([{"input_ids": r.input_ids, "labels": r.labels} for r in rows])

    steps = total_steps(job.settings, len(train), int(os.environ.get("WORLD_SIZE", "1")))
    arguments = _arguments(job, steps, evaluates=bool(dev))
    return {
        "args": SFTConfig(output_dir=str(run.checkpoints), **arguments),
        "train_dataset": as_set(train),
        "eval_dataset": as_set(dev) if dev else None,
        "data_collator": DataCollatorForSeq2Seq(tokenizer, padding=True),
    }


def _arguments(job: TrainingJob, steps: int, evaluates: bool) -> dict[str, Any]:
    """The settings by TRL's names."""
    import torch

    settings, gpu = job.settings, torch.cuda.is_available()
    every = settings.checkpoint_every or max(1, math.ceil(steps / CHECKPOINTS))
    bf16 = settings.precision == "bf16" or (
        settings.precision == "auto" and gpu and torch.cuda.is_bf16_supported()
    )
    evaluation: dict[str, Any] = {"eval_strategy": "no"}
    if evaluates:
        evaluation = {
            "eval_strategy": "steps",
            "eval_steps": every,
            "load_best_model_at_end": settings.patience is not None,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
        }
    return {
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
        "gradient_checkpointing": recomputes(settings),
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would hide a loss that is not a number
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        **evaluation,
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
    stopped_early: bool,
    lengths: RowLengths,
    seconds: float,
) -> Trained:
    import torch

    from arf_core.training.callbacks import peak_memory

    history, used = trainer.state.log_history, trainer.args
    losses = [entry["loss"] for entry in history if "loss" in entry]
    if not losses:
        raise TrainingFault("bug", "No step was made.", "Give --steps of at least 1.")
    evaluated = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    found_out = {
        "learning_rate": used.learning_rate,
        "checkpoint_every": used.save_steps,
        "precision": "bf16" if used.bf16 else "fp32",
        "gradient_checkpointing": bool(used.gradient_checkpointing),
    }
    return Trained(
        steps=trainer.state.global_step,
        final_loss=float(losses[-1]),
        eval_loss=min(evaluated, default=None) if settings.patience else (evaluated or [None])[-1],
        seconds=round(seconds, 3),
        peak_memory_gb=round(peak_memory() / 1e9, 4),
        device=torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu",
        lengths=lengths,
        stopped_early=stopped_early,
        used=settings.model_copy(update=found_out),
    )
