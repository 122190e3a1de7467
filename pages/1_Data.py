"""Data: bring conversations in, see how they are spread, read them."""

import streamlit as st

from ui import frame
from ui.data import import_file as data_import
from ui.data import overview as data_overview
from ui.data import reader as data_reader
from ui.data import report as data_report

project = frame.page("Data")
st.title("Data")
if not data_overview.held(project).conversations:
    data_import.draw(project)
    data_report.draw(project)
    st.stop()
asked = "Conversations" if "conversation" in st.query_params else "Overview"
overview, conversations, importing = st.tabs(
    ["Overview", "Conversations", "Import"], key="part", default=asked, bind="query-params"
)
if overview.open:
    with overview:
        data_overview.draw(project)
if conversations.open:
    with conversations:
        data_reader.draw(project)
if importing.open:
    with importing:
        data_import.draw(project)
        data_report.draw(project)
