"""Settings, Models: connect, test and remove models."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from arf_core.errors import ArfError
from arf_core.models.registry import Tested, remove_model, try_model
from arf_core.project import Project
from ui import widgets
from ui.settings import add_model, limits
from ui.settings.changes import PROJECT, apply, command
from ui.state import state

PROVIDERS = {
    "openai_api": "OpenAI-compatible server",
    "llama_cpp": "GGUF file",
    "transformers": "Transformers model",
    "batch": "Batch files",
    "replay": "Recorded replies",
}
STRUCTURED = {
    "json_schema": "replies follow a JSON schema",
    "json_object": "replies in JSON",
    "prompt": "JSON only by instruction",
}
"""How the server is made to give structured replies."""


def draw(project: Project) -> None:
    """The models, and the form that adds one."""
    models = project.settings.models
    if not models:
        widgets.empty(
            "No model is connected yet",
            "The rules need no model, but a model finds what they cannot see, such as wrong causes "
            "or missing steps. Connect an OpenAI-compatible server, or a GGUF file on this "
            "machine.",
        )
    for name, options in models.items():
        _card(project, name, options)
    with st.expander("Add a model", expanded=not models, icon=":material/add:"):
        add_model.draw(project)


def _card(project: Project, name: str, options: dict[str, Any]) -> None:
    with st.container(border=True):
        widgets.html(_described(project, name, options))
        with st.container(horizontal=True):
            test = st.button("Test model", key=f"try-{name}", icon=":material/play_arrow:")
            st.button(
                "Remove model",
                key=f"remove-{name}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_remove,
                args=(project, name),
            )
            limits.draw(project, name, options)
            widgets.command(command(project, "models", "test", PROJECT, name))
        if test:
            _test(project, name)
        _outcome(project, name)


def _described(project: Project, name: str, options: dict[str, Any]) -> str:
    provider = options["provider"]
    address = options.get("base_url") or options.get("path") or ""
    roles = [role for role, model in project.settings.roles.items() if model == name]
    facts = [PROVIDERS.get(provider, provider), address, options.get("model", "")]
    if roles:
        facts.append(f"{'role' if len(roles) == 1 else 'roles'}: {', '.join(roles)}")
    if variable := options.get("key_env"):
        is_set = "set" if os.environ.get(variable) else "not set: set it and restart the app"
        facts.append(f"API key in {variable} ({is_set})")
    facts += _traits(options)
    if price := options.get("price"):
        paid = f"{price['prompt']:g} in, {price['completion']:g} out"
        facts.append(f"{paid} ({project.settings.limits.currency} per million tokens)")
    words = " · ".join(widgets.escaped(fact) for fact in facts if fact)
    return f'<b>{widgets.escaped(name)}</b><div class="arf-muted arf-text">{words}</div>'


def _traits(options: Mapping[str, Any]) -> Iterator[str]:
    """What a test found out about the model."""
    if tokens := options.get("context_tokens"):
        yield f"{tokens:,}-token context"
    if means := options.get("schema_means"):
        yield STRUCTURED.get(means, means)


def _test(project: Project, name: str) -> None:
    tried = state().settings.tried
    with st.spinner("Waiting for the model …"):
        try:
            tried[str(project.path), name] = try_model(project, name)
        except ArfError as fault:
            tried[str(project.path), name] = fault


def _outcome(project: Project, name: str) -> None:
    outcome = state().settings.tried.get((str(project.path), name))
    if isinstance(outcome, ArfError):
        widgets.error(outcome)
    elif isinstance(outcome, Tested):
        words = [f"Answered in {outcome.seconds:.1f} s: {widgets.label(outcome.reply)}"]
        words += map(widgets.label, _traits(outcome.learned))
        st.success(" · ".join(words), icon=":material/check:")


def _remove(project: Project, name: str) -> None:
    state().settings.tried.pop((str(project.path), name), None)
    apply(
        project,
        f"Removed {name}. Its past replies are kept.",
        command(project, "models", "remove", PROJECT, name),
        lambda: remove_model(project, name),
    )
