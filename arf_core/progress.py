"""How far a run is, told while it works: one record that a terminal or a page can show.

`project.meter` is live: a verb hangs its report into it, the calls to models count into it, and
anybody may ask for `now()` at any time, from any thread (a bar, a job's heartbeat).
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from pydantic import Field

from arf_core.records import Record, RunReport

WINDOW_S = 30.0
"""The rate is that of the last so many seconds."""


class Slots(Protocol):
    """What knows how many calls are in flight."""

    limit: int
    in_flight: int


class RunProgress(Record):
    """A run at one moment."""

    done: int
    """Items that need no more work: done now or before, failed, or waiting for a file."""
    total: int
    failed: dict[str, int] = Field(default_factory=dict)
    """Items by reason. They are tried again by the next run."""
    calls: int = 0
    cached: int = 0
    """Answers that were stored already."""
    refused: dict[str, int] = Field(default_factory=dict)
    """Calls that failed by reason, most of which are tried again at once."""
    in_flight: int = 0
    at_once: int = 0
    """Calls that may be in flight just now; it adapts to the server."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """So far, in the project's currency, as far as prices are known."""
    seconds: float = 0.0
    """Since the run began."""
    rate: float | None = None
    """Items a second of late; None before the first."""
    seconds_left: float | None = None

    def in_words(self, currency: str = "") -> str:
        """Everything but the counts, for people, on one line."""
        parts = [f"{self.rate:.3g}/s"] if self.rate else []
        if self.at_once:
            parts.append(f"{self.in_flight} in flight")
        parts += [f"{n} failed ({reason})" for reason, n in sorted(self.failed.items())]
        parts += [f"{n} calls failed ({reason})" for reason, n in sorted(self.refused.items())]
        if self.cost:
            parts.append(f"{self.cost:.4g} {currency}".strip())
        return " · ".join(parts)


class Meter:
    """The live figures of the run that goes on, or of the last one."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._begin(RunReport())

    def _begin(self, report: RunReport) -> None:
        self._report = report
        self._began = time.monotonic()
        self._ended: float | None = None
        self._marks: deque[tuple[float, int]] = deque([(self._began, report.finished)])
        self._slots: Slots | None = None
        self.calls = 0
        self.refused: Counter[str] = Counter()
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cost = 0.0

    @contextmanager
    def run(self, report: RunReport) -> Iterator[None]:
        """While a verb works on what `report` counts."""
        self._begin(report)
        try:
            yield
        finally:
            self._ended = time.monotonic()
            self._slots = None

    def watch(self, slots: Slots) -> None:
        """Calls to a model begin, in these slots."""
        self._slots = slots

    def count(self, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """A call was answered."""
        self.calls += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.cost += cost

    def now(self) -> RunProgress:
        """The run as it is at this moment."""
        report, slots = self._report, self._slots
        with self._asking:
            rate = self._rate(report.finished)
        left = max(0, report.asked - report.finished)
        return RunProgress(
            done=report.finished,
            total=report.asked,
            failed=dict(report.failed),
            calls=self.calls,
            cached=report.cached,
            refused=dict(self.refused),
            in_flight=slots.in_flight if slots else 0,
            at_once=slots.limit if slots else 0,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cost=self.cost,
            seconds=round((self._ended or time.monotonic()) - self._began, 3),
            rate=rate,
            seconds_left=left / rate if rate else None,
        )

    def _rate(self, finished: int) -> float | None:
        """Items a second over the window, which begins at the newest mark that is old enough."""
        moment = self._ended or time.monotonic()
        marks = self._marks
        if finished != marks[-1][1]:
            marks.append((moment, finished))
        while len(marks) > 1 and moment - marks[1][0] > WINDOW_S:
            marks.popleft()
        since, then = marks[0]
        gained = finished - then
        return gained / max(moment - since, 1e-3) if gained > 0 else None
