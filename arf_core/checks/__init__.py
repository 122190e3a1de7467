"""What is provably wrong with a summary: figures and names that nobody said, sentences told twice,
personal data. Nothing is claimed that the text of the conversation does not prove.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from arf_core.checks.figures import Figure, figures
from arf_core.checks.figures.claims import is_claim, sayable
from arf_core.checks.figures.counterpart import Rival, evident, in_place_of, rivals, worth_showing
from arf_core.checks.figures.support import Support
from arf_core.checks.names import strange_names
from arf_core.checks.personal import exposures
from arf_core.checks.repeats import repeats
from arf_core.checks.said import Said
from arf_core.text import Replacement, replace

if TYPE_CHECKING:  # the workers start in a third of the time without the records
    from arf_core.records import Conversation

CATEGORIES = ("wrong_figure", "invented_detail", "irrelevant_or_repeated", "personal_data")
"""What the rules may find."""

KINDS = {
    "money": "amount of money",
    "percent": "percentage",
    "date": "such date",
    "time": "time of day",
    "duration": "length of time",
    "quantity": "such measure",
    "code": "such number or code",
    "number": "such number",
    "ordinal": "such number",
}


_MOST_SHOWN = 3


class Flaw(NamedTuple):
    """Something wrong with a summary, at [start, end)."""

    category: str
    start: int
    end: int
    evidence: tuple[int, ...]
    explanation: str


class Span(Protocol):
    """A finding, by any detector."""

    @property
    def category(self) -> str: ...

    @property
    def start(self) -> int | None: ...

    @property
    def end(self) -> int | None: ...


def flaws(said: Said, text: str, categories: Collection[str]) -> list[Flaw]:
    """All that the rules prove about the summary `text`, as far as `categories` name it."""
    found: list[Flaw] = []
    if "personal_data" in categories:
        found += exposed(said, text)
    if "wrong_figure" in categories or "invented_detail" in categories:
        # whoever takes out personal data takes a wrong figure in it out with them
        found += [f for f in wrong_figures(said, text) if not _overlaps(f, found)]
    if "invented_detail" in categories:
        found += [f for f in strangers(said, text) if not _overlaps(f, found)]
    if "irrelevant_or_repeated" in categories:
        found += repeated(text)
    return sorted((f for f in found if f.category in categories), key=lambda f: (f.start, f.end))


def _overlaps(flaw: Flaw, others: Iterable[Flaw]) -> bool:
    return any(flaw.start < other.end and other.start < flaw.end for other in others)


def exposed(said: Said, text: str) -> Iterator[Flaw]:
    """Personal data in the summary."""
    for data in exposures(said, text):
        explanation = f"The summary repeats {data.what}, which the case does not need."
        yield Flaw("personal_data", data.start, data.end, data.turns, explanation)


def strangers(said: Said, text: str) -> Iterator[Flaw]:
    """Persons whom nobody named."""
    for name in strange_names(said, text):
        explanation = f"The summary names {name.text}; nobody in the conversation does."
        yield Flaw("invented_detail", name.start, name.end, (), explanation)


def repeated(text: str) -> Iterator[Flaw]:
    """Sentences that were there before."""
    for repeat in repeats(text):
        explanation = f"The summary has said this before: “{repeat.earlier.of(text)}”"
        yield Flaw("irrelevant_or_repeated", *repeat.span, (), explanation)


def wrong_figures(said: Said, text: str) -> Iterator[Flaw]:
    """Figures of the summary that do not rest on the conversation."""
    for doubt in _doubts(said, text):
        claim = doubt.claim
        found = rivals(claim, text, doubt.support)
        shown = [r for r in found if worth_showing(claim, r)]
        alike = any(r.same_kind or r.close for r in found)
        yield Flaw(
            "wrong_figure" if alike else "invented_detail",
            claim.start,
            claim.end,
            tuple(dict.fromkeys(r.turn for r in shown if r.turn is not None))[:_MOST_SHOWN],
            _explained(doubt, text, found),
        )


class _Doubt(NamedTuple):
    """A claim that the conversation does not bear out."""

    claim: Figure
    support: Support
    others: list[Figure]
    """All figures of the summary."""


def _doubts(said: Said, text: str) -> Iterator[_Doubt]:
    support = Support(said)
    found = figures(text)
    for claim in found:
        if not is_claim(claim, text) or support.of(claim, text):
            continue
        if said.in_english or not sayable(claim):
            yield _Doubt(claim, support, found)


def _meant(doubt: _Doubt, text: str, found: list[Rival]) -> Figure | None:
    return evident(doubt.claim, text, doubt.support, found, doubt.others)


def _explained(doubt: _Doubt, text: str, found: list[Rival]) -> str:
    claim, said = doubt.claim, doubt.support.said
    says = f"The summary says {_one_line(claim.of(text))}"
    meant = _meant(doubt, text, found)
    worth = [r for r in found if worth_showing(claim, r)]
    shown = [r for r in found if r.figure == meant][:1] if meant else _distinct(worth, said)
    if not shown:
        return f"{says}; the conversation has no {KINDS[claim.kind]}."
    return f"{says}; the conversation has {', '.join(_shown(r, said) for r in shown)}."


def _distinct(found: list[Rival], said: Said) -> list[Rival]:
    """The first three that differ in words."""
    by_text: dict[str, Rival] = {}
    for rival in found:
        by_text.setdefault(rival.figure.of(said.text), rival)
        if len(by_text) == _MOST_SHOWN:
            break
    return list(by_text.values())


def _shown(rival: Rival, said: Said) -> str:
    where = "" if rival.turn is None else f" (turn {rival.turn})"
    return _one_line(rival.figure.of(said.text)) + where


def _one_line(words: str) -> str:
    return " ".join(words.split())


def proven_fix(conversation: "Conversation", text: str, finding: Span) -> str | None:
    """What to put at the finding's [start, end) of the summary `text`; None without proof.

    A wrong figure, found by whichever detector, is exchanged for the one of the conversation that
    it must stand for; personal data for a note that they were taken out; a repeated sentence for
    nothing. The words around them in the span stay.
    """
    if finding.start is None or finding.end is None:
        return None
    make = _FIXES.get(finding.category)
    found = make(Said.of(conversation), text) if make else []
    inside = [r for r in found if finding.start <= r.start and r.end <= finding.end]
    if not inside or (finding.category == "wrong_figure" and len(inside) != 1):
        return None
    moved = [r._replace(start=r.start - finding.start, end=r.end - finding.start) for r in inside]
    return replace(text[finding.start : finding.end], moved)


def _exchanged(said: Said, text: str) -> list[Replacement]:
    found = []
    for doubt in _doubts(said, text):
        claim = doubt.claim
        meant = _meant(doubt, text, rivals(claim, text, doubt.support))
        new = None if meant is None else in_place_of(claim, text, meant, said)
        if new is not None and new != claim.of(text):
            found.append(Replacement(claim.start, claim.end, new))
    return found


def _taken_out(said: Said, text: str) -> list[Replacement]:
    return [
        Replacement(data.start, data.end, f"[{data.name} removed]")
        for data in exposures(said, text)
    ]


def _said_once(said: Said, text: str) -> list[Replacement]:
    return [Replacement(*repeat.span, "") for repeat in repeats(text)]


_FIXES: dict[str, Callable[[Said, str], list[Replacement]]] = {
    "wrong_figure": _exchanged,
    "personal_data": _taken_out,
    "irrelevant_or_repeated": _said_once,
}
