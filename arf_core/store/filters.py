"""Filter conversations and findings by split, slice and confidence.

Filters work on arrays of numbers (arrays.py), so any combination is as quick as none.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arf_core.errors import InputError
from arf_core.records import SPLITS, Record, Split
from arf_core.store.arrays import (
    ConversationColumns,
    FindingColumns,
    Numbers,
    attribute_column,
    conversation_columns,
    finding_columns,
)
from arf_core.store.binning import Bin, binned
from arf_core.store.database import Store

TOP = 12
"""Values that are shown on their own; the rarer ones are counted together."""
MISSING = Bin("no value", "missing", ())


class Scope(Record):
    """What counts. The default is everything."""

    splits: tuple[Split, ...] = SPLITS
    attribute: str | None = None
    value: str | None = None
    """The label of a slice of `attribute`, as `Slices.groups` has it; None for all."""
    confidence: float = 0.0
    """Findings of which the detector is less sure do not count; those without a confidence do."""


class Slices(NamedTuple):
    """An attribute's values in few bins: `of` is each conversation's index in `groups`."""

    attribute: str
    groups: tuple[Bin, ...]
    of: Numbers


def conversations_in(
    conversations: ConversationColumns, scope: Scope, by: Slices | None = None
) -> Numbers:
    """Whether each conversation is in the scope, by its number. `by` are the slices of the scope's
    attribute. Raises InputError for an unknown slice."""
    inside = np.isin(conversations.split, [SPLITS.index(s) for s in scope.splits])
    if scope.value is None or by is None:
        return inside
    labels = [group.label for group in by.groups]
    if scope.value not in labels:
        raise InputError(
            f"{by.attribute} has no slice {scope.value!r}.", f"It has: {', '.join(labels)}."
        )
    inside &= by.of == labels.index(scope.value)
    return inside


def restrict(found: FindingColumns, inside: Numbers, confidence: float = 0.0) -> FindingColumns:
    """What was found in the conversations that are `inside`, by their number."""
    kept = _look_up(inside, found.conversation)
    if confidence > 0:
        # a comparison with NaN is false, so findings without a confidence stay
        kept &= ~(found.confidence < np.float32(confidence))
    return _only(found, kept)._replace(read=found.read[_look_up(inside, found.read)])


def of_categories(found: FindingColumns, categories: Sequence[str]) -> FindingColumns:
    """The findings of these categories; of all where none is named."""
    if not categories:
        return found
    codes = [i for i, name in enumerate(found.categories) if name in categories]
    return _only(found, np.isin(found.category, codes))


def _only(found: FindingColumns, kept: Numbers) -> FindingColumns:
    """Those of the findings."""
    names = ("conversation", "category", "confidence", "seq")
    return found._replace(**{name: getattr(found, name)[kept] for name in names})


def _look_up(by_number: Numbers, numbers: Numbers) -> Any:
    """The element of each conversation; False for one that came after `by_number` was read."""
    if not len(by_number):
        return np.zeros(len(numbers), dtype=by_number.dtype)
    return np.where(numbers < len(by_number), np.take(by_number, numbers, mode="clip"), False)


def findings_in(store: Store, system: str, detector: str, scope: Scope) -> FindingColumns:
    """What the detector found in the system's summaries, within the scope."""
    found = finding_columns(store, system, detector)
    if scope == Scope():
        return found
    by = slices_of(store, scope.attribute) if scope.attribute and scope.value else None
    inside = conversations_in(conversation_columns(store), scope, by)
    return restrict(found, inside, scope.confidence)


def slices_of(store: Store, attribute: str, top: int = TOP) -> Slices:
    """Bin an attribute's values; the last bin holds the conversations that have none.

    The bins depend on the conversations alone, so they are the same for all systems. Raises
    InputError for an attribute that makes no slices.
    """
    known = conversation_columns(store).attributes
    if attribute not in known:
        raise InputError(
            f"There are no slices by {attribute!r}: no conversation has this attribute, or nearly "
            "every one has a value of its own.",
            f"There are slices by: {', '.join(known) or 'nothing yet'}.",
        )
    codes, values = attribute_column(store, attribute)
    sizes = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    groups = (*binned(values, sizes.tolist(), top), MISSING)
    index = np.full(len(values) + 1, len(groups) - 1, np.int32)
    for i, group in enumerate(groups[:-1]):
        index[list(group.members)] = i
    return Slices(attribute, groups, index[codes])  # -1 picks the last: no value
