"""Settings, Models: connect, try and remove the models of a project."""

import os
import re
from pathlib import Path
from typing import Any

import streamlit as st

from arf_core.errors import ArfError, InputError
from arf_core.models.registry import Tested, add_model, remove_model, try_model
from arf_core.project import Project
from ui import widgets
from ui.settings import limits as settings_limits
from ui.settings.page import PROJECT, act, line
from ui.state import state

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SERVERS = {
    "llama.cpp, vLLM or LM Studio on this machine": "http://127.0.0.1:8080/v1",
    "Ollama on this machine": "http://127.0.0.1:11434/v1",
    "OpenAI": "https://api.openai.com/v1",
    "Another server": "",
}
FIELDS = ("name", "url", "model", "path", "key-env", "concurrency", "context", "in", "out")


def draw(project: Project) -> None:
    """The models, and the form that adds one."""
    models = project.settings.models
    if not models:
        widgets.empty(
            "No model is connected yet",
            "The rules work without one. Connect a model to find what rules cannot see, such as "
            "wrong causes or missing steps: any server that speaks OpenAI's chat API, or a GGUF "
            "file on this machine.",
        )
    for name, options in models.items():
        _card(project, name, options)
    with st.expander("Add a model", expanded=not models, icon=":material/add:"):
        _form(project)


def _card(project: Project, name: str, options: dict[str, Any]) -> None:
    with st.container(border=True):
        widgets.html(_described(project, name, options))
        with st.container(horizontal=True):
            tried = st.button("Try", key=f"try-{name}", icon=":material/play_arrow:")
            st.button(
                "Remove",
                key=f"remove-{name}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_remove,
                args=(project, name),
            )
            settings_limits.draw(project, name, options)
            widgets.command(line(project, "models", "test", PROJECT, name))
        if tried:
            _try(project, name)
        _outcome(project, name)


def _described(project: Project, name: str, options: dict[str, Any]) -> str:
    where = options.get("base_url") or options.get("path") or ""
    plays = [role for role, model in project.settings.roles.items() if model == name]
    facts = [options["provider"], where, options.get("model", "")]
    if plays:
        facts.append(f"plays {', '.join(plays)}")
    if variable := options.get("key_env"):
        there = "is set" if os.environ.get(variable) else "is not set: start the app with it"
        facts.append(f"key in {variable}, which {there}")
    if tokens := options.get("context_tokens"):
        facts.append(f"context of {tokens:,} tokens")
    if means := options.get("schema_means"):
        facts.append(f"takes schemas as {means}")
    if price := options.get("price"):
        said = f"{price['prompt']:g} and {price['completion']:g}"
        facts.append(f"{said} {project.settings.limits.currency} for a million tokens in and out")
    told = " · ".join(widgets.escaped(fact) for fact in facts if fact)
    return f'<b>{widgets.escaped(name)}</b><div class="arf-muted arf-text">{told}</div>'


def _try(project: Project, name: str) -> None:
    tried = state().settings.tried
    with st.spinner("Waiting for the model's answer …"):
        try:
            tried[str(project.path), name] = try_model(project, name)
        except ArfError as fault:
            tried[str(project.path), name] = fault


def _outcome(project: Project, name: str) -> None:
    outcome = state().settings.tried.get((str(project.path), name))
    if isinstance(outcome, ArfError):
        widgets.error(outcome)
    elif isinstance(outcome, Tested):
        found = "".join(f"; {key} = {value}" for key, value in outcome.learned.items())
        st.success(
            f"It answered in {outcome.seconds:.1f} s: {widgets.label(outcome.reply)}"
            f"{widgets.label(found)}",
            icon=":material/check:",
        )


def _remove(project: Project, name: str) -> None:
    state().settings.tried.pop((str(project.path), name), None)
    act(
        project,
        f"Removed {name}. What it answered stays.",
        line(project, "models", "remove", PROJECT, name),
        lambda: remove_model(project, name),
    )


# -- adding one -----------------------------------------------------------------------------------


def _form(project: Project) -> None:
    kind = st.segmented_control(
        "Where the model is", ["Server", "GGUF file"], default="Server", required=True,
        key="add-kind",
    )  # fmt: skip
    # a pair of columns for each row, so that on a narrow screen the fields keep their order
    left, right = st.columns(2)
    left.text_input("Name in this project", key="add-name", placeholder="such as big, or local")
    if kind == "Server":
        _server_fields(right)
    else:
        right.text_input("Path of the file", key="add-path", placeholder="/models/qwen2.5-3b.gguf")
        st.caption("To fetch one from a hub: `arf models pull DIR REPO FILE`.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Add model", key="add-model-now", type="primary", on_click=_add, args=(project,))
        if st.session_state.get("add-name"):
            widgets.command(_command(project, *_given()))


def _server_fields(beside_name: Any) -> None:
    beside_name.selectbox(
        "Kind of server", list(SERVERS), key="add-server", on_change=_fill_address
    )
    st.session_state.setdefault("add-url", next(iter(SERVERS.values())))
    left, right = st.columns(2)
    left.text_input("Address", key="add-url", placeholder="http://…/v1")
    right.text_input("The model's id at that server", key="add-model", placeholder="gpt-4o-mini")
    left, right = st.columns(2)
    left.text_input(
        "Environment variable that holds the key",
        key="add-key-env",
        placeholder="OPENAI_API_KEY",
        help="Its name, not the key itself: keys are never stored. Leave it empty for a server "
        "that asks for none.",
    )
    right.number_input("Calls in flight, at most", key="add-concurrency", min_value=1, value=None)
    left, right = st.columns(2)
    for column, key, words in ((left, "add-in", "in"), (right, "add-out", "out")):
        column.number_input(
            f"Price of a million tokens {words}",
            key=key,
            min_value=0.0,
            value=None,
            format="%.3f",
            placeholder="not known",
        )


def _fill_address() -> None:
    st.session_state["add-url"] = SERVERS[st.session_state["add-server"]]


def _given() -> tuple[str, dict[str, Any]]:
    """What the form says: the model's name, and its options."""
    said = {field: st.session_state.get(f"add-{field}") for field in FIELDS}
    name = (said["name"] or "").strip()
    if st.session_state.get("add-kind") == "GGUF file":
        path = (said["path"] or "").strip()
        given = {"provider": "llama_cpp", "path": str(Path(path).expanduser()) if path else ""}
        return name, given
    options = {
        "provider": "openai_api",
        "base_url": (said["url"] or "").strip(),
        "model": (said["model"] or "").strip(),
        "key_env": (said["key-env"] or "").strip() or None,
        "max_concurrency": said["concurrency"],
        "price": _price(said["in"], said["out"]),
    }
    return name, {key: value for key, value in options.items() if value is not None}


def _price(prompt: float | None, completion: float | None) -> dict[str, float] | None:
    if prompt is None and completion is None:
        return None
    return {"prompt": prompt or 0.0, "completion": completion or 0.0}


def _command(project: Project, name: str, options: dict[str, Any]) -> str:
    if not _is_variable(options):  # it may be the key itself
        options = options | {"key_env": "VARIABLE"}
    words: list[object] = ["models", "add", PROJECT, name]
    flags = {
        "base_url": "--base-url",
        "path": "--gguf",
        "model": "--model",
        "key_env": "--key-env",
        "max_concurrency": "--max-concurrency",
    }
    for key, flag in flags.items():
        if key in options:
            words += [flag, options[key]]
    if price := options.get("price"):
        words += ["--price", f"{price['prompt']:g},{price['completion']:g}"]
    return line(project, *words)


def _add(project: Project) -> None:
    name, options = _given()

    def add() -> None:
        _check(name, options)
        add_model(project, name, options)

    said = f"Added {name}. Try it, then give it a role."
    if act(project, said, _command(project, name, options), add):
        for field in FIELDS:
            st.session_state.pop(f"add-{field}", None)


def _is_variable(options: dict[str, Any]) -> bool:
    return "key_env" not in options or bool(VARIABLE.fullmatch(options["key_env"]))


def _check(name: str, options: dict[str, Any]) -> None:
    """Raises InputError for what is missing, and for a key where its variable's name belongs."""
    if not name:
        raise InputError("The model has no name.", "Give it one, such as local.")
    if options.get("path") == "":
        raise InputError("No file is named.", "Give the path of a GGUF file on this machine.")
    if not _is_variable(options):
        # the value is not shown: it may be the key
        raise InputError(
            "What stands for the key is no name of an environment variable.",
            "Put the key in a variable (export MY_KEY=…), start the app, and give the name MY_KEY.",
        )
