"""Numbers in digits: amounts, ranges, times of day, dates and codes."""

import re
from collections.abc import Iterator
from functools import lru_cache

from arf_core.checks.number import LONGEST, YEARS, Number, measured, squeezed
from arf_core.checks.units import unit_of

_CODE_DIGITS, _CODE_GROUP = 5, 3
_DIGITS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,:/-]*\d)|\d+(?:[.,:/'’-]\d+)*")
_GROUP = re.compile(r"\d+")
_NO_DIGIT = re.compile(r"\D")
_MARK = re.compile(r"[.,'’ \u00a0\u202f]")
_CODE = re.compile(r"[^\W_]+(?:[-_/#.][^\W_]+){0,8}")
_CODE_BEFORE = re.compile(r"(?<![^\W_])[A-Z]{1,6}[-_/]\Z|(?<![^\W_])[^\W\d_]{1,6}\Z")
_AM_PM = re.compile(r" ?(?:(a)|p)(?:\.m\.|m\b)| ?o['’]?clock\b", re.IGNORECASE)


def in_digits(text: str) -> Iterator[Number]:
    at = 0
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        if start < at:
            continue
        for number in _code(text, start, end) or _read(text, start, end):
            yield number
            at = number.end


def _read(text: str, start: int, end: int) -> list[Number]:
    """The numbers that a row of digits and marks stands for: two in 3-5 days."""
    raw = text[start:end]
    groups = [int(g) for g in _GROUP.findall(raw) if len(g) <= LONGEST]
    if len(raw) > LONGEST * 2 or not groups:
        return [_as_code(text, start, end)]
    if time := _time(text, start, end, groups):
        return [time]
    if "-" in raw or "/" in raw:
        if len(groups) == 2 and raw.count("-") == 1 and not _is_code(raw):
            return _range(text, start, end)
        return [_date_in_digits(raw, groups, start, end) or _as_code(text, start, end)]
    values = _values(raw)
    if not values:
        date = _date_in_digits(raw, groups, start, end) if raw.count(".") == 2 else None
        return [date or _as_code(text, start, end)]
    return [measured(text, start, end, values)]


@lru_cache(4096)
def _values(raw: str) -> tuple[float, ...]:
    """1,200 is 1200; 1.200 is 1200 or 1.2; 12:30 is no single number."""
    if len(raw) <= LONGEST and raw.isdigit():
        return (float(raw),)
    parts = _MARK.split(raw)
    if not all(part.isdigit() for part in parts) or len("".join(parts)) > LONGEST:
        return ()
    grouped = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    indian = len(parts[-1]) == 3 and all(len(part) == 2 for part in parts[1:-1])
    whole = (float("".join(parts)),) if grouped or indian else ()
    marks = re.findall(r"[.,]", raw)
    if len(marks) == len(parts) - 1 and (len(parts) == 2 or marks[-1] not in marks[:-1]):
        return (*whole, float("".join(parts[:-1]) + "." + parts[-1]))
    return whole


def _range(text: str, start: int, end: int) -> list[Number]:
    """Both ends of 3-5 days or 2016-20, each with what stands before and after the whole."""
    middle = text.index("-", start)
    first, second = (_values(text[a:b]) for a, b in ((start, middle), (middle + 1, end)))
    if not first or not second or end - middle > middle - start + 3:
        return [_as_code(text, start, end)]
    if first[0] in YEARS and second[0] < 100:
        second = (first[0] // 100 * 100 + second[0],)
    one = measured(text, start, middle, first, after=end)
    other = measured(text, middle + 1, end, second, before=start)
    if not other.units and other.kind == "number" and first[0] < 100:
        return [_as_code(text, start, end)._replace(kind="score")]
    return [one._replace(end=middle), other._replace(start=middle + 1)]


# -- times and dates ----------------------------------------------------------------------------


def _time(text: str, start: int, end: int, groups: list[int]) -> Number | None:
    """5 pm, 5:30, 17.30 pm, 315pm."""
    raw = text[start:end]
    near = text[end : end + 2].lstrip()[:1]
    half = _AM_PM.match(text, end) if near and near in "aApPoO" else None
    if half is None and (
        len(groups) == 1 or ":" not in raw or not re.fullmatch(r"\d\d?:\d\d(?::\d\d)?", raw)
    ):
        return None
    if len(groups) == 1 and len(raw) in (3, 4) and raw.isdigit():
        groups = [*divmod(groups[0], 100)]
    hour, minute = groups[0], groups[1] if len(groups) > 1 else 0
    if hour > 24 or minute > 59 or not re.fullmatch(r"\d{1,4}|\d\d?[:.]\d\d(?::\d\d)?", raw):
        return None
    at = hour % 24 * 60 + minute
    meanings = {at}
    if half and half.group().strip().lower().startswith(("a", "p")):
        meanings = {at % 720 + (0 if half.group(1) else 720)}
        meanings |= {at} if hour > 12 else set()
    elif hour <= 12:
        meanings = {at % 720, at % 720 + 720}
    return Number(
        start,
        half.end() if half else end,
        start,
        end,
        "time",
        _values(raw),
        (),
        frozenset(("clock", float(m)) for m in meanings),
        re.sub(r"\D", "", raw),
        tuple(map(float, groups)),
    )


def _date_in_digits(raw: str, groups: list[int], start: int, end: int) -> Number | None:
    """12/05/2025 and 2025-05-12, either way round where both may be meant; 12/5."""
    if not re.fullmatch(r"\d{4}\D\d\d?\D\d\d?|\d\d?\D\d\d?\D(?:\d\d|\d{4})|\d\d?/\d\d?", raw):
        return None
    if len(groups) == 3 and groups[0] in YEARS:
        pairs = [(groups[1], groups[2])]
    else:
        pairs = [(groups[1], groups[0]), (groups[0], groups[1])]
    dates = frozenset(("date", 100.0 * m + d) for m, d in pairs if 1 <= m <= 12 and 1 <= d <= 31)
    if not dates:
        return None
    digits = re.sub(r"\D", "", raw)
    return Number(start, end, start, end, "date", (), (), dates, digits, tuple(map(float, groups)))


# -- codes --------------------------------------------------------------------------------------


def _code(text: str, start: int, end: int) -> list[Number]:
    """The code, with letters, that the digits at [start, end) are part of; none if they are not."""
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    if not any(c.isalpha() or c in "-_/" for c in around):
        return []
    before = _CODE_BEFORE.search(text, max(0, start - 8), start)
    if before:
        letters = before.group()
        units = unit_of(letters) if len(letters) > 1 else ()
        if (units and units[0].kind == "money") or letters in ("US", "R", "v", "V", "x"):
            return []
        match = _CODE.match(text, before.start())
        return [_as_code(text, before.start(), match.end())] if match else []
    match = _CODE.match(text, start)
    if match is None or match.end() <= end:
        return []
    rest = text[end : match.end()]
    tail = re.match(r"[^\W\d_]+", rest)
    if tail and tail.end() < len(rest) and rest[tail.end()].isdigit():
        return [_as_code(text, start, match.end())]
    if rest[0] in "-_/" and re.fullmatch(r"[-_/A-Z\d]+", rest):
        return [_as_code(text, start, match.end())]
    return []


def _as_code(text: str, start: int, end: int) -> Number:
    written = text[start:end]
    groups = tuple(float(g) for g in re.findall(r"\d+", written) if len(g) <= LONGEST)
    return Number(start, end, start, end, "code", (), digits=squeezed(written), groups=groups)


def _is_code(raw: str) -> bool:
    """88-1201 and 202-555, not 3-5, 24-48 or 2016-2020."""
    groups = re.findall(r"\d+", raw)
    if all(len(g) < 4 or int(g) in YEARS for g in groups if len(g) <= 4):
        return any(len(g) > 4 for g in groups) or any(len(g) > 1 and g[0] == "0" for g in groups)
    return sum(map(len, groups)) >= _CODE_DIGITS and any(len(g) >= _CODE_GROUP for g in groups)
