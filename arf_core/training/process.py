"""The process of a training: started, followed, stopped.

It stays apart from the process of the caller, be that a job, for four reasons: Unsloth must be
imported before the other libraries, and changes them; threads and devices are chosen before torch
is loaded; a call from a notebook gives the GPU's memory back; and a training survives the end of
the terminal that started it. Its lock is the one sign that it runs (see `run_folder`).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arf_core.run import PhaseProgress
from arf_core.training.run_folder import RunFolder, locked, state_now
from arf_core.training.training_records import FINAL, TrainingJob

POLL_S = 0.2
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_to_end(run: RunFolder, progress: PhaseProgress | None) -> None:
    """Start the training unless it runs, and wait for its end. An interruption stops it first."""
    process = None
    try:
        with locked(run.lock, wait_s=POLL_S) as lock:
            if lock is not None:
                with signals_held():
                    process = _start(run, lock)
        while run.is_running():
            _report(run, progress)
            time.sleep(POLL_S)
    except BaseException:
        stop(run)
        while run.is_running():
            time.sleep(POLL_S)
        raise
    finally:
        if process is not None:
            process.wait()
    _report(run, progress)


def _start(run: RunFolder, lock: int) -> "subprocess.Popen[bytes]":
    """The process that trains, in a session of its own, so that it outlives a terminal."""
    with run.log_file.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            [
                sys.executable,
                "-m",
                "arf_core.training.worker",
                str(run.folder.resolve()),
                "--locked",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
            env=_environment(run.job()),
            cwd=run.folder,
        )
    run.write_state(state_now("preparing").model_copy(update={"pid": process.pid}))
    return process


def _environment(job: TrainingJob) -> dict[str, str]:
    # threads that wait by spinning starve whoever shares the cores, and a tiny model gains nothing
    # from a second one
    quiet = {"TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}
    if Path(job.base).is_dir():
        quiet["HF_HUB_OFFLINE"] = "1"  # nothing has to be fetched, so the hub is not contacted
    if job.practice:
        quiet["OMP_NUM_THREADS"] = "1"
    return quiet | os.environ


def _report(run: RunFolder, progress: PhaseProgress | None) -> None:
    state = run.stored_state()
    if progress and state is not None:
        progress(state.message or state.phase, state.step, state.total)


def stop(run: RunFolder) -> None:
    """Ask a training to stop with a checkpoint."""
    state = run.stored_state()
    if state is not None and state.phase not in FINAL and state.pid and run.is_running():
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.pid, signal.SIGTERM)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold back the signals to stop; a program started meanwhile receives them once it is ready."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
