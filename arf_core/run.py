"""What every verb shares: its settings, the answers that come back for its items, live progress."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from arf_core.errors import FailureReason, InputError, validation_message
from arf_core.records import Record, RunReport, digest

if TYPE_CHECKING:
    from arf_core.project import Project

Progress = Callable[[int, int], None]
"""Called with the items that are finished and their total."""
PhaseProgress = Callable[[str, int, int], None]
"""Called with the phase, the items finished in it and their total (0 where it is unknown)."""


class Flag(NamedTuple):
    """How a settings field stands on the command line."""

    name: str | None
    """None keeps the field off the command line."""
    explicit: bool = False
    """Write it in commands even where it has its default."""
    commas: bool = False
    """For a tuple: one word with commas; `none` is the empty tuple."""


class VerbSettings(Record):
    """What a verb is asked to do. The docstring of each field is its help on the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    verb: ClassVar[str]

    @classmethod
    def of(cls, settings: Self | None, values: Mapping[str, object]) -> Self:
        """`settings` with `values` on top, so that a verb takes a record or keywords alike.

        Raises InputError that lists every value that does not fit.
        """
        if settings is not None and not values:
            return settings
        given = (
            {} if settings is None else {name: getattr(settings, name) for name in cls.model_fields}
        )
        try:
            return cls.model_validate({**given, **values})
        except ValidationError as error:
            raise InputError(
                f"These settings of {cls.verb} do not fit: {validation_message(error)}",
                f"Settings are: {', '.join(cls.model_fields)}.",
            ) from error


I = TypeVar("I")  # noqa: E741 (the item that was asked about)
T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """Why there is no value, with the model's raw reply."""

    reason: FailureReason
    message: str
    raw: str | None = None


@dataclass
class Usage:
    """Calls, tokens and cost of one answer."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In the project's currency; 0 where the price is not known."""

    def count(self, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """Count one answered call."""
        self.calls += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.cost += cost


@dataclass
class Answer(Generic[I, T]):
    """A value, a failure, or neither while the reply is awaited by file."""

    item: I
    value: T | None = None
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def pending(self) -> bool:
        return self.value is None and self.failure is None

    def count_in(self, report: RunReport) -> None:
        """Add this answer to a report."""
        report.calls += self.usage.calls
        report.cached += self.usage.cached
        report.prompt_tokens += self.usage.prompt_tokens
        report.completion_tokens += self.usage.completion_tokens
        report.cost += self.usage.cost
        if self.failure:
            report.failed[self.failure.reason] += 1
        elif self.pending:
            report.pending += 1
        else:
            report.done += 1


def run(
    project: "Project",
    settings: VerbSettings,
    report: RunReport,
    answers: Iterable[Answer[I, T]],
    keep: Callable[[list[Answer[I, T]]], None],
    notes: Callable[[], list[str]],
    progress: Progress | None = None,
) -> RunReport:
    """The loop of every verb: store answers in batches, count them, report progress.

    `keep` stores a batch, without answers that wait for a reply by file. The settings are stored
    too. Answers that came before an error are kept.
    """
    started = time.monotonic()
    content = settings.model_dump_json()
    project.store.keep_version(settings.verb, content, digest(settings.verb, content))
    with project.meter.run(report):
        for batch in in_batches(answers):
            keep([a for a in batch if not a.pending])
            for answer in batch:
                answer.count_in(report)
            if progress:
                progress(report.finished, report.asked)
    report.notes += notes()
    report.seconds = round(time.monotonic() - started, 3)
    return report


BATCH = 200
BATCH_SECONDS = 1.0


def in_batches(answers: Iterable[Answer[I, T]]) -> Iterator[list[Answer[I, T]]]:
    """Answers in batches of one write each: 200 answers, or those of one second.

    When the source raises, the answers it gave before are yielded first.
    """
    batch: list[Answer[I, T]] = []
    begun = time.monotonic()
    try:
        for answer in answers:
            batch.append(answer)
            if len(batch) >= BATCH or time.monotonic() - begun > BATCH_SECONDS:
                yield batch
                batch, begun = [], time.monotonic()
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


WINDOW_S = 30.0  # of the rate


class Slots(Protocol):
    """Counts the calls in flight."""

    limit: int
    in_flight: int


class RunProgress(Record):
    """Progress of a run at one moment."""

    done: int
    """Finished items: done now or before, failed, or waiting for a reply by file."""
    total: int
    failed: dict[str, int] = Field(default_factory=dict)
    """Failed items by reason. The next run tries them again."""
    calls: int = 0
    cached: int = 0
    """Answers taken from the cache."""
    refused: dict[str, int] = Field(default_factory=dict)
    """Failed calls by reason. Most are retried at once."""
    in_flight: int = 0
    at_once: int = 0
    """Current concurrency limit; it adapts to the server."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """So far, in the project's currency, as far as prices are known."""
    seconds: float = 0.0
    """Since the run began."""
    rate: float | None = None
    """Recent items per second; None before the first."""
    seconds_left: float | None = None

    def in_words(self, currency: str = "") -> str:
        """All but the counts, on one line."""
        parts = [f"{self.rate:.3g}/s"] if self.rate else []
        if self.at_once:
            parts.append(f"{self.in_flight} in flight")
        parts += [f"{n} failed ({reason})" for reason, n in sorted(self.failed.items())]
        parts += [f"{n} calls failed ({reason})" for reason, n in sorted(self.refused.items())]
        if self.cost:
            parts.append(f"{self.cost:.4g} {currency}".strip())
        return " · ".join(parts)


class Meter:
    """Live figures of the current run, or of the last one.

    The loop and the calls to models count into it. `now()` may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = Lock()
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
        """Meter the work that `report` counts."""
        self._begin(report)
        try:
            yield
        finally:
            self._ended = time.monotonic()
            self._slots = None

    def watch(self, slots: Slots) -> None:
        """Show these slots' calls in flight."""
        self._slots = slots

    def count(self, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """Count one answered call."""
        self.calls += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.cost += cost

    def now(self) -> RunProgress:
        """Progress at this moment."""
        report, slots = self._report, self._slots
        with self._lock:
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
        """Items per second over the window, which begins at the newest mark that is old enough."""
        moment = self._ended or time.monotonic()
        marks = self._marks
        if finished != marks[-1][1]:
            marks.append((moment, finished))
        while len(marks) > 1 and moment - marks[1][0] > WINDOW_S:
            marks.popleft()
        since, then = marks[0]
        gained = finished - then
        return gained / max(moment - since, 1e-3) if gained > 0 else None
