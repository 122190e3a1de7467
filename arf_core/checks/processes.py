"""The rules in processes of their own, for many summaries.

By joblib's loky processes, which do not run the caller's script once more, as those of
`multiprocessing` do: a script without a main guard, or a page of the app, would not survive that.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from joblib import Parallel, delayed

from arf_core.checks import Violation, violations
from arf_core.checks.transcript import Transcript, TranscriptTurn
from arf_core.errors import ArfError

T = TypeVar("T")
CHUNK = 256
_MOST_WORKERS = 8
"""More than one process can feed."""


class Task(NamedTuple):
    """A summary beside its conversation, in the plainest form, which is soon sent."""

    lines: tuple[tuple[str, str, datetime | None], ...]
    """Speaker, text and time of each turn."""
    attributes: list[str]
    text: str


def workers() -> int:
    """How many processes are worth starting on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)
    return min(os.cpu_count() or 1, _MOST_WORKERS)


def in_processes(
    items: Iterable[T], task: Callable[[T], Task], categories: tuple[str, ...], count: int
) -> Iterator[tuple[T, tuple[Violation, ...]]]:
    """Each item with its flaws, in order, read by `count` processes.

    Two chunks for each process are held, however many items there are. Raises ArfError where a
    process ends before its time.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    sent: deque[list[T]] = deque()

    def chunks() -> Iterator[Callable[[], list[tuple[Violation, ...]]]]:
        remaining = iter(items)
        while part := list(islice(remaining, CHUNK)):
            sent.append(part)
            yield delayed(_read_all)([task(item) for item in part], categories)

    pool = Parallel(n_jobs=count, return_as="generator", batch_size=1, pre_dispatch=2 * count)
    try:
        with _quietly_closed(pool(chunks())) as answers:
            for answer in answers:
                yield from zip(sent.popleft(), answer, strict=True)
    except TerminatedWorkerError as error:
        raise ArfError(
            "A process that read summaries by the rules ended before its time.",
            "If the machine ran out of memory, close other programs; then start again: what is "
            "done is kept.",
        ) from error


@contextmanager
def _quietly_closed(answers: Any) -> Iterator[Any]:
    """Closed at the end; that work is then left over is no news to whoever stopped early."""
    try:
        yield answers
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*still being processed.*cancelled")
            answers.close()


def _read_all(tasks: list[Task], categories: tuple[str, ...]) -> list[tuple[Violation, ...]]:
    return [read(task, categories) for task in tasks]


def read(task: Task, categories: tuple[str, ...]) -> tuple[Violation, ...]:
    """What the rules find in one summary."""
    lines = map(TranscriptTurn._make, task.lines)
    return tuple(violations(Transcript(lines, task.attributes), task.text, categories))
