"""The commands that judge and change summaries: analyze, findings, revise, verify."""

from pathlib import Path
from typing import TypedDict

import typer

from arf_core.analysis.analyze import analyze as run_analyze
from arf_core.cli.output import (
    JsonFlag,
    SplitName,
    exit_code,
    percent,
    print_json,
    print_run,
    print_table,
    progress,
)
from arf_core.project import Project
from arf_core.records import RunReport, Split
from arf_core.revision.revise import revise as run_revise
from arf_core.revision.verify import verify as run_verify
from arf_core.store.findings import finding_rows
from arf_core.store.queries import detectors_of, find_system, require_detectors
from arf_core.store.round_counts import round_outcome

Folder = typer.Argument(..., metavar="DIR", help="The project's folder.")
System = typer.Option("teacher", "--system", help="Whose summaries.")
Fresh = typer.Option(False, "--fresh", help="Do again what is done, and ask models anew.")
Guess = typer.Option(
    False, "--estimate", help="Say what it would take (calls, money, time); send nothing."
)


class RoundArguments(TypedDict):
    """What `revise` and its estimate take alike."""

    detectors: list[str]
    editor: str
    model: str | None
    categories: list[str] | None
    fresh: bool


def register(app: typer.Typer) -> None:
    for command in (analyze, findings, revise, verify):
        app.command()(command)


def analyze(
    folder: Path = Folder,
    system: str = System,
    detector: str = typer.Option("rules", help="Who reads: rules, llm or nli."),
    model: str = typer.Option(
        None, help="llm: a model of arf.toml; nli: a folder, or a name on the hub."
    ),
    split: list[SplitName] = typer.Option(list(SplitName), help="Only these splits."),
    limit: int = typer.Option(None, min=1, help="At most so many, for a trial."),
    fresh: bool = Fresh,
    estimate: bool = Guess,
    as_json: bool = JsonFlag,
) -> None:
    """Find errors: a detector reads every summary of a system."""
    splits: list[Split] = [s.value for s in split]
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_analyze

            said = estimate_analyze(
                project, system, detector, model=model, splits=splits, limit=limit, fresh=fresh
            )
            print_estimates({"analyze": said}, as_json)
            return
        with progress(f"Analyzing {system}", project) as told:
            report = run_analyze(
                project,
                system,
                detector,
                model=model,
                splits=splits,
                limit=limit,
                fresh=fresh,
                progress=told,
            )
        if as_json:
            print_json(report.model_dump())
        else:
            print_run(f"Analyzed {system} with {detector}", report)
            _print_rates(project, system)
    raise typer.Exit(exit_code(report))


def findings(
    folder: Path = Folder,
    system: str = System,
    detector: list[str] = typer.Option([], help="Only these detectors, such as llm:gpt."),
    category: list[str] = typer.Option([], help="Only these categories."),
    split: list[SplitName] = typer.Option(list(SplitName), help="Only these splits."),
    as_json: bool = JsonFlag,
) -> None:
    """Print what was found, one JSON object a line."""
    with Project.open(folder) as project:
        find_system(project.store, system)
        require_detectors(project.store, system, detector)
        chosen = [project.taxonomy[c].id for c in category]
        rows = finding_rows(project.store, system, detector, chosen, [s.value for s in split])
        if as_json:
            print_json({"system": system, "findings": [r.model_dump() for r in rows]})
            return
        for row in rows:
            print_json(row.model_dump())


def revise(
    folder: Path = Folder,
    system: str = System,
    into: str = typer.Option("r1", help="The name of the new system."),
    detector: list[str] = typer.Option([], help="Whose findings to answer, such as llm:gpt."),
    editor: str = typer.Option("llm", help="llm, rules, or rewrite (untargeted, to compare)."),
    model: str = typer.Option(None, help="The editor's model, by its name in arf.toml."),
    verifier: str = typer.Option(None, help="Check the result at once: llm, nli or rules."),
    verifier_model: str = typer.Option(None, help="The verifier's model."),
    category: list[str] = typer.Option([], help="Answer only findings of these categories."),
    fresh: bool = Fresh,
    estimate: bool = Guess,
    as_json: bool = JsonFlag,
) -> None:
    """Correct errors: an editor answers the findings, which makes a new system."""
    how: RoundArguments = {
        "detectors": detector,
        "editor": editor,
        "model": model,
        "categories": category or None,
        "fresh": fresh,
    }
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_revise

            said = estimate_revise(
                project, system, into, verifier=verifier, verifier_model=verifier_model, **how
            )
            print_estimates(dict(zip(("revise", "verify"), said, strict=False)), as_json)
            return
        with progress(f"Revising {system} into {into}", project) as told:
            report = run_revise(project, system, into, progress=told, **how)
        reports = {"revise": report}
        if verifier is not None:
            with progress(f"Checking {into}", project) as told:
                reports["verify"] = run_verify(
                    project, into, verifier, model=verifier_model, fresh=fresh, progress=told
                )
        _show_round(project, into, reports, as_json)
    raise typer.Exit(exit_code(*reports.values()))


def verify(
    folder: Path = Folder,
    system: str = typer.Option("r1", "--system", help="The revision round to check."),
    verifier: str = typer.Option("llm", help="llm, nli or rules."),
    model: str = typer.Option(
        None, help="llm: a model of arf.toml; nli: a folder, or a name on the hub."
    ),
    fresh: bool = Fresh,
    estimate: bool = Guess,
    as_json: bool = JsonFlag,
) -> None:
    """Check corrections: is each finding gone, did anything new come in?"""
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_verify

            guess = estimate_verify(project, system, verifier, model=model, fresh=fresh)
            print_estimates({"verify": guess}, as_json)
            return
        with progress(f"Checking {system}", project) as told:
            report = run_verify(project, system, verifier, model=model, fresh=fresh, progress=told)
        _show_round(project, system, {"verify": report}, as_json)
    raise typer.Exit(exit_code(report))


def _print_rates(project: Project, system: str) -> None:
    """What each detector found, by category."""
    from arf_core.evaluate.rates import error_rates

    for detector in detectors_of(project.store, system):
        rates = error_rates(project.store, system, detector)
        rows = [("any error", "", percent(rates.any_error))]
        rows += [
            (c.name, str(rates.findings[c.id]), percent(rates.by_category[c.id]))
            for c in project.taxonomy.categories
            if c.id in rates.findings
        ]
        title = f"{system}, read by {detector} ({rates.any_error.total} summaries)"
        print_table(title, ("category", "#findings", "#summaries"), rows)


def _show_round(
    project: Project, system: str, reports: dict[str, RunReport], as_json: bool
) -> None:
    outcome = round_outcome(project.store, system)
    if as_json:
        said = {name: report.model_dump() for name, report in reports.items()}
        print_json(said | {"system": system, "outcome": outcome.model_dump()})
        return
    for name, report in reports.items():
        print_run(f"{name.capitalize()} {system}", report)
    print_table(
        f"{system}: what became of each summary and finding",
        ("", "#"),
        [(name.replace("_", " "), n) for name, n in outcome.model_dump().items()],
    )
