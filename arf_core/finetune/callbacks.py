"""What looks over a training's shoulder: a line for every step, a mark on every whole checkpoint,
the wish to stop, and the end where the dev loss gets no better."""

import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from arf_core.finetune.run_folder import Place, StepRow, append_line, state_now
from arf_core.finetune.training_errors import check_loss

WHOLE = ".whole"
"""Its being there means that a checkpoint was written to its end."""


class Watcher:
    """Only the first process of several writes; all of them stop together."""

    def __init__(self, place: Place, stop: list[bool], vocabulary: int) -> None:
        self.stop = stop
        """Holds True once somebody asked to stop."""
        self.stopped_early = False
        self.evaluates = False
        self.patience: int | None = None
        self._place = place
        self._vocabulary = vocabulary
        self._began = time.monotonic()
        self._before = 0.0
        self._first_step = 0
        self._last: tuple[float, float] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.monotonic()
        self._first_step = state.global_step
        self._last = (self._began, state.num_input_tokens_seen)
        if not state.is_world_process_zero:
            return
        kept = [row for row in self._place.steps() if row.step <= state.global_step]
        self._before = kept[-1].seconds if kept else 0.0
        with self._place.steps_file.open("w", encoding="utf-8") as file:
            for row in kept:
                append_line(file, row)
        self._place.tell(state_now("training", state.global_step, state.max_steps))

    def seconds(self) -> float:
        """Of training, with the earlier runs up to the checkpoint from which this one goes on."""
        return self._before + time.monotonic() - self._began

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        logs = logs or {}
        loss, eval_loss = logs.get("loss"), logs.get("eval_loss")
        if loss is None and eval_loss is None:
            return
        if loss is not None:
            gradient = _number(logs, "grad_norm")
            check_loss(float(loss), gradient, state.global_step, self._vocabulary)
        if state.is_world_process_zero:
            self._write(state, logs)

    def _write(self, state: Any, logs: dict[str, Any]) -> None:
        seconds = time.monotonic() - self._began
        done = state.global_step - self._first_step
        row = StepRow(
            step=state.global_step,
            total=state.max_steps,
            loss=_number(logs, "loss"),
            eval_loss=_number(logs, "eval_loss"),
            learning_rate=_number(logs, "learning_rate"),
            gradient_norm=_number(logs, "grad_norm"),
            tokens_per_second=self._pace(state),
            memory_gb=round(peak_memory() / 1e9, 4),
            seconds=round(self.seconds(), 3),
            seconds_left=round(seconds / done * (state.max_steps - state.global_step), 1)
            if done
            else None,
        )
        with self._place.steps_file.open("a", encoding="utf-8") as file:
            append_line(file, row)
        self._place.tell(state_now("training", state.global_step, state.max_steps))

    def _pace(self, state: Any) -> float | None:
        """Tokens a second since the line before, padding not counted."""
        moment, tokens = time.monotonic(), float(state.num_input_tokens_seen)
        before, self._last = self._last, (moment, tokens)
        if before is None or tokens <= before[1] or moment <= before[0]:
            return None
        return round((tokens - before[1]) / (moment - before[0]), 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        self.stop[0] = anywhere(self.stop[0], args.device)
        if self.stop[0] and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True
        if self.evaluates and state.global_step >= state.max_steps:
            control.should_evaluate = True  # the last weights too are among those to choose from
        return control

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Counted from the trainer's own log, which is a part of every checkpoint."""
        if self.patience is None:
            return control
        losses = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
        best = losses.index(min(losses))
        if len(losses) - 1 - best >= self.patience:
            self.stopped_early = control.should_training_stop = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            (self._place.checkpoints / f"checkpoint-{state.global_step}" / WHOLE).touch()


def anywhere(asked: bool, device: Any) -> bool:
    """Was it asked of any of the processes that train together? Stopped at different steps, they
    would wait for each other for ever."""
    import torch
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return asked
    flag = torch.tensor([float(asked)], device=device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag.item())


def watcher_of(place: Place, stop: list[bool], vocabulary: int) -> Any:
    """A Watcher as transformers takes it."""
    from transformers import TrainerCallback

    return type("WatcherCallback", (Watcher, TrainerCallback), {})(place, stop, vocabulary)


def _number(logs: dict[str, Any], key: str) -> float | None:
    return float(logs[key]) if key in logs else None


def peak_memory() -> int:
    """Bytes: the most that the card's part of this process has held, else the process itself."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def last_checkpoint(place: Place) -> Path | None:
    """The newest whole checkpoint; those that a kill left in pieces are removed on the way."""
    found = sorted(place.checkpoints.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    for checkpoint in [c for c in found if not (c / WHOLE).exists()]:
        if int(os.environ.get("RANK", "0")) == 0:
            shutil.rmtree(checkpoint, ignore_errors=True)
    whole = [c for c in found if (c / WHOLE).exists()]
    return whole[-1] if whole else None
