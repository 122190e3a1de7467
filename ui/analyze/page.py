"""Analyze: what is looked at, how often systems err, and where."""

from typing import Any, Literal, NamedTuple

import pandas as pd
import streamlit as st

from arf_core.analysis.annotations import PERSON
from arf_core.evaluate.agreement import Agreement, Confusion
from arf_core.evaluate.rates import ErrorRates, Rate
from arf_core.evaluate.slices import SliceRates
from arf_core.project import Project
from arf_core.records import SPLITS, Split
from arf_core.report import charts
from arf_core.report.charts import percent, reader_name
from arf_core.report.charts.tables import FEW
from ui import loaders, widgets
from ui.analyze import readings as reads
from ui.analyze.readings import View

ALL = ""
Comparison = Literal["findings", "places", "has_error"]
HIDDEN: Split = "test"
"""Hidden unless asked for: what a headline is measured on should not steer the work. Shown alone
where a system was read in no other, as a student mostly is: there, systems are only compared."""


class Looked(NamedTuple):
    """What is looked at: the choices of the address."""

    system: str
    against: str | None
    """The system beside it."""
    detector: str
    view: View
    categories: tuple[str, ...]
    words: str

    @property
    def systems(self) -> list[str]:
        return [self.system, *([self.against] if self.against else [])]


def detector_name(detector: str) -> str:
    """A detector as people call it."""
    return "Rules" if detector == "rules" else reader_name(detector)


def chosen(project: Project) -> Looked | None:
    """The choices, as widgets that write them into the address. None where nobody has read the
    system that is chosen."""
    systems = [s.name for s in loaders.systems(project) if loaders.summaries(project, s.name)]
    names = loaders.names(project)

    def name(system: str) -> str:
        return widgets.seen(names.get(system, system)) if system else "nothing"

    with st.container(horizontal=True, key="analyze-who"):
        system = st.selectbox(
            "Summaries by", systems, key="system", bind="query-params", format_func=name
        )
        others = [ALL, *(s for s in systems if s != system)]
        against = st.selectbox(
            "Side by side with",
            others,
            index=others.index(_beside(project, system, others)),
            key="against",
            bind="query-params",
            format_func=name,
        )
        detectors = reads.readers(project, system)
        if not detectors:
            return None
        detector = st.selectbox(
            "As read by",
            detectors,
            key="by",
            bind="query-params",
            format_func=lambda d: widgets.seen(detector_name(d)),
        )
    if against and detector not in loaders.detectors(project, against):
        against = ALL
    systems = [system, against] if against else [system]
    view, categories, words = _filters(project, _usual_splits(project, systems, detector))
    return Looked(system, against or None, detector, view, categories, words)


def _beside(project: Project, system: str, others: list[str]) -> str:
    """Whom to put beside a system at first: the newest student that its first reader has read, as
    that is what all the work was for; else the next system."""
    students = {s.name for s in loaders.systems(project) if s.kind == "student"}
    first = reads.readers(project, system)[:1]
    read = [s for s in others if s in students and {*first} & {*loaders.detectors(project, s)}]
    if read and system not in students:
        return read[-1]
    return others[min(1, len(others) - 1)]


def _usual_splits(project: Project, systems: list[str], detector: str) -> list[Split]:
    """The splits that are looked at where none were chosen."""
    if any(reads.splits_read(project, s, detector) == (HIDDEN,) for s in systems):
        return [HIDDEN]
    return [s for s in SPLITS if s != HIDDEN]


def _filters(project: Project, usual: list[Split]) -> tuple[View, tuple[str, ...], str]:
    names = {c.id: c.name for c in project.taxonomy.categories}
    with st.container(horizontal=True, vertical_alignment="bottom", key="analyze-filters"):
        categories = st.multiselect(
            "Categories",
            list(names),
            key="category",
            bind="query-params",
            format_func=lambda c: widgets.seen(names[c]),
            placeholder="all",
            width=190,
        )
        attribute, value = _slice(project)
        words = st.text_input(
            "Words in findings", key="words", bind="query-params", placeholder="any", width=150
        )
        with st.popover("More", icon=":material/tune:", key="more-filters"):
            splits, confidence = _more(usual)
    view = View(tuple(s for s in SPLITS if s in splits), attribute, value, confidence)
    return view, tuple(categories), (words or "").strip()


def _more(usual: list[Split]) -> tuple[list[Split], float]:
    """Splits and the least confidence."""
    now = st.session_state
    before = now.get("usual-splits", usual)
    if before != usual and now.get("split") == before:
        now["split"] = usual  # they were not chosen, so they follow the systems
    now["usual-splits"] = usual
    splits = st.multiselect(
        "Splits",
        list(SPLITS),
        default=usual,
        key="split",
        bind="query-params",
        help="The test split stays hidden while you work on the data, unless you add it. It is "
        "shown alone beside a system that was read in no other, as students are.",
    )
    confidence = st.number_input(
        "Confidence from",
        0.0,
        1.0,
        0.0,
        step=0.05,
        key="confidence",
        bind="query-params",
        help="Findings of which the detector is less sure do not count; those without a figure do.",
    )
    return splits, float(confidence)


def _slice(project: Project) -> tuple[str | None, str | None]:
    """An attribute and one of its slices."""
    attribute = st.selectbox(
        "Slice by",
        [ALL, *reads.attributes(project)],
        key="slice",
        bind="query-params",
        format_func=lambda a: widgets.seen(a) if a else "nothing",
        width=135,
    )
    value = st.selectbox(
        "Only",
        [ALL, *(reads.slice_labels(project, attribute) if attribute else ())],
        key="only",
        bind="query-params",
        format_func=lambda v: widgets.seen(v) if v else "all",
        disabled=not attribute,
        width=150,
    )
    return attribute or None, value or None


# -- how often -----------------------------------------------------------------------------------


def rates(project: Project, looked: Looked) -> None:
    """How often the systems err, by category and by severity. A click on a category leads to its
    findings."""
    found = [reads.rates(project, s, looked.detector, looked.view) for s in looked.systems]
    names = loaders.names(project)
    widgets.figure(
        charts.error_rates(found, project.taxonomy, names),
        "rates",
        data=rates_table(found),
        on_select=_show_findings,
    )
    patterns = [reads.patterns(project, s, looked.detector, looked.view) for s in looked.systems]
    widgets.figure(charts.severity(patterns, project.taxonomy, names), "severity")


def _show_findings() -> None:
    """A click on a mark: go to the findings behind it."""
    points = st.session_state["rates"]["selection"]["points"]
    if not points:
        return
    system, category = points[0]["customdata"]
    now = st.session_state
    now["category"] = [category] if category else []
    if system != now["system"]:
        now["against"], now["system"] = now["system"], system
    now["show"] = "Findings"


def rates_table(found: list[ErrorRates]) -> pd.DataFrame:
    """The figures of the chart."""

    def row(r: ErrorRates, category: str, rate: Rate) -> dict[str, Any]:
        low, high = rate.interval or (None, None)
        return {
            "system": r.system,
            "detector": r.detector,
            "category": category,
            "summaries": rate.count,
            "of": rate.total,
            "share": rate.share,
            "low": low,
            "high": high,
            "findings": r.findings.get(category),
        }

    return pd.DataFrame(
        [
            row(r, category, rate)
            for r in found
            for category, rate in (("any error", r.any_error), *r.by_category.items())
        ]
    )


def sentence(project: Project, looked: Looked) -> str:
    """What is looked at, in one line."""
    names = loaders.names(project)
    parts = []
    for system in looked.systems:
        rate = reads.rates(project, system, looked.detector, looked.view).any_error
        if rate.share is None:
            parts.append(f"{names[system]}: none read in this view")
            continue
        parts.append(
            f"{names[system]}: {percent(rate.share)} of {rate.total:,} summaries have an error"
        )
    by = reader_name(looked.detector)
    return f"{'; '.join(parts)}, as read by {by}.{_where(looked)}"


def _where(looked: Looked) -> str:
    """What of the test split is looked at, where that is not all of it beside the others."""
    if looked.view.splits == (HIDDEN,):
        return " In the test split alone."
    return "" if HIDDEN in looked.view.splits else " The test split is hidden: More, Splits."


# -- where ----------------------------------------------------------------------------------------


def slices(project: Project, looked: Looked) -> None:
    """Category by slice, for one system and the one beside it."""
    attribute = looked.view.attribute or _first_attribute(project)
    if attribute is None:
        widgets.empty(
            "Nothing to slice by",
            "The conversations came without attributes such as a channel or a product. Columns "
            "that are kept at the import become slices.",
        )
        return
    whole = looked.view._replace(attribute=None, value=None)
    found = [
        reads.by_slice(project, system, looked.detector, whole, attribute)
        for system in looked.systems
    ]
    drawn = [charts.error_heatmap(of_system, project.taxonomy) for of_system in found]
    # one scale for all, so that a colour means the same in each
    compared = [s.rates.any_error for of_system in found for s in of_system if s.total >= FEW]
    most = 100 * max((rate.share or 0 for rate in compared), default=0) or None
    for system, of_system, chart in zip(looked.systems, found, drawn, strict=True):
        st.markdown(f"**{widgets.label(loaders.names(project)[system])}**")
        widgets.figure(
            chart.update_layout(coloraxis_cmax=most) if chart.data else chart,
            f"slices-{system}",
            data=slices_table(of_system),
        )


def slices_table(found: list[SliceRates]) -> pd.DataFrame:
    """The figures of the chart."""
    return pd.DataFrame(
        [
            {"slice": s.value, "category": category, "summaries": r.count, "of": r.total}
            for s in found
            for category, r in (("any error", s.rates.any_error), *s.rates.by_category.items())
        ]
    )


def _first_attribute(project: Project) -> str | None:
    known = reads.attributes(project)
    return known[0] if known else None


def together(project: Project, looked: Looked) -> None:
    """Which errors come together."""
    for system in looked.systems:
        st.markdown(f"**{widgets.label(loaders.names(project)[system])}**")
        found = reads.patterns(project, system, looked.detector, looked.view)
        widgets.figure(
            charts.cooccurrence(found, project.taxonomy),
            f"together-{system}",
            data=pd.DataFrame(
                [
                    {"categories": " + ".join(p.categories), "summaries": p.summaries}
                    for p in found.patterns
                ]
            ),
        )


# -- against people -------------------------------------------------------------------------------


def people(project: Project, looked: Looked) -> list[str]:
    """Who has read the system's summaries with own eyes."""
    return [d for d in loaders.detectors(project, looked.system) if d.startswith(PERSON)]


def against_people(project: Project, looked: Looked) -> None:
    """How far each detector agrees with a person who has read the same summaries."""
    person = st.selectbox(
        "Person",
        people(project, looked),
        key="person",
        bind="query-params",
        format_func=lambda d: widgets.seen(detector_name(d)),
        width=260,
    )
    by = st.segmented_control(
        "Compared",
        list(COMPARED),
        default="findings",
        key="compared",
        bind="query-params",
        format_func=COMPARED.__getitem__,
        required=True,
    )
    found = reads.agreements(project, looked.system, looked.view.splits, person)
    widgets.figure(
        charts.against_reference(found, by=by),
        "against-people",
        data=pd.DataFrame([_agreement_row(a) for a in found]),
    )


COMPARED: dict[Comparison, str] = {
    "findings": "findings with their category",
    "places": "findings wherever they point",
    "has_error": "whether a summary has an error",
}


def _agreement_row(a: Agreement) -> dict[str, Any]:
    row: dict[str, Any] = {"detector": a.detector, "person": a.reference, "summaries": a.summaries}
    for name in COMPARED:
        counts: Confusion = getattr(a, name)
        row |= {f"{name} precision": counts.precision, f"{name} recall": counts.recall}
    return row
