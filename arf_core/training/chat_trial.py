"""A check that a base model's chat template ends. It is a program by strangers: a loop within a
loop could hold the process forever, a product of texts could fill the memory."""

import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arf_core.errors import ConfigError
from arf_core.models.chat_template import CORRECT

SECONDS, BYTES, CHARACTERS = 2.0, 2**30, 10**6
"""CPU time, memory and text allowed: a thousand times what a short chat takes."""
SHORT_CHAT = [{"role": role, "content": "."} for role in ("system", "user", "assistant")]


class OutOfTime(BaseException):
    """No Exception, for Jinja catches those while it folds constants."""


def refuse_endless(tokenizer: Any) -> None:
    """Raises ConfigError for a chat template that does not end with a short chat.

    Other errors of the template are left to its next use, which reports them.
    """
    try:
        with _limited():
            for chat, asks in ((SHORT_CHAT[:-1], True), (SHORT_CHAT, False)):
                text = tokenizer.apply_chat_template(
                    chat, tokenize=False, add_generation_prompt=asks
                )
                if len(text) > CHARACTERS:
                    raise MemoryError
    except (OutOfTime, MemoryError) as error:
        raise ConfigError(
            "The base model's chat template comes to no end: a short chat takes it more than "
            f"{SECONDS:.0f} s, {BYTES // 2**30} GB or {CHARACTERS:,} characters.",
            CORRECT,
        ) from error
    except Exception:  # noqa: BLE001, S110 (it ended)
        pass


@contextmanager
def _limited() -> Iterator[None]:
    """Raises OutOfTime or MemoryError where the body takes too much.

    Python runs signal handlers, and so the limit of time, on the main thread only.
    """

    def end(*_: object) -> None:
        raise OutOfTime

    on_main_thread = threading.current_thread() is threading.main_thread()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limits = [n for n in (used + BYTES, soft, hard) if n != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    if on_main_thread:
        before = signal.signal(signal.SIGVTALRM, end)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        if on_main_thread:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
