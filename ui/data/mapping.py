"""Data, Import: the guessed mapping with its reasons, and menus to change it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from arf_core.importing import FIELDS, ROLES, SHAPES, ImportPreview, Sample, TableMapping
from ui import widgets
from ui.data.pending import change
from ui.state import DataState, bound

LABELS = {
    "shape": "Row format",
    "conversation_id": "Conversation id",
    "message_id": "Message id",
    "parent_id": "Answered message",
    "speaker": "Speaker",
    "side": "Side",
    "text": "Text",
    "turns": "Turns",
    "document": "Document",
    "time": "Time",
    "index": "Position",
    "summary": "Summary",
    "reference_summary": "Reference summary",
    "system": "Summary author",
    "split": "Split",
    "turn_speaker": "Speaker in a turn",
    "turn_text": "Text in a turn",
    "turn_time": "Time in a turn",
}
MAIN = ("conversation_id", "text", "turns", "speaker", "summary")
"""Fields to choose if nothing could be guessed."""
INSIDE = ("turn_speaker", "turn_text", "turn_time")
"""Keys within a turn, not columns."""
NOT_KEPT = "–"
MOST_LABELS = 8


def draw(memory: DataState, samples: Sequence[Sample], seen: ImportPreview | None) -> None:
    """The first rows with the field of each column, then a menu for each field."""
    mappings = seen.mappings if seen else []
    for sample in samples:
        _first_rows(sample, _mapping_of(sample, mappings))
    columns = list(dict.fromkeys(c for s in samples for c in s.columns))
    _shape(memory, mappings)
    chosen = {f: c for m in mappings for f, c in m.columns.items()}
    why = {r.field: r.why for m in mappings for r in m.reasons}
    first = [f for f in FIELDS if f in chosen or (not mappings and f in MAIN)]
    for field in first:
        _menu(memory, field, chosen.get(field), why.get(field, ""), columns)
    with st.expander("More fields", key="more-fields"):
        for field in FIELDS:
            if field not in first and field not in INSIDE:
                _menu(memory, field, None, why.get(field, ""), columns)
    _attributes(memory, mappings)
    if seen is not None:
        _speakers(memory, seen)
    more_options(memory)


def _mapping_of(sample: Sample, mappings: Sequence[TableMapping]) -> TableMapping | None:
    return next((m for m in mappings if sample.file in m.files), None)


def _first_rows(sample: Sample, mapping: TableMapping | None) -> None:
    taken = {c: LABELS[f] for f, c in (mapping.columns if mapping else {}).items()}
    kept = set(mapping.attributes) if mapping else set()
    config: dict[str, Any] = {}
    for number, column in enumerate(sample.columns):
        field = taken.get(column) or ("attribute" if column in kept else NOT_KEPT)
        # two columns may have one name, so the table calls them by number
        config[str(number)] = st.column_config.TextColumn(
            f"{widgets.seen(column)} → {field}" if mapping else widgets.seen(column)
        )
    widgets.html(f'<div class="arf-muted">First rows of {widgets.escaped(sample.file)}</div>')
    rows = pd.DataFrame(sample.rows, columns=[str(i) for i in range(len(sample.columns))])
    st.dataframe(rows.map(widgets.seen), hide_index=True, column_config=config)


# -- menus ----------------------------------------------------------------------------------------


def _shape(memory: DataState, mappings: Sequence[TableMapping]) -> None:
    found = mappings[0].shape if mappings else memory.options.shape
    key = bound("map-shape", found)
    menu = _row(LABELS["shape"], "How rows make conversations.", _why_shape(memory, mappings))
    menu.selectbox(
        LABELS["shape"],
        list(SHAPES) if found else [None, *SHAPES],
        key=key,
        format_func=lambda s: SHAPES[s][0].upper() + SHAPES[s][1:] if s else "not recognised",
        placeholder="not recognised: choose",
        label_visibility="collapsed",
        on_change=lambda: change(memory, LABELS["shape"], shape=st.session_state[key]),
    )
    if found == "delimited":
        delimiter = bound("map-delimiter", mappings[0].delimiter if mappings else "")
        st.text_input(
            "Separator between turns",
            key=delimiter,
            on_change=lambda: change(
                memory, "Separator", delimiter=st.session_state[delimiter] or None
            ),
        )


def _menu(
    memory: DataState,
    field: str,
    column: str | None,
    why: str,
    columns: Sequence[str],
) -> None:
    """The menu of one field: which column it is, and why."""
    key = bound(f"map-{field}", column)
    options: list[str | None] = [None, *([] if field in INSIDE else columns)]
    if column not in options:
        options.append(column)

    def choose() -> None:
        chosen = memory.options.columns | {field: st.session_state[key] or ""}
        change(memory, LABELS[field], columns=chosen)

    reason = "your choice" if field in memory.options.columns else why
    menu = _row(LABELS[field], FIELDS[field].capitalize() + ".", reason)
    menu.selectbox(
        LABELS[field],
        options,
        key=key,
        format_func=lambda c: "none" if c is None else widgets.seen(c),
        placeholder="none",
        label_visibility="collapsed",
        accept_new_options=field in INSIDE,
        on_change=choose,
    )


def _row(name: str, means: str, why: str) -> Any:
    """A line of the form: the field's name, its menu (returned empty), and why it was chosen."""
    words, menu, reason = st.columns([2, 4, 4], gap="xsmall", vertical_alignment="center")
    with words:
        widgets.html(f'<div title="{widgets.escaped(means)}">{widgets.escaped(name)}</div>')
    with reason:
        widgets.html(f'<div class="arf-muted">{widgets.escaped(why)}</div>')
    return menu


def _why_shape(memory: DataState, mappings: Sequence[TableMapping]) -> str:
    if memory.options.shape:
        return "your choice"
    return "from the columns and the first rows" if mappings else ""


def _attributes(memory: DataState, mappings: Sequence[TableMapping]) -> None:
    """Columns kept as attributes, and why the others are not."""
    kept = list(dict.fromkeys(a for m in mappings for a in m.attributes))
    left_out = {c: why for m in mappings for c, why in m.left_out.items() if c not in kept}
    if not kept and not left_out:
        return
    key = bound("map-attributes", kept)
    st.multiselect(
        "Attributes to compare groups by",
        [*kept, *left_out],
        key=key,
        format_func=widgets.seen,
        on_change=lambda: change(memory, "Attributes", attributes=tuple(st.session_state[key])),
    )
    if left_out:
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        widgets.text(f"Not kept: {why}.", muted=True)


def _speakers(memory: DataState, seen: ImportPreview) -> None:
    """The roles of speakers whose labels do not tell."""
    chosen = memory.options.speakers
    labels = list(dict.fromkeys([*chosen, *(k for k, _ in seen.speakers.kept.most_common())]))
    for label in labels[:MOST_LABELS]:
        key = bound(f"speaker-{label}", chosen.get(label))

        def choose(label: str = label, key: str = key) -> None:
            role = st.session_state[key]
            others = {k: v for k, v in memory.options.speakers.items() if k != label}
            change(memory, "Speaker", speakers=others | ({label: role} if role else {}))

        menu = _row(f"Role of “{label}”", "Who speaks under this name.", "not clear from the name")
        menu.selectbox(
            f"Role of “{widgets.label(label)}”",
            [None, *ROLES],
            key=key,
            format_func=lambda role: role or "keep the name",
            placeholder="keep the name",
            label_visibility="collapsed",
            on_change=choose,
        )


def more_options(memory: DataState) -> None:
    """Who wrote the summaries, the source, and how the file is read."""
    fields = {
        "system": ("Summary author, if no column names it", "teacher"),
        "source": ("Data set name", "file name"),
        "encoding": ("Text encoding, if not UTF-8 or UTF-16", "for example cp1252"),
        "separator": ("CSV delimiter", "detected"),
    }
    with st.expander("More options", key="more-options"):
        for name, (words, placeholder) in fields.items():
            value = getattr(memory.options, name)
            key = bound(f"option-{name}", value or "")

            def choose(name: str = name, key: str = key, words: str = words) -> None:
                given = st.session_state[key].strip(" ") or None
                if name == "system":
                    given = given or "teacher"
                change(memory, words, **{name: given})

            st.text_input(words, key=key, placeholder=placeholder, on_change=choose)
        limit = bound("option-limit", memory.options.limit)
        st.number_input(
            "Maximum number of conversations",
            min_value=1,
            value=None,
            key=limit,
            placeholder="all",
            on_change=lambda: change(memory, "Maximum", limit=st.session_state[limit]),
        )
