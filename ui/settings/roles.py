"""Settings, Roles: the default model for each role."""

from typing import get_args

import streamlit as st

from arf_core.project import Project
from arf_core.project.settings import Role
from ui import widgets
from ui.settings.changes import set_values
from ui.state import bound

DUTIES: dict[Role, str] = {
    "detector": "Reads summaries and finds errors.",
    "editor": "Corrects the errors found.",
    "verifier": "Checks corrections. Best is a model that neither found nor corrected the errors.",
}


def draw(project: Project) -> None:
    """A menu for each role."""
    models = list(project.settings.models)
    if not models:
        widgets.empty("No model to assign yet", "Connect one under Models first.")
        return
    st.caption("The default model for each role. Pages and commands can choose another.")
    given = project.settings.roles
    others = [role for role in get_args(Role) if role in given and role not in DUTIES]
    for role in (*DUTIES, *others):
        _role(project, role, [None, *models])
    verifier = given.get("verifier")
    own = [r for r in ("detector", "editor") if verifier and given.get(r) == verifier]
    if own:
        st.warning(
            f"The verifier is also the {' and the '.join(own)}, so it judges its own work. Choose "
            "another model, or let the rules check.",
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
        format_func=lambda model: "none" if model is None else widgets.seen(model),
        placeholder="none",
        help=DUTIES.get(role),
        on_change=lambda: set_values(
            project,
            f"{role.capitalize()}: {st.session_state[key] or 'none'}.",
            {f"roles.{role}": st.session_state[key]},
        ),
    )
