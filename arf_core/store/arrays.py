"""What is current, as arrays of numbers, so that a chart over a million summaries is quick: what a
detector found in a system's summaries, and splits and attributes of the conversations.

Read from the blocks that the store keeps (blocks.py). Conversations go by their number, `seq` in
the table.
"""

import re
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection

from arf_core.records import SPLITS
from arf_core.store.blocks import CONVERSATIONS, findings_part
from arf_core.store.database import Store

Numbers = NDArray[Any]
MOST_VALUES = 1_000
"""Distinct values in one block above which dates are kept by day and other values not at all."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ATTRIBUTE = "="  # before the name of an attribute's array: one may be called `split`


class FindingColumns(NamedTuple):
    """What one detector found in one system's summaries. All arrays are in order of conversation.

    `read` holds the conversations whose summary was completely read. The other arrays have one
    element a finding: its conversation, its category as an index of `categories`, its confidence
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


class ConversationColumns(NamedTuple):
    """What is known of each conversation, by its number: `split` holds indexes of SPLITS, -1 where
    there is no conversation of this number."""

    split: Numbers
    attributes: tuple[str, ...]


class AttributeColumn(NamedTuple):
    """The values of one attribute: `codes` by conversation number, -1 where it has none."""

    codes: Numbers
    values: tuple[str, ...]


_TYPES = {
    "read": np.int32,
    "conversation": np.int32,
    "category": np.uint16,
    "confidence": np.float32,
    "seq": np.int64,
}


def finding_columns(store: Store, system: str, detector: str) -> FindingColumns:
    """What the detector found in the system's summaries; empty where it has read none."""

    def count(conn: Connection, first: int, last: int) -> bytes:
        return _count_findings(conn, (system, detector, first, last))

    blocks = [_unpack(b) for b in store.blocks(findings_part(system, detector), count)]
    names = sorted({name for b in blocks for name in b.names["category"]})
    code = {name: i for i, name in enumerate(names)}
    for block in blocks:
        codes = np.array([code[name] for name in block.names["category"]], dtype=np.uint16)
        block.arrays["category"] = codes[block.arrays["category"]]
    arrays = {
        name: np.concatenate([np.empty(0, kind), *(b.arrays[name] for b in blocks)])
        for name, kind in _TYPES.items()
    }
    return FindingColumns(system, detector, tuple(names), **arrays)


def conversation_columns(store: Store) -> ConversationColumns:
    """The split of every conversation, and which attributes there are."""
    blocks = _conversation_blocks(store)
    split = np.concatenate([b.arrays["split"] for b in blocks])
    return ConversationColumns(split, tuple(sorted({name for b in blocks for name in b.names})))


def attribute_column(store: Store, attribute: str) -> AttributeColumn:
    """The values of an attribute; none of them where no conversation has it."""
    code: dict[str, int] = {}
    codes = []
    for block in _conversation_blocks(store):
        names = block.names.get(attribute)
        if names is None:
            codes.append(np.full(len(block.arrays["split"]), -1, np.int32))
            continue
        of_block = [*(code.setdefault(name, len(code)) for name in names), -1]
        codes.append(np.array(of_block, np.int32)[block.arrays[_ATTRIBUTE + attribute]])
    return AttributeColumn(np.concatenate(codes), tuple(code))


def refresh(store: Store, system: str, detector: str) -> None:
    """Count what has changed now, so that the next reader need not wait."""
    finding_columns(store, system, detector)
    _conversation_blocks(store)


# -- counting a block ---------------------------------------------------------------------------

_READ = """
SELECT conversation FROM analysis
WHERE system = ? AND detector = ? AND current = 1 AND conversation BETWEEN ? AND ?
ORDER BY conversation
"""
_FOUND = """
SELECT conversation, category, confidence, seq FROM finding
WHERE system = ? AND detector = ? AND current = 1 AND conversation BETWEEN ? AND ?
ORDER BY conversation, seq
"""


def _count_findings(conn: Connection, which: tuple[str, str, int, int]) -> bytes:
    read = [row[0] for row in conn.exec_driver_sql(_READ, which)]
    rows = conn.exec_driver_sql(_FOUND, which).all()
    conversation, category, confidence, seq = zip(*rows, strict=True) if rows else ((),) * 4
    names = sorted(set(category))
    code = {name: i for i, name in enumerate(names)}
    columns: dict[str, Any] = {
        "read": read,
        "conversation": conversation,
        "category": [code[c] for c in category],
        "confidence": [np.nan if c is None else c for c in confidence],
        "seq": seq,
    }
    arrays = {name: np.array(column, _TYPES[name]) for name, column in columns.items()}
    return _pack(_Block({"category": names}, arrays))


def _conversation_blocks(store: Store) -> list["_Block"]:
    return [_unpack(b) for b in store.blocks(CONVERSATIONS, _count_conversations)]


def _count_conversations(conn: Connection, first: int, last: int) -> bytes:
    rows = conn.exec_driver_sql(
        "SELECT seq, split, attributes FROM conversation WHERE seq BETWEEN ? AND ?",
        (first, last),
    )
    split = np.full(last - first + 1, -1, np.int8)
    texts: dict[str, dict[int, str]] = {}
    for seq, of_split, attributes in rows:
        split[seq - first] = SPLITS.index(of_split)
        for name, value in orjson.loads(attributes).items():
            if value is not None:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                texts.setdefault(name, {})[seq - first] = text
    counted = _Block({}, {"split": split})
    for name, by_number in texts.items():
        _add_attribute(counted, name, by_number)
    return _pack(counted)


def _add_attribute(block: "_Block", name: str, texts: dict[int, str]) -> None:
    """Values as codes, -1 where there is none. An attribute whose values are nearly all different
    makes slices by day, if they are dates; else it makes none."""
    distinct = sorted(set(texts.values()))
    if len(distinct) > MOST_VALUES and all(_DATE.match(value) for value in distinct):
        texts = {number: value[:10] for number, value in texts.items()}
        distinct = sorted(set(texts.values()))
    if len(distinct) > MOST_VALUES:
        return
    code = {value: i for i, value in enumerate(distinct)}
    codes = np.full(len(block.arrays["split"]), -1, np.int16)
    codes[list(texts)] = [code[value] for value in texts.values()]
    block.names[name] = distinct
    block.arrays[_ATTRIBUTE + name] = codes


# -- a block as bytes: a line of JSON that names the arrays, then the arrays ----------------------


class _Block(NamedTuple):
    """A block's arrays, and the names that their codes stand for."""

    names: dict[str, list[str]]
    arrays: dict[str, Numbers]


def _pack(block: _Block) -> bytes:
    shapes = [[name, array.dtype.str, len(array)] for name, array in block.arrays.items()]
    head = orjson.dumps({"names": block.names, "arrays": shapes})
    return b"".join([head, b"\n", *(a.tobytes() for a in block.arrays.values())])


def _unpack(content: bytes) -> _Block:
    head, _, data = content.partition(b"\n")
    described = orjson.loads(head)
    arrays, at = {}, 0
    for name, kind, length in described["arrays"]:
        arrays[name] = np.frombuffer(data, kind, length, at)
        at += arrays[name].nbytes
    return _Block(described["names"], arrays)
