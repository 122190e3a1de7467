"""Finetune: choose what a student learns from and what it begins as, and start it."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from arf_core.errors import ArfError
from arf_core.finetune import Wanted
from arf_core.finetune.dataset import REVISED, Arm, Choice, TrainingSet, training_set
from arf_core.finetune.memory import estimate, shape_of
from arf_core.finetune.practice import closed_world_base, practice_shape
from arf_core.finetune.requirements import REMEDY, missing
from arf_core.finetune.run_folder import places
from arf_core.finetune.settings import (
    CLOSED_WORLD,
    FAMILIES,
    PRESETS,
    REASONS,
    TRIAL_STEPS,
    Shape,
    TrainingSettings,
    practice_family,
    preset,
    settings_with,
    starting_settings,
)
from arf_core.finetune.trainers import default_trainer, open_trainer, trainers
from arf_core.finetune.training import total_steps
from arf_core.jobs import demo
from arf_core.jobs.kinds import FinetuneJob, command_of
from arf_core.project import Project
from arf_core.records import SystemKind
from ui import job_bar as jobs
from ui import loaders, widgets

BASES = (
    *("practice", *(f"practice-{f}" for f in FAMILIES[1:]), CLOSED_WORLD),
    *(p.name for p in PRESETS),
)
OTHER = "another folder or hub id"
ROWS: dict[Choice, str] = {
    "good": "those that somebody or something stands behind",
    "all": "all of them",
}
ANSWER = "#4c78a8"
"""What is learnt is marked with it."""
CHARS_A_TOKEN = 3.0
"""For a guess at the length before there is a tokenizer."""


@loaders.reads
def learnable(
    project: Project, system: str, choice: Choice, match: tuple[Arm, ...] = ()
) -> TrainingSet | ArfError:
    """The set, or why there is none."""
    try:
        return training_set(project, system, choice, match=match)
    except ArfError as fault:
        return fault


def draw(project: Project) -> None:
    """The choices of a training, its set, what it needs, and its start."""
    names = loaders.names(project)
    kinds = {s.name: s.kind for s in loaders.systems(project) if s.kind != "student"}
    left, right = st.columns(2, gap="large")
    with left:
        wanted = _wanted(project, list(kinds), names)
        wanted = wanted._replace(match=_match(kinds, names, wanted))
    found = learnable(project, wanted.system, wanted.choice or "all", wanted.match)
    with right:
        if isinstance(found, ArfError):
            widgets.error(found)
        else:
            _show_set(found, wanted.settings.evaluate)
            _plan(wanted, found)
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
    known = demo.example_of(project)
    base = st.selectbox(
        "Base model",
        [*BASES, OTHER],
        index=BASES.index(CLOSED_WORLD if known is demo.CLOSED_WORLD else "practice"),
        key="train-base",
        help="practice: a tiny model from nothing, to try the whole path on any machine. "
        "closed-world: the small one that knows the language of that example, and no other",
    )
    if base == OTHER:
        base = st.text_input("Folder, or id on the Hugging Face hub", key="train-path").strip()
    trainer = st.segmented_control(
        "Trainer",
        trainers(),
        default=default_trainer(),
        key="train-trainer",
        required=True,
        help="unsloth takes less memory and time on one GPU; trl is plain TRL and PEFT. Both train "
        "on the same rows with the same settings.",
    )
    into = st.text_input("Name of the student", value=_free(project, system), key="train-into")
    return Wanted(
        system=system,
        base=base,
        into=into.strip(),
        trainer=trainer or default_trainer(),
        settings=_settings(base),
        choice=choice,
    )


def _match(
    kinds: Mapping[str, SystemKind], names: Mapping[str, str], wanted: Wanted
) -> tuple[Arm, ...]:
    """The sets that this one is to be compared with."""
    arms = {name: widgets.seen(names[name]) for name in kinds}
    unchecked = [name for name, kind in kinds.items() if kind not in REVISED]
    arms |= {f"{name}:good": f"{arms[name]}, rows without a finding" for name in unchecked}
    same = f"{wanted.system}:good" if wanted.choice == "good" else wanted.system
    with st.expander("Sets of one size, for a comparison", key="train-compare"):
        chosen = st.multiselect(
            "As many rows as the smallest of these has",
            [arm for arm in arms if arm not in (same, wanted.system)],
            key=f"train-match-{same}",
            format_func=lambda arm: arms[arm],
            help="Of the same conversations, as far as all have them. With a patience of 0 none "
            "ends early, so that the steps are as many, too.",
        )
    return tuple(map(Arm.parse, chosen))


def _settings(base: str) -> TrainingSettings:
    """Those that people change; the others stay as they are."""
    default = starting_settings(base)
    trial = st.checkbox(
        f"A trial of {TRIAL_STEPS} steps first",
        key="train-trial",
        help="It shows within minutes whether everything fits, before hours are spent.",
    )
    with st.expander("Settings, and why they are so", key="train-settings"):
        # other defaults for another kind of base: the fields are then others, too
        kind = f"train-{base if base == CLOSED_WORLD else default.method}"
        given: dict[str, object] = {"method": _method(default, kind)}
        whole = given["method"] == "full"  # without an adapter
        left, right = st.columns(2)
        with left:
            given |= _numbers(default, kind, ("epochs", "batch", "accumulation", "patience"))
        with right:
            fields = ("rank", "learning_rate", "max_length")
            given |= _numbers(default, kind, fields, unused="rank" if whole else "")
        widgets.html(_reasons())
    given |= {"alpha": given["rank"], "steps": TRIAL_STEPS if trial else None}
    return settings_with(base, given)


def _method(default: TrainingSettings, kind: str) -> object:
    methods = ["lora", "qlora", "full"]
    at = methods.index(default.method)
    return st.selectbox("Method", methods, index=at, key=f"{kind}-method", help=REASONS["method"])


class Field(NamedTuple):
    """A number that people may change. Without a value of its own it is found out."""

    label: str
    least: float
    most: float
    step: float
    found_out: str = ""


FIELDS = {
    "epochs": Field("Passes over the rows", 0.5, 50.0, 0.5),
    "batch": Field("Rows at a time", 1, 64, 1),
    "accumulation": Field("Batches a step", 1, 256, 1),
    "rank": Field("Rank of the adapter", 1, 256, 1),
    "learning_rate": Field("Learning rate", 1e-7, 1.0, 1e-5, "by method"),
    "max_length": Field("Longest row, in tokens", 32, 131072, 8, "by the data"),
    "patience": Field("Patience", 0, 100, 1, "never"),
}


def _numbers(
    default: TrainingSettings, kind: str, names: tuple[str, ...], unused: str = ""
) -> dict[str, object]:
    return {name: _number(name, getattr(default, name), kind, name == unused) for name in names}


def _number(name: str, value: float | None, kind: str, unused: bool) -> float | None:
    field = FIELDS[name]
    return st.number_input(
        field.label,
        field.least,
        field.most,
        value,
        field.step,
        format="%.2e" if name == "learning_rate" else None,
        placeholder=field.found_out or None,
        key=f"{kind}-{name}",
        help=REASONS.get(name, REASONS["batch"]),
        disabled=unused,
    )


def _reasons() -> str:
    """Every default with its reason, as a list."""
    said = "".join(
        f"<dt><b>{widgets.escaped(name.replace('_', ' '))}</b></dt><dd>{widgets.escaped(why)}</dd>"
        for name, why in REASONS.items()
    )
    return f'<dl class="arf-reasons">{said}</dl>'


def _free(project: Project, system: str) -> str:
    """A name that no student, model or system has."""
    taken = {place.folder.name for place in places(project.path)}
    taken |= {*project.settings.models, *(s.name for s in loaders.systems(project))}
    name, n = f"student-{system}", 2
    while name in taken:
        name, n = f"student-{system}-{n}", n + 1
    return name


def _show_set(rows: TrainingSet, evaluates: bool) -> None:
    for line in rows.in_words():
        widgets.text(line)
    if rows.dev and not evaluates:
        st.caption(
            f"With this base the {len(rows.dev):,} are looked at only where patience is set."
        )
    asked, answer = rows.train[0].messages[-2:]
    with st.expander("A row, as it is learnt", key="train-row"):
        st.caption("The loss counts on the marked answer alone; the rest is read.")
        widgets.html(
            f'<div class="arf-text">{widgets.escaped(asked["content"])}</div>'
            f'<p class="arf-text"><mark class="arf-mark" style="--arf-colour:{ANSWER}">'
            f"{widgets.escaped(answer['content'])}</mark></p>"
        )


def _plan(wanted: Wanted, rows: TrainingSet) -> None:
    """Steps and memory, as far as they are known before the base is read."""
    settings = wanted.settings
    steps = total_steps(settings, len(rows.train))
    each = settings.rows_a_step
    passes = "" if settings.steps else f", {settings.epochs:g} passes over all of them"
    st.markdown(f"**{steps:,} steps** of {each} row{'s' if each > 1 else ''} each{passes}")
    known = preset(wanted.base)
    if practice_family(wanted.base):
        shape: Shape | None = practice_shape()
    elif wanted.base == CLOSED_WORLD:
        shape = shape_of(str(closed_world_base()))
    else:
        shape = known.shape if known else shape_of(wanted.base)
    if known:
        st.caption(f"{known.name}: {known.why}. Licence: {known.licence}.")
    if shape is None:
        st.caption("What memory it takes is known once the base is here.")
        return
    sizes = sorted(sum(len(m["content"]) for m in r.messages) for r in rows.train)
    guess = int(sizes[int(0.99 * (len(sizes) - 1))] / CHARS_A_TOKEN)
    said = estimate(shape, settings, wanted.trainer, settings.max_length or guess)
    draw_as = st.warning if said.fits is False else st.info
    words = said.in_words()
    draw_as(f"{words[0].upper()}{words[1:]}", icon=":material/memory:")


def _start(project: Project, wanted: Wanted, ready: bool) -> None:
    gone = missing(*open_trainer(wanted.trainer).NEEDS)
    if gone:
        st.info(f"Training needs {', '.join(gone)}. {REMEDY}", icon=":material/info:")
    work = FinetuneJob(wanted=wanted)
    with st.container(horizontal=True, vertical_alignment="center"):
        go = st.button(
            "Train",
            key="train-start",
            type="primary",
            icon=":material/model_training:",
            disabled=bool(gone) or not ready or not wanted.into or not wanted.base,
        )
        widgets.command(command_of(work, project.path))
    if go:
        jobs.start(project, work)
