"""What the first rows of a table show about a column."""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import chain, islice
from statistics import median

from arf_core.importing import times
from arf_core.importing.rows import Cell, Table
from arf_core.importing.speakers import plain_label, role_of, side_role
from arf_core.importing.turns import as_list, delimiter_in, labelled

_TURN_NAMES = re.compile(r"turn|dialog|convers|messag|utteran|chat|transcript|input|log")
MOST_LOOKED_AT = 200
MOST_SAMPLED = 5_000
"""Rows of tables with the same columns that are looked at together."""


class Column:
    """A column's sample, and questions about it that are answered once."""

    def __init__(self, name: str, cells: Sequence[Cell]) -> None:
        self.name = name
        self.cells = cells
        self.filled = [c for c in cells if c not in (None, "", [], {})]

    @property
    def plain(self) -> str:
        """The name in lower case with underscores: `ConversationId` is `conversation_id`."""
        split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^0-9a-z]+", "_", split.lower()).strip("_")

    @cached_property
    def texts(self) -> list[str]:
        """The filled cells as text; empty where one of them is no scalar."""
        if any(isinstance(c, list | dict | tuple) for c in self.filled):
            return []
        return [c if isinstance(c, str) else str(c) for c in self.filled]

    @property
    def is_scalar(self) -> bool:
        return bool(self.texts)

    @cached_property
    def distinct(self) -> int:
        return len(set(self.texts))

    @cached_property
    def median_length(self) -> float:
        return median(map(len, self.texts)) if self.texts else 0.0

    @cached_property
    def is_words(self) -> bool:
        """Text of more than single words, at least now and then."""
        strings = [c for c in self.filled if isinstance(c, str)]
        return len(strings) * 2 > len(self.filled) and any(" " in c.strip() for c in strings)

    @cached_property
    def is_label(self) -> bool:
        """Short values on one line, as ids, names and categories are."""
        return (
            self.is_scalar and self.median_length <= 80 and not any("\n" in t for t in self.texts)
        )

    @cached_property
    def lists(self) -> list[list[Cell]]:
        """The cells that are lists of turns, where most of the filled ones are."""
        found = [turns for c in self.filled[:MOST_LOOKED_AT] if (turns := as_list(c))]
        return found if len(found) * 2 > len(self.filled[:MOST_LOOKED_AT]) else []

    @cached_property
    def is_turns(self) -> bool:
        """Lists of objects with words, of pairs, or (by the column's name) of texts."""
        turns = [t for found in self.lists for t in found[:5]]
        return sum(self._is_turn(t) for t in turns) * 2 > len(turns)

    def _is_turn(self, turn: Cell) -> bool:
        if isinstance(turn, dict):
            named = self._is_named_for_turns or bool(
                {"text", "content"} & {k.lower() for k in turn}
            )
            return named and any(isinstance(v, str) and v for v in turn.values())
        return _is_pair(turn) or (isinstance(turn, str) and self._is_named_for_turns)

    @property
    def _is_named_for_turns(self) -> bool:
        return _TURN_NAMES.search(self.plain) is not None

    @cached_property
    def line_labels(self) -> list[list[str]]:
        """For each text, the labels at the start of its lines."""
        texts = self.texts[:MOST_LOOKED_AT]
        return [[x for line in t.splitlines() if (x := labelled(line))] for t in texts]

    @cached_property
    def has_labelled_lines(self) -> bool:
        """Is most of it text of "Speaker: words" lines?"""
        # one label may be a heading; two lines of which most begin with one are a dialogue
        talks = [
            len(labels) > 1 and len(labels) * 2 >= len([x for x in t.splitlines() if x.strip()])
            for labels, t in zip(self.line_labels, self.texts, strict=False)
        ]
        known = [any(role_of(x) for x in labels) for labels in self.line_labels]
        return bool(talks) and (
            sum(talks) >= 0.6 * len(talks)
            or (sum(known) >= 0.6 * len(known) and sum(talks) >= 0.3 * len(talks))
        )

    @cached_property
    def delimiter(self) -> str | None:
        return delimiter_in(self.texts[:MOST_LOOKED_AT])

    @cached_property
    def time_format(self) -> str | None:
        return times.time_format(self.filled[:MOST_LOOKED_AT])

    @cached_property
    def is_whole(self) -> bool:
        """Whole numbers, also written as 3.0."""
        return self.is_scalar and all(re.fullmatch(r"\d{1,15}(\.0)?", t) for t in self.texts)

    @cached_property
    def sides(self) -> set[str]:
        """The roles that its values say as a column for the side; empty unless all do."""
        found = {side_role(self.name, t) for t in set(self.texts)}
        return {s for s in found if s} if None not in found else set()

    @cached_property
    def known_labels(self) -> float:
        """The share of its values that are usual names of roles."""
        roles = [role_of(plain_label(t)) is not None for t in self.texts]
        return sum(roles) / len(roles) if roles else 0.0


def _is_pair(turn: Cell) -> bool:
    """[speaker, words]"""
    return (
        isinstance(turn, list | tuple)
        and len(turn) == 2
        and isinstance(turn[0], str)
        and (turn[1] is None or isinstance(turn[1], str))
    )


def columns_of(tables: Sequence[Table]) -> dict[str, Column]:
    """The columns of tables that have the same ones, with the samples of all."""
    names = tables[0].columns
    rows = [
        cells for _, cells in islice(chain.from_iterable(t.sample for t in tables), MOST_SAMPLED)
    ]
    return {name: Column(name, [r[i] for r in rows]) for i, name in enumerate(names)}
