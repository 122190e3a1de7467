"""What jobs can do: one `JobKind` for each, made of a verb and its settings record.

The record is what the job's row keeps as JSON; resuming runs it again. To add a kind: its settings,
and one entry in KINDS.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel

from arf_core.analysis.analyze import AnalyzeSettings, analyze
from arf_core.errors import InputError
from arf_core.importing import ImportSettings, load
from arf_core.jobs import closed_world, summaries
from arf_core.jobs.command_line import command_line
from arf_core.jobs.demo import make_demo
from arf_core.project import Project
from arf_core.records import Record, RunReport, System
from arf_core.review.decisions import accept_verified, undo
from arf_core.revision.revise import ReviseSettings
from arf_core.revision.verify import VerifySettings, revise_and_verify, verify
from arf_core.run import Flag, PhaseProgress, Progress, VerbSettings
from arf_core.store.queries import count_summaries
from arf_core.store.round_counts import review_counts
from arf_core.training import finetune
from arf_core.training.export import ExportSettings, export
from arf_core.training.generate import GenerateSettings, generate, try_on
from arf_core.training.settings import FinetuneSettings

Hidden = Flag(None)


class Lock(Record):
    """Something that a job writes, so that no other job may write it meanwhile."""

    what: str
    """A system, or a folder."""
    part: str = ""
    """Only this part of it; empty for all of it."""


@dataclass(frozen=True)
class JobKind:
    """How a job with these settings is named, locked, run and reported."""

    settings: type[VerbSettings]
    title: Callable[[Any], str]
    locks: Callable[[Any], Sequence[Lock]]
    """What no other job may write meanwhile."""
    run: Callable[[Project, Any, Path, PhaseProgress], BaseModel]
    """Called with the project, the settings, the job's own folder and its progress. Skips what is
    done. Returns the verb's report."""
    summary: Callable[[Any], str] = RunReport.in_words
    """The report on one line."""
    command: Callable[[Any, str], str] = command_line
    """The command that does the same."""
    followed_by: Callable[[Project, Any], Sequence[VerbSettings]] = lambda project, settings: ()
    """Jobs to start when this one is done."""


class ImportJob(VerbSettings):
    """Import files; then the rules read the new summaries, as they need no model."""

    verb: ClassVar[str] = "import"
    files: Annotated[tuple[str, ...], Hidden]
    options: ImportSettings = ImportSettings()
    read: Annotated[bool, Hidden] = True
    """Let the rules read the summaries afterwards."""


class ReviewJob(VerbSettings):
    """A reviewer's step on very many summaries."""

    verb: ClassVar[str] = "review"
    system: Annotated[str, Flag("--system", explicit=True)]
    """Revision round."""
    by: str
    """Name of the reviewer."""
    step: Annotated[Literal["accept_verified", "undo"], Hidden]


class DemoJob(VerbSettings):
    """Make an example's project."""

    verb: ClassVar[str] = "demo"
    example: Literal["support", "closed_world"] = "support"
    """support has written conversations; closed_world generated ones, with trained students."""


class TryJob(VerbSettings):
    """A model summarises one conversation; nothing is stored."""

    verb: ClassVar[str] = "generate"
    model: str
    """Model in arf.toml."""
    conversation: Annotated[str, Flag("--only")]
    """Conversation, by its id."""


class ReviewReport(Record):
    """Result of a review step."""

    summaries: int


def _phase(name: str, progress: PhaseProgress) -> Progress:
    return lambda done, total: progress(name, done, total)


def _analyze(project: Project, s: AnalyzeSettings, _: Path, progress: PhaseProgress) -> BaseModel:
    return analyze(project, s, progress=_phase(f"reading {s.system}", progress))


def _revise(project: Project, s: ReviseSettings, _: Path, progress: PhaseProgress) -> BaseModel:
    return revise_and_verify(project, s, progress=progress)


def _verify(project: Project, s: VerifySettings, _: Path, progress: PhaseProgress) -> BaseModel:
    return verify(project, s, progress=_phase("verifying", progress))


def _import(project: Project, s: ImportJob, folder: Path, progress: PhaseProgress) -> BaseModel:
    options = s.options.model_copy(update={"rejects_to": folder / "rejects.jsonl"})
    return load(project, list(s.files), options, progress=progress)


def _rules_read(project: Project, s: ImportJob) -> Sequence[VerbSettings]:
    """The rules read every imported system; what they have read is skipped, so an import that was
    resumed leaves nothing out."""
    imported = [
        system.name
        for system in project.store.all(System)
        if system.kind in ("teacher", "reference") and count_summaries(project.store, system.name)
    ]
    return [AnalyzeSettings(system=name) for name in imported] if s.read else []


def _review(project: Project, s: ReviewJob, _: Path, progress: PhaseProgress) -> BaseModel:
    if s.step == "undo":
        step = undo(project.store, s.system, s.by, _phase("undoing", progress))
    else:
        step = accept_verified(project.store, s.system, s.by, _phase("accepting", progress))
    review_counts(project.store, s.system)
    return ReviewReport(summaries=step.summaries if step else 0)


def _export(project: Project, s: ExportSettings, _: Path, progress: PhaseProgress) -> BaseModel:
    progress("writing", 0, 0)
    return export(project, s)


def _demo(project: Project, s: DemoJob, _: Path, progress: PhaseProgress) -> BaseModel:
    make = closed_world.make_closed_world if s.example == "closed_world" else make_demo
    return make(project.path, lambda title: _phase(title.lower(), progress))


def _generate(project: Project, s: GenerateSettings, _: Path, progress: PhaseProgress) -> BaseModel:
    return generate(project, s, progress=_phase("writing", progress))


KINDS: dict[str, JobKind] = {
    "import": JobKind(
        settings=ImportJob,
        title=lambda s: f"Import {summaries.of_files(s.files)}",
        locks=lambda s: [Lock(what=s.options.system)],
        run=_import,
        summary=summaries.of_import,
        command=lambda s, project: command_line(s, project, *s.files),
        followed_by=_rules_read,
    ),
    "analyze": JobKind(
        settings=AnalyzeSettings,
        title=lambda s: f"Analyze {s.system} with {summaries.of_detector(s.detector, s.model)}",
        locks=lambda s: [Lock(what=s.system, part=f"read by {s.detector}:{s.model}")],
        run=_analyze,
    ),
    "revise": JobKind(
        settings=ReviseSettings,
        title=lambda s: f"Revise {s.system} into {s.into}",
        locks=lambda s: [Lock(what=s.into)],
        run=_revise,
        summary=summaries.of_round,
    ),
    "verify": JobKind(
        settings=VerifySettings,
        title=lambda s: f"Verify {s.system}",
        locks=lambda s: [Lock(what=s.system, part=f"verified by {s.verifier}:{s.model}")],
        run=_verify,
    ),
    "review": JobKind(
        settings=ReviewJob,
        title=lambda s: (
            f"Undo the last step on {s.system}"
            if s.step == "undo"
            else f"Accept the verified summaries of {s.system}"
        ),
        locks=lambda s: [Lock(what=s.system, part="decisions")],
        run=_review,
        summary=lambda report: f"{report.summaries:,} summaries",
        command=lambda s, project: command_line(s, project, s.step.replace("_", "-")),
    ),
    "export": JobKind(
        settings=ExportSettings,
        title=lambda s: f"Export {s.system}",
        locks=lambda s: [Lock(what=f"folder {s.folder}")],
        run=_export,
        summary=summaries.of_export,
        command=lambda s, project: command_line(s, project, str(Path(project) / s.folder)),
    ),
    "demo": JobKind(
        settings=DemoJob,
        title=lambda s: (
            "Make the closed world" if s.example == "closed_world" else "Make the sample project"
        ),
        locks=lambda s: [
            Lock(what=system)
            for system in (
                closed_world.SYSTEMS if s.example == "closed_world" else ("teacher", "r1")
            )
        ],
        run=_demo,
        summary=lambda report: "done",
    ),
    "finetune": JobKind(
        settings=FinetuneSettings,
        title=lambda s: f"Train {s.student} on {s.system}",
        locks=lambda s: [Lock(what=f"student {s.student}")],
        run=lambda project, s, folder, progress: finetune(project, s, progress=progress),
        summary=summaries.of_training,
    ),
    "generate": JobKind(
        settings=GenerateSettings,
        title=lambda s: f"{s.model} writes {s.into}",
        locks=lambda s: [Lock(what=s.into)],
        run=_generate,
    ),
    "try": JobKind(
        settings=TryJob,
        title=lambda s: f"Try {s.model} on {s.conversation}",
        locks=lambda s: [Lock(what=f"try {s.model}")],
        run=lambda project, s, folder, progress: try_on(project, s.model, s.conversation),
        summary=lambda report: report.problem or f"{len(report.text.split())} words",
    ),
}


def name_of(settings: VerbSettings) -> str:
    """The kind of job that these settings start."""
    return next(name for name, kind in KINDS.items() if kind.settings is type(settings))


def command_of(settings: VerbSettings, project: str | Path) -> str:
    """The command that does what a job with these settings does."""
    return kind_of(name_of(settings)).command(settings, str(project))


def kind_of(name: str) -> JobKind:
    """A kind by its name. Raises InputError for one that this version does not have."""
    if name not in KINDS:
        raise InputError(
            f"This version has no jobs of the kind {name!r}.",
            f"It has {', '.join(KINDS)}: update ARF Studio.",
        )
    return KINDS[name]


def stored_settings(name: str, arguments: str) -> VerbSettings:
    """The settings of a stored job. Fields of other versions are left out where they are empty."""
    record = kind_of(name).settings
    given: dict[str, Any] = json.loads(arguments)
    kept = {k: v for k, v in given.items() if k in record.model_fields or v}
    return record.model_validate(kept)
