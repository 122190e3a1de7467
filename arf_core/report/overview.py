"""Where a project stands: how often the teacher errs and what correction did, the systems with
their counts, and the next thing to do. What the home page and a report begin with."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import func, select

from arf_core.evaluate.rates import Rate, error_rates
from arf_core.finetune.run_folder import learnt_from
from arf_core.project import Project
from arf_core.records import Record, System
from arf_core.revision.rounds import RoundSettings
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import CHECKS, detectors_of
from arf_core.store.review_status import STANDINGS

PEOPLE = "person:"
CORRECTED = ("revision", "rewrite", "reviewed")


class Reading(Record):
    """What one detector found in one system's summaries."""

    detector: str
    any_error: Rate


class Standing(Record):
    """A system, how many summaries it has, and who found errors in how many of them."""

    system: System
    made_from: str | None
    """The system that was revised, or that a student learnt from."""
    summaries: int
    readings: tuple[Reading, ...]
    """Most summaries read first."""

    def rate(self, detector: str) -> Rate | None:
        """How often it errs as that detector sees it; None where it has not read it."""
        return next((r.any_error for r in self.readings if r.detector == detector), None)


class Headline(Record):
    """How often the first system errs, and what correction did, as one detector counts both."""

    system: System
    corrected: System | None
    """None where nothing was corrected, or the corrected one was not read by this detector."""
    detector: str
    took_part: bool
    """It found the errors that were corrected, or corrected or checked them: its figures for the
    corrected summaries are too good."""
    before: Rate
    after: Rate | None


class Overview(Record):
    """Where a project stands."""

    conversations: int
    splits: dict[str, int]
    systems: tuple[Standing, ...]
    headline: Headline | None

    def of(self, name: str) -> Standing:
        return next(s for s in self.systems if s.system.name == name)


def _made_from(project: Project, system: System) -> str | None:
    """What it was revised from, or learnt from, if that is another one."""
    made = system.parent or learnt_from(project.path, system.model or "")
    return None if made == system.name else made


def overview(project: Project) -> Overview:
    """Count where the project stands."""
    store = project.store
    c, s = schema.conversation, schema.summary
    with store.read() as conn:
        splits = conn.execute(select(c.c.split, func.count().label("n")).group_by(c.c.split)).all()
        counts = conn.execute(
            select(s.c.system, func.count().label("n")).group_by(s.c.system)
        ).all()
    by_system: dict[str, int] = {r.system: r.n for r in counts}
    standings = tuple(
        Standing(
            system=system,
            made_from=_made_from(project, system),
            summaries=by_system.get(system.name, 0),
            readings=_readings(store, system.name),
        )
        for system in store.all(System)
    )
    return Overview(
        conversations=sum(r.n for r in splits),
        splits={r.split: r.n for r in splits},
        systems=standings,
        headline=headline(store, standings),
    )


def _readings(store: Store, system: str) -> tuple[Reading, ...]:
    found = [
        Reading(detector=d, any_error=error_rates(store, system, d).any_error)
        for d in detectors_of(store, system)
    ]
    return tuple(sorted(found, key=lambda r: -r.any_error.total))


# -- the headline -------------------------------------------------------------------------------


def headline(store: Store, standings: Sequence[Standing]) -> Headline | None:
    """How often the first system errs, and the last correction of it: by a detector that took no
    part in correcting where there is one, and by one that has read both before one that has not.
    None where nobody has read the first system."""
    first = next((s for s in standings if s.system.parent is None and s.readings), None)
    if first is None:
        return None
    rounds = [s for s in standings if s.system.kind in CORRECTED and s.summaries]
    involved = taking_part(store, [s.system for s in rounds])
    readers = sorted(
        first.readings,
        key=lambda r: _preference(r, first.summaries, rounds, involved),
        reverse=True,
    )
    best = readers[0]
    last = next((s for s in reversed(rounds) if s.rate(best.detector)), None)
    return Headline(
        system=first.system,
        corrected=last.system if last else None,
        detector=best.detector,
        took_part=best.detector in involved,
        before=best.any_error,
        after=last.rate(best.detector) if last else None,
    )


def _preference(
    reading: Reading, summaries: int, rounds: Sequence[Standing], involved: set[str]
) -> tuple[bool, bool, bool, bool, int]:
    """Larger is better. A reader of a few counts for less than one of most; rules prove little."""
    name = reading.detector
    return (
        2 * reading.any_error.total >= summaries,
        name != "rules",
        any(s.rate(name) for s in rounds),
        name not in involved,
        reading.any_error.total,
    )


def taking_part(store: Store, rounds: Sequence[System]) -> set[str]:
    """The detectors, editors and verifiers that had a part in these rounds."""
    v = schema.version
    names: set[str] = set()
    for system in rounds:
        names |= {d.removeprefix(CHECKS) for d in _checkers(store, system.name)}
        with store.read() as conn:
            content = conn.scalar(select(v.c.content).where(v.c.hash == system.settings_hash))
        if content and system.kind != "reviewed":
            settings = RoundSettings.model_validate_json(content)
            names |= {d.removeprefix(CHECKS) for d in settings.detectors} | {settings.editor}
    return names


def _checkers(store: Store, system: str) -> list[str]:
    return [d for d in detectors_of(store, system, checks=True) if d.startswith(CHECKS)]


# -- one before and after -----------------------------------------------------------------------

LOOKED_AT = 200


def example(store: Store, system: str) -> str | None:
    """A summary that shows well what correcting did: verified where there is one, few findings,
    short, with little changed. Returns the revised summary's id; None where nothing was edited."""
    r, s = schema.revision, schema.summary
    edited = (
        select(r.c.summary_id, r.c.findings, r.c.change, func.length(s.c.text))
        .join(s, s.c.id == r.c.summary_id)
        .where(r.c.system == system, r.c.current, r.c.status == "edited")
        .limit(LOOKED_AT)  # the first that the index gives: no order, which would sort them all
    )
    with store.read() as conn:
        rows = conn.execute(edited.where(r.c.risk == STANDINGS.index("verified"))).all()
        rows = rows or conn.execute(edited).all()
    best = min(rows, key=lambda x: (abs(len(x[1]) - 2), x[2] > 0.25, x[3]), default=None)
    return best[0] if best is not None else None


# -- the next thing to do -----------------------------------------------------------------------

Step = Literal[
    "import",  # bring in conversations
    "summaries",  # they have no summaries yet
    "rules",  # nobody has read the summaries
    "connect",  # only the rules have, and there is no model
    "read",  # a model could read them
    "revise",  # findings wait to be corrected
    "verify",  # corrections that nobody has checked
    "reread",  # nobody who took no part has read the corrected ones
    "review",  # corrected and checked: people decide, and the training set goes out
    "train",  # people have decided, and nobody has learnt from it
    "judge",  # a student has written summaries that nobody has read
]


def next_step(project: Project, found: Overview) -> Step:
    """The next thing to do in the project."""
    if not found.conversations:
        return "import"
    written = [s for s in found.systems if s.summaries]
    if not written:
        return "summaries"
    first = next((s for s in written if s.system.parent is None), written[0])
    if not first.readings:
        return "rules"
    readers = {r.detector for r in first.readings if not r.detector.startswith(PEOPLE)}
    students = [s for s in written if s.system.kind == "student"]
    if any(not s.readings for s in students):
        return "judge"
    rounds = [s for s in written if s.system.kind in CORRECTED]
    if not rounds:
        if readers == {"rules"}:
            return "read" if project.settings.models else "connect"
        return "revise" if any(r.any_error.count for r in first.readings) else "review"
    if rounds[-1].system.kind == "reviewed" and not students:
        return "train"
    return _after_correction(project.store, rounds)


def _after_correction(store: Store, rounds: Sequence[Standing]) -> Step:
    last = rounds[-1]
    made = [s.system for s in rounds]
    if last.system.kind == "revision" and not _checkers(store, last.system.name):
        return "verify"
    independent = {r.detector for r in last.readings} - taking_part(store, made) - {"rules"}
    return "review" if independent or last.system.kind == "reviewed" else "reread"
