"""Large projects written straight to the store: python -m benchmarks.projects FOLDER SUMMARIES

A teacher's summaries, read by an LLM detector and by the rules; a revision round of all of them,
checked and read again; two hundred read by a person. Texts are put together from a few sentences,
so that findings cluster; nothing is said about any model. Written in bulk, since the verbs would
take hours; every derived column is as the store itself would fill it, which a test compares.
"""

import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from arf_core.project import SETTINGS_FILE, Project
from arf_core.records import SPLITS, digest, now
from arf_core.store import schema
from arf_core.store.arrays import refresh
from arf_core.store.review_status import LARGE_CHANGE, REVIEW_STATUSES, ReviewStatus
from arf_core.store.round_counts import review_counts

BATCH = 10_000
READER, SECOND, PERSON = "llm:reader", "check:second", "person:anna"
LABELLED = 200
CATEGORIES = (
    ("wrong_figure", 19),
    ("invented_detail", 15),
    ("missing_resolution", 13),
    ("wrong_party", 10),
    ("missing_issue", 8),
    ("wrong_status", 6),
    ("contradiction", 6),
    ("wrong_cause", 5),
    ("irrelevant_or_repeated", 4),
    ("personal_data", 1),
)
FOUND = (0, 0, 0, 0, 0, 0, 1, 2, 3, 4)
"""Findings of a teacher's summary, drawn evenly: 40 % have an error, one finding a summary."""
CHANNELS = ("agent chat", "bot chat", "e-mail", "web form")
TIERS = ("free", "plus", "business")
KINDS = ("Lamp", "Desk", "Router", "Kettle")
PRODUCTS = tuple(f"{kind} {size}" for kind in KINDS for size in "SML")
TURNS = (
    ("customer", "Hello, my {item} came on {day} and it does not work. I paid {price} for it."),
    ("agent", "I am sorry. May I have the number of your order, please?"),
    ("customer", "It is {order}. I want my money back, or another one before the weekend."),
    ("agent", "Thank you. I can send another {item} on {day}, or refund {price} within five days."),
    ("customer", "Then the refund, please. And can you cancel the second one as well?"),
    ("agent", "Done. The second one is cancelled; the refund goes out once we have the photo."),
    ("customer", "I have sent the photo. Thanks for the help!"),
    ("agent", "You are welcome. Is there anything else that I can do for you today?"),
)
SENTENCES = (
    "The customer wrote that the {item} of order {order} does not work.",
    "The agent offered another one on {day} or a refund of {price}.",
    "The customer chose the refund, and the second one was cancelled.",
    "The refund goes out once the photo is there.",
)
EXPLANATIONS = {
    "wrong_figure": ("The amount is {price} in the conversation.", "The order is {order}."),
    "invented_detail": ("Nobody promised a voucher.", "No delivery time was given for the parcel."),
    "missing_resolution": ("The photo that the refund waits for is left out.",),
    "wrong_party": ("The customer asked for the refund, the agent did not offer it first.",),
    "missing_issue": ("The second item that was to be cancelled is left out.",),
    "wrong_status": ("The refund is promised on a condition, it was not paid out.",),
    "contradiction": ("The summary says that the {item} works; it does not.",),
    "wrong_cause": ("The delay is not why the customer asks for the money back.",),
    "irrelevant_or_repeated": ("The greeting is no part of the issue.",),
    "personal_data": ("The order number {order} need not be in a summary.",),
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
AT = now().isoformat()

Rows = dict[str, list[tuple[object, ...]]]


class _Reading(NamedTuple):
    """One reading to write: whose, of what, and how many findings it is to have."""

    conversation: int
    split: str
    summary: str
    system: str
    detector: str
    text: str
    findings: int


class Writer:
    """Rows of conversation after conversation, as tuples in the order of the tables' columns."""

    def __init__(self, seed: int = 7) -> None:
        self._rng = random.Random(seed)
        self._names, self._weights = zip(*CATEGORIES, strict=True)
        self._finding = self._analysis = 0
        self.rows: Rows = defaultdict(list)

    def add(self, n: int) -> None:
        """Conversation number `n`, from 1, with all that belongs to it."""
        rng = self._rng
        words = {
            "item": rng.choice(PRODUCTS),
            "day": rng.choice(DAYS),
            "price": f"{rng.randint(5, 400)}.{rng.randint(0, 99):02}",
            "order": f"{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        }
        split = rng.choices(SPLITS, (7, 1, 2))[0]
        conversation = digest("large", str(n))
        self._conversation(n, conversation, split, words)
        text = " ".join(SENTENCES).format_map(words)
        teacher = digest(conversation, "teacher")
        self.rows["summary"].append((2 * n - 1, teacher, conversation, "teacher", text, None))
        first = _Reading(n, split, teacher, "teacher", READER, text, rng.choice(FOUND))
        answered = self._read(first, words)
        self._read(first._replace(detector="rules", findings=rng.random() < 0.2), words)
        if n <= LABELLED:
            self._read(first._replace(detector=PERSON, findings=rng.choice(FOUND)), words)
        self._revise(first, conversation, answered, words)

    def _conversation(self, n: int, id_: str, split: str, words: dict[str, str]) -> None:
        rng = self._rng
        turns = [{"speaker": who, "text": said.format_map(words)} for who, said in TURNS]
        about = {
            "channel": rng.choices(CHANNELS, (6, 3, 2, 1))[0],
            "product": words["item"],
            "tier": rng.choice(TIERS),
            "opened": f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        }
        chars = sum(len(t["text"]) for t in turns)
        row = (n, id_, f"L{n:07}", "large", id_, json.dumps(turns), split, json.dumps(about))
        self.rows["conversation"].append((*row, len(turns), chars))

    def _read(self, r: _Reading, words: dict[str, str]) -> list[tuple[str, str]]:
        """Add a reading; returns (id, category) of its findings."""
        self._analysis += 1
        n, id_ = self._analysis, f"a{self._analysis:x}"
        whose = (r.conversation, r.system, r.split)
        head = (n, id_, r.summary, r.detector, "s", "t", "done", None, None, AT)
        self.rows["analysis"].append((*head, *whose, r.findings, 1))
        categories = self._rng.choices(self._names, self._weights, k=r.findings)
        return [
            (self._add_finding(r, id_, f"{id_}-{i}", category, words), category)
            for i, category in enumerate(categories)
        ]

    def _add_finding(
        self, r: _Reading, analysis: str, id_: str, category: str, words: dict[str, str]
    ) -> str:
        rng = self._rng
        self._finding += 1
        omitted = category.startswith("missing")
        start = 0 if omitted else r.text.index(" ", rng.randrange(len(r.text) // 2)) + 1
        quote = None if omitted else r.text[start : r.text.find(" ", start + 20)]
        span = (None, None) if quote is None else (start, start + len(quote))
        confidence = None if r.detector == "rules" else rng.randint(10, 20) / 20
        explanation = rng.choice(EXPLANATIONS[category]).format_map(words)
        evidence = json.dumps([rng.randrange(len(TURNS))])
        head = (self._finding, id_, analysis, category, quote, *span, evidence, explanation)
        whose = (r.summary, r.conversation, r.system, r.detector, r.split, 1)
        self.rows["finding"].append((*head, confidence, *whose))
        return id_

    def _revise(
        self, of: _Reading, conversation: str, asked: list[tuple[str, str]], words: dict[str, str]
    ) -> None:
        rng = self._rng
        text = of.text.replace("The customer wrote", "The customer says", 1) if asked else of.text
        summary = digest(conversation, "r1")
        n = of.conversation
        self.rows["summary"].append((2 * n, summary, conversation, "r1", text, of.summary))
        reading = of._replace(system="r1", summary=summary, text=text)
        self._read(reading._replace(findings=rng.choice((0, 0, 0, 0, 0, 1, 0, 0, 1, 2))), words)
        said: list[tuple[str, str]] = []
        for finding, category in asked:
            result = rng.choices(("fixed", "not_fixed", "unchecked"), (80, 8, 12))[0]
            self.rows["edit"].append((summary, finding, 0, 18, "The customer says"))
            self.rows["check"].append((summary, finding, SECOND[6:], result, "", 1))
            said.append((category, result))
        if asked and rng.random() < 0.03:
            check = reading._replace(detector=SECOND, findings=1)
            ((finding, category),) = self._read(check, words)
            self.rows["check"].append((summary, finding, SECOND[6:], "new_error", "", 1))
            said.append((category, "new_error"))
        change = round(rng.random() * 0.35, 4) if asked else 0.0
        flagged = int(change > 0.3)
        status = "edited" if asked else "unchanged"
        outcome = "".join(f" {x}" for x in sorted(f"{c}={r}" for c, r in said))
        risk = REVIEW_STATUSES.index(_status(outcome, bool(asked), change, bool(flagged)))
        ids = json.dumps([finding for finding, _ in asked])
        head = (summary, "llm:editor", "s", status, ids, None, None, change, flagged, AT)
        self.rows["revision"].append((*head, "r1", n, of.split, outcome, risk, "open", 1))


def _status(outcome: str, asked: bool, change: float, flagged: bool) -> ReviewStatus:
    if "=new_error" in outcome:
        return "new_error"
    if "=not_fixed" in outcome:
        return "not_fixed"
    if flagged:
        return "flagged"
    if not asked:
        return "clean"
    if "=unchecked" in outcome:
        return "unchecked"
    return "large_change" if change > LARGE_CHANGE else "verified"


NO_SEQ = ("edit", "check")
"""Tables whose running number the database gives."""


def batches(n: int) -> Iterator[Rows]:
    """The rows of `n` conversations, some thousands at a time."""
    writer = Writer()
    for first in range(1, n + 1, BATCH):
        for number in range(first, min(n + 1, first + BATCH)):
            writer.add(number)
        yield writer.rows
        writer.rows = defaultdict(list)


def generate(path: Path, n: int) -> None:
    """Make a project of `n` conversations in `path`, ready to be looked at."""
    with Project.create(path, f"Generated, {n:,} summaries") as project:
        store = project.store
        with store.write() as conn:
            conn.exec_driver_sql(
                "INSERT INTO system (name, kind, parent, model, settings_hash) VALUES "
                "('teacher', 'teacher', NULL, NULL, ''), "
                "('r1', 'revision', 'teacher', 'llm:editor', 's')"
            )
        for rows in batches(n):
            with store.write() as conn:
                for table, new in rows.items():
                    conn.exec_driver_sql(_insert(table), new)
        parts = [("teacher", d) for d in (READER, "rules", PERSON)]
        parts += [("r1", READER), ("r1", SECOND)]
        for part in parts:
            refresh(store, *part)
        review_counts(store, "r1")


def _insert(table: str) -> str:
    columns = [c.name for c in schema.metadata.tables[table].columns]
    if table in NO_SEQ:
        columns = columns[1:]
    names, marks = ", ".join(f'"{c}"' for c in columns), ", ".join("?" * len(columns))
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'


def made(folder: Path, sizes: Iterable[int]) -> dict[int, Path]:
    """Projects of these sizes in `folder`; those that are there already are taken as they are."""
    projects = {}
    for n in sizes:
        path = folder / f"generated-{n}"
        if not (path / SETTINGS_FILE).exists():
            begun = time.perf_counter()
            generate(path, n)
            print(f"{n:,} summaries written in {time.perf_counter() - begun:.0f} s", flush=True)
        projects[n] = path
    return projects


if __name__ == "__main__":
    made(Path(sys.argv[1]), [int(n) for n in sys.argv[2:]])
