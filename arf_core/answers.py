"""What comes back for one item from anything that judges or writes: a value, or why not."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from arf_core.errors import FailureReason
from arf_core.records import RunReport

I = TypeVar("I")  # noqa: E741 (the item that was asked about)
T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """Why there is no value, with what the model said."""

    reason: FailureReason
    message: str
    raw: str | None = None


@dataclass
class Usage:
    """What one answer took."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In the project's currency; 0 where the price is not known."""

    def count(self, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """Add a call that was answered."""
        self.calls += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.cost += cost


@dataclass
class Answer(Generic[I, T]):
    """The value, or the failure, or neither while a reply is awaited by file."""

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


BATCH = 200
BATCH_SECONDS = 1.0


def in_batches(answers: Iterable[Answer[I, T]]) -> Iterator[list[Answer[I, T]]]:
    """Answers in small batches, each worth one write: of 200, or of what came within a second.

    What has come is handed on even when the source then fails.
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
