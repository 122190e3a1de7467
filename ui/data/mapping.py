"""Data, Import: the guessed mapping with its reasons, menus to change it, and what comes of it."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from arf_core.importing import FIELDS, ROLES, SHAPES, ImportPreview, Sample, TableMapping
from ui import widgets
from ui.settings.page import bound
from ui.state import DataState

Change = Callable[..., None]
WORDS = {
    "conversation_id": "Conversation id",
    "message_id": "Message id",
    "parent_id": "Answered message",
    "speaker": "Speaker",
    "side": "Side",
    "text": "Words",
    "turns": "Turns",
    "document": "Document",
    "time": "Time",
    "index": "Place",
    "summary": "Summary",
    "reference_summary": "Reference summary",
    "system": "Summary's writer",
    "split": "Split",
    "turn_speaker": "Speaker in a turn",
    "turn_text": "Words in a turn",
    "turn_time": "Time in a turn",
}
MAIN = ("conversation_id", "text", "turns", "speaker", "summary")
"""Fields to choose where nothing could be guessed."""
INSIDE = ("turn_speaker", "turn_text", "turn_time")
"""Keys within a turn, which are no columns."""
NOT_KEPT = "–"
MOST_LABELS = 8


def draw(
    memory: DataState, samples: Sequence[Sample], seen: ImportPreview | None, change: Change
) -> None:
    """First rows under the fields that their columns were taken for, then a menu for each field."""
    mappings = seen.mappings if seen else []
    for sample in samples:
        _first_rows(sample, _mapping_of(sample, mappings))
    columns = list(dict.fromkeys(c for s in samples for c in s.columns))
    _shape(memory, mappings, change)
    chosen = {f: c for m in mappings for f, c in m.columns.items()}
    why = {r.field: r.why for m in mappings for r in m.reasons}
    first = [f for f in FIELDS if f in chosen or (not mappings and f in MAIN)]
    for field in first:
        _menu(memory, field, chosen.get(field), why.get(field, ""), columns, change)
    with st.expander("More fields", key="more-fields"):
        for field in FIELDS:
            if field not in first and field not in INSIDE:
                _menu(memory, field, None, why.get(field, ""), columns, change)
    _attributes(memory, mappings, change)
    if seen is not None:
        _speakers(memory, seen, change)
    reading(memory, change)


def _mapping_of(sample: Sample, mappings: Sequence[TableMapping]) -> TableMapping | None:
    return next((m for m in mappings if sample.file in m.files), None)


def _first_rows(sample: Sample, mapping: TableMapping | None) -> None:
    taken = {c: WORDS[f] for f, c in (mapping.columns if mapping else {}).items()}
    kept = set(mapping.attributes) if mapping else set()
    config: dict[str, Any] = {}
    for place, column in enumerate(sample.columns):
        means = taken.get(column) or ("attribute" if column in kept else NOT_KEPT)
        # two columns may bear one name, so the table's own names are their places
        config[str(place)] = st.column_config.TextColumn(
            f"{widgets.seen(column)} → {means}" if mapping else widgets.seen(column)
        )
    widgets.html(f'<div class="arf-muted">The first rows of {widgets.escaped(sample.file)}</div>')
    rows = pd.DataFrame(sample.rows, columns=[str(i) for i in range(len(sample.columns))])
    st.dataframe(rows.map(widgets.seen), hide_index=True, column_config=config)


# -- menus ----------------------------------------------------------------------------------------


def _shape(memory: DataState, mappings: Sequence[TableMapping], change: Change) -> None:
    found = mappings[0].shape if mappings else memory.options.shape
    key = bound("map-shape", found)
    menu = _row("Rows", "How rows make conversations.", _why_shape(memory, mappings))
    menu.selectbox(
        "Rows",
        list(SHAPES) if found else [None, *SHAPES],
        key=key,
        format_func=lambda s: SHAPES[s] if s else "not found out",
        placeholder="not found out: choose",
        label_visibility="collapsed",
        on_change=lambda: change(memory, "Rows", shape=st.session_state[key]),
    )
    if found == "delimited":
        mark = bound("map-delimiter", mappings[0].delimiter if mappings else "")
        st.text_input(
            "What stands between the turns",
            key=mark,
            on_change=lambda: change(memory, "Mark", delimiter=st.session_state[mark] or None),
        )


def _menu(
    memory: DataState,
    field: str,
    column: str | None,
    why: str,
    columns: Sequence[str],
    change: Change,
) -> None:
    """The menu of one field: which column it is, and why."""
    key = bound(f"map-{field}", column)
    options: list[str | None] = [None, *([] if field in INSIDE else columns)]
    if column not in options:
        options.append(column)

    def choose() -> None:
        said = memory.options.columns | {field: st.session_state[key] or ""}
        change(memory, WORDS[field], columns=said)

    said = "you chose it" if field in memory.options.columns else why
    menu = _row(WORDS[field], FIELDS[field].capitalize() + ".", said)
    menu.selectbox(
        WORDS[field],
        options,
        key=key,
        format_func=lambda c: "none" if c is None else widgets.seen(c),
        placeholder="none",
        label_visibility="collapsed",
        accept_new_options=field in INSIDE,
        on_change=choose,
    )


def _row(name: str, means: str, why: str) -> Any:
    """A line of the form: the field's name, a place for its menu, and why it was chosen."""
    words, menu, reason = st.columns([2, 3, 4], gap="xsmall", vertical_alignment="center")
    with words:
        widgets.html(f'<div title="{widgets.escaped(means)}">{widgets.escaped(name)}</div>')
    with reason:
        widgets.html(f'<div class="arf-muted">{widgets.escaped(why)}</div>')
    return menu


def _why_shape(memory: DataState, mappings: Sequence[TableMapping]) -> str:
    if memory.options.shape:
        return "you chose it"
    return "by the columns and the first rows" if mappings else ""


def _attributes(memory: DataState, mappings: Sequence[TableMapping], change: Change) -> None:
    """Columns that are kept for slicing, and why the others are not."""
    kept = list(dict.fromkeys(a for m in mappings for a in m.attributes))
    left_out = {c: why for m in mappings for c, why in m.left_out.items() if c not in kept}
    if not kept and not left_out:
        return
    key = bound("map-attributes", kept)
    st.multiselect(
        "Attributes, kept to compare groups by",
        [*kept, *left_out],
        key=key,
        format_func=widgets.seen,
        on_change=lambda: change(memory, "Attributes", attributes=tuple(st.session_state[key])),
    )
    if left_out:
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        widgets.text(f"Not kept: {why}.", muted=True)


def _speakers(memory: DataState, seen: ImportPreview, change: Change) -> None:
    """Who is who, where the file's labels do not say."""
    said = memory.options.speakers
    labels = list(dict.fromkeys([*said, *(k for k, _ in seen.speakers.kept.most_common())]))
    for label in labels[:MOST_LABELS]:
        key = bound(f"speaker-{label}", said.get(label))

        def choose(label: str = label, key: str = key) -> None:
            role = st.session_state[key]
            others = {k: v for k, v in memory.options.speakers.items() if k != label}
            change(memory, "Speaker", speakers=others | ({label: role} if role else {}))

        menu = _row(f"“{label}” is", "Who speaks under this name.", "the name says no side")
        menu.selectbox(
            f"Who speaks as “{widgets.label(label)}”",
            [None, *ROLES],
            key=key,
            format_func=lambda role: role or "kept as it is called",
            placeholder="kept as it is called",
            label_visibility="collapsed",
            on_change=choose,
        )


def reading(memory: DataState, change: Change) -> None:
    """What can be said besides: who wrote the summaries, the source, how the file is read."""
    fields = {
        "system": ("Who wrote the summaries, where rows do not say", "teacher"),
        "source": ("Name of the data set", "the file's own name"),
        "encoding": ("Encoding of text, where it is not UTF-8 or UTF-16", "such as cp1252"),
        "separator": ("Sign between the cells of a CSV file", "found out"),
    }
    with st.expander("More options", key="more-options"):
        for name, (words, otherwise) in fields.items():
            value = getattr(memory.options, name)
            key = bound(f"option-{name}", value or "")

            def choose(name: str = name, key: str = key, words: str = words) -> None:
                said = st.session_state[key].strip(" ") or None
                if name == "system":
                    said = said or "teacher"
                change(memory, words, **{name: said})

            st.text_input(words, key=key, placeholder=otherwise, on_change=choose)
        limit = bound("option-limit", memory.options.limit)
        st.number_input(
            "Only the first conversations",
            min_value=1,
            value=None,
            key=limit,
            placeholder="all",
            on_change=lambda: change(memory, "Limit", limit=st.session_state[limit]),
        )


# -- what comes of it -----------------------------------------------------------------------------


def conversations(seen: ImportPreview) -> None:
    """The first conversations as they would be stored, and what would not be taken."""
    st.subheader("The first conversations, as they would be stored")
    for note in seen.notes:
        widgets.text(note, muted=True)
    if seen.rejected:
        first = seen.rejected[0]
        st.warning(
            f"{len(seen.rejected):,} of the first rows would not be taken. The first: line "
            f"{first.line:,} of {widgets.label(first.file)}: {widgets.label(first.reason)} "
            f"{widgets.label(first.seen)}",
            icon=":material/warning:",
        )
    if not seen.conversations:
        st.caption("None of the first rows makes a conversation. Change what the columns mean.")
        return
    at = st.segmented_control(
        "Which",
        range(len(seen.conversations)),
        default=0,
        required=True,
        key="preview-which",
        format_func=lambda i: str(i + 1),
        label_visibility="collapsed",
    )
    shown = seen.conversations[min(at or 0, len(seen.conversations) - 1)]
    left, right = st.columns([3, 2], gap="large")
    with left:
        widgets.conversation(shown, height=360)
    with right:
        facts = {"id": shown.external_id, "split": shown.split} | shown.attributes
        widgets.text("\n".join(f"{k}: {v}" for k, v in facts.items()), muted=True)
        written = [s for s in seen.summaries if s.conversation_id == shown.id]
        for summary in written:
            st.caption(f"Summary by {widgets.label(summary.system)}")
            widgets.summary(summary.text)
        if not written:
            st.caption("No summary.")
