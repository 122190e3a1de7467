"""Data: import conversations, see how they are distributed, read them."""

import streamlit as st

from ui import frame
from ui.data import conversations, import_files, import_report, overview

project = frame.page("Data")
st.title("Data", anchor=False)
if not overview.held(project).conversations:
    import_files.draw(project)
    import_report.draw(project)
    st.stop()
default = "Conversations" if "conversation" in st.query_params else "Overview"
overview_tab, conversations_tab, import_tab = st.tabs(
    ["Overview", "Conversations", "Import"], key="part", default=default, bind="query-params"
)
if overview_tab.open:
    with overview_tab:
        overview.draw(project)
if conversations_tab.open:
    with conversations_tab:
        conversations.draw(project)
if import_tab.open:
    with import_tab:
        import_files.draw(project)
        import_report.draw(project)
