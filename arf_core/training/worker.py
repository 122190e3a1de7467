"""The process that trains: python -m arf_core.training.worker FOLDER [--no-export]

It knows nothing but the folder, so it runs wherever the folder is: started by `finetune`, or by
`accelerate launch -m arf_core.training.worker FOLDER` on several devices. After the training it
makes the student's files; with `--no-export` the next call makes them. `--locked` (the starter
holds the training's lock and passes it on) and `--export` are for this package's own use.
"""

import math
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NoReturn

from arf_core.errors import InputError
from arf_core.records import now
from arf_core.training.process import STOP_SIGNALS, signals_held
from arf_core.training.run_folder import RunFolder, locked, state_now, write_atomically
from arf_core.training.train import Stopped
from arf_core.training.trainers import open_trainer
from arf_core.training.training_errors import fault_of
from arf_core.training.training_records import FINAL, TrainingState

GO_ON = "The same command goes on."
STOPPED = {
    "training": "Stopped; a checkpoint is kept.",
    "exporting": "Trained; its files are not made yet.",
}
BEFORE = "Stopped before it began."
RESERVE = 64 * 1024
"""Bytes of a file that is removed when the disk is full, to have room for the state."""


def main(arguments: list[str]) -> int:
    """0 where it ended well or was stopped, 1 otherwise; the state says which."""
    run = RunFolder(Path(arguments[0]).resolve())
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # TRL reports every training to its makers
    _use_one_gpu()
    try:
        _stop_at_once()
        return _work(run, arguments)
    except Stopped:
        state = run.stored_state() or state_now("preparing")
        if state.phase not in FINAL:
            run.write_state(_ended(state, "stopped", STOPPED.get(state.phase, BEFORE), GO_ON))
        # a launcher ends the other processes, where they do not stop together
        return 0 if _alone() or state.phase == "training" else 1


def _stop_at_once() -> None:
    """Raise Stopped on a signal: outside of training no step is worth finishing."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped

    for number in STOP_SIGNALS:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _work(run: RunFolder, arguments: list[str]) -> int:
    if "--export" in arguments:
        return _with_state(run, _export)
    if os.environ.get("RANK", "0") != "0":
        return _train_along(run)
    other = "another process of this training"
    own_lock = nullcontext() if "--locked" in arguments else _wait_for(run.lock, run, other)
    with own_lock, _device_lock(run):
        code = _with_state(run, _train)
        state = run.stored_state()
        if code == 0 and state and state.phase == "exporting":
            if "--no-export" in arguments:
                run.write_state(_ended(state, "stopped", STOPPED["exporting"], GO_ON))
            elif _alone() and not open_trainer(run.job().trainer).CHANGES_LIBRARIES:
                code = _with_state(run, _export)
            else:
                _become_export(run)
    return code


def _train_along(run: RunFolder) -> int:
    """Every process but the first: that one alone keeps the files and writes the state."""
    if not run.trained_file.is_file():
        with suppress(Stopped):
            open_trainer(run.job().trainer).train(run)
    return 0


def _use_one_gpu() -> None:
    """Use the first of several GPUs, unless accelerate started this: transformers would split each
    batch among them, slower than on one. Its lock is the one that is held."""
    if "WORLD_SIZE" not in os.environ:
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
        os.environ["CUDA_VISIBLE_DEVICES"] = first


def _train(run: RunFolder) -> None:
    if run.trained_file.is_file():
        run.write_state(state_now("exporting"))
        return
    run.write_state(state_now("preparing"))
    trained = open_trainer(run.job().trainer).train(run)
    _stop_at_once()
    write_atomically(run.trained_file, trained.model_dump_json())
    run.write_state(state_now("exporting", trained.steps, trained.steps))


def _export(run: RunFolder) -> None:
    from arf_core.training.artifacts import make_artifacts

    make_artifacts(run)
    shutil.rmtree(run.checkpoints, ignore_errors=True)  # several times the student's own size
    run.write_state(_ended(run.stored_state() or state_now("preparing"), "done", "Done."))


def _with_state(run: RunFolder, work: Callable[[RunFolder], None]) -> int:
    """Do the work; an error ends in the state, its trace in the log."""
    try:
        run.reserve.write_bytes(bytes(RESERVE))
        work(run)
    except Exception as error:  # noqa: BLE001 (reported in the state, bugs too)
        fault = fault_of(error, trained=run.trained_file.is_file())
        run.reserve.unlink(missing_ok=True)
        traceback.print_exc()
        state = run.stored_state() or state_now("preparing")
        state = state.model_copy(update={"reason": fault.reason})
        run.write_state(_ended(state, "failed", fault.message, fault.hint or ""))
        return 1
    run.reserve.unlink(missing_ok=True)
    return 0


def _ended(state: TrainingState, phase: str, message: str, hint: str = "") -> TrainingState:
    change = {"phase": phase, "message": message, "hint": hint, "pid": os.getpid(), "at": now()}
    return state.model_copy(update=change)


def _alone() -> bool:
    return os.environ.get("WORLD_SIZE", "1") == "1"


def _become_export(run: RunFolder) -> NoReturn:
    """Make the files in a fresh program of this process, which keeps its locks: the trainer changed
    the libraries, or other processes trained along."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "arf_core.training.worker", str(run.folder), "--export"]
    with signals_held():
        os.execv(sys.executable, command)  # noqa: S606 (our own module)


@contextmanager
def _device_lock(run: RunFolder) -> Iterator[None]:
    """One training at a time on a device."""
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0") or "cpu"
    folder = Path(os.environ.get("ARF_LOCKS", tempfile.gettempdir()))
    name = f"arf-training-{os.getuid()}-{device.replace(',', '-')}.lock"
    with _wait_for(folder / name, run, "another training on this machine"):
        yield


@contextmanager
def _wait_for(file: Path, run: RunFolder, what: str) -> Iterator[None]:
    with locked(file, wait_s=0.2) as lock:
        if lock is not None:
            yield
            return
    run.write_state(state_now("waiting", message=f"Waits for {what} to end."))
    with locked(file, wait_s=math.inf):
        yield


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise InputError("No folder given.", "python -m arf_core.training.worker FOLDER")
    sys.exit(main(sys.argv[1:]))
