"""Home: where the project stands, what to do next; open or make another."""

import streamlit as st

from ui import frame, widgets
from ui import job_bar as jobs
from ui.home import page as home
from ui.home import projects

project = frame.home()
if project is None:
    st.title("ARF Studio", anchor=False)
    widgets.html(
        '<div class="arf-lead">Find what a large model gets wrong in its summaries of customer '
        "conversations, have it corrected, and teach a small model with the result.</div>"
    )
    projects.drop()
    projects.draw(open_now=True)
    st.stop()

found = home.look(project)
st.title(widgets.label(project.settings.name), anchor=False)
home.sentence(project, found)
left, right = st.columns([2, 1], gap="large")
with right:
    home.next_thing(project, found)
with left:
    home.before_after(project, found)
if found.systems:
    home.systems(project, found)
jobs.history(project)
projects.draw(open_now=False)
with st.expander("Start a project with a file", icon=":material/upload_file:", key="start"):
    projects.drop()
