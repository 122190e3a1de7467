"""The commands that judge and change summaries: analyze, findings, revise, verify."""

from pathlib import Path

import typer

from arf_core.analysis.analyze import AnalyzeSettings
from arf_core.analysis.analyze import analyze as run_analyze
from arf_core.cli.options import Folder, from_settings
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
from arf_core.revision.revise import ReviseSettings
from arf_core.revision.verify import RoundReport, VerifySettings, revise_and_verify
from arf_core.revision.verify import verify as run_verify
from arf_core.store.findings import finding_rows
from arf_core.store.queries import detectors_of, find_system, require_detectors
from arf_core.store.round_counts import round_outcome

EstimateFlag = typer.Option(
    False, "--estimate", help="Print the calls, money and time it would take; send nothing."
)


def register(app: typer.Typer) -> None:
    for command in (analyze, findings, revise, verify):
        app.command()(command)


@from_settings(AnalyzeSettings)
def analyze(
    settings: AnalyzeSettings,
    folder: Path = Folder,
    estimate: bool = EstimateFlag,
    as_json: bool = JsonFlag,
) -> None:
    """Find errors: a detector reads every summary of a system."""
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_analyze

            print_estimates({"analyze": estimate_analyze(project, settings)}, as_json)
            return
        with progress(f"Analyzing {settings.system}", project) as show:
            report = run_analyze(project, settings, progress=show)
        if as_json:
            print_json(report.model_dump())
        else:
            print_run(f"Analyzed {settings.system} with {settings.detector}", report)
            _print_rates(project, settings.system)
    raise typer.Exit(exit_code(report))


def findings(
    folder: Path = Folder,
    system: str = typer.Option("teacher", "--system", help="System whose findings are printed."),
    detector: list[str] = typer.Option([], help="Only these detectors, such as llm:gpt."),
    category: list[str] = typer.Option([], help="Only these categories."),
    split: list[SplitName] = typer.Option(list(SplitName), help="Only these splits."),
    as_json: bool = JsonFlag,
) -> None:
    """Print findings, one JSON object a line."""
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


@from_settings(ReviseSettings)
def revise(
    settings: ReviseSettings,
    folder: Path = Folder,
    estimate: bool = EstimateFlag,
    as_json: bool = JsonFlag,
) -> None:
    """Correct errors: an editor answers the findings, which makes a new system."""
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_revise

            estimates = estimate_revise(project, settings)
            print_estimates(dict(zip(("revise", "verify"), estimates, strict=False)), as_json)
            return
        with progress(f"Revising {settings.system} into {settings.into}", project) as show:
            reports = revise_and_verify(
                project, settings, progress=lambda phase, done, total: show(done, total, phase)
            )
        _show_round(project, settings.into, reports, as_json)
    raise typer.Exit(exit_code(*reports.runs))


@from_settings(VerifySettings)
def verify(
    settings: VerifySettings,
    folder: Path = Folder,
    estimate: bool = EstimateFlag,
    as_json: bool = JsonFlag,
) -> None:
    """Verify corrections: is each finding fixed, are there new errors?"""
    with Project.open(folder) as project:
        if estimate:
            from arf_core.cli.estimates import print_estimates
            from arf_core.jobs.estimate import estimate_verify

            print_estimates({"verify": estimate_verify(project, settings)}, as_json)
            return
        with progress(f"Verifying {settings.system}", project) as show:
            report = run_verify(project, settings, progress=show)
        _show_round(project, settings.system, RoundReport(verify=report), as_json)
    raise typer.Exit(exit_code(report))


def _print_rates(project: Project, system: str) -> None:
    """Print each detector's error rates by category."""
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


def _show_round(project: Project, system: str, reports: RoundReport, as_json: bool) -> None:
    outcome = round_outcome(project.store, system)
    if as_json:
        runs = reports.model_dump(exclude_none=True)
        print_json(runs | {"system": system, "outcome": outcome.model_dump()})
        return
    if reports.revise:
        print_run(f"Revise {system}", reports.revise)
    if reports.verify:
        print_run(f"Verify {system}", reports.verify)
    print_table(
        f"{system}: summaries and findings by outcome",
        ("", "#"),
        [(name.replace("_", " "), n) for name, n in outcome.model_dump().items()],
    )
