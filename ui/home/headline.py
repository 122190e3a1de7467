"""Home: the headline error rate in one sentence, and one summary before and after correction."""

import streamlit as st

from arf_core.evaluate.rates import Rate
from arf_core.jobs.demo import example_of
from arf_core.project import Project
from arf_core.report.charts import rate_text, reader_name
from arf_core.report.charts.wording import NBSP
from arf_core.report.overview import HeadlineRates, Overview, example, overview
from arf_core.review.card import ReviewCard, review_card
from ui import loaders, widgets

read = loaders.reads(overview)


def draw(project: Project, found: Overview) -> None:
    """How often the teacher errs before and after correction, and who counted."""
    headline = found.headline
    if headline is None:
        widgets.html(f'<div class="arf-lead">{_not_analyzed(found)}</div>')
        return
    in_words = _proved if headline.detector == "rules" else _rates
    widgets.html(
        f'<div class="arf-lead">{in_words(project, headline)}.</div>'
        f'<div class="arf-muted">{widgets.escaped(_source(project, headline))}</div>'
    )


def _not_analyzed(found: Overview) -> str:
    if not found.conversations:
        return "This project is empty."
    summaries = sum(s.summaries for s in found.systems)
    return (
        f"<b>{found.conversations:,}</b> conversations with <b>{summaries:,}</b> summaries, "
        "not analyzed yet."
    )


def _rates(project: Project, headline: HeadlineRates) -> str:
    words = f"{_share(headline.before)} of summaries by {_writer(project, headline)} have errors"
    if headline.corrected is not None and headline.after is not None:
        words += f"; after correction, {_share(headline.after)} still do"
    return words


def _proved(project: Project, headline: HeadlineRates) -> str:
    """The rules see little, so they give a count, never a rate."""
    words = (
        f"The rules proved errors in {_count(headline.before)} summaries by "
        f"{_writer(project, headline)}"
    )
    if headline.corrected is not None and headline.after is not None:
        words += f"; after correction, in {_count(headline.after)}"
    return words


def _writer(project: Project, headline: HeadlineRates) -> str:
    name = loaders.system_name(project, headline.system.name)
    return widgets.escaped(f"the {name[0].lower()}{name[1:]}")


def _count(rate: Rate) -> str:
    return f"<b>{rate.count:,} of {rate.total:,}</b>"


def _share(rate: Rate) -> str:
    """The share with its interval, which no line break splits."""
    counted, _, rest = rate_text(rate).partition(", ")
    share, _, interval = rest.partition(" (")
    detail = f"({interval.rstrip(')')}{NBSP}%; {counted})" if interval else ""
    return (
        f'<span class="arf-together"><b>{widgets.escaped(share or counted)}</b> '
        f"<small>{widgets.escaped(detail)}</small></span>"
    )


def _source(project: Project, headline: HeadlineRates) -> str:
    """Who counted, and how far to trust the figures."""
    if headline.detector == "rules":
        parts = [
            "The rules count only what they can prove, so there are more errors than that. "
            "No model or person has read most of these summaries yet."
        ]
    else:
        parts = [f"Counted by {reader_name(headline.detector)}, with 95 % intervals."]
        if headline.corrected is None:
            parts.append("It can be wrong too.")
        elif headline.took_part:
            parts.append("It also took part in the correction, so the second figure is optimistic.")
        else:
            parts.append("It took no part in the correction.")
    if made_from := example_of(project):
        parts.append(made_from.note)
    return " ".join(parts)


# -- one summary, before and after --------------------------------------------------------------


@loaders.reads
def _card(project: Project, system: str) -> ReviewCard | None:
    summary_id = example(project.store, system)
    return review_card(project.store, system, summary_id) if summary_id else None


def corrected_example(project: Project, found: Overview) -> ReviewCard | None:
    """A summary of the last revision round that shows well what correcting did."""
    rounds = [s.system.name for s in found.systems if s.system.kind in ("revision", "rewrite")]
    shown = _card(project, rounds[-1]) if rounds else None
    return shown if shown is not None and shown.before is not None else None


def before_after(project: Project, shown: ReviewCard) -> None:
    """The summary's changes, and the findings they answer."""
    st.subheader("One summary, before and after", anchor=False)
    widgets.diff(shown.before.text if shown.before else "", shown.item.summary.text)
    for answered in shown.answered:
        if answered.finding is not None:
            chip = widgets.chip_html(answered.finding.category, project.taxonomy)
            words = widgets.escaped(answered.finding.explanation)
            widgets.html(f'<div class="arf-text">{chip} {words}</div>')
