"""Data, Import: choose files, check how they would be read, start the import."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from arf_core.errors import ArfError, of_system
from arf_core.importing import FileInspection, ImportSettings, inspect
from arf_core.jobs import queue
from arf_core.jobs.kinds import ImportJob, command_of
from arf_core.project import Project
from arf_core.project.settings import PrivacySettings, SplitShares
from arf_core.records import digest
from ui import uploads, widgets
from ui.data import first_conversations, mapping, pending
from ui.state import DataState, state

KINDS = ["csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "parquet", "zip", "gz"]
SHOWN = 5
"""First rows, and first conversations, to show."""
Stamp = tuple[tuple[str, int, int], ...]
"""(path, modification time, size) of each file: cached previews end when a file changes."""


def draw(project: Project) -> None:
    """Choose files; check and change how they would be read; import."""
    memory = pending.of(project)
    _choose(project, memory)
    if not memory.paths:
        _explanation()
        return
    st.subheader("Column mapping")
    if not _preview_all(project, memory):
        _start_over(project, memory)


def _choose(project: Project, memory: DataState) -> None:
    files = st.file_uploader(
        "Conversation files",
        type=KINDS,
        accept_multiple_files=True,
        key=f"upload-{memory.round}-{digest(memory.project)}",
        help=uploads.FORMATS,
    )
    ids = tuple(file.file_id for file in files)
    # the uploader is also empty when another tab was open meanwhile: that drops nothing
    if ids and ids != memory.uploads:
        memory.uploads = ids
        try:
            pending.delete_uploads(project, memory)
            pending.choose(project, uploads.keep(project, files))
        except OSError as error:
            widgets.error(of_system(error))
    with st.expander("Or use a path on this machine, or a Hugging Face data set"):
        st.text_input(
            "Path, or data set as owner/name",
            key=f"import-path-{memory.round}",
            placeholder="/data/chats.csv",
            on_change=_take_path,
            args=(project, f"import-path-{memory.round}"),
        )


def _take_path(project: Project, key: str) -> None:
    path = st.session_state[key].strip()
    is_path = path[:1] in ("~", "/", ".")
    pending.choose(project, [Path(path).expanduser() if is_path else path] if path else [])


def _explanation() -> None:
    st.caption(
        "Each row can be a message or a whole conversation, with its turns as a list, as lines "
        "such as “Speaker: text”, or as text with a separator. Summaries can be in a column, in a "
        "second file, or missing. The column mapping is guessed, and shown before anything is "
        "stored."
    )


# -- preview --------------------------------------------------------------------------------------


def _preview_all(project: Project, memory: DataState) -> bool:
    """Mapping, first rows and first conversations. False if the files cannot be read at all."""
    settings = project.settings
    try:
        with st.spinner("Reading the first rows …"):
            found = _inspection(
                _stamp(memory.paths),
                memory.options.model_dump_json(),
                settings.split.model_dump_json(),
                settings.privacy.model_dump_json(),
            )
    except ArfError as fault:
        widgets.error(fault)
        mapping.more_options(memory)
        return False
    samples, seen = found.samples, found.preview
    if seen is None:
        widgets.error(ArfError(found.problem, found.hint))
        st.caption("On this page, use the menus below the first rows, or More options.")
    _actions(project, memory, ready=seen is not None)
    mapping.draw(memory, samples, seen)
    if seen is not None:
        first_conversations.draw(project, seen)
    return True


def _stamp(paths: Sequence[str]) -> Stamp:
    """What changes when a file does; zeros for data sets."""
    found = []
    for path in map(Path, paths):
        stat = path.stat() if path.exists() else None
        found.append((str(path), stat.st_mtime_ns, stat.st_size) if stat else (str(path), 0, 0))
    return tuple(found)


@st.cache_data(show_spinner=False, max_entries=16)
def _inspection(stamp: Stamp, options: str, shares: str, privacy: str) -> FileInspection:
    return inspect(
        [s[0] for s in stamp],
        ImportSettings.model_validate_json(options),
        SHOWN,
        SplitShares.model_validate_json(shares),
        PrivacySettings.model_validate_json(privacy),
    )


# -- actions --------------------------------------------------------------------------------------


def _actions(project: Project, memory: DataState, *, ready: bool) -> None:
    work = ImportJob(files=tuple(memory.paths), options=memory.options)
    if memory.fault is not None:
        widgets.error(memory.fault)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Import files",
            key="import-now",
            type="primary",
            icon=":material/download_done:",
            disabled=not ready,
            on_click=_import,
            args=(project, memory, work),
        )
        if memory.earlier:
            st.button(
                f"Undo: {widgets.label(memory.earlier[-1][0])}",
                key="mapping-undo",
                icon=":material/undo:",
                on_click=pending.undo,
                args=(memory,),
            )
        _start_over(project, memory)
        widgets.command(command_of(work, project.path))


def _start_over(project: Project, memory: DataState) -> None:
    st.button(
        "Start over",
        key="import-over",
        type="tertiary",
        on_click=pending.discard,
        args=(project, memory),
    )


def _import(project: Project, memory: DataState, work: ImportJob) -> None:
    try:
        job = queue.start(project, work)
    except ArfError as fault:
        memory.fault = fault
        return
    state().seen_open.add(job.id)
    st.session_state["part"] = "Import"  # where the report will be
    pending.start_next(memory)
    st.toast(f"Started: {widgets.label(job.title)}", icon=":material/play_arrow:")
