"""Settings, Privacy: where conversations may be sent, and in which form."""

import pandas as pd
import streamlit as st

from arf_core.errors import ArfError
from arf_core.models import ChatModel, admit, open_model
from arf_core.models.masking import Mask
from arf_core.project import Project
from arf_core.project.settings import PrivacySettings
from ui import widgets
from ui.settings.changes import set_values
from ui.state import bound


def draw(project: Project) -> None:
    """The switches, and what they mean for each model."""
    rules = project.settings.privacy
    _switch(
        project,
        "offline",
        "Work offline",
        rules.offline,
        "Nothing leaves this machine: calls to every other host are blocked.",
    )
    _switch(
        project,
        "mask",
        "Mask personal data in calls",
        rules.mask,
        "E-mail and postal addresses, phone, card, account and order numbers and the like become "
        "placeholders. The reply gets them back. Names of people are not masked.",
    )
    models = _opened(project)
    _allowed_hosts(project, rules, models)
    _effect(models, rules)
    with st.expander("Preview masking", icon=":material/visibility_off:"):
        words = st.text_area(
            "Text", "I am ana@example.com, my order is 88-1201.", key="mask-sample"
        )
        widgets.text(Mask(set()).mask(words or ""))


def _switch(project: Project, name: str, words: str, value: bool, why: str) -> None:
    key = bound(f"privacy-{name}", value)

    def flip() -> None:
        on = bool(st.session_state[key])
        set_values(project, f"{words}: {'on' if on else 'off'}.", {f"privacy.{name}": on})

    st.toggle(words, key=key, help=why, on_change=flip)


Opened = dict[str, ChatModel | ArfError]
"""Each model, or why it cannot be opened."""


def _opened(project: Project) -> Opened:
    found: Opened = {}
    for name, options in project.settings.models.items():
        try:
            found[name] = open_model(name, options, project.path)
        except ArfError as fault:
            found[name] = fault
    return found


def _allowed_hosts(project: Project, rules: PrivacySettings, models: Opened) -> None:
    used = [m.traits.host for m in models.values() if not isinstance(m, ArfError)]
    hosts = list(dict.fromkeys(h for h in used if h))
    listed = bound("privacy-listed", rules.allow is not None)

    def limit() -> None:
        only = hosts if st.session_state[listed] else None
        message = "Only listed hosts are allowed." if only is not None else "All hosts are allowed."
        set_values(project, message, {"privacy.allow": only})

    st.toggle("Allow only listed hosts", key=listed, on_change=limit)
    if rules.allow is None:
        return
    chosen = bound("privacy-hosts", list(rules.allow))
    st.multiselect(
        "Allowed hosts",
        list(dict.fromkeys([*rules.allow, *hosts])),
        key=chosen,
        accept_new_options=True,
        placeholder="for example api.openai.com",
        on_change=lambda: set_values(
            project,
            f"Allowed hosts: {', '.join(st.session_state[chosen]) or 'none'}.",
            {"privacy.allow": [h.strip() for h in st.session_state[chosen]]},
        ),
    )


def _effect(models: Opened, rules: PrivacySettings) -> None:
    """Which models may be called under these rules."""
    rows = [(name, *_allowed(model, rules)) for name, model in models.items()]
    if not rows:
        return
    st.subheader("Effect on your models")
    table = pd.DataFrame(rows, columns=["Model", "Host", "Allowed"]).map(widgets.seen)
    st.dataframe(table, hide_index=True, key="reach")


def _allowed(model: ChatModel | ArfError, rules: PrivacySettings) -> tuple[str, str]:
    if isinstance(model, ArfError):
        return "", f"no: {model.message}"
    host = model.traits.host or "this machine"
    try:
        admit(model, rules)
    except ArfError as fault:
        return host, f"no: {fault.message}"
    return host, "yes"
