"""Settings: models and roles, privacy, spending, error categories, the project itself."""

import streamlit as st

from ui import frame
from ui.settings import categories, changes, general, models, privacy, roles, spending

project = frame.page("Settings")
st.title("Settings", anchor=False)
changes.draw(project)
parts = {
    "Models": models.draw,
    "Roles": roles.draw,
    "Privacy": privacy.draw,
    "Spending": spending.draw,
    "Categories": categories.draw,
    "Project": general.draw,
}
tabs = st.tabs(list(parts), key="section", bind="query-params")
for tab, draw in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab:
            draw(project)
