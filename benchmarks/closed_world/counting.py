"""Counting errors against the facts: a summary is read back by the language's own grammar, so the
count is exact. A sentence that cannot be read is an error, and is named so."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.closed_world.language import (
    ACTIONS,
    ACTORS,
    CONDITIONS,
    ISSUE,
    ISSUES,
    NEXT_STEP,
    OUTCOME,
    PRODUCTS,
    Case,
    Facts,
    Told,
)

UNREADABLE = "unreadable"
"""Not one of the taxonomy: a sentence that the closed language does not have."""
WORDS = {
    "product": PRODUCTS,
    "issue": ISSUES,
    "condition": CONDITIONS,
    "actor": ACTORS,
    "action": ACTIONS,
}


class Error(NamedTuple):
    """One error of a summary, as a finding needs it."""

    category: str
    quote: str | None
    """The words of the summary; None for what it leaves out."""
    turn: int | None
    """Where the conversation says it otherwise."""
    explanation: str


class Sentence(NamedTuple):
    """A sentence as it was read. `part` is `issue`, `outcome` or `next`, None where unreadable."""

    text: str
    part: str | None
    says: dict[str, str]
    quotes: dict[str, str]
    """The words for each thing that it says."""


def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    for name, words in WORDS.items():
        text = text.replace(f"{{{name}}}", f"(?P<{name}>{'|'.join(map(re.escape, words))})")
    for name in ("amount", "day"):
        text = text.replace(f"{{{name}}}", rf"(?P<{name}>\d+)")
    return re.compile(text)


GRAMMAR: tuple[tuple[str, str | None, re.Pattern[str]], ...] = (
    *(("issue", None, _pattern(t)) for t in ISSUE),
    *(("outcome", status, _pattern(t)) for status, ts in OUTCOME.items() for t in ts),
    *(("next", None, _pattern(t)) for t in NEXT_STEP),
)
QUOTED = {
    "status": r"has sent|will send|was sent|was promised|was refused|refused|Sent|Promised|Refused",
    "amount": r"{said} euros",
    "day": r"day {said}",
    "actor": r"[Tt]he {said} (?:must|has to)",
}
"""The words to quote, so many that they stand only once in a summary."""


def sentences(text: str) -> list[Sentence]:
    """The sentences of a summary in their order, each as the grammar reads it."""
    return [_read(s) for s in re.findall(r"[^.]+\.?", text) if s.strip()]


def _read(text: str) -> Sentence:
    text = text.strip()
    for part, status, pattern in GRAMMAR:
        if match := pattern.fullmatch(text):
            says = match.groupdict()
            quotes = {name: _quote(name, text, said) for name, said in says.items()}
            if status is not None:
                says["status"], quotes["status"] = status, _quote("status", text, "")
            return Sentence(text, part, says, quotes)
    return Sentence(text, None, {}, {})


def _quote(name: str, text: str, said: str) -> str:
    found = re.search(QUOTED.get(name, "{said}").format(said=re.escape(said)), text)
    return found.group() if found else said


def read(text: str) -> Told:
    """All that a summary says; of two sentences on the same matter the first counts."""
    says: dict[str, str] = {}
    for sentence in sentences(text):
        says = sentence.says | says
    values = {name: says.get(name) for name in Told._fields}
    numbers = {n: int(v) for n in ("amount", "day") if (v := values[n]) is not None}
    return Told(**(values | numbers))  # type: ignore[arg-type]


CATEGORY = {
    "product": "invented_detail",
    "issue": "invented_detail",
    "action": "invented_detail",
    "amount": "wrong_figure",
    "day": "wrong_figure",
    "status": "wrong_status",
    "condition": "wrong_cause",
    "actor": "wrong_party",
}
"""What is wrong where a word of the summary is not that of the facts."""
SAID_IN = {
    **dict.fromkeys(("product", "issue"), 1),
    **dict.fromkeys(("amount", "status", "condition"), 4),
    **dict.fromkeys(("actor", "action", "day"), 6),
}
"""The turn that says it."""
PARTS = {
    "issue": ("missing_issue", "What is wrong with the product is not said.", 1),
    "outcome": ("missing_resolution", "The outcome is not said.", 4),
    "next": ("missing_resolution", "Who has to do what next is not said.", 6),
}


def errors(facts: Facts, text: str) -> list[Error]:
    """Every error of a summary of these facts."""
    found: list[Error] = []
    seen: set[str] = set()
    for sentence in sentences(text):
        if sentence.part is None:
            found.append(Error(UNREADABLE, sentence.text, None, "The sentence cannot be read."))
        elif sentence.part in seen:
            found.append(
                Error("irrelevant_or_repeated", sentence.text, None, "It was said before.")
            )
        else:
            seen.add(sentence.part)
            found += _wrong(facts, sentence)
    readable = all(e.category != UNREADABLE for e in found)
    for part, (category, why, turn) in PARTS.items():
        if part not in seen and readable:
            found.append(Error(category, None, turn, why))
    return found


def _wrong(facts: Facts, sentence: Sentence) -> Iterable[Error]:
    for name, said in sentence.says.items():
        true = getattr(facts, name)
        if name == "condition" and facts.status != "conditional":
            continue  # the status is wrong, which is counted once
        if said != str(true):
            why = f"It is {true}, not {said}."
            yield Error(CATEGORY[name], sentence.quotes[name], SAID_IN[name], why)


class Count(NamedTuple):
    """Errors of a system's summaries."""

    summaries: int
    with_error: int
    by_category: dict[str, int]
    """Summaries with at least one error of the category."""


def count(cases: Sequence[Case], texts: dict[str, str]) -> Count:
    """`texts` by conversation; one that is not there is an empty summary, with all its errors."""
    by_category: dict[str, int] = {}
    with_error = 0
    for case in cases:
        categories = {e.category for e in errors(case.facts, texts.get(case.id, ""))}
        with_error += bool(categories)
        for category in categories:
            by_category[category] = by_category.get(category, 0) + 1
    return Count(len(cases), with_error, by_category)
