"""The state of a project: how often the teacher errs and what correction changed, the systems with
their counts, and what to do next. The home page and reports begin with it."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import func, select

from arf_core.analysis.annotations import PERSON
from arf_core.evaluate.rates import Rate, error_rates
from arf_core.project import Project
from arf_core.records import Record, System
from arf_core.report.dataset_stats import holdings, split_counts
from arf_core.revision.rounds import settings_of
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import CHECKS, detectors_of
from arf_core.store.review_status import REVIEW_STATUSES
from arf_core.training.run_folder import learnt_from

CORRECTED = ("revision", "rewrite", "reviewed")
SEARCHED = 200
"""Edited summaries to choose an example from."""


class DetectorCoverage(Record):
    """How many of a system's summaries a detector has read, and found an error in."""

    detector: str
    any_error: Rate


class SystemOverview(Record):
    """A system, how many summaries it has, and how often it errs according to each detector."""

    system: System
    made_from: str | None
    """The system that was revised, or that a student was trained on."""
    summaries: int
    coverage: tuple[DetectorCoverage, ...]
    """Detectors that have read any summary, the one that has read most first."""

    def rate(self, detector: str) -> Rate | None:
        """How often it errs according to the detector; None if that has not read it."""
        return next((c.any_error for c in self.coverage if c.detector == detector), None)


class HeadlineRates(Record):
    """How often the first system errs before and after correction, according to one detector."""

    system: System
    corrected: System | None
    """None if nothing was corrected, or this detector has not read the corrected summaries."""
    detector: str
    took_part: bool
    """The detector took part in the correction, so its rate after it is too low."""
    before: Rate
    after: Rate | None


class Overview(Record):
    """The state of a project."""

    conversations: int
    splits: dict[str, int]
    systems: tuple[SystemOverview, ...]
    headline: HeadlineRates | None


def overview(project: Project) -> Overview:
    """Count a project's conversations, summaries and errors."""
    store = project.store
    counts = holdings(store)
    summaries = dict(counts.summaries)
    systems = tuple(
        SystemOverview(
            system=system,
            made_from=_made_from(project, system),
            summaries=summaries.get(system.name, 0),
            coverage=_coverage(store, system.name),
        )
        for system in store.all(System)
    )
    return Overview(
        conversations=counts.conversations,
        splits={c.label: c.conversations for c in split_counts(store).counts},
        systems=systems,
        headline=headline(store, systems),
    )


def _made_from(project: Project, system: System) -> str | None:
    """The system that it was revised from or trained on, unless that is itself."""
    source = system.parent or learnt_from(project.path, system.model or "")
    return None if source == system.name else source


def _coverage(store: Store, system: str) -> tuple[DetectorCoverage, ...]:
    found = [
        DetectorCoverage(detector=d, any_error=error_rates(store, system, d).any_error)
        for d in detectors_of(store, system)
    ]
    return tuple(sorted(found, key=lambda c: -c.any_error.total))


# -- the headline -------------------------------------------------------------------------------


def headline(store: Store, systems: Sequence[SystemOverview]) -> HeadlineRates | None:
    """How often the first system and its last correction err; None if nobody has read the first.

    The detector is the best by this order: it has read most of the first system; it is not the
    rules, which prove little; it has read a correction; it took no part in correcting.
    """
    first = next((s for s in systems if s.system.parent is None and s.coverage), None)
    if first is None:
        return None
    rounds = [s for s in systems if s.system.kind in CORRECTED and s.summaries]
    involved = taking_part(store, [s.system for s in rounds])

    def preference(read: DetectorCoverage) -> tuple[bool, bool, bool, bool, int]:
        return (
            2 * read.any_error.total >= first.summaries,
            read.detector != "rules",
            any(s.rate(read.detector) for s in rounds),
            read.detector not in involved,
            read.any_error.total,
        )

    best = max(first.coverage, key=preference)
    last = next((s for s in reversed(rounds) if s.rate(best.detector)), None)
    return HeadlineRates(
        system=first.system,
        corrected=last.system if last else None,
        detector=best.detector,
        took_part=best.detector in involved,
        before=best.any_error,
        after=last.rate(best.detector) if last else None,
    )


def taking_part(store: Store, rounds: Sequence[System]) -> set[str]:
    """The detectors, editors and verifiers that took part in these rounds."""
    names: set[str] = set()
    for system in rounds:
        names.update(_verifiers(store, system.name))
        settings = settings_of(store, system) if system.kind != "reviewed" else None
        if settings:
            names |= {d.removeprefix(CHECKS) for d in settings.detectors} | {settings.editor}
    return names


def _verifiers(store: Store, system: str) -> list[str]:
    """The verifiers that have checked a round."""
    checks = detectors_of(store, system, checks=True)
    return [d.removeprefix(CHECKS) for d in checks if d.startswith(CHECKS)]


def example(store: Store, system: str) -> str | None:
    """A summary that shows well what correction does: verified if possible, with about two
    findings, little changed, short. Returns the revised summary's id; None if nothing was edited.
    """
    r, s = schema.revision, schema.summary
    edited = (
        select(r.c.summary_id, r.c.findings, r.c.change, func.length(s.c.text))
        .join(s, s.c.id == r.c.summary_id)
        .where(r.c.system == system, r.c.current, r.c.status == "edited")
        .limit(SEARCHED)  # in the order of the index: sorting would read them all
    )
    with store.read() as conn:
        rows = conn.execute(edited.where(r.c.risk == REVIEW_STATUSES.index("verified"))).all()
        rows = rows or conn.execute(edited).all()
    best = min(rows, key=lambda x: (abs(len(x[1]) - 2), x[2] > 0.25, x[3]), default=None)
    return best[0] if best is not None else None


# -- the next thing to do -----------------------------------------------------------------------

NextStep = Literal[
    "import",  # there are no conversations
    "summaries",  # the conversations have no summaries
    "rules",  # no detector has read the summaries
    "connect",  # only the rules have, and no model is connected
    "read",  # a model is connected, but has not read the summaries
    "revise",  # findings wait for correction
    "verify",  # the corrections are not checked
    "reread",  # no independent detector has read the corrected summaries
    "review",  # corrected and checked: people decide, then export the training set
    "train",  # people have decided, and no student is trained
    "judge",  # no detector has read a student's summaries
]


def next_step(project: Project, found: Overview) -> NextStep:
    """The next thing to do in the project."""
    if not found.conversations:
        return "import"
    written = [s for s in found.systems if s.summaries]
    if not written:
        return "summaries"
    first = next((s for s in written if s.system.parent is None), written[0])
    if not first.coverage:
        return "rules"
    students = [s for s in written if s.system.kind == "student"]
    if any(not s.coverage for s in students):
        return "judge"
    rounds = [s for s in written if s.system.kind in CORRECTED]
    if not rounds:
        return _before_correction(project, first)
    if rounds[-1].system.kind == "reviewed" and not students:
        return "train"
    return _after_correction(project.store, rounds)


def _before_correction(project: Project, first: SystemOverview) -> NextStep:
    if {c.detector for c in first.coverage if not c.detector.startswith(PERSON)} == {"rules"}:
        return "read" if project.settings.models else "connect"
    return "revise" if any(c.any_error.count for c in first.coverage) else "review"


def _after_correction(store: Store, rounds: Sequence[SystemOverview]) -> NextStep:
    last = rounds[-1]
    if last.system.kind == "revision" and not _verifiers(store, last.system.name):
        return "verify"
    involved = taking_part(store, [s.system for s in rounds])
    independent = {c.detector for c in last.coverage} - involved - {"rules"}
    return "review" if independent or last.system.kind == "reviewed" else "reread"
