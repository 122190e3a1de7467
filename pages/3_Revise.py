"""Revise: start a round of corrections, review it, see its outcome, export it."""

import streamlit as st

from ui import frame
from ui.revise import export, new_round, outcome, review, rounds

project = frame.page("Revise")
st.title("Revise")
found = rounds.rounds(project)
if not found:
    new_round.first(project)
    st.stop()
system = rounds.choose(project, found)
review_tab, outcome_tab, round_tab, export_tab = st.tabs(
    ["Review", "Outcome", "New round", "Export"], key="view", bind="query-params"
)
if review_tab.open:
    with review_tab:
        review.draw(project, system)
if outcome_tab.open:
    with outcome_tab:
        outcome.draw(project, system)
if round_tab.open:
    with round_tab:
        new_round.draw(project)
if export_tab.open:
    with export_tab:
        export.draw(project, system)
