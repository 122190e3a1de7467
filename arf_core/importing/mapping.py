"""How the rows of a table are read: its shape, and what follows from the chosen columns."""

import re
from collections import Counter
from collections.abc import Sequence

import arf_core.importing.times as times
from arf_core.errors import InputError
from arf_core.importing.columns import MOST_LOOKED_AT, Column, columns_of
from arf_core.importing.guess import Choices, choose_summaries, sorted_out, untaken
from arf_core.importing.report import KEPT
from arf_core.importing.rows import Cell, Table
from arf_core.importing.settings import (
    ImportSettings,
    LabelMode,
    MappingReason,
    Shape,
    TableMapping,
)
from arf_core.importing.shapes import SHAPES, recognised
from arf_core.importing.speakers import plain_label, role_of
from arf_core.importing.turns import TurnKeys, keys_of, labelled


def mapping_of(
    tables: Sequence[Table], settings: ImportSettings, shape: Shape | None
) -> TableMapping:
    """How the rows of tables with the same columns are read; `shape` where it is known.

    Raises InputError that lists the columns where it cannot be found out.
    """
    columns = columns_of(tables)
    chosen = {f: c for f, c in settings.columns.items() if not c or c in columns or "turn_" in f}
    found = shape or recognised(columns, chosen)
    choices = Choices(columns, chosen)
    if found is not None:
        choose_summaries(choices)
        SHAPES[found].choose(choices)
    if found is None or any(choices.get(f) is None for f in SHAPES[found].needs):
        raise _unmapped(tables, found, choices)
    return _completed(tables, settings, found, choices)


def _unmapped(tables: Sequence[Table], shape: Shape | None, choices: Choices) -> InputError:
    seen = ", ".join(choices.columns)
    mentioned = "".join(f" {note}" for note in dict.fromkeys(n for t in tables for n in t.notes))
    if shape is None:
        return InputError(
            f"{tables[0].file}: no column looks like conversations (columns: {seen}).",
            "Say what is what, for example --map turns=COLUMN for nested turns, --map text=COLUMN "
            "--shape lines for text of 'Speaker: words' lines, or --map conversation_id=COLUMN "
            "--map speaker=COLUMN --map text=COLUMN for a message a row. Shapes: "
            f"{', '.join(SHAPES)}.{mentioned}",
        )
    missing = [f for f in SHAPES[shape].needs if choices.get(f) is None]
    return InputError(
        f"{tables[0].file} cannot be read as {shape} ({SHAPES[shape].text}): no column was "
        f"found for {', '.join(missing)} (columns: {seen}).",
        " ".join(f"--map {f}=COLUMN" for f in missing) + f", or another --shape.{mentioned}",
    )


# -- what follows from the columns -----------------------------------------------------------------


def _completed(
    tables: Sequence[Table], settings: ImportSettings, shape: Shape, choices: Choices
) -> TableMapping:
    """The mapping with everything that follows from the chosen columns."""
    kept, left_out = _attributes(shape, choices, settings)
    labels, known, others = _labels(shape, choices, settings)
    taken = dict(choices.taken)
    reasons = list(choices.reasons)
    notes = [
        *(n for t in tables for n in t.notes),
        *choices.notes,
        *untaken(choices, SHAPES[shape].mentioned),
    ]
    keys = _choose_keys(choices, taken, reasons) if shape == "turns" else None
    time = choices.get("time")
    notes += _day_first(time) if time else []
    if others:
        notes.append(
            f"{', '.join(repr(o) for o in others[:5])} at the start of a line was read as part of "
            "the text, since it is not a usual name of a side. To make it a speaker: --speaker "
            "LABEL=ROLE."
        )
    return TableMapping(
        files=tuple(t.file for t in tables[:KEPT]),
        file_count=len(tables),
        shape=shape,
        columns=taken,
        delimiter=_delimiter(shape, choices, settings),
        labels=labels,
        known_labels=known,
        time_format=keys.time_format if keys else time.time_format if time else None,
        whole_parents=shape == "threads" and _whole_parents(choices),
        attributes=kept,
        left_out=left_out,
        reasons=(MappingReason(field="shape", column=None, why=SHAPES[shape].text), *reasons),
        notes=tuple(dict.fromkeys(notes)),
    )


def _attributes(
    shape: Shape, choices: Choices, settings: ImportSettings
) -> tuple[tuple[str, ...], dict[str, str]]:
    free = list(choices.free())
    if settings.attributes is not None:
        kept = tuple(a for a in settings.attributes if a in choices.columns)
        return kept, {c.name: "you chose it" for c in free if c.name not in kept}
    same = "conversation_id" if shape == "messages" else SHAPES[shape].cell
    by = choices.get(same) if same else None
    groups: Sequence[Cell] | None = by.cells if by else None
    return sorted_out(free, groups)


def _choose_keys(
    choices: Choices, taken: dict[str, str], reasons: list[MappingReason]
) -> TurnKeys | None:
    column = choices.get("turns")
    chosen = {f: c for f, c in choices.chosen.items() if f.startswith("turn_")}
    keys = keys_of(column.lists, chosen) if column else None
    if keys is None:
        return None
    found = {"turn_speaker": keys.speaker, "turn_text": keys.text, "turn_time": keys.time}
    for name, key in found.items():
        if key is not None:
            taken[name] = key
            why = "you chose it" if name in chosen else "a key of the turns, by its name"
            reasons.append(MappingReason(field=name, column=key, why=why))
    return keys


def _delimiter(shape: Shape, choices: Choices, settings: ImportSettings) -> str | None:
    if shape != "delimited":
        return None
    column = choices.get("text")
    found = settings.delimiter or (column.delimiter if column else None)
    if found is None:
        raise InputError(
            f"No mark that joins the turns was found in {column.name if column else 'the text'}.",
            "Give it: --delimiter MARK.",
        )
    return found


def _labels(
    shape: Shape, choices: Choices, settings: ImportSettings
) -> tuple[LabelMode, tuple[str, ...], tuple[str, ...]]:
    """Which labels begin a turn in text: only usual ones, where these are nearly all there are.
    With it the labels that are known besides the usual ones, and those that count as words."""
    column = choices.get("turns" if shape == "turns" else "text")
    if column is None or shape not in ("turns", "lines", "delimited"):
        return "none", (), ()
    pieces = _pieces(shape, column, _delimiter(shape, choices, settings))
    counts = Counter(label for p in pieces if (label := labelled(p)))
    total = sum(counts.values())
    if (shape != "lines" and total < 0.6 * len(pieces)) or not total:
        return ("any" if shape == "lines" else "none"), (), ()
    chosen = tuple(plain_label(label) for label in settings.speakers)
    usual = sum(n for label, n in counts.items() if role_of(label) or label in chosen)
    if usual < 0.9 * total:
        return "any", (), ()
    often = [label for label, n in counts.items() if n >= 0.05 * total and n > 1]
    known = tuple(dict.fromkeys((*often, *chosen)))
    return "known", known, tuple(x for x in counts if x not in known and not role_of(x))


def _pieces(shape: Shape, column: Column, delimiter: str | None) -> list[str]:
    """What may begin with a label: lines, parts, or turns that are plain text."""
    if shape == "turns":
        return [t for turns in column.lists for t in turns if isinstance(t, str) and t.strip()]
    texts = column.texts[:MOST_LOOKED_AT]
    split = [t.splitlines() if delimiter is None else t.split(delimiter) for t in texts]
    return [p for parts in split for p in parts if p.strip()]


def _whole_parents(choices: Choices) -> bool:
    """Are the parents' ids floats (3.0) of whole ids (3)? pandas writes them so."""
    parent, message = choices.get("parent_id"), choices.get("message_id")
    if parent is None or message is None:
        return False
    return all(re.fullmatch(r"\d+\.0", t) for t in parent.texts) and not any(
        "." in t for t in message.texts
    )


def _day_first(time: Column) -> list[str]:
    form = time.time_format or ""
    if not times.is_day_or_month_first(form, time.filled):
        return []
    return [
        f"Dates such as {time.texts[0]} in {time.name!r} were read with the day first; they would "
        "fit the month first as well."
    ]
