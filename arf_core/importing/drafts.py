"""Rows into what is staged: whole conversations, single messages, or links."""

from collections.abc import Callable, Iterable, Sequence

from pydantic_core import from_json, to_json

from arf_core.importing import times
from arf_core.importing.facts import Facts, FactsReader, Written
from arf_core.importing.options import ImportOptions, Mapping
from arf_core.importing.report import Tally
from arf_core.importing.rows import Cell, Row, RowFault, Table
from arf_core.importing.speakers import side_role
from arf_core.importing.staging import Message, StagedDraft, StagedLink
from arf_core.importing.turns import Keys, Labels, ListReader, Said, checked, parts, text_of

DOCUMENT = "document"
"""The speaker of a text that is no dialogue."""
_CACHED = 4_096


def id_of(cell: Cell) -> str:
    """An id as text: 12 and 12.0 are "12". Empty where there is none."""
    if isinstance(cell, str):
        return checked(cell)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool | list | dict):
        raise RowFault("the id is neither text nor a number", repr(cell))
    return str(cell)


# -- facts and turns as JSON ---------------------------------------------------------------------


def facts_text(facts: Facts) -> str:
    return to_json(facts).decode()


def facts_from(text: str) -> Facts:
    attributes, split, summaries, more = from_json(text)
    return Facts(attributes, split, tuple(Written(*w) for w in summaries), more)


def body_text(turns: Sequence[Said], facts: Facts) -> str:
    return to_json([turns, facts]).decode()


def body_from(text: str) -> tuple[list[Said], Facts]:
    turns, (attributes, split, summaries, more) = from_json(text)
    facts = Facts(attributes, split, tuple(Written(*w) for w in summaries), more)
    return [(label, words, at) for label, words, at in turns], facts


# -- a conversation a row ------------------------------------------------------------------------


def turns_reader(
    table: Table, mapping: Mapping, options: ImportOptions
) -> Callable[[Cell], list[Said]]:
    """What takes a cell of this shape apart."""
    known = frozenset((*mapping.known_labels, *options.speakers))
    labels = (
        None if mapping.labels == "none" else Labels(known if mapping.labels == "known" else None)
    )
    if mapping.shape == "turns":
        return ListReader(_keys(table, mapping), labels)
    if mapping.shape == "lines":
        finder = labels or Labels(None)
        return lambda cell: finder.turns(text_of(cell))
    if mapping.shape == "delimited":
        mark = mapping.delimiter or "\n"
        return lambda cell: parts(text_of(cell), mark, labels)
    return lambda cell: [(DOCUMENT, text_of(cell), None)]


def _keys(table: Table, mapping: Mapping) -> Keys | None:
    columns = mapping.columns
    if "turn_text" not in columns:
        return None
    return Keys(
        columns.get("turn_speaker"),
        columns["turn_text"],
        columns.get("turn_time"),
        mapping.time_format,
    )


_CELL = {"turns": "turns", "lines": "text", "delimited": "text", "document": "document"}


class DraftReader:
    """Rows that are conversations, as drafts."""

    def __init__(
        self,
        table: Table,
        mapping: Mapping,
        options: ImportOptions,
        tally: Tally,
        group: int,
        file: int,
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._cell = at[mapping.columns[_CELL[mapping.shape]]]
        id_column = mapping.columns.get("conversation_id")
        self._id = at[id_column] if id_column is not None else None
        self._turns = turns_reader(table, mapping, options)
        self._facts = FactsReader(table, mapping, options)
        self._table, self._tally, self._group, self._file = table, tally, group, file

    def __call__(self, rows: Iterable[Row]) -> list[StagedDraft]:
        drafts: list[StagedDraft] = []
        for line, cells in rows:
            try:
                drafts.append(self._draft(line, cells))
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)
        return drafts

    def _draft(self, line: int, cells: Sequence[Cell]) -> StagedDraft:
        turns = self._turns(cells[self._cell])
        facts = self._facts(cells)
        name = id_of(cells[self._id]) if self._id is not None else ""
        return StagedDraft(
            None,
            self._group,
            name or f"{self._table.file}:{line}",
            body_text(turns, facts),
            self._file,
            line,
        )


# -- a message a row -----------------------------------------------------------------------------


class MessageReader:
    """Rows that are messages, as they are staged. The hot path: a million rows in seconds."""

    def __init__(
        self, table: Table, mapping: Mapping, options: ImportOptions, tally: Tally, file: int
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        places = {f: at[c] for f, c in mapping.columns.items() if c in at}
        self._text = places["text"]
        self._conversation = places.get("conversation_id")
        self._id = places.get("message_id")
        self._parent = places.get("parent_id")
        self._speaker = places.get("speaker")
        self._side = places.get("side")
        self._time = places.get("time")
        self._index = places.get("index")
        self._read_time = times.reader(mapping.time_format) if mapping.time_format else None
        self._whole_parents = mapping.whole_parents
        self._side_name = mapping.columns.get("side", "")
        self._facts = FactsReader(table, mapping, options)
        self._facts_cache: dict[tuple[Cell, ...], str] = {}
        self._said_speakers = options.speakers
        self._sides: dict[str, str | None] = {}
        self._table, self._tally, self._file = table, tally, file

    def __call__(self, rows: Iterable[Row]) -> list[Message]:
        messages: list[Message] = []
        for line, cells in rows:
            try:
                messages.append(self._message(line, cells))
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)
        return messages

    def _message(self, line: int, cells: Sequence[Cell]) -> Message:
        conversation = None
        if self._conversation is not None:
            conversation = id_of(cells[self._conversation])
            if not conversation:
                raise RowFault("the row has no conversation id", cells[self._text])
        at = (
            self._read_time(cells[self._time])
            if self._read_time and self._time is not None
            else None
        )
        if at is None and self._time is not None and cells[self._time] not in (None, ""):
            self._tally.counts["times not read"] += 1
        return Message(
            None,
            conversation,
            self._message_id(cells),
            self._parent_id(cells),
            self._label(cells),
            text_of(cells[self._text]),
            times.written(at) if at else None,
            times.place(at) if at else None,
            _number(cells[self._index]) if self._index is not None else None,
            self._facts_of(cells),
            self._file,
            line,
        )

    def _message_id(self, cells: Sequence[Cell]) -> str | None:
        if self._id is None:
            return None
        name = id_of(cells[self._id]) or None
        if name is None and self._parent is not None:
            raise RowFault("the message has no id", cells[self._text])
        return name

    def _parent_id(self, cells: Sequence[Cell]) -> str | None:
        if self._parent is None:
            return None
        name = id_of(cells[self._parent])
        return (name.removesuffix(".0") if self._whole_parents else name) or None

    def _label(self, cells: Sequence[Cell]) -> str | None:
        """The role that the side says, else the speaker's label."""
        if self._side is not None:
            said = str(cells[self._side])
            if said not in self._sides and len(self._sides) < _CACHED:
                self._sides[said] = self._said_speakers.get(said) or side_role(
                    self._side_name, said
                )
            if role := self._sides.get(said):
                return role
        return id_of(cells[self._speaker]) or None if self._speaker is not None else None

    def _facts_of(self, cells: Sequence[Cell]) -> str:
        """The row's facts as JSON; the same few occur again and again."""
        key = tuple(cells[i] for i in self._facts.columns)
        try:
            # 1, 1.0 and True are equal as keys, but not as values
            known = self._facts_cache.get(key) if all(type(k) is str for k in key) else None
        except TypeError:
            known = None
        if known is None:
            known = facts_text(self._facts(cells))
            if all(isinstance(k, str) for k in key):
                if len(self._facts_cache) >= _CACHED:
                    self._facts_cache.clear()
                self._facts_cache[key] = known
        return known


def _number(cell: Cell) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


# -- a row that says more about a conversation ---------------------------------------------------


class LinkReader:
    """Rows that say more about a conversation of another table."""

    def __init__(
        self,
        table: Table,
        mapping: Mapping,
        options: ImportOptions,
        tally: Tally,
        group: int,
        file: int,
    ) -> None:
        at = {name: i for i, name in enumerate(table.columns)}
        self._id = at[mapping.columns["conversation_id"]]
        self._facts = FactsReader(table, mapping, options)
        self._table, self._tally, self._group, self._file = table, tally, group, file

    def __call__(self, rows: Iterable[Row]) -> list[StagedLink]:
        links: list[StagedLink] = []
        for line, cells in rows:
            try:
                name = id_of(cells[self._id])
                facts = self._facts(cells)
            except RowFault as fault:
                self._tally.reject(self._table.file, line, fault.reason, fault.seen)
                continue
            if not name:
                self._tally.reject(self._table.file, line, "the row has no conversation id")
                continue
            text = facts_text(facts)
            links.append(StagedLink(None, self._group, name, text, self._file, line))
        return links
