"""Settings, Models: the form that adds a model."""

import re
from pathlib import Path
from typing import Any

import streamlit as st

from arf_core.errors import InputError
from arf_core.models.registry import add_model
from arf_core.project import Project
from ui import widgets
from ui.settings.changes import PROJECT, apply, command

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SERVERS = {
    "llama.cpp, vLLM or LM Studio on this machine": "http://127.0.0.1:8080/v1",
    "Ollama on this machine": "http://127.0.0.1:11434/v1",
    "OpenAI": "https://api.openai.com/v1",
    "Another server": "",
}
FIELDS = ("name", "url", "model", "path", "key-env", "concurrency", "context", "in", "out")


def draw(project: Project) -> None:
    """The form; its fields depend on the type of model."""
    kind = st.segmented_control(
        "Model type", ["Server", "GGUF file"], default="Server", required=True,
        key="add-kind",
    )  # fmt: skip
    # one pair of columns per row keeps the fields in order on a narrow screen
    left, right = st.columns(2)
    left.text_input("Name in this project", key="add-name", placeholder="for example local")
    if kind == "Server":
        _server_fields(right)
    else:
        right.text_input("File path", key="add-path", placeholder="/models/qwen2.5-3b.gguf")
        st.caption("To download one from a hub, run `arf models pull DIR REPO FILE`.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Add model", key="add-model-now", type="primary", on_click=_add, args=(project,))
        if st.session_state.get("add-name"):
            widgets.command(_command(project, *_given()))


def _server_fields(beside_name: Any) -> None:
    beside_name.selectbox("Server", list(SERVERS), key="add-server", on_change=_fill_address)
    st.session_state.setdefault("add-url", next(iter(SERVERS.values())))
    left, right = st.columns(2)
    left.text_input("Server URL", key="add-url", placeholder="http://…/v1")
    right.text_input("Model id on the server", key="add-model", placeholder="gpt-4o-mini")
    left, right = st.columns(2)
    left.text_input(
        "Environment variable with the API key",
        key="add-key-env",
        placeholder="OPENAI_API_KEY",
        help="The variable's name, not the key: keys are never stored. Leave it empty if the "
        "server needs no key.",
    )
    right.number_input(
        "Parallel calls, at most",
        key="add-concurrency",
        min_value=1,
        value=None,
        placeholder="default",
    )
    left, right = st.columns(2)
    for column, key, words in ((left, "add-in", "input"), (right, "add-out", "output")):
        column.number_input(
            f"Price per million {words} tokens",
            key=key,
            min_value=0.0,
            value=None,
            format="%.3f",
            placeholder="unknown",
        )


def _fill_address() -> None:
    st.session_state["add-url"] = SERVERS[st.session_state["add-server"]]


def _given() -> tuple[str, dict[str, Any]]:
    """The model's name and options, from the form."""
    values = {field: st.session_state.get(f"add-{field}") for field in FIELDS}
    name = (values["name"] or "").strip()
    if st.session_state.get("add-kind") == "GGUF file":
        path = (values["path"] or "").strip()
        given = {"provider": "llama_cpp", "path": str(Path(path).expanduser()) if path else ""}
        return name, given
    options = {
        "provider": "openai_api",
        "base_url": (values["url"] or "").strip(),
        "model": (values["model"] or "").strip(),
        "key_env": (values["key-env"] or "").strip() or None,
        "max_concurrency": values["concurrency"],
        "price": _price(values["in"], values["out"]),
    }
    return name, {key: value for key, value in options.items() if value is not None}


def _price(prompt: float | None, completion: float | None) -> dict[str, float] | None:
    if prompt is None and completion is None:
        return None
    return {"prompt": prompt or 0.0, "completion": completion or 0.0}


def _command(project: Project, name: str, options: dict[str, Any]) -> str:
    if not _is_variable(options):  # what was typed may be the key itself
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
    return command(project, *words)


def _add(project: Project) -> None:
    name, options = _given()

    def add() -> None:
        _check(name, options)
        add_model(project, name, options)

    message = f"Added {name}. Test it, then give it a role."
    if apply(project, message, _command(project, name, options), add):
        for field in FIELDS:
            st.session_state.pop(f"add-{field}", None)


def _is_variable(options: dict[str, Any]) -> bool:
    return "key_env" not in options or bool(VARIABLE.fullmatch(options["key_env"]))


def _check(name: str, options: dict[str, Any]) -> None:
    """Raises InputError for missing fields, and for a key given instead of its variable."""
    if not name:
        raise InputError("The model has no name.", "Enter one, for example local.")
    if options.get("path") == "":
        raise InputError("The file path is empty.", "Enter the path of a GGUF file here.")
    if not _is_variable(options):
        # the value is not shown: it may be the key
        raise InputError(
            "The API key field takes the name of an environment variable, not the key itself.",
            "Put the key in a variable (export MY_KEY=…), restart the app, and enter MY_KEY.",
        )
