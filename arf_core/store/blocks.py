"""What is current, as columns of numbers, so that a chart over a million summaries is quick.

The store keeps for every 16,384 conversations one row of columns: what a detector found in a
system's summaries, and what is known about the conversations. A write only raises a change count;
whoever reads a block that has changed since it was counted counts it again, from the rows
themselves. So a block is never out of date, and a write costs nothing to speak of.

Conversations go by their number here, `seq` in the table: 0 stands for none.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from arf_core.records import SPLITS
from arf_core.store import schema
from arf_core.store.database import Store, chunks, part_found
from arf_core.store.schema import BLOCK

Numbers = NDArray[Any]
Columns = dict[str, Numbers]
ABOUT = "about"
MANY = 1_000
"""Distinct values in one block from which on dates are kept by day and other values not at all."""
BLOCKS_PER_WRITE = 8
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ATTRIBUTE = "="  # before the name of an attribute's column: one may be called `split`


class Found(NamedTuple):
    """What one detector found in one system's summaries. All arrays are in order of conversation.

    `read` holds the conversations whose summary was completely read. The other arrays have one
    element a finding: its conversation, its category as a place in `categories`, its confidence
    (NaN where the detector gave none) and its `seq`.
    """

    system: str
    detector: str
    categories: tuple[str, ...]
    read: Numbers
    conversation: Numbers
    category: Numbers
    confidence: Numbers
    seq: Numbers


class About(NamedTuple):
    """What is known of each conversation, by its number: `split` holds places in SPLITS, -1 where
    there is no conversation of this number."""

    split: Numbers
    attributes: tuple[str, ...]


class Values(NamedTuple):
    """The values of one attribute: `codes` by conversation number, -1 where it has none."""

    codes: Numbers
    values: tuple[str, ...]


class Block(NamedTuple):
    """A block's columns, and the names that its codes stand for."""

    names: dict[str, list[str]]
    columns: Columns


def found(store: Store, system: str, detector: str) -> Found:
    """What the detector found in the system's summaries; empty where it has read none."""

    def count(conn: Connection, block: int) -> Block:
        return _count_found(conn, system, detector, block)

    blocks = read_blocks(store, part_found(system, detector), changes_of, count)
    names = sorted({name for b in blocks for name in b.names["category"]})
    place = {name: i for i, name in enumerate(names)}
    for block in blocks:
        of_block = [place[name] for name in block.names["category"]]
        codes = np.array(of_block, dtype=np.uint16)
        block.columns["category"] = codes[block.columns["category"]]
    columns = {
        name: np.concatenate([np.empty(0, kind), *(b.columns[name] for b in blocks)])
        for name, kind in _FOUND.items()
    }
    return Found(system, detector, tuple(names), **columns)


def about(store: Store) -> About:
    """The split of every conversation, and which attributes there are."""
    blocks = _about(store)
    split = [b.columns["split"] for b in blocks]
    names = sorted({name for b in blocks for name in b.names})
    return About(np.concatenate([np.empty(0, np.int8), *split]), tuple(names))


def values(store: Store, attribute: str) -> Values:
    """The values of an attribute; none of them where no conversation has it."""
    place: dict[str, int] = {}
    codes = []
    for block in _about(store):
        own = block.names.get(attribute)
        if own is None:
            codes.append(np.full(BLOCK, -1, np.int32))
            continue
        of_block = [*(place.setdefault(value, len(place)) for value in own), -1]
        codes.append(np.array(of_block, np.int32)[block.columns[_ATTRIBUTE + attribute]])
    return Values(np.concatenate([np.empty(0, np.int32), *codes]), tuple(place))


def refresh(store: Store, system: str, detector: str) -> None:
    """Count what has changed now, so that nobody who looks at it has to wait."""
    found(store, system, detector)
    _about(store)


# -- reading and counting ---------------------------------------------------------------------

_FOUND = {
    "read": np.int32,
    "conversation": np.int32,
    "category": np.uint16,
    "confidence": np.float32,
    "seq": np.int64,
}
_Changes = dict[int, int]
_Changed = Callable[[Connection, str], _Changes]
_Count = Callable[[Connection, int], Block]


def _about(store: Store) -> list[Block]:
    return read_blocks(store, ABOUT, _conversations_of, _count_about)


def read_blocks(store: Store, part: str, changed: _Changed, count: _Count) -> list[Block]:
    """Every block of a part in order, all of one moment; those that have changed are counted and
    kept for the next reader."""
    b = schema.block
    kept, new = {}, {}
    with store.read() as conn:
        changes = changed(conn, part)
        for row in conn.execute(
            select(b.c.block, b.c.counted_at, b.c.content).where(b.c.part == part)
        ):
            if changes.get(row.block) == row.counted_at:
                kept[row.block] = _unpacked(row.content)
        for block in changes.keys() - kept.keys():
            new[block] = count(conn, block)
    for some in chunks(sorted(new.items()), BLOCKS_PER_WRITE):
        with store.write(counts=False) as conn:
            conn.exec_driver_sql(_KEEP, [(part, n, changes[n], _packed(b)) for n, b in some])
    return [block for _, block in sorted((kept | new).items())]


_KEEP = """
INSERT INTO block (part, block, counted_at, content) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET counted_at = excluded.counted_at, content = excluded.content
WHERE excluded.counted_at > counted_at
"""


def changes_of(conn: Connection, part: str) -> _Changes:
    """How often each block of a part has changed."""
    c = schema.change
    rows = conn.execute(select(c.c.block, c.c.changes).where(c.c.part == part))
    return {row.block: row.changes for row in rows}


def _conversations_of(conn: Connection, part: str) -> _Changes:
    """A conversation never changes, so a block has as many changes as its last one's number."""
    last = conn.scalar(select(func.max(schema.conversation.c.seq))) or 0
    return {n: min(last, (n + 1) * BLOCK - 1) for n in range(last // BLOCK + 1)} if last else {}


def _count_found(conn: Connection, system: str, detector: str, block: int) -> Block:
    a, f = schema.analysis, schema.finding
    first, last = block * BLOCK, (block + 1) * BLOCK - 1
    whose = (a.c.system == system, a.c.detector == detector, a.c.current)
    read = select(a.c.conversation).where(*whose, a.c.conversation.between(first, last))
    whose = (f.c.system == system, f.c.detector == detector, f.c.current)
    rows = select(f.c.conversation, f.c.category, f.c.confidence, f.c.seq)
    rows = rows.where(*whose, f.c.conversation.between(first, last)).order_by(
        f.c.conversation, f.c.seq
    )
    there = conn.execute(rows).all()
    conversation, category, confidence, seq = zip(*there, strict=True) if there else ((),) * 4
    names = sorted(set(category))
    place = {name: i for i, name in enumerate(names)}
    read_ones = conn.execute(read.order_by(a.c.conversation)).scalars().all()
    columns = {
        "read": read_ones,
        "conversation": conversation,
        "category": [place[c] for c in category],
        "confidence": [np.nan if c is None else c for c in confidence],
        "seq": seq,
    }
    typed = {name: np.array(column, _FOUND[name]) for name, column in columns.items()}
    return Block({"category": names}, typed)


def _count_about(conn: Connection, block: int) -> Block:
    first = block * BLOCK
    rows = conn.exec_driver_sql(
        "SELECT seq, split, attributes FROM conversation WHERE seq BETWEEN ? AND ?",
        (first, first + BLOCK - 1),
    )
    split = np.full(BLOCK, -1, np.int8)
    texts: dict[str, dict[int, str]] = {}
    for seq, of_split, attributes in rows:
        split[seq - first] = SPLITS.index(of_split)
        for name, value in orjson.loads(attributes).items():
            if value is not None:
                texts.setdefault(name, {})[seq - first] = _as_text(value)
    block_ = Block({}, {"split": split})
    for name, by_number in texts.items():
        _add_attribute(block_, name, by_number)
    return block_


def _add_attribute(block: Block, name: str, texts: dict[int, str]) -> None:
    """Values as codes, -1 where there is none. An attribute whose values are nearly all different
    tells slices apart by day, if they are dates; else it is none to slice by."""
    distinct = sorted(set(texts.values()))
    if len(distinct) > MANY and all(_DATE.match(value) for value in distinct):
        texts = {number: value[:10] for number, value in texts.items()}
        distinct = sorted(set(texts.values()))
    if len(distinct) > MANY:
        return
    place = {value: i for i, value in enumerate(distinct)}
    codes = np.full(BLOCK, -1, np.int16)
    codes[list(texts)] = [place[value] for value in texts.values()]
    block.names[name] = distinct
    block.columns[_ATTRIBUTE + name] = codes


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- a block as bytes: a line of JSON that names the columns, then the columns ------------------


def _packed(block: Block) -> bytes:
    shapes = [[name, column.dtype.str, len(column)] for name, column in block.columns.items()]
    head = orjson.dumps({"names": block.names, "columns": shapes})
    return b"".join([head, b"\n", *(c.tobytes() for c in block.columns.values())])


def _unpacked(content: bytes) -> Block:
    head, _, data = content.partition(b"\n")
    described = orjson.loads(head)
    columns, at = {}, 0
    for name, kind, length in described["columns"]:
        columns[name] = np.frombuffer(data, kind, length, at)
        at += columns[name].nbytes
    return Block(described["names"], columns)
