"""Finetune, Students: what a finished training made, and the student at work."""

import streamlit as st

from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.training.generate import GenerateSettings, system_for
from arf_core.training.run_folder import GGUF, RunFolder
from arf_core.training.students import can_be_asked, report_of
from arf_core.training.training_records import Artifacts, TrainingState
from ui import job_bar as jobs
from ui import widgets
from ui.finetune import files, try_student

FILES = {
    "adapter": "Adapter",
    "merged": "Full model, 16-bit",
    "card": "Model card",
    "gguf_f16": "GGUF F16",
    "gguf_q8_0": "GGUF Q8_0",
    "modelfile": "Modelfile for Ollama",
}
"""What people call the artifacts."""


def draw(project: Project, run: RunFolder, state: TrainingState, artifacts: Artifacts) -> None:
    """The files, the check of the GGUF files, and the student to try and to run."""
    with st.expander("Files", key=f"files-{run.folder.name}"):
        for kind, file in report_of(project, run, state).artifacts.items():
            files.draw(project.path / file, file, FILES.get(kind, kind))
    for kind, check in artifacts.checks.items():
        st.caption(
            f"GGUF {kind.upper()} against the full model: same token ids on {check.tokens:,} "
            f"tokens; largest logit difference {check.largest_difference:.2g}, logit spread "
            f"{check.spread:.3g}."
        )
    if artifacts.gguf_missing:
        st.caption(widgets.label(f"No GGUF: {artifacts.gguf_missing}", 300))
    _use(project, run.folder.name)


def _use(project: Project, name: str) -> None:
    """Try the student on a conversation, or let it summarize the test split."""
    models = [m for m in (name + GGUF, name) if can_be_asked(project, m)]
    if not models:
        return
    model = st.selectbox("Model", models, key=f"model-{name}", format_func=widgets.seen, width=480)
    try_student.draw(project, name, model)
    work = GenerateSettings(model=model, into=system_for(project, model, name))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Summarize the test split", key=f"write-{name}"):
            jobs.start(project, work)
        widgets.command(command_of(work, project.path))
