"""Finetune: the form that starts a training."""

from collections.abc import Mapping

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs import demo
from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.records import SystemKind
from arf_core.training.requirements import REMEDY, missing
from arf_core.training.run_folder import run_folders
from arf_core.training.settings import CLOSED_WORLD, FinetuneSettings
from arf_core.training.trainers import default_trainer, open_trainer, trainers
from arf_core.training.training_set import REVISED, Arm, Choice, TrainingSet, training_set
from ui import job_bar as jobs
from ui import loaders, widgets
from ui.finetune import preview, settings_form
from ui.finetune.bases import BASES, HELP, OTHER, PRACTICE, base_label

ROWS: dict[Choice, str] = {"good": "Verified or accepted rows", "all": "All rows"}
TRAINERS = {"unsloth": "Unsloth", "trl": "TRL"}


@loaders.reads
def _training_set(
    project: Project, system: str, choice: Choice, match: tuple[str, ...] = ()
) -> TrainingSet | ArfError:
    """The training set, or why there is none."""
    try:
        return training_set(project, system, choice, match=tuple(map(Arm.parse, match)))
    except ArfError as fault:
        return fault


def draw(project: Project) -> None:
    """The choices on the left, what they mean on the right, and the start."""
    names = loaders.names(project)
    kinds = {s.name: s.kind for s in loaders.systems(project) if s.kind != "student"}
    left, right = st.columns(2, gap="large")
    with left:
        request = _request(project, list(kinds), names)
        match = _match(kinds, names, request)
        request = request.model_copy(update={"match": match})
    rows = _training_set(project, request.system, request.rows or "all", match)
    with right:
        if isinstance(rows, ArfError):
            widgets.error(rows)
        else:
            preview.draw(request, rows)
    _start(project, request, ready=not isinstance(rows, ArfError))


def _request(project: Project, systems: list[str], names: Mapping[str, str]) -> FinetuneSettings:
    newest = next((i for i, s in enumerate(systems) if s != "teacher"), 0)
    system = st.selectbox(
        "Train on summaries by",
        systems,
        index=newest,
        key="train-system",
        format_func=lambda n: widgets.seen(names[n]),
    )
    choice = st.radio(
        "Rows",
        list(ROWS),
        index=1 if system == "teacher" else 0,
        key="train-rows",
        format_func=ROWS.__getitem__,
        horizontal=True,
    )
    base = _base(project)
    trainer = st.segmented_control(
        "Trainer",
        trainers(),
        default=default_trainer(),
        key="train-trainer",
        format_func=lambda t: TRAINERS.get(t, t),
        required=True,
        help="Unsloth takes less memory and time on one GPU. TRL trains with TRL and PEFT alone. "
        "Rows and settings are the same.",
    )
    into = st.text_input("Student name", value=_free_name(project, system), key="train-into")
    return FinetuneSettings(
        system=system,
        base=base,
        into=into.strip(),
        trainer=trainer or default_trainer(),
        rows=choice,
        **settings_form.draw(base),
    )


def _base(project: Project) -> str:
    is_closed_world = demo.example_of(project) is demo.CLOSED_WORLD
    base = st.selectbox(
        "Base model",
        [*BASES, OTHER],
        index=BASES.index(CLOSED_WORLD if is_closed_world else PRACTICE),
        key="train-base",
        format_func=base_label,
        help=HELP,
    )
    if base != OTHER:
        return base
    return st.text_input("Folder or Hugging Face id", key="train-path").strip()


def _match(
    kinds: Mapping[str, SystemKind], names: Mapping[str, str], request: FinetuneSettings
) -> tuple[str, ...]:
    """The training sets to match in size, for a fair comparison of students."""
    arms = {name: widgets.seen(names[name]) for name in kinds}
    unrevised = [name for name, kind in kinds.items() if kind not in REVISED]
    arms |= {f"{name}:good": f"{arms[name]}, rows without findings" for name in unrevised}
    same = f"{request.system}:good" if request.rows == "good" else request.system
    with st.expander("Match training-set sizes", key="train-compare"):
        chosen = st.multiselect(
            "Use no more rows than",
            [arm for arm in arms if arm not in (same, request.system)],
            key=f"train-match-{same}",
            format_func=arms.__getitem__,
            help="For a fair comparison of students: sets of the same size, from the same "
            "conversations where possible. With a patience of 0 all make the same number of steps.",
        )
    return tuple(chosen)


def _free_name(project: Project, system: str) -> str:
    """A name that no student, model or system has."""
    taken = {run.folder.name for run in run_folders(project.path)}
    taken |= {*project.settings.models, *(s.name for s in loaders.systems(project))}
    name, n = f"student-{system}", 2
    while name in taken:
        name, n = f"student-{system}-{n}", n + 1
    return name


def _start(project: Project, request: FinetuneSettings, ready: bool) -> None:
    lacking = missing(*open_trainer(request.trainer or default_trainer()).NEEDS)
    if lacking:
        st.info(f"Training needs {', '.join(lacking)}. {REMEDY}", icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        started = st.button(
            "Train student",
            key="train-start",
            type="primary",
            icon=":material/model_training:",
            disabled=bool(lacking) or not ready or not request.into or not request.base,
        )
        widgets.command(command_of(request, project.path))
    if started:
        jobs.start(project, request)
