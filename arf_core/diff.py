"""Word diffs: what differs between two versions of a summary, and how much."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from arf_core.spans import Replacement

# Numbers with their separators stay whole, so that 1,200 -> 1,250 reads as one change.
TOKEN = re.compile(r"\s+|\d+(?:[.,:]\d+)*|\w+(?:['’]\w+)*|[^\w\s]")


class Part(NamedTuple):
    """A run of text: in both versions, only in the old one, or only in the new one."""

    kind: Literal["same", "deleted", "inserted"]
    text: str


def word_diff(before: str, after: str) -> list[Part]:
    """The two versions as one sequence of parts.

    All but the inserted parts make `before`, all but the deleted ones make `after`. Changed words
    next to each other are one change, with the space between them, as a person would mark it.
    """
    parts: list[Part] = []
    deleted = inserted = ""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    opcodes = _opcodes(old, new)
    for n, (op, i1, i2, j1, j2) in enumerate(opcodes):
        same = "".join(old[i1:i2])
        if op == "equal" and not (0 < n < len(opcodes) - 1 and same.isspace()):
            parts += [*_changed(deleted, inserted), Part("same", same)]
            deleted = inserted = ""
        else:
            deleted += same
            inserted += "".join(new[j1:j2])
    return parts + _changed(deleted, inserted)


Opcode = tuple[str, int, int, int, int]


def _opcodes(old: list[str], new: list[str]) -> list[Opcode]:
    """difflib's opcodes; it is only asked about what differs, since edits are small."""
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    most = shorter - head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    i, j = len(old) - tail, len(new) - tail
    middle = SequenceMatcher(None, old[head:i], new[head:j], autojunk=False).get_opcodes()
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    found += [(op, a + head, b + head, c + head, d + head) for op, a, b, c, d in middle]
    return found + ([("equal", i, len(old), j, len(new))] if tail else [])


def _changed(deleted: str, inserted: str) -> list[Part]:
    both = [Part("deleted", deleted), Part("inserted", inserted)]
    return [part for part in both if part.text]


def replacements_between(before: str, after: str) -> list[Replacement]:
    """The replacements in `before` that make `after`."""
    found: list[Replacement] = []
    at = 0
    for kind, text in word_diff(before, after):
        if kind == "inserted":
            if found and found[-1].end == at and found[-1].text == "" and found[-1].start < at:
                found[-1] = found[-1]._replace(text=text)  # a deletion and its substitute are one
            else:
                found.append(Replacement(at, at, text))
            continue
        if kind == "deleted":
            found.append(Replacement(at, at + len(text), ""))
        at += len(text)
    return found


def change_share(before: str, after: str) -> float:
    """Words deleted or inserted, as a share of the words of both versions; 0 same, 1 all new."""
    parts = word_diff(before, after)

    def words(*kinds: str) -> int:
        return sum(len(re.findall(r"\w+", text)) for kind, text in parts if kind in kinds)

    changed = words("deleted", "inserted")
    total = changed + 2 * words("same")
    return changed / total if total else 0.0
