"""Finetune: train a student on a system's summaries, watch it, use it."""

import streamlit as st

from ui import frame, loaders, widgets
from ui.finetune import form, students

project = frame.page("Finetune")
st.title("Finetune")
if not loaders.systems(project):
    widgets.empty(
        "No summaries yet",
        "Import conversations with their summaries first.",
        "pages/1_Data.py",
        "Open Data",
    )
    st.stop()
form.draw(project)
students.draw(project)
