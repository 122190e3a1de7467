"""Home: the systems as a graph, with how often each errs."""

import streamlit as st

from arf_core.project import Project
from arf_core.records import SPLITS, System
from arf_core.report.charts import rate_text
from arf_core.report.overview import Overview
from ui import loaders, widgets

ARROWS = {
    "teacher": "",
    "reference": "",
    "revision": "revised",
    "rewrite": "rewritten",
    "reviewed": "reviewed",
    "student": "trained",
}
"""How a system of each kind was made from the one before it."""


def draw(project: Project, found: Overview) -> None:
    """Who wrote summaries, what each system was made from, and how often it errs."""
    st.subheader("Systems", anchor=False)
    names = loaders.names(project)
    splits = " · ".join(f"{found.splits[s]:,} {s}" for s in SPLITS if found.splits.get(s))
    head = _node("Conversations", f"{found.conversations:,}", splits)
    first = [s.system for s in found.systems if s.made_from not in names]
    rows = "".join(f'<div class="arf-flow">{_chain(s, found, names)}</div>' for s in first)
    widgets.html(f'<div class="arf-flow">{head}{_arrow("")}<div>{rows}</div></div>')


def _chain(system: System, found: Overview, names: dict[str, str]) -> str:
    """A system, and those that were made from it."""
    counted = next(s for s in found.systems if s.system.name == system.name)
    rate = counted.rate(found.headline.detector) if found.headline else None
    errors = f"{rate_text(rate)} with errors" if rate else "not analyzed yet"
    node = _node(
        names[system.name],
        f"{counted.summaries:,} summaries",
        errors if counted.summaries else "",
    )
    made = [s.system for s in found.systems if s.made_from == system.name]
    if not made:
        return node
    inner = "".join(
        f'<div class="arf-flow">{_arrow(ARROWS[s.kind])}{_chain(s, found, names)}</div>'
        for s in made
    )
    return f"{node}<div>{inner}</div>"


def _node(name: str, *lines: str) -> str:
    more = "".join(
        f'<div class="arf-muted">{widgets.escaped(line)}</div>' for line in lines if line
    )
    return f'<div class="arf-node"><b>{widgets.escaped(name)}</b>{more}</div>'


def _arrow(words: str) -> str:
    return f'<div class="arf-arrow"><span>→</span>{widgets.escaped(words)}</div>'
