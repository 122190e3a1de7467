"""The tables, and the steps that bring an older project's tables up to date.

A table holds its record's fields and, behind them, columns that the store derives when it writes
(lengths for the distributions, the system and detector of a finding for the counts), so that a
chart over a million summaries needs no joins. `seq` gives the order of arrival and keyset pages.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect

VERSION = 1
BLOCK = 16_384
"""Conversations of one row of `block`."""
metadata = MetaData()


class Json(TypeDecorator[Any]):
    """Records, tuples and dicts as JSON text. Absent optional fields are left out."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value, exclude_none=True).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


class When(TypeDecorator[datetime]):
    """A moment as ISO 8601 text, which sorts as it should."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def _seq() -> Column[int]:
    return Column("seq", Integer, primary_key=True, autoincrement=True)


meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Integer, nullable=False),
)

conversation = Table(
    "conversation",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("external_id", String, nullable=False, index=True),
    Column("source", String, nullable=False),
    Column("fingerprint", String, nullable=False, index=True),
    Column("turns", Json, nullable=False),
    Column("split", String, nullable=False, index=True),
    Column("attributes", Json, nullable=False),
    # derived
    Column("n_turns", Integer, nullable=False),
    Column("n_chars", Integer, nullable=False),
)

# Hashes that near-duplicate conversations share, and the group whose split they all take.
near_duplicate = Table(
    "near_duplicate",
    metadata,
    Column("band", BigInteger, primary_key=True, autoincrement=False),
    Column("group", String, nullable=False),
    Column("split", String, nullable=False),
    sqlite_with_rowid=False,
)

system = Table(
    "system",
    metadata,
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("parent", String),
    Column("model", String),
    Column("settings_hash", String, nullable=False),
)

summary = Table(
    "summary",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("conversation_id", String, nullable=False),
    Column("system", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("parent_id", String, index=True),
    UniqueConstraint("conversation_id", "system"),
    Index("ix_summary_system_seq", "system", "seq"),
)

analysis = Table(
    "analysis",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("summary_id", String, nullable=False),
    Column("detector", String, nullable=False),
    Column("settings_hash", String, nullable=False),
    Column("taxonomy_hash", String, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("raw", Text),
    Column("at", When, nullable=False),
    # derived; `conversation` is that one's `seq`, `current` marks the newest complete analysis of
    # (summary, detector)
    Column("conversation", Integer, nullable=False),
    Column("system", String, nullable=False),
    Column("split", String, nullable=False),
    Column("n_findings", Integer, nullable=False),
    Column("current", Boolean, nullable=False),
)
Index("ix_analysis_summary", analysis.c.summary_id, analysis.c.detector)
Index(
    "ix_analysis_current",
    analysis.c.system,
    analysis.c.detector,
    analysis.c.conversation,
    # as queries write it: SQLite uses a partial index only for the very same condition
    sqlite_where=text("current = 1"),
)

finding = Table(
    "finding",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("analysis_id", String, nullable=False, index=True),
    Column("category", String, nullable=False),
    Column("quote", Text),
    Column("start", Integer),
    Column("end", Integer),
    Column("evidence", Json, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("confidence", Float),
    # derived, as in analysis
    Column("summary_id", String, nullable=False, index=True),
    Column("conversation", Integer, nullable=False),
    Column("system", String, nullable=False),
    Column("detector", String, nullable=False),
    Column("split", String, nullable=False),
    Column("current", Boolean, nullable=False),
)
Index(
    "ix_finding_current",
    finding.c.system,
    finding.c.detector,
    finding.c.conversation,
    finding.c.category,
    finding.c.confidence,
    sqlite_where=text("current = 1"),
)

# What is current, as columns of numbers (blocks.py): 16,384 conversations a row, so that a chart
# over a million summaries reads some sixty rows. `part` is a JSON list, ["found", system, detector]
# or ["standing", system]; or "about". A write raises the change count of the blocks that it
# touches; a block whose content was counted at an earlier one is counted again when next read.
change = Table(
    "change",
    metadata,
    Column("part", String, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("changes", Integer, nullable=False),
    sqlite_with_rowid=False,
)

block = Table(
    "block",
    metadata,
    Column("part", String, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("counted_at", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

ONE_MORE_CHANGE = """
INSERT INTO change (part, block, changes) VALUES (?, ?, 1)
ON CONFLICT DO UPDATE SET changes = changes + 1
"""

fact = Table(
    "fact",
    metadata,
    _seq(),
    Column("conversation_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("evidence", Json, nullable=False),
    UniqueConstraint("conversation_id", "kind", "text"),
)

edit = Table(
    "edit",
    metadata,
    _seq(),
    Column("summary_id", String, nullable=False, index=True),
    Column("finding_id", String, index=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Text, nullable=False),
)

revision = Table(
    "revision",
    metadata,
    Column("summary_id", String, primary_key=True),
    Column("editor", String, nullable=False),
    Column("settings_hash", String, nullable=False),
    Column("status", String, nullable=False),
    Column("findings", Json, nullable=False),
    Column("reason", String),
    Column("raw", Text),
    Column("change", Float, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("at", When, nullable=False),
    # derived: `conversation` is that one's `seq`, and standing.py keeps the next four; `current` is
    # False once the system has another text for the conversation
    Column("system", String, nullable=False),
    Column("conversation", Integer, nullable=False),
    Column("split", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("risk", Integer, nullable=False),
    Column("decision", String, nullable=False),
    Column("current", Boolean, nullable=False),
)
# The review queue in its order: within a risk, the same errors together.
Index(
    "ix_revision_queue",
    revision.c.system,
    revision.c.decision,
    revision.c.risk,
    revision.c.outcome,
    revision.c.conversation,
    revision.c.split,
    sqlite_where=text("current = 1"),
)
Index(
    "ix_revision_conversation",
    revision.c.system,
    revision.c.conversation,
    sqlite_where=text("current = 1"),
)

check = Table(
    "check",
    metadata,
    _seq(),
    Column("summary_id", String, nullable=False, index=True),
    Column("finding_id", String, index=True),
    Column("verifier", String, nullable=False),
    Column("result", String, nullable=False),
    Column("reason", Text, nullable=False),
    # derived: False once the verifier has judged the same summary again
    Column("current", Boolean, nullable=False),
)

score = Table(
    "score",
    metadata,
    _seq(),
    Column("kind", String, nullable=False, index=True),
    Column("subjects", Json, nullable=False),
    Column("judge", String, nullable=False),
    Column("order", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("value", Float),
    Column("reason", Text, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    _seq(),
    Column("summary_id", String, nullable=False, index=True),
    Column("annotator", String, nullable=False),
    Column("action", String, nullable=False),
    Column("text", Text),
    Column("step", String, nullable=False, index=True),
    Column("at", When, nullable=False),
)

# What a reviewer did at once, to undo at once: one decision, or many.
step = Table(
    "step",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("system", String, nullable=False),
    Column("annotator", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("summaries", Integer, nullable=False),
    Column("undoes", String),
    Column("undone", Boolean, nullable=False),
    Column("at", When, nullable=False),
    Index("ix_step_system_seq", "system", "seq"),
)

episode = Table(
    "episode",
    metadata,
    Column("id", String, primary_key=True),
    Column("scenario_id", String, nullable=False, index=True),
    Column("system", String, nullable=False),
    Column("customer", String, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("turns", Json, nullable=False),
    Column("outcome", Text, nullable=False),
)

# Answers of models, and requests that wait in a batch file. The key says what was asked of whom.
call = Table(
    "call",
    metadata,
    Column("key", String, primary_key=True),
    Column("model", String, nullable=False, index=True),
    Column("task", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("taxonomy", String, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("prompt_hash", String, nullable=False),
    Column("status", String, nullable=False),
    Column("body", Text),
    Column("reply", Text),
    Column("finish_reason", String),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("at", When, nullable=False),
    sqlite_with_rowid=False,
)

# What went where: one row for each host, task and system at each write of answers.
ledger = Table(
    "ledger",
    metadata,
    _seq(),
    Column("at", When, nullable=False),
    Column("model", String, nullable=False),
    Column("host", String, nullable=False),
    Column("task", String, nullable=False),
    Column("system", String, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost", Float),
)

# Conversations that a system was asked to summarise and could not; an older failure gives way.
unwritten = Table(
    "unwritten",
    metadata,
    Column("conversation_id", String, primary_key=True),
    Column("system", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("raw", Text, nullable=False),
    Column("at", When, nullable=False),
    sqlite_with_rowid=False,
)

# Settings, taxonomies and prompts as they were when something was made with them.
version = Table(
    "version",
    metadata,
    Column("hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("content", Text, nullable=False),
    Column("at", When, nullable=False),
)

# Long actions: what each was asked to do, how far it is, and what came of it.
job = Table(
    "job",
    metadata,
    _seq(),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("writes", Json, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("phase", String, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("rate", Float),
    Column("message", Text, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Column("hint", Text),
    Column("pid", Integer),
    Column("resumes", String),
    Column("follows", String),
    Column("created", When, nullable=False),
    Column("started", When),
    Column("heartbeat", When, nullable=False),
    Column("asked_to_stop", When),
    Column("ended", When),
)

Migration = Callable[[Connection], None]
MIGRATIONS: dict[int, tuple[str, Migration]] = {}
"""`MIGRATIONS[n]` is the named step from version n - 1 to n. A new project skips them all.

To change a table: change it above, raise VERSION, add the step here, and add the old version's
schema to `tests/schemas/v<n>.sql`; a test migrates it and compares the result with this file.
"""


def migrate(conn: Connection, found: int) -> None:
    """Bring tables of version `found` to VERSION inside the caller's transaction."""
    for step in range(found + 1, VERSION + 1):
        MIGRATIONS[step][1](conn)
