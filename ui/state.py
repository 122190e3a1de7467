"""What one browser session remembers, in one place.

Filters live in the address instead (`bind="query-params"` on the widget), so that a view can be
sent to somebody else. A page's own fields stand in a block of their own below.
"""

from dataclasses import dataclass, field

import streamlit as st

from arf_core.analysis.annotations import LabelledFinding
from arf_core.errors import ArfError
from arf_core.importing import ImportSettings
from arf_core.models.registry import Tested
from arf_core.project.configure import Written


@dataclass
class Changed:
    """The last change of a project's settings, and how to undo it."""

    project: str
    said: str
    command: str
    before: Written
    after: Written


@dataclass
class SettingsState:
    """What the page Settings remembers."""

    changed: Changed | None = None
    fault: ArfError | None = None
    """Why the last change was refused."""
    tried: dict[tuple[str, str], Tested | ArfError] = field(default_factory=dict)
    """(project, model) -> what trying it gave."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Project -> its taxonomy that is being edited, as YAML."""


@dataclass
class DataState:
    """What the page Data remembers: an import that is being prepared."""

    project: str = ""
    paths: list[str] = field(default_factory=list)
    """Files, folders, names of data sets."""
    options: ImportSettings = field(default_factory=ImportSettings)
    earlier: list[tuple[str, ImportSettings]] = field(default_factory=list)
    """What each change was about, and the options before it, to go back to."""
    fault: ArfError | None = None
    """Why the last change, or the start of the import, was refused."""
    uploads: tuple[str, ...] = ()
    """Ids of the uploads that were taken over, so that a rerun does not take them again."""
    round: int = 0
    """Counts imports, so that the next begins with an empty upload."""


@dataclass
class ReviseState:
    """What the page Revise remembers."""

    at: dict[str, str] = field(default_factory=dict)
    """Round -> the id of the summary that is shown."""
    address: str = ""
    """What the page itself last wrote into the address: another one is a link that somebody
    followed, or an id that somebody typed."""
    filters: dict[str, str] = field(default_factory=dict)
    """Round -> the filters that were on, to begin anew when they change."""
    rewording: bool = False
    said: str = ""
    """What the last key did."""
    fault: ArfError | None = None
    """Why the last one did nothing."""
    whole_page: bool = False
    """Draw the whole page anew: a job was started, and the strip is to show it."""


@dataclass
class LabelState:
    """What the labelling queue remembers."""

    reading: dict[str, str] = field(default_factory=dict)
    """(system and reader) -> the id of the summary that is being read."""
    drafts: dict[str, list[LabelledFinding]] = field(default_factory=dict)
    """Summary -> the findings that are noted, and not stored yet."""
    said: str = ""
    fault: ArfError | None = None
    whole_page: bool = False
    """Draw the whole page anew: there is a first reading to measure detectors against."""


@dataclass
class State:
    """One browser session."""

    project: str | None = None
    """The folder of the open project."""
    dismissed: set[str] = field(default_factory=set)
    """Jobs that ended badly, and that the user has put away."""
    seen_open: set[str] = field(default_factory=set)
    """Jobs that the strip has shown at work: when one ends, the page is drawn anew."""
    settings: SettingsState = field(default_factory=SettingsState)
    data: DataState = field(default_factory=DataState)
    revise: ReviseState = field(default_factory=ReviseState)
    labels: LabelState = field(default_factory=LabelState)


def state() -> State:
    """The session's state; made at the first asking."""
    if "arf" not in st.session_state:
        st.session_state["arf"] = State()
    found: State = st.session_state["arf"]
    return found
