"""The tables.

A record's table holds the record's fields and, behind them, columns that the store derives when it
writes (lengths for the distributions, the system and detector of a finding for the counts), so that
a chart over a million summaries needs no joins. `seq` gives the order of arrival and keyset pages.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from arf_core import records
from arf_core.records import Record
from arf_core.store.column_types import Json, Timestamp, fields_of, optional, required, sequence

VERSION = 2
"""Raised with every change of a table; migrations.py holds the steps from older versions."""
metadata = MetaData()
CURRENT = text("current = 1")
"""The condition of partial indexes, as queries write it: SQLite uses one only for the very same."""

meta = Table(
    "meta", metadata, Column("key", String, primary_key=True), *required("value", kind=Integer)
)

# -- records ------------------------------------------------------------------------------------

conversation = Table(
    "conversation",
    metadata,
    sequence(),
    *fields_of(records.Conversation, unique="id", index=("external_id", "fingerprint", "split")),
    # derived
    *required("n_turns", "n_chars", kind=Integer),
)

system = Table("system", metadata, *fields_of(records.System, key="name"))

summary = Table(
    "summary",
    metadata,
    sequence(),
    *fields_of(records.Summary, unique="id", index=("parent_id",), long=("text",)),
    UniqueConstraint("conversation_id", "system"),
    Index("ix_summary_system_seq", "system", "seq"),
)

analysis = Table(
    "analysis",
    metadata,
    sequence(),
    *fields_of(records.Analysis, unique="id", long=("raw",)),
    # derived; `conversation` is that one's `seq`, `current` marks the newest complete analysis of
    # (summary, detector)
    *required("conversation", kind=Integer),
    *required("system", "split"),
    *required("n_findings", kind=Integer),
    *required("current", kind=Boolean),
    Index("ix_analysis_summary", "summary_id", "detector"),
    Index("ix_analysis_current", "system", "detector", "conversation", sqlite_where=CURRENT),
)

finding = Table(
    "finding",
    metadata,
    sequence(),
    *fields_of(records.Finding, unique="id", index=("analysis_id",), long=("quote", "explanation")),
    # derived, as in analysis
    Column("summary_id", String, nullable=False, index=True),
    *required("conversation", kind=Integer),
    *required("system", "detector", "split"),
    *required("current", kind=Boolean),
    Index(
        "ix_finding_current",
        "system",
        "detector",
        "conversation",
        "category",
        "confidence",
        sqlite_where=CURRENT,
    ),
)

fact = Table(
    "fact",
    metadata,
    sequence(),
    *fields_of(records.Fact, long=("text",)),
    UniqueConstraint("conversation_id", "kind", "text"),
)

edit = Table(
    "edit",
    metadata,
    sequence(),
    *fields_of(records.Edit, index=("summary_id", "finding_id"), long=("text",)),
)

revision = Table(
    "revision",
    metadata,
    *fields_of(records.Revision, key="summary_id", long=("raw",)),
    # derived: `conversation` is that one's `seq`, review_status.py keeps the next four; `current`
    # is False once the system has another text for the conversation
    *required("system"),
    *required("conversation", kind=Integer),
    *required("split", "outcome"),
    *required("risk", kind=Integer),
    *required("decision"),
    *required("current", kind=Boolean),
    # the review queue in its order: within a risk, the same errors together
    Index(
        "ix_revision_queue",
        "system",
        "decision",
        "risk",
        "outcome",
        "conversation",
        "split",
        sqlite_where=CURRENT,
    ),
    Index("ix_revision_conversation", "system", "conversation", sqlite_where=CURRENT),
)

check = Table(
    "check",
    metadata,
    sequence(),
    *fields_of(records.Check, index=("summary_id", "finding_id"), long=("reason",)),
    # derived: False once the verifier has judged the same summary again
    *required("current", kind=Boolean),
)

score = Table(
    "score", metadata, sequence(), *fields_of(records.Score, index=("kind",), long=("reason",))
)

decision = Table(
    "decision",
    metadata,
    sequence(),
    *fields_of(records.Decision, index=("summary_id", "step"), long=("text",)),
)

step = Table(
    "step",
    metadata,
    sequence(),
    *fields_of(records.Step, unique="id"),
    Index("ix_step_system_seq", "system", "seq"),
)

episode = Table(
    "episode",
    metadata,
    *fields_of(records.Episode, key="id", index=("scenario_id",), long=("outcome",)),
)

TABLES: dict[type[Record], Table] = {
    records.Analysis: analysis,
    records.Check: check,
    records.Conversation: conversation,
    records.Decision: decision,
    records.Edit: edit,
    records.Episode: episode,
    records.Fact: fact,
    records.Finding: finding,
    records.Revision: revision,
    records.Score: score,
    records.Step: step,
    records.Summary: summary,
    records.System: system,
}

# -- bookkeeping --------------------------------------------------------------------------------

# Hashes that near-duplicate conversations share, and the group whose split they all take.
near_duplicate = Table(
    "near_duplicate",
    metadata,
    Column("band", BigInteger, primary_key=True, autoincrement=False),
    *required("group", "split"),
    sqlite_with_rowid=False,
)

# The cache of blocks.py: what is current among 16,384 conversations, as columns of numbers.
block = Table(
    "block",
    metadata,
    Column("part", String, primary_key=True),
    Column("block", Integer, primary_key=True),
    *required("content", kind=LargeBinary),
)

# Answers of models, and requests that wait in a batch file. The key says what was asked of whom.
call = Table(
    "call",
    metadata,
    Column("key", String, primary_key=True),
    Column("model", String, nullable=False, index=True),
    *required("task", "conversation", "subject", "taxonomy"),
    *required("repeat", "attempt", kind=Integer),
    *required("prompt_hash", "status"),
    *optional("body", "reply", kind=Text),
    *optional("finish_reason"),
    *required("prompt_tokens", "completion_tokens", kind=Integer),
    *required("at", kind=Timestamp),
    sqlite_with_rowid=False,
)

# What went where: one row for each host, task and system at each write of answers.
ledger = Table(
    "ledger",
    metadata,
    sequence(),
    *required("at", kind=Timestamp),
    *required("model", "host", "task", "system"),
    *required("calls", "failed", "bytes", kind=Integer),
    *required("masked", kind=Boolean),
    *required("prompt_tokens", "completion_tokens", kind=Integer),
    *optional("cost", kind=Float),
)

# Conversations that a system was asked to summarise and could not; an older failure gives way.
unwritten = Table(
    "unwritten",
    metadata,
    Column("conversation_id", String, primary_key=True),
    Column("system", String, primary_key=True),
    *required("reason"),
    *required("raw", kind=Text),
    *required("at", kind=Timestamp),
    sqlite_with_rowid=False,
)

# Settings, taxonomies and prompts as they were when something was made with them.
version = Table(
    "version",
    metadata,
    Column("hash", String, primary_key=True),
    *required("kind"),
    *required("content", kind=Text),
    *required("at", kind=Timestamp),
)

# Long actions: what each was asked to do, how far it is, and what came of it.
job = Table(
    "job",
    metadata,
    sequence(),
    Column("id", String, nullable=False, unique=True),
    *required("kind", "title"),
    *required("arguments", "command", kind=Text),
    *required("writes", kind=Json),
    Column("status", String, nullable=False, index=True),
    *required("phase"),
    *required("done", "total", kind=Integer),
    *optional("rate", kind=Float),
    *required("message", kind=Text),
    *optional("result", "error", "hint", kind=Text),
    *optional("pid", kind=Integer),
    *optional("resumes", "follows"),
    *required("created", kind=Timestamp),
    *optional("started", kind=Timestamp),
    *required("heartbeat", kind=Timestamp),
    *optional("asked_to_stop", "ended", kind=Timestamp),
)
