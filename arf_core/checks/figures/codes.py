"""Order numbers, booking references, versions, phone numbers, links: figures that count nothing."""

import re
from decimal import Decimal

from arf_core.checks.figures.model import Amount, Code, Figure, Reading

PHONE = re.compile(
    r"\+\d{1,3}[ \u00a0.-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ \u00a0./-]?\d{2,5}){1,5}(?!\d)"
)
BRACKETED = re.compile(r"\(\d{2,5}\)[ .-]?\d{2,5}(?:[ .-]\d{2,5}){1,3}(?!\d)")
BY_FOURS = re.compile(r"\d{4}(?:[ -]\d{4}){2,4}(?: \d{1,3})?(?![\d])")
NATIONAL = re.compile(r"0\d{1,5}(?:[ -]\d{2,8}){1,4}(?!\d)|\d{3}[ .-]\d{3}[ .-]\d{4}(?!\d)")
IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
MIXED = re.compile(r"[A-Za-z0-9]+(?:[-_/#.][A-Za-z0-9]+){0,8}")
LINK = re.compile(
    r"(?<![^\s(<\[\"'])(?:https?://|www\.)[^\s<>\"')\]]{1,300}"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
VERSION = re.compile(r"[vV]?(\d{1,6}(?:\.\d{1,6}){2,5})(?![\d])")
_NOT_CODE = re.compile(r"[\W_]+")
_GROUP = re.compile(r"\d+")
_HOURS_AND_MINUTES = re.compile(r"\d+[hd]\d+(?:m|min|mins|h)?", re.IGNORECASE)
_FORMER_YEAR, _LATTER_YEAR = 1500, 2100
_SHORTEST_MARKED = 3
LONG = 5
"""Rows of at least this many digits are compared as codes as well as numbers."""


def squeezed(text: str) -> str:
    """The letters and digits alone, in upper case: codes differ by nothing else."""
    return _NOT_CODE.sub("", text).upper()


def code(start: int, end: int, text: str) -> Figure:
    """The figure of a code that stands at [start, end)."""
    said = text[start:end]
    return Figure("code", start, end, (Code(squeezed(said)),), numbers_in(said))


def numbers_in(said: str) -> tuple[Amount, ...]:
    """Each group of digits as a plain number."""
    return tuple(Amount("number", Decimal(n)) for n in _GROUP.findall(said) if len(n) <= 18)


def links(text: str) -> list[Figure]:
    """Web and e-mail addresses, in order. Those without a digit are among them."""
    if "@" not in text and "://" not in text and "www." not in text:
        return []
    found = []
    for match in LINK.finditer(text):
        end = match.start() + len(match.group().rstrip(".,;:!?"))
        if end > match.start():
            found.append(code(match.start(), end, text))
    return found


def marked_code(text: str, start: int, mark: str) -> Figure | None:
    """The code after a "+", a "(" or a "#" whose first digit stands at `start`."""
    if mark == "#":
        figure = code_of_run(text, start)
        return figure if figure and figure.end - start >= _SHORTEST_MARKED else None
    match = (PHONE if mark == "+" else BRACKETED).match(text, start - 1)
    return code(start - 1, match.end(), text) if match else None


def code_in_groups(text: str, start: int) -> Figure | None:
    """A card or phone number, in groups of digits."""
    match = BY_FOURS.match(text, start) or NATIONAL.match(text, start)
    return code(start, match.end(), text) if match else None


def code_of_digits(text: str, start: int) -> Figure | None:
    """A code whose first character, a digit, stands at `start`."""
    if groups := code_in_groups(text, start):
        return groups
    if (match := VERSION.match(text, start)) and not _are_thousands(match.group()):
        return version(match)
    return _mixed(text, start)


def _are_thousands(said: str) -> bool:
    first, *rest = said.split(".")
    return len(first) <= 3 and all(len(group) == 3 for group in rest)


def version(match: re.Match[str]) -> Figure:
    """11.1.2: kept with its dots, since 1.11.2 is another version."""
    said = match.group(1)
    readings: tuple[Reading, ...] = (Code(said),)
    return Figure("code", match.start(), match.end(), readings, numbers_in(said))


def _mixed(text: str, start: int) -> Figure | None:
    """AB12-99X, 88-1201, 202-555-0143: whatever is no plain number, date or range."""
    match = MIXED.match(text, start)
    if match is None:
        return None
    said = match.group()
    groups = _GROUP.findall(said)
    letters = any(c.isalpha() for c in said)
    if letters and _HOURS_AND_MINUTES.fullmatch(said):
        return None
    if letters:
        return code(start, match.end(), text) if _is_mixed_code(said) else None
    if len(groups) > 1 and "." not in said and _are_code_groups(groups):
        return code(start, match.end(), text)
    return None


def _is_mixed_code(said: str) -> bool:
    """B2X-9 and 12ab34, not "14-day", "3rd" or "100GB": after letters there are digits again."""
    runs = re.findall(r"[A-Za-z]+|\d+", said)
    first = next(i for i, run in enumerate(runs) if run.isalpha())
    return any(run.isdigit() for run in runs[first:])


def _are_code_groups(groups: list[str]) -> bool:
    if all(_FORMER_YEAR <= int(g) <= _LATTER_YEAR for g in groups if len(g) == 4) and all(
        len(g) <= 4 for g in groups
    ):
        return len(groups) > 2 or any(len(g) > 1 and g[0] == "0" for g in groups)
    return sum(len(g) for g in groups) >= LONG and any(len(g) >= 3 for g in groups)


def code_of_run(text: str, start: int) -> Figure | None:
    """All letters and digits from `start` on as a code: 12345AB."""
    match = MIXED.match(text, start)
    if match is None:
        return None
    figure = code(start, match.end(), text)
    if match.group().islower():  # 20is, 15off: a space was forgotten
        return figure._replace(readings=(*figure.readings, *figure.lesser))
    return figure


def code_of_letters(text: str, start: int) -> Figure | None:
    """A code that begins with letters, attached to the digits after them: AB12, INV-2041, A-17."""
    if iban := IBAN.match(text, start):
        return code(start, iban.end(), text)
    match = MIXED.match(text, start)
    if match is None or not any(c.isdigit() for c in match.group()):
        return None
    return code(start, match.end(), text)
