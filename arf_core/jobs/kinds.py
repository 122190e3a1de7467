"""What a job can be asked to do: one record for each kind, with what it writes, and how to run it.

Its fields are the arguments, kept in the job's row as JSON; resuming runs them again. To add a
kind: one class here, and its name in KINDS.
"""

import shlex
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, model_validator

from arf_core.analysis.analyze import analyze
from arf_core.errors import InputError
from arf_core.finetune import finetune
from arf_core.finetune.export import EXPORTED, ExportReport, ExportSettings, export
from arf_core.finetune.generate import GenerateSettings, Tried, generate, try_on
from arf_core.finetune.settings import FinetuneSettings
from arf_core.finetune.students import FinetuneReport
from arf_core.importing import ImportOptions, ImportReport, load
from arf_core.jobs import closed_world
from arf_core.jobs.command_line import command_line
from arf_core.jobs.demo import make_demo
from arf_core.project import Project
from arf_core.records import SPLITS, Record, RunReport, Split, System
from arf_core.review.counts import tallies
from arf_core.review.decisions import accept_verified, undo
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.store.queries import count_summaries

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much (0 where that is not known)."""


class Claim(Record):
    """Something that a job writes, so that no other job may write it meanwhile."""

    what: str
    """A system, or a folder."""
    part: str = ""
    """Only this part of it; empty for all of it."""


class Work(Record):
    """What a job is asked to do."""

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        """What it does, for people."""
        raise NotImplementedError

    @property
    def writes(self) -> tuple[Claim, ...]:
        """What no other job may write meanwhile."""
        raise NotImplementedError

    def command(self, project: str) -> str:
        """The line for a terminal that does the same."""
        raise NotImplementedError

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        """Do it; `folder` is the job's own. Returns the verb's report. Skips what is done."""
        raise NotImplementedError

    def said(self, report: BaseModel) -> str:
        """What it came to, in one line for people."""
        raise NotImplementedError

    def then(self, project: Project, report: BaseModel) -> "Work | None":
        """What is to be done when it is done."""
        return None


class ImportWork(Work):
    """Bring files in; then the rules read what came, as they need no model."""

    kind: ClassVar[str] = "import"
    files: tuple[str, ...]
    options: ImportOptions = ImportOptions()
    read: bool = True
    """Let the rules read the summaries afterwards."""

    @property
    def title(self) -> str:
        first = Path(self.files[0]).name if self.files else "nothing"
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"Import {first}{more}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=self.options.system),)

    def command(self, project: str) -> str:
        o = self.options
        said: list[str] = []
        for flag, values in (("--map", o.columns), ("--speaker", o.speakers)):
            said += [part for left, right in values.items() for part in (flag, f"{left}={right}")]
        for flag, value in (
            ("--shape", o.shape),
            ("--delimiter", o.delimiter),
            ("--separator", o.separator),
            ("--source", o.source),
            ("--encoding", o.encoding),
            ("--limit", o.limit),
        ):
            said += _flag(flag, value)
        if o.system != "teacher":
            said += ["--system", o.system]
        if o.attributes is not None:
            said += ["--attributes", ",".join(o.attributes) or "none"]
        return _line("import", project, *self.files, *said)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        options = self.options.model_copy(update={"rejects_to": folder / "rejects.jsonl"})
        return load(project, list(self.files), options, tell)

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, ImportReport)
        rejected = sum(report.rejected_by_reason.values())
        parts = [f"{report.conversations:,} conversations", f"{report.summaries:,} summaries"]
        parts += [f"{report.duplicates:,} there already"] if report.duplicates else []
        parts += [f"{rejected:,} rows not taken"] if rejected else []
        return ", ".join(parts)

    def then(self, project: Project, report: BaseModel) -> Work | None:
        """The rules read whatever was written by somebody outside; what they have read is skipped,
        so an import that went on after a crash leaves nothing out."""
        brought = [
            s.name
            for s in project.store.all(System)
            if s.kind in ("teacher", "reference") and count_summaries(project.store, s.name)
        ]
        if not (self.read and brought):
            return None
        return AnalyzeWork(system=brought[0], others=tuple(brought[1:]))


class AnalyzeWork(Work):
    """A detector reads a system's summaries."""

    kind: ClassVar[str] = "analyze"
    system: str = "teacher"
    detector: str = "rules"
    model: str | None = None
    splits: tuple[Split, ...] = SPLITS
    limit: int | None = None
    fresh: bool = False
    others: tuple[str, ...] = ()
    """Systems that it reads afterwards."""

    @property
    def reader(self) -> str:
        return f"{self.detector}:{self.model}" if self.model else self.detector

    @property
    def title(self) -> str:
        systems = ", ".join((self.system, *self.others))
        who = "the rules" if self.detector == "rules" else self.reader
        return f"Analyze {systems} with {who}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        systems = (self.system, *self.others)
        return tuple(Claim(what=s, part=f"read by {self.reader}") for s in systems)

    def command(self, project: str) -> str:
        said = _flag("--detector", None if self.detector == "rules" else self.detector)
        said += _flag("--model", self.model) + _flag("--limit", self.limit)
        if self.splits != SPLITS:
            said += [part for split in self.splits for part in ("--split", split)]
        said += ["--fresh"] if self.fresh else []
        lines = [
            _line("analyze", project, "--system", system, *said)
            for system in (self.system, *self.others)
        ]
        return "\n".join(lines)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        reports = [
            analyze(
                project,
                system=system,
                detector=self.detector,
                model=self.model,
                splits=self.splits,
                limit=self.limit,
                fresh=self.fresh,
                progress=partial(tell, f"reading {system}"),
            )
            for system in (self.system, *self.others)
        ]
        return _total(reports)

    def said(self, report: BaseModel) -> str:
        return _run_in_words(report)


class ReviseWork(Work):
    """An editor answers findings, which makes a new system; a verifier may check it at once."""

    kind: ClassVar[str] = "revise"
    system: str = "teacher"
    into: str
    detectors: tuple[str, ...] = ()
    editor: str = "llm"
    model: str | None = None
    categories: tuple[str, ...] | None = None
    verifier: str | None = None
    verifier_model: str | None = None
    fresh: bool = False

    @property
    def title(self) -> str:
        return f"Revise {self.system} into {self.into}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=self.into),)

    def command(self, project: str) -> str:
        said = ["--system", self.system, "--into", self.into]
        for flag, values in (("--detector", self.detectors), ("--category", self.categories or ())):
            said += [part for value in values for part in (flag, value)]
        said += _flag("--editor", self.editor) + _flag("--model", self.model)
        said += _flag("--verifier", self.verifier)
        said += _flag("--verifier-model", self.verifier_model)
        return _line("revise", project, *said, *(["--fresh"] if self.fresh else []))

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        revised = revise(
            project,
            system=self.system,
            into=self.into,
            detectors=self.detectors,
            editor=self.editor,
            model=self.model,
            categories=self.categories,
            fresh=self.fresh,
            progress=partial(tell, "revising"),
        )
        if self.verifier is None:
            return RoundReport(revise=revised)
        verified = verify(
            project,
            system=self.into,
            verifier=self.verifier,
            model=self.verifier_model,
            fresh=self.fresh,
            progress=partial(tell, "checking"),
        )
        return RoundReport(revise=revised, verify=verified)

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, RoundReport)
        words = f"Revised: {_run_in_words(report.revise)}"
        return f"{words}. Checked: {_run_in_words(report.verify)}" if report.verify else words


class RoundReport(Record):
    """What a revision did, and the check that followed."""

    revise: RunReport
    verify: RunReport | None = None


class VerifyWork(Work):
    """A verifier checks a revision round."""

    kind: ClassVar[str] = "verify"
    system: str
    verifier: str = "llm"
    model: str | None = None
    fresh: bool = False

    @property
    def title(self) -> str:
        return f"Check {self.system}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=self.system, part=f"checked by {self.verifier}:{self.model}"),)

    def command(self, project: str) -> str:
        said = ["--system", self.system, "--verifier", self.verifier, *_flag("--model", self.model)]
        return _line("verify", project, *said, *(["--fresh"] if self.fresh else []))

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        return verify(
            project,
            system=self.system,
            verifier=self.verifier,
            model=self.model,
            fresh=self.fresh,
            progress=partial(tell, "checking"),
        )

    def said(self, report: BaseModel) -> str:
        return _run_in_words(report)


class ReviewWork(Work):
    """A reviewer's step on very many summaries."""

    kind: ClassVar[str] = "review"
    system: str
    by: str
    step: Literal["accept_verified", "undo"]

    @property
    def title(self) -> str:
        what = {"accept_verified": "Accept the verified ones", "undo": "Undo the last step"}
        return f"{what[self.step]} of {self.system}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=self.system, part="decisions"),)

    def command(self, project: str) -> str:
        what = self.step.replace("_", "-")
        return _line("review", project, what, "--system", self.system, "--by", self.by)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        work, phase = (
            (accept_verified, "accepting")
            if self.step == "accept_verified"
            else (undo, "taking back")
        )
        step = work(project.store, self.system, self.by, partial(tell, phase))
        tallies(project.store, self.system)
        return Reviewed(summaries=step.summaries if step else 0)

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, Reviewed)
        return f"{report.summaries:,} summaries"


class Reviewed(Record):
    """What a step of a review came to."""

    summaries: int


class ExportWork(Work):
    """Write a training set."""

    kind: ClassVar[str] = "export"
    system: str
    into: str
    """The folder; a relative one lies in the project."""
    splits: tuple[Split, ...] = EXPORTED
    everything: bool = False

    @property
    def title(self) -> str:
        return f"Export {self.system}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=f"folder {self.into}"),)

    def command(self, project: str) -> str:
        settings = ExportSettings.of(None, self.model_dump())
        return command_line(settings, project, str(Path(project) / self.into))

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        tell("writing", 0, 0)
        return export(project, **self.model_dump())

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, ExportReport)
        left = sum(report.left_out.values())
        return f"{report.rows:,} rows in {self.into}, {left:,} left out"


class DemoWork(Work):
    """Take an example's project the whole way."""

    kind: ClassVar[str] = "demo"
    example: Literal["support", "closed_world"] = "support"

    @property
    def title(self) -> str:
        return {
            "support": "Make the sample project",
            "closed_world": "Make the closed world",
        }[self.example]

    @property
    def writes(self) -> tuple[Claim, ...]:
        systems = closed_world.SYSTEMS if self.example == "closed_world" else ("teacher", "r1")
        return tuple(Claim(what=system) for system in systems)

    def command(self, project: str) -> str:
        chosen = [] if self.example == "support" else ["--example", self.example]
        return _line("demo", project, *chosen)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        def told(title: str) -> Callable[[int, int], None]:
            return partial(tell, title.lower())

        if self.example == "closed_world":
            return closed_world.make_closed_world(project.path, told)
        return make_demo(project.path, told)

    def said(self, report: BaseModel) -> str:
        return "taken the whole way"


class FinetuneWork(Work):
    """Train a student. It goes on in a process of its own if this one is killed."""

    kind: ClassVar[str] = "finetune"
    settings: FinetuneSettings

    @model_validator(mode="before")
    @classmethod
    def _of_older_versions(cls, data: Any) -> Any:
        return {"settings": data} if "wanted" in data else data

    @property
    def title(self) -> str:
        return f"Train {self.settings.student} on {self.settings.system}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=f"student {self.settings.student}"),)

    def command(self, project: str) -> str:
        return command_line(self.settings, project)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        return finetune(project, self.settings, progress=tell)

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, FinetuneReport)
        loss = "" if report.final_loss is None else f", loss {report.final_loss:.3f}"
        if report.state == "done":
            return f"{report.steps:,} steps{loss}"
        if not report.steps:
            return f"{report.state} before its first step"
        return f"{report.state} at step {report.steps:,} of {report.total:,}{loss}"


class GenerateWork(Work):
    """A model writes a system's summaries."""

    kind: ClassVar[str] = "generate"
    model: str
    into: str
    splits: tuple[Split, ...] = ("test",)
    limit: int | None = None

    @property
    def title(self) -> str:
        return f"{self.model} writes {self.into}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=self.into),)

    def command(self, project: str) -> str:
        return command_line(GenerateSettings.of(None, self.model_dump()), project)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        return generate(project, **self.model_dump(), progress=partial(tell, "writing"))

    def said(self, report: BaseModel) -> str:
        return _run_in_words(report)


class TryWork(Work):
    """A model summarises one conversation, to be looked at."""

    kind: ClassVar[str] = "try"
    model: str
    conversation: str

    @property
    def title(self) -> str:
        return f"Try {self.model} on {self.conversation}"

    @property
    def writes(self) -> tuple[Claim, ...]:
        return (Claim(what=f"try {self.model}"),)

    def command(self, project: str) -> str:
        said = ["--model", self.model, "--only", self.conversation]
        return _line("generate", project, *said)

    def run(self, project: Project, folder: Path, tell: Tell) -> BaseModel:
        return try_on(project, self.model, self.conversation)

    def said(self, report: BaseModel) -> str:
        assert isinstance(report, Tried)
        return report.problem or f"{len(report.text.split())} words"


KINDS: dict[str, type[Work]] = {
    work.kind: work
    for work in (
        ImportWork,
        AnalyzeWork,
        ReviseWork,
        VerifyWork,
        ReviewWork,
        ExportWork,
        DemoWork,
        FinetuneWork,
        GenerateWork,
        TryWork,
    )
}


def work_of(kind: str, arguments: str) -> Work:
    """The work of a stored job. Raises InputError for a kind that this version does not know."""
    if kind not in KINDS:
        raise InputError(
            f"This version knows no jobs of the kind {kind!r}.",
            f"It knows {', '.join(KINDS)}: update ARF Studio.",
        )
    return KINDS[kind].model_validate_json(arguments)


def _run_in_words(report: BaseModel) -> str:
    assert isinstance(report, RunReport)
    parts = [f"{report.done:,} done"]
    parts += [f"{report.skipped:,} done before"] if report.skipped else []
    parts += [f"{report.pending:,} waiting for replies by file"] if report.pending else []
    parts += [f"{n:,} failed ({reason})" for reason, n in report.failed.most_common()]
    return ", ".join(parts)


def _total(reports: list[RunReport]) -> RunReport:
    """Several runs as one."""
    if len(reports) == 1:
        return reports[0]
    total = RunReport(notes=[note for r in reports for note in r.notes])
    for report in reports:
        total.failed.update(report.failed)
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(report, name))
    return total


COUNTS = (
    *("asked", "skipped", "done", "pending", "calls", "cached"),
    *("prompt_tokens", "completion_tokens", "cost", "seconds"),
)


def _flag(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def _line(verb: str, project: str, *parts: str) -> str:
    words: Iterable[str] = ("arf", verb, project, *parts)
    return " ".join(shlex.quote(word) for word in words)
