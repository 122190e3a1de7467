"""Settings: models and roles, where conversations may go, what it may cost, error categories."""

import streamlit as st

from ui import frame
from ui.settings import models as settings_models
from ui.settings import page as settings
from ui.settings import rules as settings_rules
from ui.settings import spending as settings_spending
from ui.settings import taxonomy as settings_taxonomy

project = frame.page("Settings")
st.title("Settings")
settings.changed(project)
models, roles, privacy, spending, categories, more = st.tabs(
    ["Models", "Roles", "Privacy", "Spending", "Categories", "Project"],
    key="section",
    bind="query-params",
)
if models.open:
    with models:
        settings_models.draw(project)
if roles.open:
    with roles:
        settings_rules.roles(project)
if privacy.open:
    with privacy:
        settings_rules.privacy(project)
if spending.open:
    with spending:
        settings_spending.draw(project)
if categories.open:
    with categories:
        settings_taxonomy.draw(project)
if more.open:
    with more:
        settings_rules.project_itself(project)
