"""Home: the next thing to do."""

from typing import NamedTuple

import streamlit as st

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.report.overview import NextStep, Overview, next_step
from ui import job_bar, widgets


class Advice(NamedTuple):
    """What to do next: why, the button, and the page that does it."""

    why: str
    button: str
    page: str


DATA, ANALYZE, REVISE, FINETUNE, SETTINGS = (
    f"pages/{name}.py" for name in ("1_Data", "2_Analyze", "3_Revise", "4_Finetune", "7_Settings")
)
ADVICE: dict[NextStep, Advice] = {
    "import": Advice("Import conversations and their summaries.", "Import conversations", DATA),
    "summaries": Advice("These conversations have no summaries yet.", "Import summaries", DATA),
    "rules": Advice("The rules find what they can prove, without a model.", "Run the rules", ""),
    "connect": Advice(
        "The rules have read the summaries. A model finds much more.", "Connect a model", SETTINGS
    ),
    "read": Advice("A model can read the summaries now.", "Find errors", ANALYZE),
    "revise": Advice("Some summaries have errors. Correct them.", "Correct errors", REVISE),
    "verify": Advice("No verifier has checked the corrections yet.", "Check corrections", REVISE),
    "reread": Advice(
        "No independent detector has read the corrected summaries yet. Only that shows what the "
        "correction achieved.",
        "Analyze corrections",
        ANALYZE,
    ),
    "review": Advice(
        "The corrections are checked. Review the doubtful ones, then export the training set.",
        "Review and export",
        REVISE,
    ),
    "train": Advice(
        "People have reviewed the corrections. Train a student on the result.",
        "Train a student",
        FINETUNE,
    ),
    "judge": Advice(
        "A student has written summaries. Analyze them to compare it with its teacher.",
        "Find errors",
        ANALYZE,
    ),
}


def draw(project: Project, found: Overview) -> None:
    """Why, and one button."""
    step = next_step(project, found)
    advice = ADVICE[step]
    with st.container(border=True, key="next"):
        st.subheader("Next step", anchor=False)
        st.write(advice.why)
        if step == "rules":
            work = AnalyzeSettings(system=next(s.system.name for s in found.systems if s.summaries))
            if st.button(advice.button, key="next-do", type="primary"):
                job_bar.start(project, work)
            widgets.command(command_of(work, project.path))
        elif st.button(advice.button, key="next-do", type="primary"):
            st.switch_page(advice.page, query_params={"project": str(project.path)})
