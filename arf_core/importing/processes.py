"""Conversations put together by processes of their own, where there are many.

By joblib's processes, which do not run the caller's script once more.
"""

import gc
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from arf_core.errors import ArfError
from arf_core.importing.conversations import Assembled, Setup, assembled
from arf_core.importing.staging import ConversationRange, Staging

WORTH_IT = 25
"""Parts from which on starting processes, about two seconds, is won back."""
_MOST = 3
"""More than one process can store."""


def all_assembled(
    staging: Staging, setup: Setup, parts: Sequence[ConversationRange]
) -> Iterator[Assembled]:
    """Every part in order: here, or for many parts in other processes meanwhile.

    Raises ArfError where a process ends before its time.
    """
    count = min(_processors() - 1, _MOST)
    if staging.path is None or len(parts) < WORTH_IT or count < 1:
        return (assembled(staging, setup, part) for part in parts)
    return _in_processes(staging.path, staging.files, setup, parts, count)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_processes(
    path: Path, files: list[str], setup: Setup, parts: Sequence[ConversationRange], count: int
) -> Iterator[Assembled]:
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    pool = ProcessPoolExecutor(max_workers=count)
    waiting = iter(parts)
    try:
        going = deque(pool.submit(_one, path, files, setup, p) for p in islice(waiting, count + 2))
        while going:
            found = going.popleft().result()
            going.extend(pool.submit(_one, path, files, setup, p) for p in islice(waiting, 1))
            yield found
    except TerminatedWorkerError as error:
        raise ArfError(
            "A process that put conversations together ended before its time.",
            "If the machine ran out of memory, close other programs; then start again: what is "
            "stored is kept.",
        ) from error
    finally:
        pool.shutdown(kill_workers=True)


@contextmanager
def few_collections() -> Iterator[None]:
    """Rows are many small lists without cycles, which Python's collector would look through again
    and again: a quarter of the time of reading."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _one(path: Path, files: list[str], setup: Setup, part: ConversationRange) -> Assembled:
    with few_collections(), Staging.again(path, files) as staging:
        return assembled(staging, setup, part)
