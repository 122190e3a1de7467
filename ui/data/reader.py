"""Data, Conversations: search, read, go from one to the next; each has an address of its own."""

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

HEIGHT = 560


@loaders.reads
def _hits(project: Project, wanted: str) -> list[Hit]:
    return search(project.store, Search.model_validate_json(wanted))


@loaders.reads
def _place(project: Project, wanted: str, conversation_id: str) -> SearchPosition:
    return search_position(project.store, Search.model_validate_json(wanted), conversation_id)


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
    """The search with its hits, and the chosen conversation with what was written about it."""
    wanted = _wanted()
    asked = wanted.model_dump_json()
    with st.spinner("Searching …"):  # a rare word is looked for in every conversation
        hits = _hits(project, asked)
    chosen = st.query_params.get("conversation")
    if chosen is None and hits:
        chosen = hits[0].id
    if chosen is None:
        st.caption("Nothing was found. Search for other words, or for a part of an id.")
        return
    try:
        read = _conversation(project, chosen)
    except ArfError as fault:
        widgets.error(fault)
        st.button("Back to the first", key="reader-first", on_click=_open, args=(None,))
        return
    _steps(_place(project, asked, read.id))
    if not hits:
        st.caption("Nothing was found; this is the conversation that was open before.")
    elif len(hits) > 1:
        many = f"the first {SHOWN}" if len(hits) == SHOWN else f"all {len(hits)}"
        with st.expander(f"List {many}"):
            _list(hits, read.id)
    _read(project, read)


def _wanted() -> Search:
    words, splits = st.columns([3, 2])
    text = words.text_input(
        "Search",
        key="q",
        bind="query-params",
        placeholder="words that were said, a “phrase” in quotes, or an id",
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
    """Where this one stands, and the ways to its neighbours."""
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
        st.caption(f"{here.number:,} of {total}" if here.number else f"{total} hits")


def _list(hits: list[Hit], chosen: str) -> None:
    rows = [(h.external_id, h.split, h.n_turns, h.opening) for h in hits]
    table = pd.DataFrame(rows, columns=["id", "split", "turns", "begins"])
    for name in ("id", "begins"):
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
        facts = [read.external_id, read.source, read.split]
        facts += [f"{name}: {value}" for name, value in read.attributes.items()]
        widgets.text(" · ".join(str(f) for f in facts), muted=True)
        widgets.conversation(read, height=HEIGHT)
    with right:
        _written(project, read)


def _written(project: Project, read: Conversation) -> None:
    """What each system wrote about it, with the findings of one detector marked."""
    summaries = _summaries(project, read.id)
    if not summaries:
        st.caption("Nobody has summarised this conversation yet.")
        return
    names = loaders.names(project)
    readers = list(
        dict.fromkeys(d for s in summaries for d in loaders.detectors(project, s.system))
    )
    detector = None
    if readers:
        detector = st.selectbox(
            "Findings by", readers, key="reader-detector", format_func=widgets.seen
        )
    found = _findings(project, tuple(s.id for s in summaries), detector) if detector else {}
    seen: dict[str, str] = {}
    for summary in summaries:
        who = widgets.label(names.get(summary.system, summary.system))
        if summary.text in seen:
            st.caption(f"{who}: the same words as {seen[summary.text]}")
            continue
        seen[summary.text] = who
        st.caption(who)
        findings = found.get(summary.id, [])
        widgets.summary(summary.text, widgets.marks(findings, project.taxonomy))
        for number, finding in enumerate(findings, start=1):
            chip = widgets.chip_html(finding.category, project.taxonomy)
            said = widgets.escaped(finding.explanation)
            widgets.html(f'<div class="arf-text">{number} {chip} {said}</div>')
