"""Finetune: the training settings that people change."""

from typing import Any, NamedTuple

import streamlit as st

from arf_core.training.settings import (
    CLOSED_WORLD,
    REASONS,
    TRIAL_STEPS,
    TrainingSettings,
    starting_settings,
)
from ui import widgets

METHODS = {"lora": "LoRA", "qlora": "QLoRA", "full": "Full fine-tuning"}


class Field(NamedTuple):
    """A number that people may change. Left empty, it is determined by the method or the data."""

    label: str
    least: float
    most: float
    step: float
    empty: str = ""


FIELDS = {
    "epochs": Field("Epochs", 0.5, 50.0, 0.5),
    "batch": Field("Batch size", 1, 64, 1),
    "accumulation": Field("Gradient accumulation", 1, 256, 1),
    "patience": Field("Patience", 0, 100, 1, "never stop early"),
    "rank": Field("LoRA rank", 1, 256, 1),
    "learning_rate": Field("Learning rate", 1e-7, 1.0, 1e-5, "by method"),
    "max_length": Field("Maximum length in tokens", 32, 131072, 8, "by data"),
}
COLUMNS = (
    ("epochs", "batch", "accumulation", "patience"),
    ("rank", "learning_rate", "max_length"),
)


def setting_label(name: str) -> str:
    """What the form calls a setting."""
    return FIELDS[name].label if name in FIELDS else name.replace("_", " ").capitalize()


def draw(base: str) -> dict[str, Any]:
    """The training options that differ from the base's defaults."""
    default = starting_settings(base)
    trial = st.checkbox(
        f"Try {TRIAL_STEPS} steps first",
        key="train-trial",
        help="Shows within minutes whether everything fits and runs.",
    )
    with st.expander("Training settings", key="train-settings"):
        # bases of another kind have other defaults, so they get fields of their own
        kind = f"train-{base if base == CLOSED_WORLD else default.method}"
        given: dict[str, object] = {"method": _method(default, kind)}
        unused = "rank" if given["method"] == "full" else ""
        for column, names in zip(st.columns(2), COLUMNS, strict=True):
            with column:
                for name in names:
                    given[name] = _number(name, getattr(default, name), kind, name == unused)
        widgets.html(_reasons())
    changed = {n: v for n, v in given.items() if v is not None and v != getattr(default, n)}
    return changed | {"trial": trial}


def _method(default: TrainingSettings, kind: str) -> str:
    methods = list(METHODS)
    return st.selectbox(
        "Method",
        methods,
        index=methods.index(default.method),
        key=f"{kind}-method",
        format_func=METHODS.__getitem__,
        help=REASONS["method"],
    )


def _number(name: str, value: float | None, kind: str, unused: bool) -> float | None:
    field = FIELDS[name]
    return st.number_input(
        field.label,
        field.least,
        field.most,
        value,
        field.step,
        format="%.2e" if name == "learning_rate" else None,
        placeholder=field.empty or None,
        key=f"{kind}-{name}",
        help=REASONS.get(name, REASONS["batch"]),
        disabled=unused,
    )


def _reasons() -> str:
    """Every default with its reason, as a list."""
    rows = "".join(
        f"<dt>{widgets.escaped(setting_label(name))}</dt><dd>{widgets.escaped(why)}</dd>"
        for name, why in REASONS.items()
    )
    return f'<dl class="arf-reasons">{rows}</dl>'
