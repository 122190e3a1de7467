"""How often a system errs, by the value of an attribute: by channel, product, month, …

The database hands out the conversations of each value and of each category as one long text, and
Arrow joins them. With a million findings that is three times as fast as the same join in SQLite,
and no row passes through Python.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, func, select

from arf_core import schema
from arf_core.errors import InputError
from arf_core.evaluate.rates import Rate
from arf_core.records import SPLITS, Record, Split
from arf_core.store import Store
from arf_core.value_groups import Group, grouped

TOP = 12
"""Values that are shown on their own; the rarer ones are counted together."""
_GAP = "\x1f"  # between ids: a control character, which no id holds

Places = NDArray[np.int64]


class SliceRates(Record):
    """What one detector found in those of a system's summaries that share an attribute's value."""

    system: str
    detector: str
    attribute: str
    value: str
    kind: Literal["value", "other", "missing"] = "value"
    """`other` holds the rarer values together, `missing` what has no value."""
    any_error: Rate
    by_category: dict[str, Rate]
    """Summaries with at least one finding of the category."""
    findings: dict[str, int]
    """All findings by category."""

    @property
    def total(self) -> int:
        """Summaries of the slice that the detector has read."""
        return self.any_error.total


def attribute_names(store: Store) -> list[str]:
    """The attributes that conversations have."""
    with store.read() as conn:
        return sorted(conn.scalars(select(schema.attribute.c.name).distinct()))


def error_rates_by(
    store: Store,
    system: str,
    detector: str,
    attribute: str,
    splits: Sequence[Split] = SPLITS,
    top: int = TOP,
) -> list[SliceRates]:
    """Rates for each value of the attribute, over the summaries that the detector has read.

    Dates and numbers come in their order, by month, year or range where there are more than `top`;
    other values by frequency, the rarer ones together. What has no value is the last slice. Slices
    that nobody read are left out. Raises InputError for an attribute that no conversation has.
    """
    with store.read() as conn:
        values = _read(conn, _of_attribute(attribute))
        readings = _read(conn, _of_analyses(system, detector, splits))
        findings = _read(conn, _of_findings(system, detector, splits))
    if not values.keys:
        known = ", ".join(attribute_names(store)) or "none yet"
        raise InputError(f"No conversation has an attribute {attribute!r}.", f"They have: {known}.")
    read = _Read(readings, values, findings)
    groups = grouped([str(value) for (value,) in values.keys], read.sizes().tolist(), top)
    counts = read.counts(groups)
    return [
        SliceRates(
            system=system,
            detector=detector,
            attribute=attribute,
            value=group.label,
            kind=group.kind,
            **counts.of(i),
        )
        for i, group in enumerate([*groups, MISSING])
        if counts.total[i]
    ]


MISSING = Group("no value", "missing", ())


class _Joined(NamedTuple):
    """Conversations by key: `ids[starts[i]:starts[i + 1]]` are those of `keys[i]`."""

    keys: list[tuple[Any, ...]]
    ids: pa.ChunkedArray
    starts: Places


def _read(conn: Connection, query: Select[Any]) -> _Joined:
    """Rows of key columns and, last, of ids joined into one text."""
    keys: list[tuple[Any, ...]] = []
    parts: list[pa.Array] = []
    for *key, joined in conn.execute(query):
        keys.append(tuple(key))
        text = pa.array([joined], pa.large_string())
        parts.append(pc.split_pattern(text, pattern=_GAP).flatten())
    starts = np.cumsum([0, *(len(p) for p in parts)])
    return _Joined(keys, pa.chunked_array(parts, pa.large_string()), starts)


def _of_attribute(name: str) -> Select[Any]:
    a = schema.attribute
    return _grouped_ids(a.c.conversation_id, a.c.value).where(a.c.name == name)


def _of_analyses(system: str, detector: str, splits: Sequence[Split]) -> Select[Any]:
    a, s = schema.analysis, schema.summary
    query = _grouped_ids(s.c.conversation_id, a.c.n_findings > 0)
    query = query.select_from(a).join(s, s.c.id == a.c.summary_id)
    return query.where(
        a.c.system == system, a.c.detector == detector, a.c.split.in_(splits), a.c.current
    )


def _of_findings(system: str, detector: str, splits: Sequence[Split]) -> Select[Any]:
    f = schema.finding
    # by split first, as the index has it: then nothing needs to be sorted
    return _grouped_ids(f.c.conversation_id, f.c.split, f.c.category).where(
        f.c.system == system, f.c.detector == detector, f.c.split.in_(splits), f.c.current
    )


def _grouped_ids(ids: ColumnElement[str], *keys: ColumnElement[Any]) -> Select[Any]:
    return select(*keys, func.group_concat(ids, _GAP)).group_by(*keys)


class _Counts(NamedTuple):
    """By group: summaries read, those with an error, and by category summaries and findings."""

    total: Places
    erring: Places
    summaries: dict[str, Places]
    findings: dict[str, Places]

    def of(self, group: int) -> dict[str, Any]:
        """The fields of a SliceRates that are counts; categories without a finding are absent."""
        total = int(self.total[group])

        def rate(counts: Places) -> Rate:
            return Rate(count=int(counts[group]), total=total)

        return {
            "any_error": rate(self.erring),
            "by_category": {c: rate(n) for c, n in self.summaries.items() if n[group]},
            "findings": {c: int(n[group]) for c, n in self.findings.items() if n[group]},
        }


class _Read:
    """The conversations whose summaries were read; values and findings are placed among them."""

    def __init__(self, readings: _Joined, values: _Joined, findings: _Joined) -> None:
        self._findings = findings
        self._n, self._n_values = len(readings.ids), len(values.keys)
        erring = np.array([bool(key[0]) for key in readings.keys], dtype=bool)
        self._erring = np.repeat(erring, np.diff(readings.starts))
        # one call for both, since it begins by hashing all that was read
        both = pa.chunked_array([*values.ids.chunks, *findings.ids.chunks], pa.large_string())
        found = pc.fill_null(pc.index_in(both, value_set=readings.ids), -1).to_numpy()
        of_values, self._of_findings = np.split(found, [len(values.ids)])
        self._value_of = np.full(self._n, -1)
        keys = np.repeat(np.arange(self._n_values), np.diff(values.starts))
        self._value_of[of_values[of_values >= 0]] = keys[of_values >= 0]

    def sizes(self) -> Places:
        """Summaries read, by value."""
        return np.bincount(self._value_of + 1, minlength=self._n_values + 1)[1:]

    def counts(self, groups: Sequence[Group]) -> _Counts:
        """Count by group of values; what has no value comes last."""
        group_of_value = np.full(self._n_values + 1, len(groups))
        for i, group in enumerate(groups):
            group_of_value[list(group.members)] = i
        group_of = group_of_value[self._value_of]  # -1, no value, picks the last

        def by_group(conversations: Any) -> Places:
            return np.bincount(group_of[conversations], minlength=len(groups) + 1)

        counts = _Counts(by_group(slice(None)), by_group(self._erring), {}, {})
        for category, at in self._by_category():
            erring = np.zeros(self._n, dtype=bool)
            erring[at] = True
            for table, new in (
                (counts.summaries, by_group(erring)),
                (counts.findings, by_group(at)),
            ):
                table[category] = table.get(category, 0) + new
        return counts

    def _by_category(self) -> Iterator[tuple[str, Places]]:
        """For each split and category, the places of the findings' conversations."""
        starts = self._findings.starts
        for i, (_, category) in enumerate(self._findings.keys):
            at = self._of_findings[starts[i] : starts[i + 1]]
            yield category, at[at >= 0]
