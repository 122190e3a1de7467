"""`arf review`: a person decides on the revised summaries of a round."""

import getpass
from pathlib import Path
from typing import NamedTuple

import typer

from arf_core.cli.output import JsonFlag, print_json, print_line, print_table, progress
from arf_core.project import Project
from arf_core.records import Step
from arf_core.review import decisions as core
from arf_core.review.card import ReviewCard, review_card
from arf_core.review.queue import QueueFilter, find, queue
from arf_core.review.status import reviewed_name
from arf_core.store.round_counts import review_counts
from arf_core.text import word_diff

WHAT = "list|show|accept|reject|reword|accept-verified|undo|history|apply"
Folder = typer.Argument(..., metavar="DIR", help="The project's folder.")
What = typer.Argument("list", metavar=f"[{WHAT}]", help="What to do.")
Id = typer.Argument(None, metavar="[ID]", help="A conversation, by the id that its file gave it.")
NEEDS_ID = ("show", "accept", "reject", "reword")


class _Asked(NamedTuple):
    """What the command line asked for."""

    project: Project
    system: str
    summary_id: str
    by: str
    text: str | None
    limit: int
    as_json: bool


def register(app: typer.Typer) -> None:
    app.command()(review)


def review(
    folder: Path = Folder,
    what: str = What,
    conversation: str = Id,
    system: str = typer.Option("r1", help="The revision round."),
    by: str = typer.Option(None, help="Who decides; else who is logged in."),
    text: str = typer.Option(None, help="The new text, to reword."),
    limit: int = typer.Option(20, min=1, help="How many the list shows."),
    as_json: bool = JsonFlag,
) -> None:
    """Decide on corrections: list them riskiest first, accept, reject or reword, undo, apply."""
    actions = {
        "list": _list,
        "show": _show,
        "accept": _decide,
        "reject": _decide,
        "reword": _decide,
        "accept-verified": _accept_verified,
        "undo": _undo,
        "history": _history,
        "apply": _apply,
    }
    if what not in actions or (what in NEEDS_ID) != (conversation is not None):
        raise typer.BadParameter(
            f"say one of {', '.join(actions)}, and for {', '.join(NEEDS_ID)} a conversation's id",
            param_hint="what",
        )
    with Project.open(folder) as project:
        id_ = find(project.store, system, conversation) if conversation else ""
        asked = _Asked(project, system, id_, by or getpass.getuser(), text, limit, as_json)
        actions[what](asked, what)


def _list(asked: _Asked, _: str) -> None:
    rows = queue(asked.project.store, asked.system, size=asked.limit)
    waiting = QueueFilter().count(review_counts(asked.project.store, asked.system))
    if asked.as_json:
        print_json({"waiting": waiting, "queue": [row.model_dump() for row in rows]})
        return
    table = [
        (q.external_id, q.status.replace("_", " "), ", ".join(f"{c}: {r}" for c, r in q.results))
        for q in rows
    ]
    print_table("", ("conversation", "stands", "findings"), table)
    print_line(f"{waiting:,} of {asked.system} wait for a decision.")


def _show(asked: _Asked, _: str) -> None:
    shown = review_card(asked.project.store, asked.system, asked.summary_id)
    if asked.as_json:
        print_json(shown.model_dump())
        return
    _print_card(shown)


def _print_card(shown: ReviewCard) -> None:
    before, after = (shown.before.text if shown.before else ""), shown.item.summary.text
    marks = {"same": "{}", "deleted": "[-{}-]", "inserted": "{{+{}+}}"}
    print_line("".join(marks[p.kind].format(p.text) for p in word_diff(before, after)))
    for answered in (*shown.answered, *shown.new_errors):
        finding = answered.finding
        print_line(f"- {finding.category}: {finding.explanation}" if finding else "- no finding")
        for edit in answered.edits:
            print_line(f"    edit: {before[edit.start : edit.end]!r} -> {edit.text!r}")
        for check in answered.checks:
            print_line(f"    {check.verifier}: {check.result.replace('_', ' ')}. {check.reason}")
    if shown.decided:
        print_line(f"Decided by {shown.decided.annotator}: {shown.decided.action}.")
        print_line(f"What stands: {shown.final_text}")


def _decide(asked: _Asked, what: str) -> None:
    word: core.Word = "accept" if what == "accept" else "reject" if what == "reject" else "reword"
    store = asked.project.store
    step = core.decide(store, asked.system, asked.summary_id, word, asked.by, asked.text)
    _print_step(asked, step, "Done")


def _accept_verified(asked: _Asked, _: str) -> None:
    with progress("Accepting") as told:
        step = core.accept_verified(asked.project.store, asked.system, asked.by, told)
    _print_step(asked, step, "Done")


def _undo(asked: _Asked, _: str) -> None:
    _print_step(asked, core.undo(asked.project.store, asked.system, asked.by), "Taken back")


def _print_step(asked: _Asked, step: Step | None, words: str) -> None:
    if asked.as_json:
        print_json({"step": step and step.model_dump()})
    elif step is None:
        print_line("There is nothing to do.")
    else:
        print_line(f"{words}: {step.kind.replace('_', ' ')}, {step.summaries:,} of {step.system}.")


def _history(asked: _Asked, _: str) -> None:
    found = core.steps(asked.project.store, asked.system, asked.limit)
    if asked.as_json:
        print_json({"steps": [step.model_dump() for step in found]})
        return
    rows = [
        (s.at, s.annotator, s.kind.replace("_", " "), s.summaries, "taken back" * s.undone)
        for s in found
    ]
    print_table("", ("when", "who", "what", "#summaries", ""), rows)


def _apply(asked: _Asked, _: str) -> None:
    with progress(f"Applying the decisions on {asked.system}") as told:
        report = core.apply_decisions(asked.project.store, asked.system, told)
    name = reviewed_name(asked.system)
    if asked.as_json:
        print_json(report.model_dump() | {"system": name})
    else:
        print_line(f"{name}: {report.asked:,} summaries, {report.done:,} of them written now.")
