"""Finetune, Students: how trainings go, live; stop, resume, remove."""

import streamlit as st

from arf_core.errors import ArfError
from arf_core.jobs.queue import open_jobs
from arf_core.project import Project
from arf_core.report.charts import loss
from arf_core.training.base_models import describe_practice, name_of_base
from arf_core.training.process import stop
from arf_core.training.run_folder import RunFolder, run_folders
from arf_core.training.settings import FinetuneSettings, training_options
from arf_core.training.students import remove_student
from arf_core.training.training_records import FINAL, StepRow, TrainingJob, TrainingState
from ui import job_bar as jobs
from ui import loaders, widgets
from ui.finetune import result
from ui.finetune.files import bytes_of, size_in_words

EVERY_S = 1.0
DIVERGED = (
    "Resuming would diverge again. Choose a lower learning rate under Training settings above, and "
    "train under another name."
)


def draw(project: Project) -> None:
    """The students, newest first. Redraws itself while a job or a training runs."""
    live = _any_running(project)
    st.fragment(_students, run_every=EVERY_S if live else None)(project, live)


def _any_running(project: Project) -> bool:
    return bool(open_jobs(project.store)) or any(_is_running(r) for r in run_folders(project.path))


def _is_running(run: RunFolder) -> bool:
    state = run.state()
    return state is not None and state.phase not in FINAL


def _is_held(project: Project, run: RunFolder) -> bool:
    """Does a job still hold this student?"""
    name = f"student {run.folder.name}"
    return any(claim.what == name for job in open_jobs(project.store) for claim in job.writes)


def _students(project: Project, live: bool) -> None:
    if live and not _any_running(project):
        st.rerun()
    runs = run_folders(project.path)
    if runs:
        st.header("Students", anchor=False)
    for run in runs:
        with st.container(border=True, key=f"student-{run.folder.name}"):
            try:
                _student(project, run)
            except ArfError as fault:  # one broken folder hides no other student
                widgets.error(fault)
            if not _is_running(run) and not _is_held(project, run):
                _remove(project, run)


def _student(project: Project, run: RunFolder) -> None:
    state, job, steps = run.state(), run.job(), run.steps()
    _heading(project, job)
    if state is not None:
        _status(state, steps)
    if any(row.loss is not None for row in steps):
        widgets.figure(loss(steps), key=f"loss-{job.name}")
    _lengths(run)
    if _is_running(run):
        st.button(
            "Stop training",
            key=f"stop-{job.name}",
            icon=":material/stop_circle:",
            help="Keeps a checkpoint.",
            on_click=stop,
            args=(run,),
        )
    elif _is_held(project, run):
        st.caption("The job is finishing.")  # until then it could not resume
    elif state is not None and state.reason == "diverged":
        st.caption(DIVERGED)
    elif state is None or state.phase != "done" or (artifacts := run.artifacts()) is None:
        _resume(project, job)
    else:
        result.draw(project, run, state, artifacts)


def _heading(project: Project, job: TrainingJob) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(widgets.label(job.name), width="content", anchor=False)
        if job.practice:
            st.badge("practice model", color="orange", help=describe_practice(job.base))
    rows = "verified or accepted rows" if job.choice == "good" else "rows"
    source = loaders.names(project).get(job.system, job.system)
    widgets.text(
        f"{job.rows:,} {rows} of {source} · base {job.base_name} · trained with {job.trainer}",
        muted=True,
    )


def _status(state: TrainingState, steps: list[StepRow]) -> None:
    """The phase or the error, and the figures of the last step."""
    words = state.message if state.phase in (*FINAL, "waiting") else f"{state.phase.capitalize()}."
    at = f" Step {state.step:,} of {state.total:,}." if state.total else ""
    if state.phase == "failed":
        widgets.error(ArfError(state.message, state.hint))
    else:
        widgets.text(f"{words}{at}")
    last = next((row for row in reversed(steps) if row.loss is not None), None)
    if last is None:
        return
    parts = [f"learning rate {last.learning_rate:.2g}"] if last.learning_rate is not None else []
    parts += [f"gradient norm {last.gradient_norm:.2g}"] if last.gradient_norm else []
    parts += [f"{last.tokens_per_second:,.0f} tokens/s"] if last.tokens_per_second else []
    parts.append(f"peak memory {last.memory_gb:.2f} GB")
    if state.phase == "training" and last.seconds_left:
        parts.append(f"{jobs.duration(last.seconds_left)} left")
    st.caption(" · ".join(parts))


def _lengths(run: RunFolder) -> None:
    lengths = run.lengths()
    if lengths is None:
        return
    st.caption(
        f"Maximum length {lengths.max_length:,} tokens: {lengths.truncated:,} rows shortened in "
        f"the middle of the conversation, {lengths.too_long:,} left out. "
        f"{100 * lengths.learned_share:.0f} % of the tokens count towards the loss."
    )


def _resume(project: Project, job: TrainingJob) -> None:
    """The same call again continues from the last checkpoint."""
    base = name_of_base(project, job.base)
    request = FinetuneSettings(
        system=job.system,
        base=base,
        into=job.name,
        trainer=job.trainer,
        rows=job.choice,
        match=job.matched_with,
        gguf=bool(job.gguf),
        **training_options(base, job.settings),
    )
    if st.button(
        "Resume training", key=f"go-on-{job.name}", icon=":material/resume:", type="primary"
    ):
        jobs.start(project, request)


def _remove(project: Project, run: RunFolder) -> None:
    key = f"remove-{run.folder.name}"
    with st.popover("Remove", icon=":material/delete:", type="tertiary", key=key):
        size = size_in_words(bytes_of(run.folder))
        widgets.text(f"Deletes the folder ({size}) and the models. Summaries it wrote are kept.")
        if st.button("Remove student", key=f"{key}-now", type="primary"):
            with widgets.errors_shown():
                remove_student(project, run)
                st.rerun()
