"""Settings, Roles, Privacy and Project: who does what, where conversations may go."""

from typing import get_args

import pandas as pd
import streamlit as st

from arf_core.errors import ArfError
from arf_core.models import ChatModel, admit, open_model
from arf_core.models.masking import Mask
from arf_core.project import Project
from arf_core.project.settings import PrivacySettings, Role
from ui import widgets
from ui.settings.page import PROJECT, bound, line, set_now

DUTIES: dict[Role, str] = {
    "detector": "reads summaries and finds errors",
    "editor": "corrects what was found",
    "verifier": "checks corrections; best a model that neither found nor corrected",
}

# -- roles ----------------------------------------------------------------------------------------


def roles(project: Project) -> None:
    """A menu for each role."""
    models = list(project.settings.models)
    if not models:
        widgets.empty("No model to give a role to", "Connect one under Models first.")
        return
    st.caption("Who does what, where a command or a page does not say otherwise.")
    given = project.settings.roles
    others = [role for role in get_args(Role) if role in given and role not in DUTIES]
    for role in (*DUTIES, *others):
        _role(project, role, [None, *models])
    judged = given.get("verifier")
    own = [r for r in ("detector", "editor") if judged and given.get(r) == judged]
    if own:
        st.warning(
            f"The verifier is also the {' and the '.join(own)}: it judges its own work. Another "
            "model, or the rules, is a better witness.",
            icon=":material/warning:",
        )


def _role(project: Project, role: Role, options: list[str | None]) -> None:
    name = project.settings.roles.get(role)
    key = bound(f"role-{role}", name)
    listed: list[str | None] = options if name in options else [*options, name]
    st.selectbox(
        role.capitalize(),
        listed,
        key=key,
        format_func=lambda model: "nobody" if model is None else widgets.seen(model),
        placeholder="nobody",
        help=DUTIES.get(role),
        on_change=lambda: set_now(
            project,
            f"{st.session_state[key] or 'Nobody'} is the {role}.",
            {f"roles.{role}": st.session_state[key]},
        ),
    )


# -- privacy --------------------------------------------------------------------------------------


def privacy(project: Project) -> None:
    """What may leave this machine, to where, and in which form."""
    rules = project.settings.privacy
    _switch(
        project,
        "offline",
        "Offline: nothing leaves this machine",
        rules.offline,
        "Every host but this machine is refused, in the one place that all calls pass.",
    )
    _switch(
        project,
        "mask",
        "Mask personal data before a call",
        rules.mask,
        "E-mail addresses, phone, card and account numbers, postal addresses, order numbers and "
        "the like become placeholders, and are put back in the reply. Names of persons are not "
        "masked.",
    )
    _allowed(project, rules)
    _reach(project, rules)
    with st.expander("See what masking does", icon=":material/visibility_off:"):
        words = st.text_area(
            "Some text", "I am ana@example.com, my order is 88-1201.", key="mask-sample"
        )
        widgets.text(Mask(set()).mask(words or ""))


def _switch(project: Project, name: str, words: str, value: bool, why: str) -> None:
    key = bound(f"privacy-{name}", value)

    def flip() -> None:
        now = bool(st.session_state[key])
        set_now(project, f"{words}: {'on' if now else 'off'}.", {f"privacy.{name}": now})

    st.toggle(words, key=key, help=why, on_change=flip)


def _allowed(project: Project, rules: PrivacySettings) -> None:
    hosts = _hosts(project)
    listed = bound("privacy-listed", rules.allow is not None)

    def limit() -> None:
        only = [h for h in hosts if h] if st.session_state[listed] else None
        said = "Only the hosts on the list may be asked." if only is not None else "Any host may."
        set_now(project, said, {"privacy.allow": only})

    st.toggle("Only hosts on a list", key=listed, on_change=limit)
    if rules.allow is None:
        return
    chosen = bound("privacy-hosts", list(rules.allow))
    st.multiselect(
        "Hosts that conversations may go to",
        list(dict.fromkeys([*rules.allow, *hosts])),
        key=chosen,
        accept_new_options=True,
        placeholder="such as api.openai.com",
        on_change=lambda: set_now(
            project,
            f"Conversations may go to {', '.join(st.session_state[chosen]) or 'no host'}.",
            {"privacy.allow": [h.strip() for h in st.session_state[chosen]]},
        ),
    )


def _opened(project: Project) -> dict[str, ChatModel | ArfError]:
    """Each model, opened; or why it cannot be."""
    found: dict[str, ChatModel | ArfError] = {}
    for name, options in project.settings.models.items():
        try:
            found[name] = open_model(name, options, project.path)
        except ArfError as fault:
            found[name] = fault
    return found


def _hosts(project: Project) -> list[str]:
    models = _opened(project).values()
    hosts = [m.traits.host for m in models if not isinstance(m, ArfError)]
    return list(dict.fromkeys(h for h in hosts if h))


def _reach(project: Project, rules: PrivacySettings) -> None:
    """Which models may be asked under these rules."""
    rows = [(name, *_may(model, rules)) for name, model in _opened(project).items()]
    if not rows:
        return
    st.subheader("What this means for the models")
    table = pd.DataFrame(rows, columns=["model", "where", "may be asked"]).map(widgets.seen)
    st.dataframe(table, hide_index=True, key="reach")


def _may(model: ChatModel | ArfError, rules: PrivacySettings) -> tuple[str, str]:
    if isinstance(model, ArfError):
        return "", f"no: {model.message}"
    where = model.traits.host or "this process"
    try:
        admit(model, rules)
    except ArfError as fault:
        return where, f"no: {fault.message}"
    return where, "yes"


# -- the project itself ---------------------------------------------------------------------------


def project_itself(project: Project) -> None:
    """Its name, where it lies, how it splits, and how the app looks."""
    key = bound("project-name", project.settings.name)

    def rename() -> None:
        name = st.session_state[key].strip() or project.path.name
        set_now(project, f"The project is called {name}.", {"name": name})

    st.text_input("Name", key=key, on_change=rename, max_chars=120)
    st.caption("It lies in this folder, with everything that belongs to it:")
    st.code(widgets.seen(project.path), language=None, wrap_lines=True)
    widgets.command(line(project, "status", PROJECT))
    _split(project)
    st.subheader("Light and dark")
    st.caption(
        "The app follows your system's light or dark mode. Colours of categories and systems are "
        "the same in both, and told apart by colour-blind eyes as well."
    )


def _split(project: Project) -> None:
    st.subheader("Split")
    st.caption(
        "Shares of conversations that come without a split of their own. A change holds for later "
        "imports; a conversation that is there never moves."
    )
    shares = project.settings.split
    with st.form("split", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        for name in ("train", "dev", "test"):
            value = bound(f"split-{name}", round(100 * getattr(shares, name)))
            st.number_input(f"{name} (%)", 0, 100, key=value, width=140)
        st.form_submit_button(
            "Set the shares", key="split-now", on_click=_set_split, args=(project,)
        )


def _set_split(project: Project) -> None:
    shares = {n: st.session_state[f"split-{n}"] / 100 for n in ("train", "dev", "test")}
    said = ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items())
    set_now(project, f"Shares: {said}.", {f"split.{n}": s for n, s in shares.items()})
