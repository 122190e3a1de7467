"""The cache of derived numbers, in blocks of 16,384 conversations, that makes charts over a million
summaries quick.

A write drops the blocks that it touches, inside its own transaction; the next reader counts them
again from the rows (`Store.blocks`). So a block is never out of date, and a write pays next to
nothing. A block belongs to a part: what a detector found in a system's summaries, how a round's
summaries stand, or what is known of the conversations.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

SIZE = 16_384
"""Conversations of one block; they go by their number, `seq` in the table."""
CONVERSATIONS = "conversations"


def numbers(block: int) -> tuple[int, int]:
    """The first and last conversation of a block."""
    return block * SIZE, (block + 1) * SIZE - 1


def findings_part(system: str, detector: str) -> str:
    """What a detector found in a system's summaries."""
    return to_json(["findings", system, detector]).decode()


def round_part(system: str) -> str:
    """How the summaries of a revision round stand."""
    return to_json(["round", system]).decode()


def drop_blocks(conn: Connection, touched: Iterable[tuple[str, int]]) -> None:
    """Drop the blocks of these (part, conversation)."""
    blocks = {(part, conversation // SIZE) for part, conversation in touched}
    if blocks:
        conn.exec_driver_sql("DELETE FROM block WHERE part = ? AND block = ?", sorted(blocks))


def drop_findings(conn: Connection, touched: Iterable[Sequence[Any]]) -> None:
    """Drop the blocks of these (system, detector, conversation)."""
    drop_blocks(conn, ((findings_part(s, d), conversation) for s, d, conversation in touched))


def drop_rounds(conn: Connection, summary_ids: Sequence[str]) -> None:
    """Drop the blocks that count these revised summaries."""
    query = (
        "SELECT system, conversation FROM revision "
        "WHERE summary_id IN (SELECT value FROM json_each(?))"
    )
    rows = conn.exec_driver_sql(query, (to_json(summary_ids).decode(),))
    drop_blocks(conn, ((round_part(system), conversation) for system, conversation in rows))
