"""Home: open or make a project, where it stands, what to do next."""

import streamlit as st

from ui import frame, widgets

project = frame.home()
st.title("Home")
if project is None:
    widgets.empty("No project yet", "Make the sample project: arf demo demo")
    st.stop()
widgets.text(project.settings.name)
