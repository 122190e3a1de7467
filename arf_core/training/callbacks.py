"""Callbacks of the trainer: a line per step, a mark on every complete checkpoint, stopping on
request, and early stopping on the dev loss."""

import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from arf_core.training.run_folder import RunFolder, state_now, write_atomically
from arf_core.training.training_errors import check_loss
from arf_core.training.training_records import StepRow

COMPLETE = ".whole"
"""Marks a checkpoint that was written to its end."""


class TrainingCallbacks:
    """Of several processes only the first writes; all of them stop together."""

    def __init__(self, run: RunFolder, stop: list[bool], vocabulary: int) -> None:
        self.stop = stop
        """Holds True once a stop was requested."""
        self.stopped_early = False
        self.evaluates = False
        self.patience: int | None = None
        self._run = run
        self._vocabulary = vocabulary
        self._began = time.monotonic()
        self._earlier_s = 0.0
        self._first_step = 0
        self._last = (self._began, 0.0)
        """Moment and tokens seen at the last line."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.monotonic()
        self._first_step = state.global_step
        self._last = (self._began, float(state.num_input_tokens_seen))
        if not state.is_world_process_zero:
            return
        kept = [row for row in self._run.steps() if row.step <= state.global_step]
        self._earlier_s = kept[-1].seconds if kept else 0.0
        lines = "".join(row.model_dump_json() + "\n" for row in kept)
        write_atomically(self._run.steps_file, lines)
        self._run.write_state(state_now("training", state.global_step, state.max_steps))

    def seconds(self) -> float:
        """Training time, earlier runs up to the resumed checkpoint included."""
        return self._earlier_s + time.monotonic() - self._began

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        logs = logs or {}
        if "loss" in logs:
            gradient = _number(logs, "grad_norm")
            check_loss(float(logs["loss"]), gradient, state.global_step, self._vocabulary)
        if state.is_world_process_zero and logs.keys() & {"loss", "eval_loss"}:
            self._write(state, logs)

    def _write(self, state: Any, logs: dict[str, Any]) -> None:
        done = state.global_step - self._first_step
        pace_s = (time.monotonic() - self._began) / done if done else None
        row = StepRow(
            step=state.global_step,
            total=state.max_steps,
            loss=_number(logs, "loss"),
            eval_loss=_number(logs, "eval_loss"),
            learning_rate=_number(logs, "learning_rate"),
            gradient_norm=_number(logs, "grad_norm"),
            tokens_per_second=self._tokens_per_second(state),
            memory_gb=round(peak_memory() / 1e9, 4),
            seconds=round(self.seconds(), 3),
            seconds_left=pace_s and round(pace_s * (state.max_steps - state.global_step), 1),
        )
        self._run.add_step(row)
        self._run.write_state(state_now("training", state.global_step, state.max_steps))

    def _tokens_per_second(self, state: Any) -> float | None:
        """Since the last line, padding not counted."""
        moment, tokens = time.monotonic(), float(state.num_input_tokens_seen)
        (before, seen), self._last = self._last, (moment, tokens)
        if tokens <= seen or moment <= before:
            return None
        return round((tokens - seen) / (moment - before), 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        self.stop[0] = requested_anywhere(self.stop[0], args.device)
        if self.stop[0] and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True
        if self.evaluates and state.global_step >= state.max_steps:
            control.should_evaluate = True  # the last weights are candidates too
        return control

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Counts from the trainer's own log, which every checkpoint contains."""
        if self.patience is None:
            return control
        losses = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
        if len(losses) - 1 - losses.index(min(losses)) >= self.patience:
            self.stopped_early = control.should_training_stop = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            (self._run.checkpoints / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def requested_anywhere(here: bool, device: Any) -> bool:
    """Was a stop requested of any of the processes that train together? If they stopped at
    different steps, they would wait for each other forever."""
    import torch
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return here
    flag = torch.tensor([float(here)], device=device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag.item())


def training_callbacks(run: RunFolder, stop: list[bool], vocabulary: int) -> Any:
    """TrainingCallbacks as transformers takes them."""
    from transformers import TrainerCallback

    made = type("RunFolderCallback", (TrainingCallbacks, TrainerCallback), {})
    return made(run, stop, vocabulary)


def _number(logs: dict[str, Any], key: str) -> float | None:
    return float(logs[key]) if key in logs else None


def peak_memory() -> int:
    """Peak in bytes: of the GPU memory of this process, or of the process on a CPU."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def last_checkpoint(run: RunFolder) -> Path | None:
    """The newest complete checkpoint. Incomplete ones, left by a kill, are removed."""
    found = sorted(run.checkpoints.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    for checkpoint in found:
        if not (checkpoint / COMPLETE).exists() and os.environ.get("RANK", "0") == "0":
            shutil.rmtree(checkpoint, ignore_errors=True)
    return next((c for c in reversed(found) if (c / COMPLETE).exists()), None)
