"""What comes back for one item from anything that judges or writes: a value, or why not."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

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
        if self.failure:
            report.failed[self.failure.reason] += 1
        elif self.pending:
            report.pending += 1
        else:
            report.done += 1


AnyAnswer = Answer[Any, Any]
