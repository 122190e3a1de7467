"""Home: the project's headline figures and next step; open or create another project."""

import streamlit as st

from ui import frame, job_bar, widgets
from ui.home import headline, next_step, projects, systems

project = frame.home()
if project is None:
    st.title("ARF Studio", anchor=False)
    widgets.html(
        '<div class="arf-lead">Find what a large model gets wrong in its summaries of customer '
        "conversations, correct it, and teach a small model with the result.</div>"
    )
    projects.drop()
    projects.draw(expanded=True)
    st.stop()

found = headline.read(project)
st.title(widgets.label(project.settings.name), anchor=False)
headline.draw(project, found)
left, right = st.columns([2, 1], gap="large")
example = headline.corrected_example(project, found)
if example is not None:
    with left:
        headline.before_after(project, example)
with right if example is not None else left:
    next_step.draw(project, found)
if found.systems:
    systems.draw(project, found)
job_bar.history(project)
projects.draw(expanded=False)
with st.expander("Start a project from a file", icon=":material/upload_file:", key="start"):
    projects.drop()
