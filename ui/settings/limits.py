"""Settings, Models: a model's limits."""

import importlib
from typing import Any

import streamlit as st

from arf_core.project import Project
from ui import widgets
from ui.settings.changes import set_values
from ui.state import bound

LIMITS: dict[str, dict[str, str]] = {
    "openai_api": {
        "max_concurrency": "Parallel calls",
        "requests_per_minute": "Requests per minute",
        "tokens_per_minute": "Tokens per minute",
        "context_tokens": "Context size (tokens)",
        "max_tokens": "Longest reply (tokens)",
        "timeout_s": "Timeout (seconds)",
        "retries": "Retries",
    },
    "llama_cpp": {
        "context_tokens": "Context size (tokens)",
        "max_tokens": "Longest reply (tokens)",
        "threads": "Threads",
        "gpu_layers": "Layers on the GPU (-1 for all)",
    },
}
LOWEST = {"retries": 0, "gpu_layers": -1}
"""The lowest value allowed; else 1."""


def draw(project: Project, name: str, options: dict[str, Any]) -> None:
    """One model's limits, in a popover; nothing if its provider has none."""
    limits = LIMITS.get(options["provider"], {})
    if not limits:
        return
    with st.popover("Set limits", icon=":material/speed:", type="tertiary", key=f"limits-{name}"):
        st.caption(f"For {widgets.label(name)}. An empty field uses the default shown in grey.")
        for field, words in limits.items():
            _limit(project, name, field, words, options)


def _limit(project: Project, name: str, field: str, words: str, options: dict[str, Any]) -> None:
    value = options.get(field)
    key = bound(f"limit-{field}-{name}", None if value is None else int(value))

    def limit() -> None:
        given = st.session_state[key]
        message = f"{words} for {name}: {'default' if given is None else given}."
        set_values(project, message, {f"models.{name}.{field}": given})

    st.number_input(
        words,
        min_value=LOWEST.get(field, 1),
        value=None,
        step=1,
        key=key,
        placeholder=_default(options["provider"], field),
        on_change=limit,
    )


def _default(provider: str, field: str) -> str:
    """The provider's own default, in words."""
    module = importlib.import_module(f"arf_core.models.providers.{provider}")
    default = module.OPTIONS.model_fields[field].default
    return "no limit" if default is None else f"{default:g}"
