"""Finetune: train a student on a system's summaries, watch it, use it."""

import streamlit as st

from ui import frame, loaders, widgets
from ui.finetune import page as finetune
from ui.finetune import students

project = frame.page("Finetune")
st.title("Finetune")
if not loaders.systems(project):
    widgets.empty(
        "There are no summaries to learn from",
        "Bring in conversations with their summaries first.",
        "pages/1_Data.py",
        "Data",
    )
    st.stop()
finetune.draw(project)
students.draw(project)
