"""Who writes in the closed world: a teacher that errs, a reader that finds a share of the errors,
an editor that answers what was found, and a rewriter whom nobody told anything.

Each error has one form, whether it follows from the input or falls by chance: only where it falls
differs, and how often is the same.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from arf_core.records import Record
from benchmarks.closed_world.counting import read
from benchmarks.closed_world.language import RARE, Case, Facts, Told, summary, truth

CATEGORIES = ("wrong_status", "wrong_party", "wrong_figure", "missing_resolution")
"""What the teacher gets wrong; each in about RARE of its summaries."""
TOLD_AS = {"conditional": "sent", "promised": "sent", "sent": "promised", "refused": "promised"}
TAKEN_FOR = {"courier": "customer", "shop": "customer", "customer": "shop"}


def falls_on(category: str, facts: Facts) -> bool:
    """The rule of a systematic error: does it befall a conversation with these facts?"""
    return {
        "wrong_status": facts.status == "conditional",
        "wrong_party": facts.actor == "courier",
        "wrong_figure": facts.remedy == "voucher",
        "missing_resolution": facts.channel == "form",
    }[category]


def mistaken(told: Told, category: str, facts: Facts) -> Told:
    """The same with one more error: a promise on a condition told as done, the courier's task as
    the customer's, the price paid as the amount given, the next step left out."""
    if category == "wrong_status" and told.status is not None:
        return told._replace(status=TOLD_AS[facts.status], condition=None)
    if category == "wrong_party" and told.has_next_step:
        return told._replace(actor=TAKEN_FOR[facts.actor])
    if category == "wrong_figure" and told.status is not None:
        return told._replace(amount=facts.price)
    if category == "missing_resolution":
        return told._replace(actor=None, action=None, day=None)
    return told


def mended(told: Told, category: str, facts: Facts) -> Told:
    """The same without the errors of a category."""
    right = truth(facts)
    fields = {
        "wrong_status": ("status", "condition"),
        "wrong_party": ("actor",),
        "wrong_figure": ("amount",),
        "missing_resolution": ("actor", "action", "day"),
    }[category]
    if category in ("wrong_party", "missing_resolution") and told.has_next_step != (
        category == "wrong_party"
    ):
        return told  # there is nothing of this kind to mend
    return told._replace(**{name: getattr(right, name) for name in fields})


def wrong_in(told: Told, facts: Facts) -> set[str]:
    """The categories in which this errs, of those that the teacher errs in."""
    return {c for c in CATEGORIES if mended(told, c, facts) != told}


def teacher(cases: Sequence[Case], systematic: int, seed: str) -> dict[str, str]:
    """Summaries by conversation. The first `systematic` of CATEGORIES follow from the input, the
    others fall by chance, as often."""
    chance = random.Random(f"teacher:{seed}:{systematic}")
    texts = {}
    for case in cases:
        told = truth(case.facts)
        for n, category in enumerate(CATEGORIES):
            by_chance = chance.random() < RARE
            if falls_on(category, case.facts) if n < systematic else by_chance:
                told = mistaken(told, category, case.facts)
        texts[case.id] = summary(told, case.variant)
    return texts


class Quality(Record):
    """How good a reader and the editor behind it are."""

    mends: float
    """Share of errors that are found, and mended."""
    breaks: float
    """Share of summaries without a found error in which something right is called wrong, and made
    wrong."""


class Marked(NamedTuple):
    """What a reader says of one summary."""

    true: tuple[str, ...]
    """Categories of real errors."""
    false: tuple[str, ...]
    """Categories in which nothing was wrong."""


def reader(
    cases: Sequence[Case], texts: dict[str, str], quality: Quality, seed: str
) -> dict[str, Marked]:
    """What a reader of this quality finds, by conversation."""
    chance = random.Random(f"reader:{seed}:{quality.mends}:{quality.breaks}")
    marks = {}
    for case in cases:
        told = read(texts[case.id])
        wrong = wrong_in(told, case.facts)
        true = tuple(c for c in CATEGORIES if chance.random() < quality.mends and c in wrong)
        right = [c for c in CATEGORIES if c not in wrong and mistaken(told, c, case.facts) != told]
        false = ()
        if chance.random() < quality.breaks and right and not true:
            false = (chance.choice(right),)
        marks[case.id] = Marked(true, false)
    return marks


def editor(
    cases: Sequence[Case], texts: dict[str, str], marks: dict[str, Marked]
) -> dict[str, str]:
    """Summaries after an editor answered the marks: it believes all of them."""
    edited = {}
    for case in cases:
        told = read(texts[case.id])
        for category in marks[case.id].true:
            told = mended(told, category, case.facts)
        for category in marks[case.id].false:
            told = mistaken(told, category, case.facts)
        edited[case.id] = summary(told, case.variant)
    return edited


REWRITER = Quality(mends=0.3, breaks=0.1)
"""What an untargeted rewrite does: it was told of no error."""


def rewriter(cases: Sequence[Case], texts: dict[str, str], seed: str) -> dict[str, str]:
    """Summaries worded anew by one that was told of no error."""
    chance = random.Random(f"wording:{seed}")
    marks = reader(cases, texts, REWRITER, f"rewrite:{seed}")
    edited = editor(cases, texts, marks)
    return {
        case.id: summary(read(edited[case.id]), (case.variant + chance.choice((1, 2))) % 3)
        for case in cases
    }
