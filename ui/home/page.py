"""What the home page says of a project: one sentence, one before and after, the systems, and the
next thing to do."""

from typing import NamedTuple

import streamlit as st

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.evaluate.rates import Rate
from arf_core.jobs.demo import example_of
from arf_core.jobs.kinds import command_of
from arf_core.project import Project
from arf_core.records import SPLITS
from arf_core.report.charts import rate_text, reader_name
from arf_core.report.charts.wording import NBSP
from arf_core.report.overview import (
    Headline,
    Overview,
    Standing,
    Step,
    example,
    next_step,
    overview,
)
from arf_core.review.card import Card, card
from ui import job_bar as jobs
from ui import loaders, widgets

look = loaders.reads(overview)


@loaders.reads
def shown_example(project: Project, system: str) -> Card | None:
    """The summary that is shown before and after."""
    found = example(project.store, system)
    return card(project.store, system, found) if found else None


# -- the sentence -------------------------------------------------------------------------------


def sentence(project: Project, found: Overview) -> None:
    """How often the teacher errs and what correction did, and who says so."""
    said = found.headline
    if said is None:
        widgets.html(f'<div class="arf-lead">{_unread(found)}</div>')
        return
    names = loaders.names(project)
    first = widgets.escaped(_in_sentence(names[said.system.name]))
    words = f"{first} errs in {_share(said.before)} of its summaries"
    if said.corrected is not None and said.after is not None:
        words += f"; after correction, errors are left in {_share(said.after)}"
    widgets.html(
        f'<div class="arf-lead">{words}.</div>'
        f'<div class="arf-muted">{widgets.escaped(_counted(project, said))}</div>'
    )


def _share(rate: Rate) -> str:
    """The share with its interval, which no line breaks."""
    counted, _, rest = rate_text(rate).partition(", ")
    share, _, interval = rest.partition(" (")
    detail = f"({interval.rstrip(')')}{NBSP}%; {counted})" if interval else ""
    return (
        f"<b>{widgets.escaped(share or counted)}</b> "
        f'<span class="arf-together">{widgets.escaped(detail)}</span>'
    )


def _in_sentence(name: str) -> str:
    return f"The {name[0].lower()}{name[1:]}"


def _unread(found: Overview) -> str:
    if not found.conversations:
        return "Nothing here yet."
    summaries = sum(s.summaries for s in found.systems)
    return (
        f"<b>{found.conversations:,}</b> conversations with <b>{summaries:,}</b> summaries; "
        "nobody has read them yet."
    )


def _counted(project: Project, said: Headline) -> str:
    """Who counted, and what the figures are worth."""
    parts = [f"Counted by {reader_name(said.detector)}; in brackets the 95 % interval."]
    if said.detector == "rules":
        parts.append("The rules count only what they can prove, so the true rate is higher.")
    elif said.corrected is None:
        parts.append("Whoever counts may err too.")
    elif said.took_part:
        parts.append("It took part in the correction, so the second figure is too good.")
    else:
        parts.append("It took no part in the correction.")
    if made_from := example_of(project):
        parts.append(made_from.note)
    return " ".join(parts)


# -- one before and after -----------------------------------------------------------------------


def before_after(project: Project, found: Overview) -> None:
    """One summary as it was and as it is, with what was wrong."""
    rounds = [s.system.name for s in found.systems if s.system.kind in ("revision", "rewrite")]
    shown = shown_example(project, rounds[-1]) if rounds else None
    if shown is None or shown.before is None:
        return
    st.subheader("One summary, before and after", anchor=False)
    widgets.diff(shown.before.text, shown.item.summary.text)
    for answered in shown.answered:
        if answered.finding is not None:
            chip = widgets.chip_html(answered.finding.category, project.taxonomy)
            words = widgets.escaped(answered.finding.explanation)
            widgets.html(f'<div class="arf-text">{chip} {words}</div>')


# -- the systems --------------------------------------------------------------------------------


def systems(project: Project, found: Overview) -> None:
    """Who wrote summaries, from what they were made, and how often each errs."""
    st.subheader("Systems", anchor=False)
    names = loaders.names(project)
    splits = " · ".join(f"{found.splits[s]:,} {s}" for s in SPLITS if found.splits.get(s))
    head = _node("Conversations", f"{found.conversations:,}", splits)
    chains = [_chain(s, found, names) for s in found.systems if s.made_from not in names]
    rows = "".join(f'<div class="arf-flow">{chain}</div>' for chain in chains)
    widgets.html(f'<div class="arf-flow">{head}{_arrow("")}<div>{rows}</div></div>')


def _chain(standing: Standing, found: Overview, names: dict[str, str]) -> str:
    """A system, and those that were made from it."""
    said = found.headline
    rate = standing.rate(said.detector) if said else None
    errs = f"{rate_text(rate)} with an error" if rate else "not read yet"
    name = names[standing.system.name]
    node = _node(name, f"{standing.summaries:,} summaries", errs if standing.summaries else "")
    made = [s for s in found.systems if s.made_from == standing.system.name]
    if not made:
        return node
    inner = "".join(
        f'<div class="arf-flow">{_arrow(HOW[s.system.kind])}{_chain(s, found, names)}</div>'
        for s in made
    )
    return f"{node}<div>{inner}</div>"


HOW = {
    "teacher": "",
    "reference": "",
    "revision": "revised",
    "rewrite": "rewritten",
    "reviewed": "decided by people",
    "student": "trained",
}


def _node(name: str, *lines: str) -> str:
    more = "".join(
        f'<div class="arf-muted">{widgets.escaped(line)}</div>' for line in lines if line
    )
    return f'<div class="arf-node"><b>{widgets.escaped(name)}</b>{more}</div>'


def _arrow(words: str) -> str:
    return f'<div class="arf-arrow"><span>→</span>{widgets.escaped(words)}</div>'


# -- the next thing to do -----------------------------------------------------------------------


class Next(NamedTuple):
    """What to do next, in words, and the page where it is done."""

    why: str
    button: str
    page: str


DATA, ANALYZE, REVISE, FINETUNE, SETTINGS = (
    f"pages/{name}.py" for name in ("1_Data", "2_Analyze", "3_Revise", "4_Finetune", "7_Settings")
)
NEXT: dict[Step, Next] = {
    "import": Next("Bring in conversations and their summaries.", "Bring in conversations", DATA),
    "summaries": Next("These conversations have no summaries yet.", "Bring in summaries", DATA),
    "rules": Next("The rules need no model, and say what they can prove.", "Run the rules", ""),
    "connect": Next(
        "The rules have read the summaries. A model finds much more: connect one.",
        "Connect a model",
        SETTINGS,
    ),
    "read": Next("Let a model read the summaries.", "Find errors", ANALYZE),
    "revise": Next("Errors were found. Have them corrected.", "Correct errors", REVISE),
    "verify": Next("Nobody has checked the corrections yet.", "Check corrections", REVISE),
    "reread": Next(
        "Nobody who took no part has read the corrected summaries: only that says what correcting "
        "did.",
        "Have them read",
        ANALYZE,
    ),
    "review": Next(
        "The corrections are checked. Look at the doubtful ones, then export the training set.",
        "Review and export",
        REVISE,
    ),
    "train": Next(
        "People have decided on corrections; the others stand as they are. Train a student on the "
        "result.",
        "Train a student",
        FINETUNE,
    ),
    "judge": Next(
        "A student has written summaries. Have them read, to see whether it surpasses its teacher.",
        "Find errors",
        ANALYZE,
    ),
}


def next_thing(project: Project, found: Overview) -> None:
    """The one thing to do next."""
    step = next_step(project, found)
    what = NEXT[step]
    with st.container(border=True, key="next"):
        st.subheader("Next", anchor=False)
        st.write(what.why)
        if step == "rules":
            work = AnalyzeSettings(system=next(s.system.name for s in found.systems if s.summaries))
            if st.button(what.button, key="next-do", type="primary"):
                jobs.start(project, work)
            widgets.command(command_of(work, project.path))
        elif st.button(what.button, key="next-do", type="primary"):
            st.switch_page(what.page, query_params={"project": str(project.path)})
