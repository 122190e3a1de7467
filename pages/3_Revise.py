"""Revise: start a round of corrections, see what it did, decide on it, export."""

import streamlit as st

from ui import frame
from ui.revise import export as revise_export
from ui.revise import page as revise
from ui.revise import queue as revise_queue
from ui.revise import start as revise_start

project = frame.page("Revise")
st.title("Revise")
rounds = revise.rounds(project)
if not rounds:
    revise_start.first(project)
    st.stop()
system = revise.chosen(project, rounds)
review, outcome, start, out = st.tabs(
    ["Review", "Outcome", "New round", "Export"], key="view", bind="query-params"
)
if review.open:
    with review:
        revise_queue.draw(project, system)
if outcome.open:
    with outcome:
        revise.outcome(project, system)
if start.open:
    with start:
        revise_start.draw(project)
if out.open:
    with out:
        revise_export.draw(project, system)
