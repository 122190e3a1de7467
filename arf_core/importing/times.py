"""Moments in the forms that files write them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

TimeReader = Callable[[Any], datetime | None]

PATTERNS = (
    "%a %b %d %H:%M:%S %z %Y",  # Twitter
    "%a, %d %b %Y %H:%M:%S %z",  # e-mail
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S %z",
)
_AMBIGUOUS = "%d/%m/%Y"
_SECONDS = (3e8, 4e9)
"""1979 to 2096, as seconds since 1970."""


def time_format(values: Sequence[Any]) -> str | None:
    """The form that fits at least nine of ten values, or None. Where day and month could be
    either, the day is taken to be first."""
    seen = [v for v in values if v not in (None, "")]
    if not seen:
        return None
    for form in ("iso", "epoch", "epoch_ms", *PATTERNS):
        read = reader(form)
        if sum(read(v) is not None for v in seen) >= 0.9 * len(seen):
            return form
    return None


def is_day_or_month_first(form: str, values: Sequence[Any]) -> bool:
    """Would the other order of day and month fit these values as well?"""
    if not form.startswith(_AMBIGUOUS):
        return False
    other = reader(form.replace(_AMBIGUOUS, "%m/%d/%Y"))
    return all(other(v) is not None for v in values if v not in (None, ""))


def reader(form: str) -> TimeReader:
    """What reads values of this form; it returns None for those that do not fit."""
    if form == "iso":
        return _iso
    if form in ("epoch", "epoch_ms"):
        scale = 1.0 if form == "epoch" else 1000.0
        return lambda value: _epoch(value, scale)
    return lambda value: _pattern(value, form)


def _iso(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time()) if isinstance(value, date) else None


def _epoch(value: Any, scale: float) -> datetime | None:
    try:
        seconds = float(value) / scale
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not _SECONDS[0] < seconds < _SECONDS[1]:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _pattern(value: Any, form: str) -> datetime | None:
    try:
        return datetime.strptime(value.strip(), form)
    except (AttributeError, ValueError):
        return None


def written(at: datetime) -> str:
    """ISO 8601, as the store writes it."""
    if type(at) is not datetime:  # pandas' own, which counts nanoseconds
        at = datetime.combine(at.date(), at.timetz())
    offset = at.utcoffset()
    if offset is None:
        return at.isoformat()
    if not offset:
        return at.replace(tzinfo=None).isoformat() + "Z"
    # offsets of seconds exist in old tables of zones, and few programs read them
    return (at.astimezone(UTC) if offset.total_seconds() % 60 else at).isoformat()


def sort_key(at: datetime) -> float:
    """Seconds since 1970, for sorting. A time without a zone counts as UTC: within one file it is
    compared with its like."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
