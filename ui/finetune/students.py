"""Students: how their trainings go, live; stop, resume, and what came out."""

import io
import zipfile
from functools import partial
from pathlib import Path

import streamlit as st

from arf_core.errors import ArfError
from arf_core.finetune import Wanted, stop
from arf_core.finetune.artifacts import Artifacts
from arf_core.finetune.dataset import Arm
from arf_core.finetune.generate import system_for
from arf_core.finetune.practice import base_in_words, name_of_base
from arf_core.finetune.run_folder import ENDS, GGUF, Place, StepRow, TrainingState, places
from arf_core.finetune.students import can_be_asked, remove_student, report_of
from arf_core.jobs.kinds import FinetuneJob, GenerateJob, command_of
from arf_core.jobs.queue import open_jobs
from arf_core.project import Project
from arf_core.report.charts import loss
from ui import job_bar as jobs
from ui import widgets
from ui.finetune import try_student as student_try

EVERY_S = 1.0
FILES = {
    "adapter": "Adapter",
    "merged": "Whole model, 16 bit",
    "card": "Model card",
    "gguf_f16": "GGUF F16",
    "gguf_q8_0": "GGUF Q8_0",
    "modelfile": "Modelfile for Ollama",
}
"""What came out, in words."""
MOST_TO_FETCH = 500_000_000
"""Bytes that go through a browser; larger ones are copied from where they lie."""
DIVERGES = (
    "Resumed, it would diverge again. Choose a smaller learning rate above, among the settings, "
    "and train it under another name."
)


def draw(project: Project) -> None:
    """The students, the newest first; drawn anew by themselves while a job or a training works."""
    works = _anything_works(project)
    st.fragment(_students, run_every=EVERY_S if works else None)(project, works)


def _anything_works(project: Project) -> bool:
    return bool(open_jobs(project.store)) or any(_works(p) for p in places(project.path))


def _works(place: Place) -> bool:
    state = place.state()
    return state is not None and state.phase not in ENDS


def _claimed(project: Project, place: Place) -> bool:
    """Does a job still hold this student?"""
    name = f"student {place.folder.name}"
    return any(claim.what == name for job in open_jobs(project.store) for claim in job.writes)


def _students(project: Project, drawn_live: bool) -> None:
    if drawn_live and not _anything_works(project):
        st.rerun()
    students = places(project.path)
    if students:
        st.header("Students", anchor=False)
    for place in students:
        with st.container(border=True, key=f"student-{place.folder.name}"):
            try:
                _student(project, place)
            except ArfError as fault:  # a broken file of one hides no other
                widgets.error(fault)
            if not _works(place) and not _claimed(project, place):
                _removal(project, place)


def _student(project: Project, place: Place) -> None:
    state = place.state()
    works = state is not None and state.phase not in ENDS
    job = place.job()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(widgets.label(job.name), width="content", anchor=False)
        if job.practice:
            st.badge("practice model", color="orange", help=base_in_words(job.base))
    learnt = f"{job.rows:,} {job.choice} rows of {job.system}"
    widgets.text(f"{job.trainer} on {learnt}, base {job.base_name}", muted=True)
    steps = place.steps()
    if state is not None:
        _how_it_is(state, steps)
    if any(row.loss is not None for row in steps):
        widgets.figure(loss(steps), key=f"loss-{job.name}")
    _lengths(place)
    if works:
        st.button(
            "Stop",
            key=f"stop-{job.name}",
            icon=":material/stop_circle:",
            help="A checkpoint is kept.",
            on_click=stop,
            args=(place,),
        )
    elif _claimed(project, place):
        st.caption("Its job is ending.")  # until then it would be refused to go on
    elif state is not None and state.reason == "diverged":
        st.caption(DIVERGES)
    elif state is None or state.phase != "done" or (made := place.artifacts()) is None:
        _resume(project, place)
    else:
        _made(project, place, state, made)


def _how_it_is(state: TrainingState, steps: list[StepRow]) -> None:
    words = state.message if state.phase in (*ENDS, "waiting") else f"{state.phase.capitalize()}."
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
    parts.append(f"{last.memory_gb:.2f} GB at most")
    if state.phase == "training" and last.seconds_left:
        parts.append(f"{jobs.duration(last.seconds_left)} left")
    st.caption(" · ".join(parts))


def _lengths(place: Place) -> None:
    if (said := place.lengths()) is None:
        return
    st.caption(
        f"Rows of at most {said.max_length:,} tokens; {said.truncated:,} shortened in the middle "
        f"of the conversation, {said.too_long:,} left out; the loss counts on "
        f"{100 * said.learned_share:.0f} % of the tokens."
    )


def _resume(project: Project, place: Place) -> None:
    """The same call again: it goes on from the last checkpoint."""
    job = place.job()
    work = FinetuneJob(
        wanted=Wanted(
            system=job.system,
            base=name_of_base(project, job.base),
            into=job.name,
            trainer=job.trainer,
            settings=job.settings,
            choice=job.choice,
            match=tuple(map(Arm.parse, job.matched_with)),
            gguf=job.gguf,
        )
    )
    if st.button("Resume", key=f"go-on-{job.name}", icon=":material/resume:", type="primary"):
        jobs.start(project, work)


def _made(project: Project, place: Place, state: TrainingState, made: Artifacts) -> None:
    """What came out: files, what the comparison of the GGUF files said, and the student at work."""
    report = report_of(project, place, state)
    with st.expander("Files", key=f"files-{place.folder.name}"):
        for what, file in report.artifacts.items():
            _file(project.path / file, file, FILES.get(what, what))
    for kind, check in made.checks.items():
        st.caption(
            f"GGUF {kind.upper()}: token ids equal on {check.tokens:,} tokens, largest difference "
            f"of a logit {check.largest_difference:.2g} of a spread of {check.spread:.3g}."
        )
    if made.gguf_missing:
        st.caption(widgets.label(f"No GGUF: {made.gguf_missing}", 300))
    name = place.folder.name
    models = [m for m in (name + GGUF, name) if can_be_asked(project, m)]
    if not models:
        return
    model = st.selectbox(
        "Ask it as", models, key=f"model-{name}", format_func=widgets.seen, width=480
    )
    student_try.draw(project, name, model)
    work = GenerateJob(model=model, into=system_for(project, model, name))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Write the test split's summaries", key=f"write-{name}"):
            jobs.start(project, work)
        widgets.command(command_of(work, project.path))


def _removal(project: Project, place: Place) -> None:
    name = place.folder.name
    key = f"remove-{name}"
    with st.popover("Remove", icon=":material/delete:", type="tertiary", key=key):
        size = _size(_bytes_of(place.folder))
        widgets.text(f"Its folder ({size}) and its models go. The summaries that it wrote stay.")
        if st.button("Remove it", key=f"{key}-now", type="primary"):
            with widgets.told():
                remove_student(project, place)
                st.rerun()


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(f.stat().st_size for f in files if f.is_file())


def _file(path: Path, shown: str, what: str) -> None:
    """A file or folder with its size; to be fetched, where it is not too large for a browser. One
    that was deleted, to save its space, is said to be gone."""
    if not path.exists():
        widgets.text(f"{what} · no longer there")
        widgets.text(shown, muted=True)
        return
    size = _bytes_of(path)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="left"):
        with st.container(width="stretch"):
            widgets.text(f"{what} · {_size(size)}")
            widgets.text(shown, muted=True)
        if size > MOST_TO_FETCH:
            return
        st.download_button(
            "Download",
            data=partial(_zipped, path) if path.is_dir() else path.read_bytes,
            file_name=f"{path.name}.zip" if path.is_dir() else path.name,
            key=f"fetch-{shown}",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )


def _size(count: int) -> str:
    """Bytes, in words."""
    if count < 1e5:
        return f"{count / 1e3:,.1f} kB"
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"


def _zipped(folder: Path) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder.parent))
    return made.getvalue()
