"""The rules in processes of their own, for many summaries.

The workers are fresh interpreters that talk over pipes. A pool of `multiprocessing` would run the
caller's own script once more in each, which a script without a main guard, or a page of the app,
does not survive.
"""

import os
import pickle
import signal
import struct
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import IO, NamedTuple, TypeVar

from arf_core.errors import ArfError
from arf_core.proofs import Flaw, flaws
from arf_core.said import Line, Said

T = TypeVar("T")
CHUNK = 256
_MOST_WORKERS = 8
"""More than one process can feed."""
_LENGTH = struct.Struct("!Q")


class Task(NamedTuple):
    """A summary beside its conversation, in the plainest form, which is soon sent."""

    lines: tuple[tuple[str, str, datetime | None], ...]
    """Speaker, text and time of each turn."""
    attributes: list[str]
    text: str


Chunk = tuple[tuple[str, ...], list[Task]]
"""The categories to look for, and where."""


def workers() -> int:
    """How many processes are worth starting on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)
    return min(os.cpu_count() or 1, _MOST_WORKERS)


def in_processes(
    items: Iterable[T], task: Callable[[T], Task], categories: tuple[str, ...], count: int
) -> Iterator[tuple[T, tuple[Flaw, ...]]]:
    """Each item with its flaws, in order, read by `count` processes.

    Two chunks for each process are held, however many items there are. Raises ArfError where a
    process ends before its time.
    """
    running = [Worker() for _ in range(count)]
    idle = deque(running)
    waiting: deque[tuple[list[T], Future[list[tuple[Flaw, ...]]]]] = deque()
    remaining = iter(items)
    with ThreadPoolExecutor(count) as threads:
        try:
            while True:
                while len(waiting) < 2 * count and (part := list(islice(remaining, CHUNK))):
                    chunk = (categories, [task(item) for item in part])
                    waiting.append((part, threads.submit(_ask_one, idle, chunk)))
                if not waiting:
                    return
                part, answer = waiting.popleft()
                yield from zip(part, answer.result(), strict=True)
        finally:
            for worker in running:
                worker.kill()
            threads.shutdown(cancel_futures=True)
            for worker in running:
                worker.close()


def _ask_one(idle: "deque[Worker]", chunk: Chunk) -> list[tuple[Flaw, ...]]:
    """There are as many threads as workers, so that one is idle for each thread that asks."""
    worker = idle.popleft()
    try:
        return worker.ask(chunk)
    finally:
        idle.append(worker)


class Worker:
    """A process that reads chunks."""

    def __init__(self) -> None:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    def ask(self, chunk: Chunk) -> list[tuple[Flaw, ...]]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        try:
            _send(process.stdin, pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
            reply = _receive(process.stdout)
        except OSError:
            reply = None
        if reply is None:
            raise ArfError(
                f"A process that read summaries by the rules ended (code {process.poll()}).",
                "If the machine ran out of memory, close other programs; then start again: what is "
                "done is kept.",
            )
        result: list[tuple[Flaw, ...]] | str = pickle.loads(reply)  # noqa: S301 (our own process)
        if isinstance(result, str):
            raise RuntimeError(f"The rules failed:\n{result}")
        return result

    def kill(self) -> None:
        """End the process, and with it whatever waits for its reply."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not yet sent has nobody to go to
                if pipe is not None:
                    pipe.close()


def serve() -> None:
    """The worker's own loop: chunks come by standard input until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (data := _receive(source)) is not None:
        _send(sink, pickle.dumps(_read(pickle.loads(data)), pickle.HIGHEST_PROTOCOL))  # noqa: S301


def _read(chunk: Chunk) -> list[tuple[Flaw, ...]] | str:
    categories, tasks = chunk
    try:
        return [read(task, categories) for task in tasks]
    except Exception:  # noqa: BLE001 (told to the parent, which raises it)
        return traceback.format_exc()


def read(task: Task, categories: tuple[str, ...]) -> tuple[Flaw, ...]:
    lines = map(Line._make, task.lines)
    return tuple(flaws(Said(lines, task.attributes), task.text, categories))


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return data if len(data) == length else None
