"""Data, Import: files come in, their mapping is shown and changed, and a job brings them in."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from arf_core.errors import ArfError, InputError, of_system
from arf_core.importing import (
    ImportOptions,
    Preview,
    Sample,
    first_rows,
    options_of,
    preview,
)
from arf_core.jobs import queue as jobs
from arf_core.jobs.kinds import ImportJob, command_of
from arf_core.project import Project
from arf_core.project.settings import PrivacySettings, SplitShares
from arf_core.records import digest
from ui import uploads, widgets
from ui.data import mapping as data_mapping
from ui.state import DataState, state

KINDS = ["csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "parquet", "zip", "gz"]
SHOWN = 5
"""First rows, and first conversations, that are shown."""
Stamp = tuple[tuple[str, int, int], ...]


def draw(project: Project) -> None:
    """Choose files; then see and change how they would be read; then import."""
    memory = of(project)
    _choose(project, memory)
    if not memory.paths:
        _explained()
        return
    st.subheader("How the files would be read")
    if not _shown(project, memory):
        st.button("Start over", key="import-over", on_click=_over, args=(project, memory))


def of(project: Project) -> DataState:
    """What is being prepared for this project; nothing yet, where it was for another."""
    memory = state().data
    if memory.project != str(project.path):
        memory = state().data = DataState(project=str(project.path))
    return memory


def prepare(project: Project, paths: Sequence[Path | str]) -> None:
    """Take files, folders or names of data sets as what is to be imported next."""
    memory = of(project)
    memory.paths = [str(p) for p in paths]
    memory.options, memory.earlier = ImportOptions(), []
    memory.fault = None


def _choose(project: Project, memory: DataState) -> None:
    files = st.file_uploader(
        "Files of conversations",
        type=KINDS,
        accept_multiple_files=True,
        key=f"upload-{memory.round}-{digest(memory.project)}",
        help="CSV and its relatives, JSON, JSONL, Parquet, also zipped.",
    )
    ids = tuple(file.file_id for file in files)
    # none at all: perhaps only because another part of the page was looked at meanwhile
    if ids and ids != memory.uploads:
        memory.uploads = ids
        try:
            _forget_uploads(project, memory)
            prepare(project, uploads.keep(project, files))
        except OSError as error:
            widgets.error(of_system(error))
    with st.expander("Or a path on this machine, or a Hugging Face data set"):
        st.text_input(
            "Path, or owner/name",
            key=f"import-path-{memory.round}",
            placeholder="/data/chats.csv, or owner/name",
            on_change=_typed,
            args=(project, f"import-path-{memory.round}"),
        )


def _typed(project: Project, key: str) -> None:
    path = st.session_state[key].strip()
    prepare(project, [Path(path).expanduser() if path[:1] in "~/." else path] if path else [])


def _forget_uploads(project: Project, memory: DataState) -> None:
    """Take away what was uploaded before, and not imported."""
    folders = {Path(p).parent for p in memory.paths}
    for folder in folders:
        if folder.parent == project.path / "uploads" and folder.exists():
            shutil.rmtree(folder)


def _explained() -> None:
    st.caption(
        "A table with a row for each message, or for each conversation (turns as a list, as lines "
        "“Speaker: words”, or joined by a mark), with summaries in a column or in a file of their "
        "own. What each column means is guessed, and shown before anything is stored. A file "
        "without summaries is welcome too."
    )


# -- what would be read ---------------------------------------------------------------------------


def _shown(project: Project, memory: DataState) -> bool:
    """Mapping, first rows and first conversations; False where the files cannot be read at all."""
    stamp, privacy = _stamp(memory.paths), project.settings.privacy.model_dump_json()
    try:
        with st.spinner("Looking at the first rows …"):
            samples = _samples(stamp, memory.options.model_dump_json(), privacy)
    except ArfError as fault:
        widgets.error(fault)
        data_mapping.reading(memory, change)
        return False
    try:
        shares = project.settings.split.model_dump_json()
        seen = _preview(stamp, memory.options.model_dump_json(), shares, privacy)
    except ArfError as fault:
        widgets.error(fault)
        st.caption("Here you say it with the menus below the first rows, or under More options.")
        seen = None
    _actions(project, memory, seen)
    data_mapping.draw(memory, samples, seen, change)
    if seen is not None:
        data_mapping.conversations(seen)
    return True


def _stamp(paths: Sequence[str]) -> Stamp:
    """The paths with what tells that a file is another: time and size; zeros for data sets."""
    found = []
    for path in map(Path, paths):
        there = path.stat() if path.exists() else None
        found.append((str(path), there.st_mtime_ns, there.st_size) if there else (str(path), 0, 0))
    return tuple(found)


@st.cache_data(show_spinner=False, max_entries=16)
def _samples(stamp: Stamp, options: str, privacy: str) -> list[Sample]:
    return first_rows(
        [s[0] for s in stamp],
        ImportOptions.model_validate_json(options),
        SHOWN,
        PrivacySettings.model_validate_json(privacy),
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _preview(stamp: Stamp, options: str, shares: str, privacy: str) -> Preview:
    return preview(
        [s[0] for s in stamp],
        ImportOptions.model_validate_json(options),
        SHOWN,
        SplitShares.model_validate_json(shares),
        PrivacySettings.model_validate_json(privacy),
    )


# -- changes and their undoing --------------------------------------------------------------------


def change(memory: DataState, what: str, **update: object) -> None:
    """Say something about the import, in a callback; `what` is told beside the undo."""
    try:
        options = options_of(memory.options.model_dump() | update)
    except InputError as fault:
        memory.fault = fault
        return
    memory.fault = None
    memory.earlier.append((what, memory.options))
    memory.options = options


def _undo(memory: DataState) -> None:
    _, memory.options = memory.earlier.pop()
    memory.fault = None


def _actions(project: Project, memory: DataState, seen: Preview | None) -> None:
    work = ImportJob(files=tuple(memory.paths), options=memory.options)
    if memory.fault is not None:
        widgets.error(memory.fault)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Import",
            key="import-now",
            type="primary",
            icon=":material/download_done:",
            disabled=seen is None,
            on_click=_import,
            args=(project, memory, work),
        )
        if memory.earlier:
            st.button(
                f"Undo: {widgets.label(memory.earlier[-1][0])}",
                key="mapping-undo",
                icon=":material/undo:",
                on_click=_undo,
                args=(memory,),
            )
        st.button(
            "Start over", key="import-over", type="tertiary", on_click=_over, args=(project, memory)
        )
        widgets.command(command_of(work, project.path))


def _import(project: Project, memory: DataState, work: ImportJob) -> None:
    try:
        job = jobs.start(project, work)
    except ArfError as fault:
        memory.fault = fault
        return
    state().seen_open.add(job.id)
    st.session_state["part"] = "Import"  # where the report will be
    state().data = DataState(project=memory.project, round=memory.round + 1)
    st.toast(f"Started: {widgets.label(job.title)}", icon=":material/play_arrow:")


def _over(project: Project, memory: DataState) -> None:
    _forget_uploads(project, memory)
    state().data = DataState(project=memory.project, round=memory.round + 1)
