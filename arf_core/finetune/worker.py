"""The process that trains: python -m arf_core.finetune.worker FOLDER [--no-export | --export]

It knows nothing but the folder, so it runs wherever the folder is: started by `arf finetune`, or by
`accelerate launch -m arf_core.finetune.worker FOLDER` on several devices. After the training the
same process goes on with what is made of the student; with `--no-export` it
ends before that, and the next call makes it.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from arf_core.errors import InputError
from arf_core.finetune.run_folder import (
    ENDS,
    STOPS,
    Place,
    TrainingState,
    locked,
    state_now,
    stops_wait,
    write_whole,
)
from arf_core.finetune.trainers import open_trainer
from arf_core.finetune.training import Stopped
from arf_core.finetune.training_errors import fault_of
from arf_core.records import now

WAIT_S = 0.5
GO_ON = "The same command goes on."
STOPPED = {
    "training": "Stopped; a checkpoint is kept.",
    "exporting": "Trained; its files are not made yet.",
}
BEFORE = "Stopped before it began."
RESERVE = 64 * 1024
"""Bytes of a file that is removed where the disk is full."""


def main(arguments: list[str]) -> int:
    """0 where it ended well or was stopped, 1 otherwise; the state says which."""
    place = Place(Path(arguments[0]).resolve())
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # TRL tells its makers of every training
    _one_gpu()
    try:
        _stops_at_once()
        return _work(place, arguments)
    except Stopped:
        state = place.last_told() or state_now("preparing")
        if state.phase not in ENDS:
            place.tell(_ended(state, "stopped", STOPPED.get(state.phase, BEFORE), GO_ON))
        # a launcher ends the others of several processes, where they do not stop together
        return 0 if _alone() or state.phase == "training" else 1


def _stops_at_once() -> None:
    """Where no step's end is worth waiting for, a signal to stop is heard at once."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped

    for number in STOPS:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def _work(place: Place, arguments: list[str]) -> int:
    if "--export" in arguments:
        return _ends_in_a_state(place, _export)
    if rank() > 0:
        return _train_along(place)
    with _own(place):
        code = _ends_in_a_state(place, _train)
        state = place.last_told()
        if code == 0 and state and state.phase == "exporting":
            if "--no-export" in arguments:
                place.tell(_ended(state, "stopped", STOPPED["exporting"], GO_ON))
            elif _libraries_are_as_they_were(place):
                code = _ends_in_a_state(place, _export)
            else:
                _become_export(place)
    return code


def rank() -> int:
    """Which of several processes this is."""
    return int(os.environ.get("RANK", "0"))


def _train_along(place: Place) -> int:
    """All but the first of several processes: that one alone keeps the files, and tells."""
    if not place.trained_file.is_file():
        with suppress(Stopped):
            open_trainer(place.job().trainer).train(place)
    return 0


def _one_gpu() -> None:
    """Of several GPUs the first, unless accelerate started this: transformers would else split each
    batch among them, slower than one. It is the one whose lock is held."""
    if "WORLD_SIZE" not in os.environ:
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
        os.environ["CUDA_VISIBLE_DEVICES"] = first


def _train(place: Place) -> None:
    if place.trained_file.is_file():
        place.tell(state_now("exporting"))
        return
    place.tell(state_now("preparing"))
    job = place.job()
    trained = open_trainer(job.trainer).train(place)
    _stops_at_once()
    write_whole(place.trained_file, trained.model_dump_json())
    place.tell(state_now("exporting", trained.steps, trained.steps))


def _export(place: Place) -> None:
    from arf_core.finetune.after import make_artifacts

    make_artifacts(place)
    shutil.rmtree(place.checkpoints, ignore_errors=True)  # several times the student's own size
    state = place.last_told() or state_now("preparing")
    place.tell(_ended(state, "done", "Done."))


def _ends_in_a_state(place: Place, work: Callable[[Place], None]) -> int:
    """Whatever happens is told in the state, and its trace stands in the log."""
    try:
        place.reserve.write_bytes(bytes(RESERVE))
        work(place)
    except Exception as error:  # noqa: BLE001 (told in the state, bugs too)
        fault = fault_of(error, trained=place.trained_file.is_file())
        place.reserve.unlink(missing_ok=True)  # on a full disk, room to say so
        traceback.print_exc()
        state = (place.last_told() or state_now("preparing")).model_copy(
            update={"reason": fault.reason}
        )
        place.tell(_ended(state, "failed", fault.message, fault.hint))
        return 1
    place.reserve.unlink(missing_ok=True)
    return 0


def _ended(state: TrainingState, phase: str, message: str, hint: str = "") -> TrainingState:
    changed = {"phase": phase, "message": message, "hint": hint, "pid": os.getpid(), "at": now()}
    return TrainingState.model_validate(state.model_dump() | changed)


def _libraries_are_as_they_were(place: Place) -> bool:
    """Not where the trainer changed them, or other processes trained along."""
    return _alone() and not open_trainer(place.job().trainer).CHANGES_LIBRARIES


def _alone() -> bool:
    return os.environ.get("WORLD_SIZE", "1") == "1"


def _become_export(place: Place) -> NoReturn:
    """A fresh program in this process, which holds its locks."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "arf_core.finetune.worker", str(place.folder), "--export"]
    with stops_wait():
        os.execv(sys.executable, command)  # noqa: S606 (our own module)


@contextmanager
def _own(place: Place) -> Iterator[None]:
    """This training to itself, and one training at a time on a device."""
    with _waiting(place.lock, place, "another process of this training"):
        device = os.environ.get("CUDA_VISIBLE_DEVICES", "0") or "cpu"
        folder = Path(os.environ.get("ARF_LOCKS", tempfile.gettempdir()))
        name = f"arf-training-{os.getuid()}-{device.replace(',', '-')}.lock"
        with _waiting(folder / name, place, "another training on this machine"):
            yield


@contextmanager
def _waiting(file: Path, place: Place, what: str) -> Iterator[None]:
    told = False
    while True:
        with locked(file) as got:
            if got:
                yield
                return
        if not told:
            place.tell(state_now("waiting", message=f"Waits for {what} to end."))
            told = True
        time.sleep(WAIT_S)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise InputError("No folder given.", "python -m arf_core.finetune.worker FOLDER")
    sys.exit(main(sys.argv[1:]))
