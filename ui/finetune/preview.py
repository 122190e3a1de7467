"""Finetune: what a training learns from, how long it is, and what memory it takes."""

import re

import streamlit as st

from arf_core.report.charts.wording import NBSP
from arf_core.training.base_models import known_shape, preset
from arf_core.training.memory import MemoryEstimate, estimate
from arf_core.training.settings import FinetuneSettings
from arf_core.training.train import total_steps
from arf_core.training.trainers import default_trainer
from arf_core.training.training_set import TrainingSet
from ui import widgets
from ui.finetune.bases import base_label
from ui.finetune.settings_form import METHODS, setting_label

ANSWER = "#4c78a8"
"""Highlights the part that counts towards the loss."""
CHARS_A_TOKEN = 3.0
"""For a guess at the length before there is a tokenizer."""
FLAG = re.compile(r"--([a-z-]+) (\S+)")


def draw(request: FinetuneSettings, rows: TrainingSet) -> None:
    """The training set with an example, the steps, and the memory."""
    _training_set(rows, request.training().evaluate)
    _steps(request, rows)
    _base(request)
    _memory(request, rows)


def _training_set(rows: TrainingSet, evaluates: bool) -> None:
    total, *left_out = rows.in_words()
    widgets.text(total)
    for line in left_out:
        widgets.text(line, muted=True)
    if rows.dev and not evaluates:
        st.caption(f"Set a patience to evaluate on the {len(rows.dev):,} dev rows with this base.")
    question, answer = rows.train[0].messages[-2:]
    with st.expander("Preview a training example", key="train-row"):
        st.caption("Only the highlighted answer counts towards the loss.")
        widgets.html(
            f'<div class="arf-text">{widgets.escaped(question["content"])}</div>'
            f'<p class="arf-text"><mark class="arf-mark" style="--arf-colour:{ANSWER}">'
            f"{widgets.escaped(answer['content'])}</mark></p>"
        )


def _steps(request: FinetuneSettings, rows: TrainingSet) -> None:
    settings = request.training()
    steps, each = total_steps(settings, len(rows.train)), settings.rows_a_step
    epochs = "" if settings.steps else f", {settings.epochs:g} epochs"
    st.markdown(f"**{steps:,} steps** of {each} row{'' if each == 1 else 's'}{epochs}")


def _base(request: FinetuneSettings) -> None:
    known = preset(request.base)
    if known:
        st.caption(f"{base_label(request.base)}: {known.why}. Licence: {known.licence}.")


def _memory(request: FinetuneSettings, rows: TrainingSet) -> None:
    """As far as it is known before the base is loaded."""
    shape = known_shape(request.base)
    if shape is None:
        st.caption("The memory estimate needs the base model on this machine.")
        return
    sizes = sorted(sum(len(m["content"]) for m in r.messages) for r in rows.train)
    length = int(sizes[int(0.99 * (len(sizes) - 1))] / CHARS_A_TOKEN)
    settings = request.training()
    memory = estimate(
        shape, settings, request.trainer or default_trainer(), settings.max_length or length
    )
    box = st.warning if memory.fits is False else st.info
    box(_memory_in_words(memory), icon=":material/memory:")


def _memory_in_words(memory: MemoryEstimate) -> str:
    """ "Memory on the GPU: 9.1 to 12.4 GB; 22.0 GB free." and, if that is too much, what fits."""
    where = "the GPU" if memory.on == "gpu" else "this machine (no GPU)"
    words = f"Memory on {where}: {memory.low:.1f} to {memory.high:.1f}{NBSP}GB"
    words += "." if memory.free is None else f"; {memory.free:.1f}{NBSP}GB free."
    if memory.fits is False:
        words += f" Too much: {_remedy(memory.instead)}."
    if memory.main is not None and memory.files > memory.main:
        words += (
            f" Exporting the student takes about {memory.files:.0f} GB of main memory; "
            f"{memory.main:.0f} GB are free."
        )
    return words


def _remedy(instead: str | None) -> str:
    """The settings that would fit, by their labels in the form instead of the command's flags."""
    if not instead:
        return "choose a smaller base model or train on a larger machine"
    changes = (
        f"{setting_label(flag.replace('-', '_'))} {METHODS.get(value, value)}"
        for flag, value in FLAG.findall(instead)
    )
    return f"it fits with {', '.join(changes)}"
