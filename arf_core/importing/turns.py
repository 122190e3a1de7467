"""A cell that holds a whole conversation, split into turns."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json

import arf_core.importing.times as times
from arf_core.importing.rows import Cell, RowFault, checked, text_of
from arf_core.importing.settings import ImportSettings, TableMapping
from arf_core.importing.speakers import plain_label, role_of

RawTurn = tuple[str | None, str, str | None]
"""Label of the speaker, words, time in ISO 8601."""

SPEAKER_KEYS = (
    "speaker role from author sender speaker_role sender_type author_role user participant "
    "username name who speaker_id author_id"
).split()
TEXT_KEYS = "text content value message utterance body msg words transcript sentence".split()
TIME_KEYS = "at time timestamp created_at date sent_at datetime start".split()
DELIMITERS = (
    *("<BR>", "<br>", "<br/>", "<br />", "|||", "</s>", "<sep>", "[SEP]", "<SEP>", "<EOS>"),
    *(
        "__eou__",
        "<eou>",
        "[EOU]",
        "<turn>",
        "[TURN]",
        "<eot>",
        "\\r\\n",
        "\\n",
        "###",
        "\r\n",
        "\n",
    ),
)
_LABEL_WORD = re.compile(r"[\w.'’#@/&()<>\[\]*-]+")
_LONGEST_LABEL = 60
_LARGEST_LITERAL = 1_000_000


class TurnKeys(NamedTuple):
    """Where a turn that is an object has what."""

    speaker: str | None
    text: str
    time: str | None
    time_format: str | None = None


# -- lists ---------------------------------------------------------------------------------------


def as_list(cell: Cell) -> list[Cell] | None:
    """The turns of a cell as a list: one already, by column, or written as text. Else None."""
    if isinstance(cell, str):
        cell = _literal(cell)
    if isinstance(cell, dict):
        lists = [v for v in cell.values() if isinstance(v, list)]
        if not lists or len(lists) < len(cell) or len({len(v) for v in lists}) > 1:
            return None
        return [dict(zip(cell, values, strict=True)) for values in zip(*lists, strict=True)]
    return cell if isinstance(cell, list) else None


def _literal(text: str) -> Cell:
    """JSON, or what Python prints for a list (as pandas writes it into a CSV file)."""
    bare = text.strip()
    if not bare.startswith(("[", "{")) or not bare.endswith(("]", "}")):
        return None
    try:
        return from_json(bare, allow_inf_nan=False)
    except ValueError:
        if (
            len(bare) > _LARGEST_LITERAL
            or bare.count("[") + bare.count("{") > _LARGEST_LITERAL // 9
        ):
            return None
    try:
        return ast.literal_eval(bare)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def keys_of(lists: Iterable[Sequence[Cell]], chosen: Mapping[str, str]) -> TurnKeys | None:
    """Where turns that are objects keep speaker, words and time; None where they are no objects
    or hold no words. `said` are the user's turn_speaker, turn_text, turn_time."""
    turns = [t for turns in lists for t in turns[:20] if isinstance(t, dict)]
    if not turns:
        return None
    present = {k: None for t in turns for k in t}
    text = chosen.get("turn_text") or _first(TEXT_KEYS, present)
    if text is None or text not in present:
        return None
    speaker = chosen.get("turn_speaker") or _first(SPEAKER_KEYS, present)
    time = chosen.get("turn_time") or _first(TIME_KEYS, present)
    form = times.time_format([t.get(time) for t in turns]) if time else None
    return TurnKeys(speaker, text, time if form else None, form)


def _first(candidates: Sequence[str], present: Iterable[str]) -> str | None:
    lower = {k.lower(): k for k in present}
    return next((lower[w] for w in candidates if w in lower), None)


class ListReader:
    """Reads cells of nested turns."""

    def __init__(self, keys: TurnKeys | None, labels: "LabelFinder | None") -> None:
        self._keys = keys
        self._labels = labels
        self._time = times.reader(keys.time_format) if keys and keys.time_format else None

    def __call__(self, cell: Cell) -> list[RawTurn]:
        turns = as_list(cell)
        if turns is None:
            raise RowFault("the turns are no list", repr(cell)[:200])
        return [self._turn(t) for t in turns]

    def _turn(self, turn: Cell) -> RawTurn:
        if isinstance(turn, dict) and self._keys:
            return self._of_object(turn, self._keys)
        if isinstance(turn, list | tuple) and len(turn) >= 2:
            return text_of(turn[0]) or None, text_of(turn[1]), None
        if isinstance(turn, str):
            return (
                self._labels.split(checked(turn)) if self._labels else (None, checked(turn), None)
            )
        raise RowFault("a turn is neither text nor an object with text", repr(turn)[:200])

    def _of_object(self, turn: Mapping[str, Any], keys: TurnKeys) -> RawTurn:
        label = turn.get(keys.speaker) if keys.speaker else None
        if isinstance(label, dict):  # {"author": {"role": "user"}}
            label = next((label[k] for k in SPEAKER_KEYS if label.get(k) is not None), None)
        at = self._time(turn.get(keys.time)) if self._time and keys.time else None
        if keys.text not in turn:
            raise RowFault("a turn has no words", repr(turn)[:200])
        name = text_of(label if not isinstance(label, bool) else str(label))
        return name or None, text_of(turn[keys.text]), times.written(at) if at else None


# -- text ----------------------------------------------------------------------------------------


class SpeakerLabel(NamedTuple):
    """`Speaker:` at the start of a line; the words begin at `end`."""

    name: str
    end: int


def label_at_start(line: str) -> SpeakerLabel | None:
    """Up to four words and a colon with white space behind it, so that 10:30 and https: are none,
    and no word in lower case at the front, unless it names a role."""
    colon = line.find(":", 0, _LONGEST_LABEL)
    if colon < 1 or not (line[colon + 1 : colon + 2] or " ").isspace():
        return None
    name = line[:colon].strip()
    words = name.split(" ")
    if len(words) > 4 or not all(_LABEL_WORD.fullmatch(w) for w in words):
        return None
    if not any(c.isalnum() for c in name):
        return None
    is_name = not name[0].islower() or role_of(plain_label(name)) is not None
    return SpeakerLabel(name, colon + 1) if is_name else None


class LabelFinder(NamedTuple):
    """Which `Label:` begins a turn: those that are known, or any that looks like a name."""

    known: frozenset[str] | None

    def find(self, line: str) -> SpeakerLabel | None:
        label = label_at_start(line)
        if label is None or self.known is None:
            return label
        plain = plain_label(label.name)
        return label if plain in self.known or role_of(plain) else None

    def split(self, line: str) -> RawTurn:
        """One turn: its label, if it has one, and the rest."""
        label = self.find(line)
        return (label.name, line[label.end :].strip(), None) if label else (None, line, None)

    def turns(self, text: str) -> list[RawTurn]:
        """The turns of a text. A line without a label goes on with the turn before it."""
        found: list[tuple[str, list[str]]] = []
        for line in re.split(r"\r\n|\n|\r", text):
            label = self.find(line)
            if label:
                found.append((label.name, [line[label.end :]]))
            elif found:
                found[-1][1].append(line)
            elif line.strip():
                found.append((UNKNOWN, [line]))
        return [
            (label, "\n".join(x.rstrip() for x in words).strip(), None) for label, words in found
        ]


UNKNOWN = "unknown"
"""The speaker of the text before the first label."""


def labelled(line: str) -> str | None:
    """The plain label at the start of a line, if there is one."""
    label = label_at_start(line)
    return plain_label(label.name) if label else None


def parts(text: str, delimiter: str, labels: LabelFinder | None) -> list[RawTurn]:
    """The turns of a text joined by a delimiter; empty parts are none."""
    found = (p.strip() for p in text.split(delimiter))
    return [labels.split(p) if labels else (None, p, None) for p in found if p]


def delimiter_in(texts: Sequence[str]) -> str | None:
    """The mark that separates turns in most of the texts, or None."""
    for mark in DELIMITERS:
        if texts and sum(mark in t.strip() for t in texts) >= 0.6 * len(texts):
            return mark
    return None


CellReader = Callable[[Cell], list[RawTurn]]
"""A cell into turns. Raises RowFault for a cell that cannot be read: the row is then rejected."""
TurnsReader = Callable[[TableMapping, ImportSettings], CellReader]
DOCUMENT = "document"
"""The speaker of a text that is no dialogue."""


def of_lists(mapping: TableMapping, settings: ImportSettings) -> CellReader:
    return ListReader(_keys(mapping), _labels(mapping, settings))


def of_lines(mapping: TableMapping, settings: ImportSettings) -> CellReader:
    labels = _labels(mapping, settings) or LabelFinder(None)
    return lambda cell: labels.turns(text_of(cell))


def of_parts(mapping: TableMapping, settings: ImportSettings) -> CellReader:
    mark, labels = mapping.delimiter or "\n", _labels(mapping, settings)
    return lambda cell: parts(text_of(cell), mark, labels)


def of_document(mapping: TableMapping, settings: ImportSettings) -> CellReader:
    return lambda cell: [(DOCUMENT, text_of(cell), None)]


def _labels(mapping: TableMapping, settings: ImportSettings) -> LabelFinder | None:
    if mapping.labels == "none":
        return None
    known = frozenset((*mapping.known_labels, *settings.speakers))
    return LabelFinder(known if mapping.labels == "known" else None)


def _keys(mapping: TableMapping) -> TurnKeys | None:
    columns = mapping.columns
    if "turn_text" not in columns:
        return None
    return TurnKeys(
        columns.get("turn_speaker"),
        columns["turn_text"],
        columns.get("turn_time"),
        mapping.time_format,
    )
