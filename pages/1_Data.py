"""Data: bring conversations in, see how they are spread, read them."""

import streamlit as st

from ui import data_import, data_overview, data_reader, data_report, frame

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
