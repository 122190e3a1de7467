"""What one browser session remembers: one record for the session, with one for each page.

Filters live in the address instead (`bind="query-params"` on the widget), so that a link opens the
same view.
"""

from dataclasses import dataclass, field

import streamlit as st

from arf_core.analysis.annotations import LabelledFinding
from arf_core.errors import ArfError
from arf_core.importing import ImportSettings
from arf_core.models.registry import Tested
from arf_core.project.configure import SettingsFiles


@dataclass
class Changed:
    """The last change to a project's settings, and how to undo it."""

    project: str
    message: str
    command: str
    before: SettingsFiles
    after: SettingsFiles


@dataclass
class SettingsState:
    """The page Settings."""

    changed: Changed | None = None
    fault: ArfError | None = None
    """Why the last change failed."""
    tried: dict[tuple[str, str], Tested | ArfError] = field(default_factory=dict)
    """(project, model) -> the outcome of its last test."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Project -> its unsaved taxonomy, as YAML."""


@dataclass
class DataState:
    """The page Data: the import being prepared."""

    project: str = ""
    paths: list[str] = field(default_factory=list)
    """Files, folders, or names of data sets."""
    options: ImportSettings = field(default_factory=ImportSettings)
    earlier: list[tuple[str, ImportSettings]] = field(default_factory=list)
    """What each change was about, with the options before it, for undo."""
    fault: ArfError | None = None
    """Why the last change, or the import, failed."""
    uploads: tuple[str, ...] = ()
    """Ids of the uploads already kept, so that a rerun does not keep them again."""
    round: int = 0
    """Number of this import, so that the next one begins with an empty upload."""


@dataclass
class ReviseState:
    """The page Revise."""

    at: dict[str, str] = field(default_factory=dict)
    """Round -> id of the summary shown."""
    address: str = ""
    """What the page itself last wrote into the address; a different one came from a link or was
    typed."""
    filters: dict[str, str] = field(default_factory=dict)
    """Round -> the filters in use, to start at the first summary when they change."""
    rewording: bool = False
    notice: str = ""
    """What the last key did."""
    fault: ArfError | None = None
    """Why the last key did nothing."""
    whole_page: bool = False
    """Rerun the whole page: a job was started, and the job bar must show it."""


@dataclass
class LabelState:
    """The labelling queue."""

    reading: dict[str, str] = field(default_factory=dict)
    """System and annotator -> id of the summary being read."""
    drafts: dict[str, list[LabelledFinding]] = field(default_factory=dict)
    """Summary -> findings noted but not stored yet."""
    notice: str = ""
    fault: ArfError | None = None
    whole_page: bool = False
    """Rerun the whole page: the first annotation makes a comparison with detectors possible."""


@dataclass
class State:
    """One browser session."""

    project: str | None = None
    """The folder of the open project."""
    dismissed: set[str] = field(default_factory=set)
    """Failed jobs that the user dismissed."""
    seen_open: set[str] = field(default_factory=set)
    """Jobs that the job bar has shown running: when one ends, the page reruns."""
    settings: SettingsState = field(default_factory=SettingsState)
    data: DataState = field(default_factory=DataState)
    revise: ReviseState = field(default_factory=ReviseState)
    labels: LabelState = field(default_factory=LabelState)


def bound(key: str, value: object) -> str:
    """Make the widget with this key show a stored value, also after a refusal or an undo.

    Returns the key.
    """
    st.session_state[key] = value
    return key


def state() -> State:
    """The session's state, made when first used."""
    if "arf" not in st.session_state:
        st.session_state["arf"] = State()
    session: State = st.session_state["arf"]
    return session
