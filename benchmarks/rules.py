"""How good and how fast the rules detector is.

    python benchmarks/rules.py quality DATA      labelled summaries, in parts by document
    python benchmarks/rules.py planted DATA      one digit changed in right summaries
    python benchmarks/rules.py findings DATA     flagged findings at random, to be read
    python benchmarks/rules.py speed             generated conversations, no files

DATA is a folder of .jsonl files: `id`, `dialogue` or `document`, `summary`, `reference_summary`,
`is_faithful`. The checks of numbers were developed on the part "dev", one half of the documents by
a hash; the part "report" was used only to report on it.
"""

import argparse
import gc
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from arf_core.analysis.detectors.rules import RulesDetector
from arf_core.checks import (
    CATEGORIES,
    Violation,
    exposed_data,
    invented_names,
    proven_fix,
    repeated_sentences,
    violations,
    wrong_numbers,
)
from arf_core.checks.processes import workers
from arf_core.checks.transcript import Transcript
from arf_core.project.taxonomy import load_taxonomy
from arf_core.records import Conversation, Item, Summary, Turn, digest

SEED = 7
LABELLED = ("faceval", "faithbench")
REFERENCES = ("tweetsumm", "dialogsum_service")
RESAMPLES = 1000
TOKEN = re.compile(r"(?<![\w.,:])\d+(?:[.,:]\d+)*(?![\w:])")
SMALL = 12
"""Plants are above it: smaller numbers may well be counted by whoever summarises."""
RULES: dict[str, Callable[[Transcript, str], Iterable[Violation]]] = {
    "numbers": wrong_numbers,
    "names": invented_names,
    "repeats": lambda transcript, text: repeated_sentences(text),
    "personal data": exposed_data,
    "all": violations,
}


class Row(NamedTuple):
    id: str
    document: str
    """What makes two rows be of one document."""
    conversation: Conversation
    summary: str
    faithful: bool | None
    part: str
    """`dev` or `report`."""


def rows(data: Path, name: str) -> Iterator[Row]:
    for line in (data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        text = raw["summary"] or raw["reference_summary"]
        if not text:
            continue
        conversation = conversation_of(raw)
        part = _part(conversation.id)
        yield Row(raw["id"], conversation.id, conversation, text, raw["is_faithful"], part)


def conversation_of(raw: dict[str, Any]) -> Conversation:
    """The dialogue of a row, or its document as the only turn."""
    spoken = raw.get("dialogue") or [{"speaker": "document", "text": raw["document"]}]
    turns = tuple(Turn(speaker=t["speaker"], text=t["text"]) for t in spoken)
    return _conversation(digest(*(t.text for t in turns)), turns)


def _conversation(name: str, turns: tuple[Turn, ...]) -> Conversation:
    return Conversation(
        id=name, external_id="", source="", fingerprint=name, turns=turns, split="dev"
    )


def _part(document: str) -> str:
    """By a hash of the document, so that it never moves."""
    return "report" if int(digest("floors", document)[:8], 16) % 2 else "dev"


# -- quality ------------------------------------------------------------------------------------


class Verdict(NamedTuple):
    document: str
    flagged: bool
    wrong: bool


def quality(data: Path) -> None:
    print(
        "A summary is right to be flagged if people call it unfaithful. 95 % intervals: bootstrap"
    )
    print("by document.\n")
    print(f"{'data':12}{'part':8}{'rule':15}{'n':>5}{'flags':>6}  precision, recall, balanced acc.")
    for name in LABELLED:
        for part in ("report", "all"):
            chosen = [r for r in rows(data, name) if part in ("all", r.part)]
            for rule in RULES:
                _print_quality(name, part, rule, chosen)
    print(f"\nFlagged references\n{'data':20}{'part':8}{'n':>6}{'flagged':>8}")
    for name in REFERENCES:
        for part in ("report", "all"):
            chosen = [r for r in rows(data, name) if part in ("all", r.part)]
            flagged = sum(
                bool(RULES["all"](Transcript.of(r.conversation), r.summary)) for r in chosen
            )
            share = f"{100 * flagged / len(chosen):.1f} %"
            print(f"{name:20}{part:8}{len(chosen):6}{flagged:5} {share:>7}")


def _print_quality(name: str, part: str, rule: str, chosen: list[Row]) -> None:
    find = RULES[rule]
    verdicts = [
        Verdict(
            r.document, bool(list(find(Transcript.of(r.conversation), r.summary))), not r.faithful
        )
        for r in chosen
    ]
    flags = sum(v.flagged for v in verdicts)
    shown = "  ".join(_with_interval(verdicts, m) for m in (precision, recall, balanced_accuracy))
    print(f"{name:12}{part:8}{rule:15}{len(verdicts):5}{flags:6}  {shown}")


def precision(verdicts: list[Verdict]) -> float | None:
    flagged = [v for v in verdicts if v.flagged]
    return sum(v.wrong for v in flagged) / len(flagged) if flagged else None


def recall(verdicts: list[Verdict]) -> float | None:
    wrong = [v for v in verdicts if v.wrong]
    return sum(v.flagged for v in wrong) / len(wrong) if wrong else None


def balanced_accuracy(verdicts: list[Verdict]) -> float | None:
    right = [v for v in verdicts if not v.wrong]
    found = recall(verdicts)
    if found is None or not right:
        return None
    return (found + sum(not v.flagged for v in right) / len(right)) / 2


def _with_interval(
    verdicts: list[Verdict], measure: Callable[[list[Verdict]], float | None]
) -> str:
    value = measure(verdicts)
    if value is None:
        return f"{'–':20}"
    by_document: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_document[verdict.document].append(verdict)
    documents = list(by_document.values())
    rng = random.Random(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        sample = [v for part in rng.choices(documents, k=len(documents)) for v in part]
        again = measure(sample)
        if again is not None:
            drawn.append(again)
    drawn.sort()
    low, high = drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn))]
    return f"{value:.3f} ({low:.3f}–{high:.3f})"


# -- planted errors -----------------------------------------------------------------------------


class Plant(NamedTuple):
    """A summary with one digit of one number changed, at [start, end)."""

    row: Row
    text: str
    start: int
    end: int
    right: str
    """The number that stood there."""


class Outcome(NamedTuple):
    planted: int
    found: int
    repaired: int
    right: int


def plants(row: Row) -> Iterator[Plant]:
    """One for each number of the summary that also stands in the conversation, in digits.

    The changed number stands nowhere in the conversation. What the checks read plays no part.
    """
    rng = random.Random(digest(str(SEED), row.id))
    there = set(TOKEN.findall(Transcript.of(row.conversation).text))
    for match in TOKEN.finditer(row.summary):
        right = match.group()
        at = rng.choice([i for i, c in enumerate(right) if c.isdigit()])
        other = rng.choice([c for c in "123456789" if c != right[at]])
        wrong = right[:at] + other + right[at + 1 :]
        if right in there and wrong not in there and min(_size(right), _size(wrong)) > SMALL:
            start, end = match.span()
            text = row.summary[:start] + wrong + row.summary[end:]
            yield Plant(row, text, start, end, right)


def _size(token: str) -> int:
    return int(re.sub(r"\D", "", token))


def outcome(planted: Iterable[Plant]) -> Outcome:
    """How many plants the checks find, offer to repair, and repair rightly."""
    count = found = repaired = right = 0
    for plant in planted:
        count += 1
        transcript = Transcript.of(plant.row.conversation)
        hits = [
            v
            for v in wrong_numbers(transcript, plant.text)
            if v.start < plant.end and plant.start < v.end
        ]
        found += bool(hits)
        fix = proven_fix(plant.row.conversation, plant.text, hits[0]) if hits else None
        repaired += fix is not None
        right += fix is not None and _is_repaired(plant, hits[0], fix)
    return Outcome(count, found, repaired, right)


def _is_repaired(plant: Plant, found: Violation, fix: str) -> bool:
    """Is the number what it was, however it is punctuated?"""
    text = plant.text[: found.start] + fix + plant.text[found.end :]
    before = plant.row.summary[found.start : len(plant.row.summary) - len(plant.text) + found.end]
    digits = [re.sub(r"\D", "", part) for part in (fix, before)]
    return text == plant.row.summary or (digits[0] == digits[1] != "")


def planted(data: Path) -> None:
    """Change a digit of a number that the conversation holds: is it found, is it put right?"""
    print("One digit changed of a number above 12 that stands in the conversation.\n")
    print(f"{'data':20}{'part':8}{'planted':>8}{'found':>7}{'repaired':>9}{'rightly':>8}")
    for part in ("report", "all"):
        outcomes = []
        for name in (*REFERENCES, *LABELLED):
            chosen = [r for r in rows(data, name) if part in ("all", r.part)]
            outcomes.append(outcome(p for r in chosen for p in plants(r)))
            _print_outcome(name, part, outcomes[-1])
        _print_outcome("together", part, Outcome(*map(sum, zip(*outcomes, strict=True))))


def _print_outcome(name: str, part: str, got: Outcome) -> None:
    print(
        f"{name:20}{part:8}{got.planted:8}{got.found:7}{got.repaired:9}{got.right:8}"
        f"  {100 * got.found / got.planted:.1f} % found"
    )


# -- findings to read ---------------------------------------------------------------------------


def findings(data: Path, part: str, count: int) -> None:
    for name in LABELLED:
        found = [
            (row, violation)
            for row in rows(data, name)
            if part in ("all", row.part)
            for violation in violations(Transcript.of(row.conversation), row.summary, CATEGORIES)
        ]
        print(f"\n=== {name}, {part}: {len(found)} findings")
        for row, violation in random.Random(SEED).sample(found, min(count, len(found))):
            print(
                f"\n{row.id} faithful={row.faithful} {violation.category}: {violation.explanation}"
            )
            print(f"  summary: {row.summary[max(0, violation.start - 120) : violation.end + 60]!r}")
            print(f"  said: {' | '.join(t.text for t in row.conversation.turns)!r}")


# -- speed --------------------------------------------------------------------------------------

FILLER = (
    "I have looked at the settings again and nothing seems to have changed since the update",
    "thank you for your patience while I check this with the team that handles these cases",
    "it is rather annoying because I already explained all of this to one of your colleagues",
    "you should get a message as soon as the warehouse has confirmed that it was sent out",
    "could you tell me whether there is any way to speed this up or to speak to somebody else",
    "I understand how frustrating that must be and I will do my best to put it right today",
    "the page keeps loading and then it says that something went wrong and I should try later",
)
FACTS = (
    "my order {order} from {date} has not come",
    "I was charged {money} instead of {money2}",
    "the refund of {money} takes {days} working days",
    "the technician {name} can come on {weekday} between {hour} and {hour2} pm",
    "it has been {weeks} weeks and I pay {money2} a month",
    "you get {percent}% off until {date}",
)


def generated(count: int) -> list[Item]:
    """Conversations of ten turns and 200 to 250 words, each with a summary; one in ten is wrong."""
    return [_generated(random.Random(n), n) for n in range(count)]


def _generated(rng: random.Random, number: int) -> Item:
    facts = _facts(rng)
    said = rng.sample(FACTS, 5)
    turns = []
    for i in range(10):
        fact = f" and {said[i // 2].format(**facts)}" if i % 2 == 0 else ""
        text = f"{rng.choice(FILLER)}{fact}."
        turns.append(Turn(speaker=("customer", "agent")[i % 2], text=text))
    turns[1] = Turn(speaker="agent", text=f"{facts['name']} here. {turns[1].text}")
    conversation = _conversation(digest(str(number)), tuple(turns))
    if rng.random() < 0.1:
        facts = facts | {"money": _facts(rng)["money"], "order": _facts(rng)["order"]}
    told = " ".join(f"The customer says that {s.format(**facts)}." for s in said[:3])
    text = f"{told} The agent {facts['name']} apologises and promises to look into it at once."
    return Item(conversation=conversation, summary=Summary.of(conversation.id, "teacher", text))


def _facts(rng: random.Random) -> dict[str, str]:
    return {
        "order": f"{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        "date": f"{rng.randint(1, 28)} {rng.choice(('March', 'May', 'October'))}",
        "money": f"${rng.randint(10, 900)}.{rng.randint(10, 99)}",
        "money2": f"{rng.randint(10, 90)} dollars",
        "days": str(rng.randint(3, 10)),
        "weeks": rng.choice(("two", "three", "four")),
        "name": rng.choice(("Dana", "Priya", "Thomas", "Elena")),
        "weekday": rng.choice(("Monday", "Tuesday", "Friday")),
        "hour": str(rng.randint(1, 4)),
        "hour2": str(rng.randint(5, 9)),
        "percent": str(rng.choice((10, 15, 20, 25))),
    }


def speed(sizes: list[int]) -> None:
    detector = RulesDetector(load_taxonomy())
    items = generated(max(sizes))
    words = sum(len(t.text.split()) for i in items[:200] for t in i.conversation.turns) / 200
    print(f"{words:.0f} words a conversation, {workers()} cores. Rates are medians of three, in")
    print("summaries a second; by the clock they fall with whatever else the machine does.\n")
    one = generated(1000)
    rates = []
    for _ in range(5):
        gc.collect()
        start = time.process_time()
        for item in one:
            violations(Transcript.of(item.conversation), item.summary.text, CATEGORIES)
        rates.append(len(one) / (time.process_time() - start))
    print(f"one process, per CPU second: {sorted(rates)[2]:.0f} (best {max(rates):.0f})")
    for size in sizes:
        runs = sorted(timed(detector, items[:size]) for _ in range(3))
        by_clock, by_cpu = size / runs[1].wall, 2 * size / sorted(r.cpu for r in runs)[1]
        print(f"{size:8} items: {by_clock:.0f} by the clock, {by_cpu:.0f} for two CPU seconds")


class Run(NamedTuple):
    wall: float
    cpu: float
    """Of all processes, their start included."""


def timed(detector: RulesDetector, items: list[Item]) -> Run:
    wall, cpu = time.perf_counter(), _cpu()
    count = sum(1 for _ in detector.read(items))
    assert count == len(items)
    return Run(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    """CPU seconds of this process and of its workers, which stay alive for the next call."""
    own = psutil.Process()
    times = [own.cpu_times(), *(child.cpu_times() for child in own.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["quality", "planted", "findings", "speed"])
    parser.add_argument("data", type=Path, nargs="?", help="the folder of labelled data")
    parser.add_argument("--part", default="report", choices=["dev", "report", "all"])
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 5000, 10000, 20000])
    given = parser.parse_args()
    if given.what == "speed":
        return speed(given.sizes)
    if given.data is None:
        parser.error("name the folder of labelled data")
    if given.what == "findings":
        return findings(given.data, given.part, given.count)
    return {"quality": quality, "planted": planted}[given.what](given.data)


if __name__ == "__main__":
    main()
