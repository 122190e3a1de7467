"""`arf review`: a person accepts, rejects or rewords the summaries of a round."""

import getpass
from pathlib import Path
from typing import NamedTuple

import typer

from arf_core.cli.options import Folder
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
ReviewAction = typer.Argument("list", metavar=f"[{WHAT}]", help="Action.")
ConversationId = typer.Argument(None, metavar="[ID]", help="A conversation, by its id in the file.")
NEEDS_ID = ("show", "accept", "reject", "reword")


class _Parsed(NamedTuple):
    """The parsed command line."""

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
    what: str = ReviewAction,
    conversation: str = ConversationId,
    system: str = typer.Option("r1", help="Revision round."),
    by: str = typer.Option(None, help="Name of the reviewer (default: the user logged in)."),
    text: str = typer.Option(None, help="The new text, for reword."),
    limit: int = typer.Option(20, min=1, help="Number of rows in the list."),
    as_json: bool = JsonFlag,
) -> None:
    """Review corrections: list the riskiest first; accept, reject, reword, undo, apply."""
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
            f"give one of {', '.join(actions)}, and for {', '.join(NEEDS_ID)} a conversation's id",
            param_hint="action",
        )
    with Project.open(folder) as project:
        id_ = find(project.store, system, conversation) if conversation else ""
        asked = _Parsed(project, system, id_, by or getpass.getuser(), text, limit, as_json)
        actions[what](asked, what)


def _list(asked: _Parsed, _: str) -> None:
    rows = queue(asked.project.store, asked.system, size=asked.limit)
    waiting = QueueFilter().count(review_counts(asked.project.store, asked.system))
    if asked.as_json:
        print_json({"waiting": waiting, "queue": [row.model_dump() for row in rows]})
        return
    table = [
        (q.external_id, q.status.replace("_", " "), ", ".join(f"{c}: {r}" for c, r in q.results))
        for q in rows
    ]
    print_table("", ("conversation", "status", "findings"), table)
    print_line(f"{waiting:,} summaries of {asked.system} are undecided.")


def _show(asked: _Parsed, _: str) -> None:
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
        print_line(f"Text: {shown.final_text}")


def _decide(asked: _Parsed, what: str) -> None:
    word: core.Word = "accept" if what == "accept" else "reject" if what == "reject" else "reword"
    store = asked.project.store
    step = core.decide(store, asked.system, asked.summary_id, word, asked.by, asked.text)
    _print_step(asked, step, "Done")


def _accept_verified(asked: _Parsed, _: str) -> None:
    with progress("Accepting") as show:
        step = core.accept_verified(asked.project.store, asked.system, asked.by, show)
    _print_step(asked, step, "Done")


def _undo(asked: _Parsed, _: str) -> None:
    _print_step(asked, core.undo(asked.project.store, asked.system, asked.by), "Undone")


def _print_step(asked: _Parsed, step: Step | None, words: str) -> None:
    if asked.as_json:
        print_json({"step": step and step.model_dump()})
    elif step is None:
        print_line("Nothing to do.")
    else:
        print_line(f"{words}: {step.kind.replace('_', ' ')}, {step.summaries:,} of {step.system}.")


def _history(asked: _Parsed, _: str) -> None:
    found = core.steps(asked.project.store, asked.system, asked.limit)
    if asked.as_json:
        print_json({"steps": [step.model_dump() for step in found]})
        return
    rows = [
        (s.at, s.annotator, s.kind.replace("_", " "), s.summaries, "undone" * s.undone)
        for s in found
    ]
    print_table("", ("when", "who", "what", "#summaries", ""), rows)


def _apply(asked: _Parsed, _: str) -> None:
    with progress(f"Applying the decisions on {asked.system}") as show:
        report = core.apply_decisions(asked.project.store, asked.system, show)
    name = reviewed_name(asked.system)
    if asked.as_json:
        print_json(report.model_dump() | {"system": name})
    else:
        print_line(f"{name}: {report.asked:,} summaries, {report.done:,} of them new.")
