"""Which conversations and findings are looked at: splits, a slice, a confidence.

Counts are made on columns of numbers (`blocks`), so any combination is as quick as none.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arf_core.errors import InputError
from arf_core.records import SPLITS, Record, Split
from arf_core.store import blocks
from arf_core.store.binning import Group, grouped
from arf_core.store.blocks import About, Found, Numbers, Values
from arf_core.store.database import Store

TOP = 12
"""Values that are shown on their own; the rarer ones are counted together."""
MISSING = Group("no value", "missing", ())


class Scope(Record):
    """What is looked at. The default is everything."""

    splits: tuple[Split, ...] = SPLITS
    attribute: str | None = None
    value: str | None = None
    """The label of a slice of `attribute`, as `Slices.groups` has it; None for all."""
    confidence: float = 0.0
    """Findings of which the detector is less sure do not count; those without a figure do."""


class Slices(NamedTuple):
    """An attribute's values as few groups: `of` is each conversation's place in `groups`."""

    attribute: str
    groups: tuple[Group, ...]
    of: Numbers


def slices(values: Values, attribute: str, top: int = TOP) -> Slices:
    """Group an attribute's values; the last group is of those that have none.

    The groups depend on the conversations alone, so they are the same for all systems.
    """
    n = len(values.values)
    sizes = np.bincount(values.codes + 1, minlength=n + 1)[1:]
    groups = (*grouped(values.values, sizes.tolist(), top), MISSING)
    place = np.full(n + 1, len(groups) - 1, np.int32)
    for i, group in enumerate(groups[:-1]):
        place[list(group.members)] = i
    return Slices(attribute, groups, place[values.codes])  # -1 picks the last: no value


def chosen(about: About, scope: Scope, by: Slices | None = None) -> Numbers:
    """Whether each conversation is in the scope, by its number. `by` are the slices of the scope's
    attribute. Raises InputError for a slice that there is not."""
    inside = np.isin(about.split, [SPLITS.index(s) for s in scope.splits])
    if scope.value is None or by is None:
        return inside
    labels = [group.label for group in by.groups]
    if scope.value not in labels:
        raise InputError(
            f"{by.attribute} has no slice {scope.value!r}.", f"It has: {', '.join(labels)}."
        )
    inside &= by.of == labels.index(scope.value)
    return inside


def narrowed(found: Found, inside: Numbers, confidence: float = 0.0) -> Found:
    """What was found in the conversations that are `inside`, by their number."""
    kept = picked(inside, found.conversation)
    if confidence > 0:
        # a comparison with NaN is false, so what has no figure stays
        kept &= ~(found.confidence < np.float32(confidence))
    return _only(found, kept)._replace(read=found.read[picked(inside, found.read)])


def of_categories(found: Found, categories: Sequence[str]) -> Found:
    """The findings of these categories; of all where none is named."""
    if not categories:
        return found
    codes = [i for i, name in enumerate(found.categories) if name in categories]
    return _only(found, np.isin(found.category, codes))


def _only(found: Found, kept: Numbers) -> Found:
    """Those of the findings."""
    names = ("conversation", "category", "confidence", "seq")
    return found._replace(**{name: getattr(found, name)[kept] for name in names})


def picked(by_number: Numbers, numbers: Numbers) -> Any:
    """The element of each conversation; False for one that came after `by_number` was read."""
    if not len(by_number):
        return np.zeros(len(numbers), dtype=by_number.dtype)
    return np.where(numbers < len(by_number), np.take(by_number, numbers, mode="clip"), False)


def look(store: Store, system: str, detector: str, scope: Scope) -> Found:
    """What the detector found in the system's summaries, within the scope."""
    found = blocks.found(store, system, detector)
    if scope == Scope():
        return found
    by = slices_of(store, scope.attribute) if scope.attribute and scope.value else None
    return narrowed(found, chosen(blocks.about(store), scope, by), scope.confidence)


def slices_of(store: Store, attribute: str, top: int = TOP) -> Slices:
    """The slices of an attribute. Raises InputError for one that has none."""
    known = blocks.about(store).attributes
    if attribute not in known:
        raise InputError(
            f"There are no slices by {attribute!r}: no conversation has this attribute, or nearly "
            "every one has a value of its own.",
            f"There are slices by: {', '.join(known) or 'nothing yet'}.",
        )
    return slices(blocks.values(store, attribute), attribute, top)
