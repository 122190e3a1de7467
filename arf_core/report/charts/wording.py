"""Numbers, names and long labels as people read them in charts."""

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
"""In the examples: labels that were written with the texts, or counted; no person read there."""
_PLAIN = ("teacher", "reference", "student", "reviewed")  # one of a kind needs no name behind it


def system_names(systems: Sequence[System]) -> dict[str, str]:
    """What people call each system: "Teacher", "Corrected (r1)", "Student (small)"."""
    kinds = Counter(s.kind for s in systems)
    return {
        s.name: KINDS[s.kind]
        if s.kind in _PLAIN and kinds[s.kind] == 1
        else f"{KINDS[s.kind]} ({s.name})"
        for s in systems
    }


def name_of(system: str, names: Mapping[str, str] | None) -> str:
    """The system's name for people, safe to draw: a chart reads some tags in any text."""
    return escape((names or {}).get(system, system), quote=False)


def reader_name(detector: str) -> str:
    """Who reads, as people are told: the rules, big (LLM), anna (a person)."""
    if detector == GOLD:
        return "the gold labels"
    kind, _, name = detector.partition(":")
    if kind == "person":
        return f"{name} (a person)"
    return f"{name} ({kind.upper()})" if name else f"the {kind}" if kind == "rules" else kind


def plain(text: str) -> str:
    """Text of others, safe to draw: a chart reads some tags in any text."""
    return escape(text, quote=False)


def category_name(taxonomy: Taxonomy, category: str) -> str:
    """The category's name, or its id where the taxonomy no longer has it."""
    known = taxonomy.by_id.get(category)
    return escape(known.name if known else category, quote=False)


def wrapped(text: str, width: int = 22) -> str:
    """Text in lines of at most `width` characters. What was escaped must stay so."""
    return (
        "<br>".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))
        or text
    )


def thousands(n: int) -> str:
    """12,345"""
    return f"{n:,}"


def percent(share: float) -> str:
    """10 %, 0.4 %, 99.6 %: whole numbers, but never a small share as none or most as all."""
    return f"{_figure(share)}{NBSP}%"


def rate_text(rate: Rate) -> str:
    """12 of 120, 10 % (6–17): the count, the share and its 95 % interval."""
    if rate.share is None or rate.interval is None:
        return "nothing was read"
    low, high = (_figure(bound) for bound in rate.interval)
    return (
        f"{thousands(rate.count)} of {thousands(rate.total)}, {percent(rate.share)} ({low}–{high})"
    )


def _figure(share: float) -> str:
    value = 100 * share
    if 0 < value < 1 or 99 < value < 100:
        return f"{min(max(value, 0.1), 99.9):.1f}"
    return f"{value:.0f}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
