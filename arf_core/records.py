"""The frozen records that everything else passes around.

Whoever writes summaries is a *system*: teacher, revision round, student, human reference. A
*detector* reads a summary; its complete reading is an `Analysis`, possibly without findings. A
person is a detector too (`person:anna`).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from arf_core.errors import FailureReason

Scalar = str | int | float | bool | None
Split = Literal["train", "dev", "test"]
SystemKind = Literal["teacher", "reference", "revision", "rewrite", "reviewed", "student"]
CheckResult = Literal["fixed", "not_fixed", "new_error", "unchecked"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


def digest(*parts: str) -> str:
    """80-bit hash of the parts, as 20 hex characters. Order and boundaries of the parts count."""
    h = hashlib.blake2b(digest_size=10)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()


def now() -> datetime:
    """The current time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


class Record(BaseModel):
    """A frozen row. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(Record):
    """One message of a conversation."""

    speaker: str
    """`customer`, `agent` or `bot` where that is known, else the file's own name."""
    text: str
    at: datetime | None = None


def fingerprint_of(turns: Sequence[Turn]) -> str:
    """Hash of who said what, in order."""
    return digest(*(part for turn in turns for part in (turn.speaker, turn.text)))


class Conversation(Record):
    """A whole conversation. The split is decided once, by conversation, and never moves."""

    id: str
    """Hash of the source and the file's own id."""
    external_id: str
    source: str
    fingerprint: str
    """Hash of the content: equal for two conversations with the same turns."""
    turns: tuple[Turn, ...]
    split: Split
    attributes: dict[str, Scalar] = {}


class System(Record):
    """Whoever wrote a set of summaries."""

    name: str
    kind: SystemKind
    parent: str | None = None
    model: str | None = None
    settings_hash: str = ""


class Summary(Record):
    """One per (conversation, system)."""

    id: str
    conversation_id: str
    system: str
    text: str
    parent_id: str | None = None
    """The summary that this one was made from by revision."""

    @classmethod
    def of(
        cls, conversation_id: str, system: str, text: str, parent_id: str | None = None
    ) -> "Summary":
        """A summary whose id is the hash of its content."""
        return cls(
            id=digest(conversation_id, system, text),
            conversation_id=conversation_id,
            system=system,
            text=text,
            parent_id=parent_id,
        )


class Analysis(Record):
    """A detector's complete reading of one summary, or its failure."""

    id: str
    summary_id: str
    detector: str
    settings_hash: str
    taxonomy_hash: str
    status: Literal["done", "failed"]
    reason: FailureReason | None = None
    raw: str | None = None
    """The model's reply, where it could not be used."""
    at: datetime


class Finding(Record):
    """One error in one summary, as one detector sees it.

    Detectors leave `id` and `analysis_id` empty; `analyze` sets them.
    """

    id: str = ""
    analysis_id: str = ""
    category: str
    quote: str | None = None
    start: int | None = None
    """Offset in characters of the summary; None for an omission."""
    end: int | None = None
    evidence: tuple[int, ...] = ()
    """Indexes of the conversation's turns, from 0."""
    explanation: str
    confidence: float | None = None

    @property
    def content(self) -> str:
        """The finding without its ids, as JSON."""
        return json.dumps([self.category, self.quote, self.evidence, self.explanation])


class Fact(Record):
    """Something in the conversation that a summary should hold."""

    conversation_id: str
    kind: str
    text: str
    evidence: tuple[int, ...] = ()


class Edit(Record):
    """Replace characters [start, end) of the parent summary by `text`."""

    summary_id: str
    """The revised summary."""
    finding_id: str | None
    """The finding it answers; None in an untargeted rewrite."""
    start: int
    end: int
    text: str


class Revision(Record):
    """How a revised summary was made; `change` is the share of words it changed."""

    summary_id: str
    editor: str
    settings_hash: str
    status: Literal["edited", "unchanged", "failed"]
    findings: tuple[str, ...] = ()
    """Ids of the parent's findings to answer."""
    reason: FailureReason | None = None
    raw: str | None = None
    change: float = 0.0
    flagged: bool = False
    """More was changed than the findings ask for."""
    at: datetime


class Check(Record):
    """A verifier's answer on a finding of the parent, or of the revised summary (`new_error`)."""

    summary_id: str
    finding_id: str | None
    verifier: str
    result: CheckResult
    reason: str = ""


class Score(Record):
    """A judge's measure of one summary, or of a pair."""

    kind: str
    subjects: tuple[str, ...]
    judge: str
    order: int
    repeat: int
    value: float | None
    reason: str


Action = Literal["accept", "reject", "reword", "open"]
StepKind = Literal["accept", "reject", "reword", "accept_verified", "undo"]


class Decision(Record):
    """A person's decision on a revised summary. The newest by anyone counts."""

    summary_id: str
    annotator: str
    action: Action
    """`open` takes back a decision."""
    text: str | None = None
    """The parent's text after a rejection, the person's own after a reword."""
    step: str = ""
    """Id of its step."""
    at: datetime


class Step(Record):
    """Decisions that a reviewer made, and can undo, at once."""

    id: str
    system: str
    """The revision round."""
    annotator: str
    kind: StepKind
    summaries: int
    undoes: str | None = None  # the id of another step
    undone: bool = False
    at: datetime


class Episode(Record):
    """A dialogue between a guided agent and a simulated customer."""

    id: str
    scenario_id: str
    system: str
    customer: str
    seed: int
    turns: tuple[Turn, ...]
    outcome: str


class RunReport(BaseModel):
    """What a run did: `asked` = `skipped` + `done` + `pending` + `failed`, unless it stopped.

    `pending` items wait for replies by file.
    """

    asked: int = 0
    skipped: int = 0
    """Done by an earlier run with the same settings."""
    done: int = 0
    pending: int = 0
    failed: Counter[str] = Field(default_factory=Counter)
    calls: int = 0
    """Requests that were sent to a model."""
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In the project's currency, as far as prices are known."""
    seconds: float = 0.0
    notes: list[str] = Field(default_factory=list)

    @property
    def finished(self) -> int:
        """Items that need no more work in this run."""
        return self.skipped + self.done + self.pending + sum(self.failed.values())

    def in_words(self) -> str:
        """The counts on one line."""
        counts = ((self.skipped, "done before"), (self.pending, "waiting for replies by file"))
        failed = [(n, f"failed ({reason})") for reason, n in self.failed.most_common()]
        more = [f"{n:,} {what}" for n, what in (*counts, *failed) if n]
        return ", ".join([f"{self.done:,} done", *more])


class Item(Record):
    """A summary with its conversation: what detectors, editors and verifiers read."""

    conversation: Conversation
    summary: Summary


class Reading(Record):
    """An analysis of one item, with its findings and key facts."""

    item: Item
    analysis: Analysis
    findings: tuple[Finding, ...] = ()
    facts: tuple[Fact, ...] = ()
