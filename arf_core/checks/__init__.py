"""What is provably wrong with a summary, without asking a model: numbers and names that the
conversation does not hold, repeated sentences, personal data.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from arf_core.checks.claims import is_claim
from arf_core.checks.known_numbers import KnownNumbers
from arf_core.checks.names import unknown_names
from arf_core.checks.number import Number
from arf_core.checks.numbers import numbers
from arf_core.checks.personal import exposures
from arf_core.checks.repair import (
    Candidate,
    candidates,
    in_place_of,
    is_worth_showing,
    number_meant,
)
from arf_core.checks.repeats import repeats
from arf_core.checks.transcript import Transcript
from arf_core.text import Replacement, replace

if TYPE_CHECKING:  # the processes start in a third of the time without the records
    from arf_core.records import Conversation

CATEGORIES = ("wrong_figure", "invented_detail", "irrelevant_or_repeated", "personal_data")
"""What the checks may find."""

_NAMES = {
    "money": "amount of money",
    "percent": "percentage",
    "date": "such date",
    "time": "time of day",
    "weekday": "such day",
    "duration": "length of time",
    "quantity": "such measure",
    "code": "such number or code",
    "number": "such number",
    "score": "such score or range",
}
_MOST_SHOWN = 3


class Violation(NamedTuple):
    """Something wrong with a summary, at [start, end)."""

    category: str
    start: int
    end: int
    evidence: tuple[int, ...]
    explanation: str


class Located(Protocol):
    """A finding by any detector."""

    @property
    def category(self) -> str: ...

    @property
    def start(self) -> int | None: ...

    @property
    def end(self) -> int | None: ...


def violations(
    transcript: Transcript, text: str, categories: Collection[str] = CATEGORIES
) -> list[Violation]:
    """All that can be proved about the summary `text` in the given categories, in order."""
    found: list[Violation] = []
    if "personal_data" in categories:
        found += exposed_data(transcript, text)
    if "wrong_figure" in categories or "invented_detail" in categories:
        # removing personal data removes a wrong number inside it too
        found += [v for v in wrong_numbers(transcript, text) if not _overlaps(v, found)]
    if "invented_detail" in categories:
        found += [v for v in invented_names(transcript, text) if not _overlaps(v, found)]
    if "irrelevant_or_repeated" in categories:
        found += repeated_sentences(text)
    return sorted((v for v in found if v.category in categories), key=lambda v: (v.start, v.end))


def _overlaps(violation: Violation, others: Iterable[Violation]) -> bool:
    return any(violation.start < o.end and o.start < violation.end for o in others)


def exposed_data(transcript: Transcript, text: str) -> Iterator[Violation]:
    """Personal data in the summary."""
    for data in exposures(transcript, text):
        explanation = f"The summary repeats {data.what}, which the case does not need."
        yield Violation("personal_data", data.start, data.end, data.turns, explanation)


def invented_names(transcript: Transcript, text: str) -> Iterator[Violation]:
    """Names of people that the conversation does not mention."""
    for name in unknown_names(transcript, text):
        explanation = f"The summary names {name.text}; nobody in the conversation does."
        yield Violation("invented_detail", name.start, name.end, (), explanation)


def repeated_sentences(text: str) -> Iterator[Violation]:
    """Sentences that repeat an earlier one."""
    for repeat in repeats(text):
        explanation = f"The summary has said this before: “{repeat.earlier.of(text)}”"
        yield Violation("irrelevant_or_repeated", *repeat.span, (), explanation)


def wrong_numbers(transcript: Transcript, text: str) -> Iterator[Violation]:
    """Numbers of the summary that the conversation does not bear out."""
    known = KnownNumbers(transcript)
    found = numbers(text)
    for claim in _unsupported(found, text, known):
        others = candidates(claim, text, known)
        meant = number_meant(claim, others, known, found)
        shown = [c for c in others if is_worth_showing(claim, c)]
        turns = dict.fromkeys(c.turn for c in shown if c.turn is not None)
        if meant:
            shown = [c for c in others if c.number is meant]
        yield Violation(
            "wrong_figure" if any(c.same_kind or c.close for c in others) else "invented_detail",
            claim.start,
            claim.end,
            tuple(turns)[:_MOST_SHOWN],
            _explanation(claim, text, shown, transcript),
        )


def _unsupported(found: list[Number], text: str, known: KnownNumbers) -> Iterator[Number]:
    """Where the conversation may not be English, numbers that it may have in words are spared."""
    for claim in found:
        if not is_claim(claim, text) or known.bears_out(claim, text):
            continue
        if known.transcript.in_english or not _may_be_in_words(claim):
            yield claim


def _may_be_in_words(claim: Number) -> bool:
    """Would a speaker of another language write it in words: 5, 40, 2000, May, noon?"""
    if claim.kind in ("date", "time", "weekday"):
        return True
    return claim.kind != "code" and any(v <= 100 or v % 100 == 0 for v in claim.values)


def _explanation(claim: Number, text: str, shown: list[Candidate], transcript: Transcript) -> str:
    """The first three candidates that differ in words; or that there are none."""
    says = f"The summary says {_one_line(claim.of(text))}"
    by_words: dict[str, str] = {}
    for candidate in shown:
        words = _one_line(candidate.number.of(transcript.text))
        turn = "" if candidate.turn is None else f" (turn {candidate.turn})"
        by_words.setdefault(words, words + turn)
    if not by_words:
        return f"{says}; the conversation has no {_NAMES[claim.kind]}."
    return f"{says}; the conversation has {', '.join([*by_words.values()][:_MOST_SHOWN])}."


def _one_line(words: str) -> str:
    return " ".join(words.split())


def proven_fix(conversation: "Conversation", text: str, finding: Located) -> str | None:
    """The text to put at the finding's [start, end) of the summary `text`; None without proof.

    A wrong number, found by whichever detector, is replaced by the one that must be meant; personal
    data by a note that they were removed; a repeated sentence by nothing. The words around them in
    the span stay.
    """
    if finding.start is None or finding.end is None:
        return None
    make = _FIXES.get(finding.category)
    found = make(Transcript.of(conversation), text) if make else []
    inside = [r for r in found if finding.start <= r.start and r.end <= finding.end]
    if not inside or (finding.category == "wrong_figure" and len(inside) != 1):
        return None
    moved = [r._replace(start=r.start - finding.start, end=r.end - finding.start) for r in inside]
    return replace(text[finding.start : finding.end], moved)


def _corrected(transcript: Transcript, text: str) -> list[Replacement]:
    known = KnownNumbers(transcript)
    found = numbers(text)
    made = []
    for claim in _unsupported(found, text, known):
        meant = number_meant(claim, candidates(claim, text, known), known, found)
        new = in_place_of(claim, text, meant, transcript.text) if meant else claim.of(text)
        if new != claim.of(text):
            made.append(Replacement(claim.start, claim.end, new))
    return made


def _removed(transcript: Transcript, text: str) -> list[Replacement]:
    return [
        Replacement(data.start, data.end, f"[{data.name} removed]")
        for data in exposures(transcript, text)
    ]


def _without_repeats(transcript: Transcript, text: str) -> list[Replacement]:
    return [Replacement(*repeat.span, "") for repeat in repeats(text)]


_FIXES: dict[str, Callable[[Transcript, str], list[Replacement]]] = {
    "wrong_figure": _corrected,
    "personal_data": _removed,
    "irrelevant_or_repeated": _without_repeats,
}
