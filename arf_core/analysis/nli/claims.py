"""Claims against a conversation: windows of turns that fit the classifier, and the best score.

A claim is supported if any window supports it (as in SummaC, Laban et al. 2022, and MiniCheck,
Tang et al. 2024). Windows are whole turns and overlap by one. A turn that is too long alone is cut
between sentences, then between words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from arf_core.analysis.nli.classifier import Classifier, Odds
from arf_core.records import Conversation
from arf_core.run import Failure
from arf_core.text import sentences

FEWEST = 32
"""Fewest tokens left for the conversation beside a claim."""


class ClaimSupport(NamedTuple):
    """How far a conversation supports a claim."""

    support: float
    contradiction: float | None
    turn: int | None = None
    """The turn that contradicts or supports it most, where that was asked."""


@dataclass
class Question:
    """Claims about one conversation, with `answers` in the same order, or the failure."""

    conversation: Conversation
    claims: list[str]
    answers: list[ClaimSupport] = field(default_factory=list)
    failure: Failure | None = None
    windows: list[str] = field(default_factory=list)


class TurnPart(NamedTuple):
    """A turn, or a part of one."""

    turn: int
    text: str
    tokens: int


def judge(classifier: Classifier, questions: Sequence[Question]) -> None:
    """Fill in the answers; the pairs of all questions share batches."""
    for question in questions:
        _prepare(classifier, question)
    unfailed = [q for q in questions if q.failure is None]
    pairs = [(w, claim) for q in unfailed for claim in q.claims for w in q.windows]
    odds = iter(classifier.odds(pairs))
    for question in unfailed:
        for _ in question.claims:
            question.answers.append(_best([next(odds) for _ in question.windows]))


def nearest_turns(
    classifier: Classifier, asked: Sequence[tuple[Conversation, str, ClaimSupport]]
) -> list[ClaimSupport]:
    """The supports, each with the turn that contradicts the claim most, or is closest to it."""
    rooms = [classifier.most_tokens - n for n in classifier.sizes([claim for _, claim, _ in asked])]
    lines = [_lines(classifier, a[0], room) for a, room in zip(asked, rooms, strict=True)]
    pairs = [(line.text, a[1]) for a, of in zip(asked, lines, strict=True) for line in of]
    odds = iter(classifier.odds(pairs))
    found = []
    for (_, _, support), of in zip(asked, lines, strict=True):
        scores = [(_weight(next(odds)), -line.turn) for line in of]
        found.append(support._replace(turn=-max(scores)[1] if scores else None))
    return found


def _weight(odds: Odds) -> float:
    return odds.support if odds.contradiction is None else odds.contradiction


def _best(odds: Sequence[Odds]) -> ClaimSupport:
    support = max((o.support for o in odds), default=0.0)
    against = [o.contradiction for o in odds if o.contradiction is not None]
    return ClaimSupport(support, max(against) if against else None)


def _prepare(classifier: Classifier, question: Question) -> None:
    longest = max(classifier.sizes(question.claims), default=0)
    room = classifier.most_tokens - longest
    if room < FEWEST:
        message = (
            f"A sentence has {longest} tokens, and {classifier.name} takes "
            f"{classifier.most_tokens} of sentence and conversation together."
        )
        question.failure = Failure("context", message)
        return
    question.windows = _windows(_lines(classifier, question.conversation, room), room)


def _lines(classifier: Classifier, conversation: Conversation, room: int) -> list[TurnPart]:
    """The turns, cut where one has more tokens than `room`."""
    texts = [f"{turn.speaker}: {turn.text}" for turn in conversation.turns]
    sizes = enumerate(zip(texts, classifier.sizes(texts), strict=True))
    lines = [TurnPart(n, text, size + 1) for n, (text, size) in sizes]
    return [part for line in lines for part in _fitting(classifier, line, room)]


def _fitting(classifier: Classifier, line: TurnPart, room: int) -> list[TurnPart]:
    """The part, cut into sentences or halves where it has more tokens than `room`."""
    if line.tokens <= room:
        return [line]
    parts = [span.of(line.text) for span in sentences(line.text)]
    if len(parts) < 2:
        middle = line.text.find(" ", len(line.text) // 2)
        middle = middle if middle > 0 else len(line.text) // 2
        parts = [line.text[:middle], line.text[middle:].lstrip()]
    made = [
        TurnPart(line.turn, part, size + 1)
        for part, size in zip(parts, classifier.sizes(parts), strict=True)
        if part
    ]
    return [piece for part in made for piece in _fitting(classifier, part, room)]


def _windows(lines: Sequence[TurnPart], room: int) -> list[str]:
    """Windows of as many parts as fit, each beginning with the last part of the one before."""
    windows: list[str] = []
    begin = 0
    while begin < len(lines):
        end, used = begin, 0
        while end < len(lines) and used + lines[end].tokens <= room:
            used += lines[end].tokens
            end += 1
        windows.append("\n".join(line.text for line in lines[begin:end]))
        if end >= len(lines):
            break
        begin = (
            end - 1
            if end - begin > 1 and lines[end - 1].tokens + lines[end].tokens <= room
            else end
        )
    return windows
