"""Finetune: choose what a student learns from and what it begins as, and start it."""

import streamlit as st

from arf_core.errors import ArfError
from arf_core.finetune import Wanted
from arf_core.finetune.command import default_method
from arf_core.finetune.dataset import Choice, TrainingSet, training_set
from arf_core.finetune.extra import REMEDY, missing
from arf_core.finetune.job import places
from arf_core.finetune.memory import estimate, shape_of
from arf_core.finetune.practice import FAMILIES
from arf_core.finetune.settings import PRESETS, REASONS, TRIAL_STEPS, TrainingSettings, preset
from arf_core.finetune.trainers import open_trainer, trainers
from arf_core.job_kinds import FinetuneWork
from arf_core.project import Project
from ui import jobs, loaders, widgets

BASES = ("practice", *(f"practice-{f}" for f in FAMILIES[1:]), *(p.name for p in PRESETS))
OTHER = "another folder or hub id"
ROWS: dict[Choice, str] = {
    "good": "those that somebody or something stands behind",
    "all": "all of them",
}
CHARS_A_TOKEN = 3.0
"""For a guess at the length before there is a tokenizer."""


@loaders.reads
def learnable(project: Project, system: str, choice: Choice) -> TrainingSet | ArfError:
    """The set, or why there is none."""
    try:
        return training_set(project, system, choice)
    except ArfError as fault:
        return fault


def draw(project: Project) -> None:
    """The choices of a training, its set, what it needs, and its start."""
    names = loaders.names(project)
    systems = [s.name for s in loaders.systems(project) if s.kind != "student"]
    left, right = st.columns(2, gap="large")
    with left:
        wanted = _wanted(project, systems, names)
    found = learnable(project, wanted.system, wanted.choice or "all")
    with right:
        if isinstance(found, ArfError):
            widgets.error(found)
        else:
            _show_set(found)
            _memory(wanted, found)
    _start(project, wanted, ready=not isinstance(found, ArfError))


def _wanted(project: Project, systems: list[str], names: dict[str, str]) -> Wanted:
    newest = next((i for i, s in enumerate(systems) if s != "teacher"), 0)
    system = st.selectbox(
        "Learn from",
        systems,
        index=newest,
        key="train-system",
        format_func=lambda n: widgets.seen(names[n]),
    )
    choice = st.radio(
        "Which of its summaries",
        list(ROWS),
        index=1 if system == "teacher" else 0,
        key="train-rows",
        format_func=lambda c: ROWS[c],
        horizontal=True,
    )
    base = st.selectbox(
        "Base model",
        [*BASES, OTHER],
        key="train-base",
        help="practice: a tiny model from nothing, to try the whole path on any machine",
    )
    if base == OTHER:
        base = st.text_input("Folder, or id on the Hugging Face hub", key="train-path").strip()
    trainer = st.segmented_control(
        "Trainer", trainers(), default="trl", key="train-trainer", required=True
    )
    into = st.text_input("Name of the student", value=_free(project, system), key="train-into")
    return Wanted(
        system=system,
        base=base,
        into=into.strip(),
        trainer=trainer or "trl",
        settings=_settings(base),
        choice=choice,
    )


def _settings(base: str) -> TrainingSettings:
    default = TrainingSettings()
    trial = st.checkbox(f"A trial of {TRIAL_STEPS} steps first", key="train-trial")
    with st.expander("Settings, and why they are so", key="train-settings"):
        methods = ["lora", "qlora", "full"]
        method = st.selectbox(
            "Method",
            methods,
            index=methods.index(default_method(base)),
            key=f"train-method-{default_method(base)}",
            help=REASONS["method"],
        )
        epochs = st.number_input(
            "Passes over the rows", 0.5, 50.0, default.epochs, 0.5, key="train-epochs",
            help=REASONS["epochs"],
        )  # fmt: skip
        batch = st.number_input(
            "Rows at a time", 1, 64, default.batch, key="train-batch", help=REASONS["batch"]
        )
        rank = st.number_input(
            "Rank of the adapter", 1, 256, default.rank, key="train-rank", help=REASONS["rank"]
        )
        st.caption(f"Learning rate: {REASONS['learning_rate']}.")
        st.caption(f"Length: {REASONS['max_length']}.")
    return TrainingSettings.model_validate(
        {
            "method": method,
            "epochs": epochs,
            "batch": batch,
            "rank": rank,
            "alpha": rank,
            "steps": TRIAL_STEPS if trial else None,
        }
    )


def _free(project: Project, system: str) -> str:
    """A name that no student has."""
    taken = {place.folder.name for place in places(project.path)}
    name, n = f"student-{system}", 2
    while name in taken:
        name, n = f"student-{system}-{n}", n + 1
    return name


def _show_set(rows: TrainingSet) -> None:
    for line in rows.in_words():
        widgets.text(line)
    asked, answer = rows.train[0].messages[-2:]
    with st.expander("A row, as it is learnt", key="train-row"):
        st.caption("The loss counts on the marked answer alone; the rest is read.")
        widgets.html(
            f'<div class="arf-text">{widgets.escaped(asked["content"])}</div>'
            f'<p class="arf-text"><mark>{widgets.escaped(answer["content"])}</mark></p>'
        )


def _memory(wanted: Wanted, rows: TrainingSet) -> None:
    known = preset(wanted.base)
    shape = known.shape if known else shape_of(wanted.base)
    if shape is None:
        return
    sizes = sorted(sum(len(m["content"]) for m in r.messages) for r in rows.train)
    length = int(sizes[int(0.99 * (len(sizes) - 1))] / CHARS_A_TOKEN)
    said = estimate(shape, wanted.settings, wanted.trainer, length)
    draw_as = st.warning if said.fits is False else st.info
    draw_as(f"Estimated {said.in_words()}", icon=":material/memory:")


def _start(project: Project, wanted: Wanted, ready: bool) -> None:
    gone = missing(*open_trainer(wanted.trainer).NEEDS)
    if gone:
        st.info(f"Training needs {', '.join(gone)}. {REMEDY}", icon=":material/info:")
    work = FinetuneWork(wanted=wanted)
    with st.container(horizontal=True, vertical_alignment="center"):
        go = st.button(
            "Train",
            key="train-start",
            type="primary",
            icon=":material/model_training:",
            disabled=bool(gone) or not ready or not wanted.into or not wanted.base,
        )
        widgets.command(work.command(str(project.path)))
    if go:
        jobs.start(project, work)
