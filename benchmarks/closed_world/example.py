"""Make examples/closed_world from a run of the experiment:

    python -m benchmarks.closed_world.example RUN

RUN is the folder of `python -m benchmarks.closed_world --folder RUN`. Of it the students of the
teacher with half of its errors systematic are taken, of the first seed.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arf_core.jobs.closed_world import READER, steps
from arf_core.jobs.demo import CLOSED_WORLD, EXAMPLES, STUDENTS, open_example
from arf_core.models import Request
from arf_core.models.providers.replay import Recording, write_recordings
from arf_core.project import Project
from arf_core.records import Conversation, Summary, now
from arf_core.revision.editors import EditTask
from arf_core.revision.editors.llm import open_editor
from arf_core.revision.revise import round_settings, tasks
from arf_core.revision.verifiers import CheckTask
from arf_core.revision.verifiers.llm import open_verifier
from arf_core.revision.verify import checking
from arf_core.training.generate import TASK, request_of
from benchmarks.closed_world.__main__ import DROPPED_ARM, EXAMPLE, FULL, MAIN, R1, R2
from benchmarks.closed_world.base import PROMPT
from benchmarks.closed_world.counting import UNREADABLE, Error, errors, read, sentences
from benchmarks.closed_world.language import Case, cases, summary
from benchmarks.closed_world.students import REWRITE, world
from benchmarks.closed_world.writers import (
    mended,
    mistaken,
    reader,
    teacher,
)

SYSTEMATIC, SEED, DEV = EXAMPLE, 1, 100
FOLDER = EXAMPLES / CLOSED_WORLD.folder
ARMS = {
    "student-r0": "r0",
    "student-dropped": DROPPED_ARM,
    "student-rewrite": REWRITE,
    "student-r1": R1,
    "student-r2": R2,
}


class Maker:
    """Writes the example's files, each from what the ones before it say."""

    def __init__(self, run: Path, folder: Path) -> None:
        self.run, self.folder = run, folder
        here = world(SYSTEMATIC, SEED, (), FULL)
        others = [*cases(DEV, "dev", str(SEED)), *here.test]
        self.cases = {c.id: c for c in (*here.train, *others)}
        later = teacher(others, SYSTEMATIC, str(SEED))
        self.teacher = here.systems["teacher"] | later
        marks = reader(here.train, self.teacher, MAIN, f"{SEED}:1")  # those of the experiment
        self.marks = marks | reader(others, self.teacher, MAIN, f"{SEED}:1")

    def make(self) -> None:
        (self.folder / "prompts").mkdir(parents=True, exist_ok=True)
        (self.folder / "prompts" / "summarise.md").write_text(PROMPT, encoding="utf-8")
        self._write("conversations.jsonl", map(self._conversation, self.cases.values()))
        self._write("facts.jsonl", ({"id": c.id} | c.facts.model_dump() for c in self._all()))
        self._write("reader.jsonl", (self._read(c) for c in self._all()))
        self._gold("teacher", self.teacher)
        recordings = self.folder / "recordings"
        for name in (*ARMS, "editor", "verifier"):
            write_recordings(recordings / f"{name}.jsonl", [])
        texts = {name: self._texts(arm) for name, arm in ARMS.items()}
        for name, written in texts.items():
            self._gold(name, written)
        with TemporaryDirectory() as folder:
            self._record(Path(folder), recordings, texts)

    def _record(
        self, folder: Path, recordings: Path, texts: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Answer what the product asks, step by step, in projects that are thrown away."""
        (_, bring_in), *_ = steps(project := self._open(folder / "a"), self.folder)
        bring_in(progress=None)
        write_recordings(recordings / "editor.jsonl", self._edits(project))
        for name, written in texts.items():
            write_recordings(recordings / f"{name}.jsonl", self._summaries(project, name, written))
        project.close()
        (_, bring_in), (_, edit), *_ = steps(project := self._open(folder / "b"), self.folder)
        bring_in(progress=None)
        edit(progress=None)
        write_recordings(recordings / "verifier.jsonl", self._checks(project))
        by_id = {c.id: c.external_id for c in project.store.all(Conversation)}
        r1 = [s for s in project.store.all(Summary) if s.system == "r1"]
        self._gold("r1", {by_id[s.conversation_id]: s.text for s in r1})
        project.close()

    def _open(self, path: Path) -> Project:
        return open_example(path, CLOSED_WORLD)

    def _all(self) -> Iterable[Case]:
        return self.cases.values()

    def _write(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def _conversation(self, case: Case) -> dict[str, Any]:
        facts = case.facts
        return {
            "id": case.id,
            "split": case.split,
            "channel": facts.channel,
            "product": facts.product,
            "remedy": facts.remedy,
            "turns": [{"speaker": t.speaker, "text": t.text} for t in case.turns],
            "summary": self.teacher[case.id],
        }

    def _read(self, case: Case) -> dict[str, Any]:
        """What the simulated reader says of the teacher's summary."""
        marked, text = self.marks[case.id], self.teacher[case.id]
        real = {e.category: e for e in errors(case.facts, text)}
        found = [_finding(real[c]) for c in marked.true]
        found += [_finding(_alarm(c, case, text)) for c in marked.false]
        return {"id": case.id, "findings": found}

    def _gold(self, system: str, texts: Mapping[str, str]) -> None:
        rows = [
            {"id": id_, "findings": [_finding(e) for e in errors(self.cases[id_].facts, text)]}
            for id_, text in texts.items()
        ]
        self._write(f"gold/{system}.jsonl", rows)

    def _texts(self, arm: str) -> dict[str, str]:
        """What a student of the run wrote."""
        folder = self.run / f"systematic-{SYSTEMATIC}-seed-{SEED}"
        with Project.open(folder) as project:
            by_id = {c.id: c.external_id for c in project.store.all(Conversation)}
            written = [s for s in project.store.all(Summary) if s.system == f"student-{arm}"]
        if not written:
            raise SystemExit(f"{folder} has no summaries of {arm}: run the experiment first.")
        return {by_id[s.conversation_id]: s.text for s in written}

    def _edits(self, project: Project) -> Iterator[Recording]:
        worker = open_editor(project)
        settings = round_settings(project, "teacher", worker, [f"person:{READER}"])
        for task in tasks(project.store, settings, worker):
            reply = self._edit(task)
            yield _recording(worker.request(task), reply, "the closed world's editor (simulated)")

    def _edit(self, task: EditTask) -> dict[str, Any]:
        case = self.cases[task.item.conversation.external_id]
        text, marked = task.item.summary.text, self.marks[case.id]
        told = read(text)
        for finding in task.findings:
            change = mended if finding.category in marked.true else mistaken
            told = change(told, finding.category, case.facts)
        numbers = {f.category: n for n, f in enumerate(task.findings, 1)}
        return {"edits": _edits(text, summary(told, case.variant), numbers)}

    def _checks(self, project: Project) -> Iterator[Recording]:
        worker = open_verifier(project)
        run = checking(project, "r1", worker)
        for task in run.tasks(fresh=True):
            reply = self._check(task)
            yield _recording(worker.request(task), reply, "the facts of the closed world")

    def _check(self, task: CheckTask) -> dict[str, Any]:
        """Of a verifier that knows the facts."""
        facts = self.cases[task.conversation.external_id].facts
        before = {e.category for e in errors(facts, task.before.text)}
        after = {e.category: e for e in errors(facts, task.after.text)}
        checks = [
            {
                "finding": n,
                "result": "not_fixed" if f.category in after else "fixed",
                "reason": "Held against the facts.",
            }
            for n, f in enumerate(task.findings, 1)
        ]
        new = [
            {
                "category": e.category,
                "quote": e.quote or "",
                "turns": [] if e.turn is None else [e.turn],
                "explanation": e.explanation,
            }
            for c, e in after.items()
            if c not in before and c not in {f.category for f in task.findings}
        ]
        return {"checks": checks, "new_errors": new}

    def _summaries(
        self, project: Project, name: str, texts: Mapping[str, str]
    ) -> Iterator[Recording]:
        prompt = project.prompt(TASK)
        for conversation in project.store.all(Conversation):
            if conversation.external_id in texts:
                request = request_of(prompt, conversation, name)
                reply = texts[conversation.external_id]
                yield _recording(request, reply, f"{name}, trained on the closed world")


def _recording(request: Request, reply: dict[str, Any] | str, by: str) -> Recording:
    return Recording(
        task=request.task,
        conversation=request.conversation,
        subject=request.subject,
        taxonomy=request.taxonomy,
        repeat=request.repeat,
        attempt=request.attempt,
        prompt_hash=request.prompt_hash,
        replied_by=by,
        at=now(),
        finish_reason="stop",
        reply=reply if isinstance(reply, str) else json.dumps(reply),
    )


def _finding(error: Error) -> dict[str, Any]:
    unreadable = error.category == UNREADABLE
    return {
        "category": "invented_detail" if unreadable else error.category,
        "quote": error.quote,
        "evidence": [] if error.turn is None else [error.turn],
        "explanation": error.explanation,
    }


def _alarm(category: str, case: Case, text: str) -> Error:
    """A false alarm, worded as the error that the editor will then make."""
    wrong = errors(case.facts, summary(mistaken(read(text), category, case.facts), case.variant))
    error = next(e for e in wrong if e.category == category)
    return Error(category, None, error.turn, "This looks wrong.")


def _edits(before: str, after: str, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """An edit for each sentence that differs; a next step that comes or goes does so with the
    sentence before it. `numbers` are those of the findings, by category."""
    old = {s.part: s.text for s in sentences(before)}
    new = {s.part: s.text for s in sentences(after)}
    pairs = {"outcome": (old["outcome"], new["outcome"])}
    if "next" in old and "next" in new:
        pairs["next"] = (old["next"], new["next"])
    else:
        pairs["outcome"] = (" ".join(list(old.values())[1:]), " ".join(list(new.values())[1:]))
    return [
        {"finding": _number(part, numbers), "find": find, "replace": instead}
        for part, (find, instead) in pairs.items()
        if find != instead
    ]


def _number(part: str, numbers: Mapping[str, int]) -> int:
    """The finding that an edit of this sentence answers first."""
    mine = ("wrong_status", "wrong_figure") if part == "outcome" else ("wrong_party",)
    return next((n for c, n in numbers.items() if c in mine), next(iter(numbers.values())))


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.closed_world.example")
    parser.add_argument("run", type=Path)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    assert set(ARMS) == set(STUDENTS)
    Maker(given.run, given.folder).make()


if __name__ == "__main__":
    main()
