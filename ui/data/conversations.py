"""Data, Conversations: search, read, step to the next; each conversation has its own address."""

import pandas as pd
import streamlit as st

from arf_core.errors import ArfError
from arf_core.project import Project
from arf_core.records import SPLITS, Conversation, Finding, Summary, digest
from arf_core.store.queries import findings_of
from arf_core.store.search import (
    COUNTED,
    SHOWN,
    Hit,
    Search,
    SearchPosition,
    conversation,
    search,
    search_position,
    summaries_of,
)
from ui import loaders, widgets
from ui.names import detector_name

HEIGHT = 560


@loaders.reads
def _hits(project: Project, query: str) -> list[Hit]:
    return search(project.store, Search.model_validate_json(query))


@loaders.reads
def _position(project: Project, query: str, conversation_id: str) -> SearchPosition:
    return search_position(project.store, Search.model_validate_json(query), conversation_id)


@loaders.reads
def _conversation(project: Project, conversation_id: str) -> Conversation:
    return conversation(project.store, conversation_id)


@loaders.reads
def _summaries(project: Project, conversation_id: str) -> list[Summary]:
    return summaries_of(project.store, conversation_id)


@loaders.reads
def _findings(
    project: Project, summary_ids: tuple[str, ...], detector: str
) -> dict[str, list[Finding]]:
    return findings_of(project.store, summary_ids, [detector])


def draw(project: Project) -> None:
    """The search with its hits, and the chosen conversation with its summaries."""
    query = _search_form().model_dump_json()
    with st.spinner("Searching …"):  # a rare word takes a scan of every conversation
        hits = _hits(project, query)
    chosen = st.query_params.get("conversation")
    if chosen is None and hits:
        chosen = hits[0].id
    if chosen is None:
        st.caption("Nothing found. Try other words, or part of an id.")
        return
    try:
        read = _conversation(project, chosen)
    except ArfError as fault:
        widgets.error(fault)
        st.button("Go to the first conversation", key="reader-first", on_click=_open, args=(None,))
        return
    _steps(_position(project, query, read.id))
    if not hits:
        st.caption("Nothing found. This is the conversation you opened before.")
    elif len(hits) > 1:
        many = f"the first {SHOWN}" if len(hits) == SHOWN else f"all {len(hits)}"
        with st.expander(f"List {many}"):
            _list(hits, read.id)
    _read(project, read)


def _search_form() -> Search:
    words, splits = st.columns([3, 2])
    text = words.text_input(
        "Search",
        key="q",
        bind="query-params",
        placeholder="words, a “quoted phrase”, or an id",
        icon=":material/search:",
    )
    chosen = splits.segmented_control(
        "Split", SPLITS, selection_mode="multi", key="splits", bind="query-params"
    )
    return Search(text=text or "", splits=tuple(chosen) or SPLITS)


def _open(conversation_id: str | None) -> None:
    if conversation_id is None:
        st.query_params.pop("conversation", None)
    else:
        st.query_params["conversation"] = conversation_id


def _steps(here: SearchPosition) -> None:
    """Buttons to the previous and next conversation, and the position among the hits."""
    total = f"{here.total:,}" if here.total <= COUNTED else f"more than {COUNTED:,}"
    with st.container(horizontal=True, vertical_alignment="center"):
        for words, key, shortcut, target in (
            ("Previous", "reader-previous", "K", here.before),
            ("Next", "reader-next", "J", here.after),
        ):
            st.button(
                words,
                key=key,
                shortcut=shortcut,
                disabled=target is None,
                on_click=_open,
                args=(target,),
            )
        st.caption(f"{here.number:,} of {total}" if here.number else f"{total} found")


def _list(hits: list[Hit], chosen: str) -> None:
    rows = [(h.external_id, h.split, h.n_turns, h.opening) for h in hits]
    table = pd.DataFrame(rows, columns=["Id", "Split", "Turns", "Opening"])
    for name in ("Id", "Opening"):
        table[name] = table[name].map(widgets.seen)
    ids = [h.id for h in hits]
    key = f"hits-{digest(*ids, chosen)}"

    def select() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            _open(ids[rows[0]])

    st.dataframe(
        table,
        hide_index=True,
        key=key,
        height=260,
        on_select=select,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(chosen)] if chosen in ids else []}},
    )


def _read(project: Project, read: Conversation) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        facts = {"source": read.source, "split": read.split} | read.attributes
        words = [read.external_id, *(f"{name}: {value}" for name, value in facts.items())]
        widgets.text(" · ".join(words), muted=True)
        widgets.conversation(read, height=HEIGHT)
    with right:
        _summaries_column(project, read)


def _summaries_column(project: Project, read: Conversation) -> None:
    """Each system's summary, with the findings of one detector marked."""
    summaries = _summaries(project, read.id)
    if not summaries:
        st.caption("This conversation has no summary yet.")
        return
    readers = list(
        dict.fromkeys(d for s in summaries for d in loaders.detectors(project, s.system))
    )
    detector = None
    if readers:
        detector = st.selectbox(
            "Findings by", readers, key="reader-detector", format_func=detector_name
        )
    found = _findings(project, tuple(s.id for s in summaries), detector) if detector else {}
    seen: dict[str, str] = {}
    for summary in summaries:
        who = widgets.label(loaders.system_name(project, summary.system))
        if summary.text in seen:
            st.caption(f"{who}: same text as {seen[summary.text]}")
            continue
        seen[summary.text] = who
        st.caption(who)
        findings = found.get(summary.id, [])
        widgets.summary(summary.text, widgets.marks(findings, project.taxonomy))
        for number, finding in enumerate(findings, start=1):
            chip = widgets.chip_html(finding.category, project.taxonomy)
            words = widgets.escaped(finding.explanation)
            widgets.html(f'<div class="arf-text">{number} {chip} {words}</div>')
