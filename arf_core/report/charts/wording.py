"""How charts write numbers, names and long labels."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from arf_core.evaluate.rates import Rate
from arf_core.project.taxonomy import Taxonomy
from arf_core.records import System

NBSP = "\u00a0"
KINDS = {
    "teacher": "Teacher",
    "reference": "Reference",
    "revision": "Corrected",
    "rewrite": "Rewritten",
    "reviewed": "Corrected, reviewed",
    "student": "Student",
}
GOLD = "person:gold"
"""In the examples: labels written with the texts, or counted; no person read there."""
_PLAIN = ("teacher", "reference", "student", "reviewed")  # need no name if one of their kind
MOST_NAMED = 4
"""A title names at most so many systems."""


def system_names(systems: Sequence[System]) -> dict[str, str]:
    """Display names of systems: "Teacher", "Corrected (r1)", "Student (small)"."""
    kinds = Counter(s.kind for s in systems)
    return {
        s.name: KINDS[s.kind]
        if s.kind in _PLAIN and kinds[s.kind] == 1
        else f"{KINDS[s.kind]} ({s.name})"
        for s in systems
    }


def name_of(system: str, names: Mapping[str, str]) -> str:
    """The system's display name, safe to draw."""
    return plain(names.get(system, system))


def reader_name(detector: str) -> str:
    """Display name of a detector: the rules, big (LLM), anna (a person)."""
    if detector == GOLD:
        return "the gold labels"
    kind, _, name = detector.partition(":")
    if kind == "person":
        return f"{name} (a person)"
    return f"{name} ({kind.upper()})" if name else f"the {kind}" if kind == "rules" else kind


def category_name(taxonomy: Taxonomy, category: str) -> str:
    """The category's name, or its id if the taxonomy no longer has it; safe to draw."""
    known = taxonomy.by_id.get(category)
    return plain(known.name if known else category)


def in_order(taxonomy: Taxonomy, categories: set[str]) -> list[str]:
    """Categories in the taxonomy's order, unknown ones last."""
    return [c for c in taxonomy.by_id if c in categories] + sorted(categories - set(taxonomy.by_id))


def plain(text: str) -> str:
    """Text from outside, safe to draw: a chart renders some tags in any text."""
    return escape(text, quote=False)


def shortened(text: str, most: int) -> str:
    """The text in at most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def lines(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters, unless a word is longer."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def wrapped(text: str, width: int = 22) -> str:
    """Text as lines of a label; escaped text stays escaped."""
    return "<br>".join(lines(text, width)) or text


def percent(share: float) -> str:
    """10 %, 0.4 %, 99.6 %: whole numbers, but never 0 for some or 100 for not all."""
    return f"{_number(share)}{NBSP}%"


def rate_text(rate: Rate) -> str:
    """12 of 120, 10 % (6–17): the count, the share and its 95 % interval."""
    if rate.share is None or rate.interval is None:
        return "no data"
    low, high = (_number(bound) for bound in rate.interval)
    return f"{rate.count:,} of {rate.total:,}, {percent(rate.share)} ({low}–{high})"


def _number(share: float) -> str:
    value = 100 * share
    if 0 < value < 1 or 99 < value < 100:
        return f"{min(max(value, 0.1), 99.9):.1f}"
    return f"{value:.0f}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def rates_title(verb: str, shares: Sequence[float], systems: Sequence[str]) -> str:
    """Teacher errs in 33 % of summaries, Corrected (r1) in 4 %; of many systems the extremes.

    `systems` are names that are safe to draw.
    """
    named = [f"in {percent(share)}" for share in shares]
    if len(systems) > MOST_NAMED:
        best, worst = (f(range(len(shares)), key=shares.__getitem__) for f in (min, max))
        return (
            f"{systems[best]} {verb} least, {named[best]} of summaries; "
            f"{systems[worst]} most, {named[worst]}"
        )
    first = f"{systems[0]} {verb} {named[0]} of summaries"
    others = [f"{system} {share}" for system, share in zip(systems[1:], named[1:], strict=True)]
    return ", ".join([first, *others])


def readers_subtitle(totals: Sequence[int], detectors: Sequence[str]) -> str:
    """How many summaries were read, and by whom: one number if it is the same for all systems."""
    numbers = " to ".join(f"{n:,}" for n in sorted({min(totals), max(totals)}))
    each = " each" if len(totals) > 1 and len(set(totals)) == 1 else ""
    by = listed([plain(reader_name(d)) for d in sorted(set(detectors))])
    return f"{numbers} summaries{each}, read by {by}"
