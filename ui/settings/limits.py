"""Settings, Models: how hard a model may be worked, and how much it may be told."""

import importlib
from typing import Any

import streamlit as st

from arf_core.project import Project
from ui import widgets
from ui.settings.page import bound, set_now

LIMITS: dict[str, dict[str, str]] = {
    "openai_api": {
        "max_concurrency": "Calls in flight",
        "requests_per_minute": "Requests a minute",
        "tokens_per_minute": "Tokens a minute",
        "context_tokens": "Context, in tokens",
        "max_tokens": "Longest reply, in tokens",
        "timeout_s": "Seconds to wait for an answer",
        "retries": "Retries",
    },
    "llama_cpp": {
        "context_tokens": "Context, in tokens",
        "max_tokens": "Longest reply, in tokens",
        "threads": "Threads",
        "gpu_layers": "Layers on the GPU (-1 for all)",
    },
}
MAY_BE_BELOW_ONE = {"retries": 0, "gpu_layers": -1}


def draw(project: Project, name: str, options: dict[str, Any]) -> None:
    """The limits of one model, in a popover; nothing for a provider that has none."""
    limits = LIMITS.get(options["provider"], {})
    if not limits:
        return
    with st.popover("Limits", icon=":material/speed:", type="tertiary", key=f"limits-{name}"):
        st.caption(f"Of {widgets.label(name)}. An empty field leaves it at what is shown in grey.")
        for field, words in limits.items():
            _limit(project, name, field, words, options)


def _limit(project: Project, name: str, field: str, words: str, options: dict[str, Any]) -> None:
    value = options.get(field)
    key = bound(f"limit-{field}-{name}", None if value is None else int(value))

    def limit() -> None:
        said = st.session_state[key]
        told = f"{words} of {name}: {said}." if said is not None else f"{words} of {name}: default."
        set_now(project, told, {f"models.{name}.{field}": said})

    st.number_input(
        words,
        min_value=MAY_BE_BELOW_ONE.get(field, 1),
        value=None,
        step=1,
        key=key,
        placeholder=_default(options["provider"], field),
        on_change=limit,
    )


def _default(provider: str, field: str) -> str:
    """What holds where nothing is said, as the provider itself has it."""
    module = importlib.import_module(f"arf_core.models.providers.{provider}")
    default = module.OPTIONS.model_fields[field].default
    return "no limit" if default is None else f"{default:g}"
