"""Numbers in words: amounts, lengths of time, shares, weekdays and times of day."""

import re
from collections.abc import Callable, Iterator

from text_to_num import alpha2digit

from arf_core.checks.number import LONGEST, Number, meanings_of, measured
from arf_core.checks.units import CARDINALS, CLOCK, ORDINALS, PARTS_OF_HOUR, SHARES, WEEKDAYS

_Reader = Callable[[str, int], Number | None]
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER_WORD = "|".join([*CARDINALS, *ORDINALS])
_RUN = re.compile(
    rf"(?P<words>(?:{_NUMBER_WORD})(?:(?:[ -]| and )(?:{_NUMBER_WORD}|first|second)){{0,11}})\b"
    r"(?P<half>(?: and)? a half\b)?",
    re.IGNORECASE,
)
_IMPLIED = re.compile(
    r"(?:(?P<half>half an?)|(?P<couple>(?:a )?couple(?: of)?)|an?)"
    r"(?= (?:second|minute|hour|day|night|week|fortnight|month|year|decade|million|dozen)s?\b)",
    re.IGNORECASE,
)
_SHARE = re.compile(rf"(?:{'|'.join(SHARES)})\b", re.IGNORECASE)
_CLOCK = re.compile(
    rf"(?:({'|'.join(CLOCK)})|(?:({'|'.join(PARTS_OF_HOUR)}) (past|after|to)|half) "
    r"(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d\d?))\b",
    re.IGNORECASE,
)


def in_words(text: str) -> Iterator[Number]:
    at = 0
    for word in _WORD.finditer(text):
        readers = _READERS.get(word.group().lower())
        if readers is None or word.start() < at:
            continue
        number = next((n for read in readers if (n := read(text, word.start()))), None)
        if number:
            yield number
            at = number.end


def _run(text: str, at: int) -> Number | None:
    """Number words: a number, or several in a row as years and codes are spoken."""
    match = _RUN.match(text, at)
    if match is None:
        return None
    words = match["words"]
    parts = re.findall(r"\d+", alpha2digit(words.lower(), "en", threshold=0))
    digits = "".join(parts)
    if not digits or len(digits) > LONGEST:
        return None
    value = float(digits) + (0.5 if match["half"] else 0)
    number = measured(text, *match.span(), (value,))
    groups = tuple(map(float, parts)) if len(parts) > 1 else number.groups
    return number._replace(digits=digits, groups=groups)


def _implied(text: str, at: int) -> Number | None:
    """A week, half an hour, a couple of days, an hour and a half."""
    match = _IMPLIED.match(text, at)
    if match is None:
        return None
    value = 0.5 if match["half"] else 2.0 if match["couple"] else 1.0
    number = measured(text, *match.span(), (value,))
    if text.startswith(" and a half", number.end):
        meanings = meanings_of((1.5,), number.units)
        number = number._replace(end=number.end + 11, values=(1.5,), meanings=meanings)
    return number._replace(is_stated=False)


def _share(text: str, at: int) -> Number | None:
    match = _SHARE.match(text, at)
    if match is None:
        return None
    share = frozenset([("percent", float(SHARES[match.group().lower()]))])
    return Number(*match.span(), *match.span(), "percent", (), (), share, is_stated=False)


def _weekday(text: str, at: int) -> Number | None:
    word = _WORD.match(text, at)
    if word is None:
        return None
    meaning = ("weekday", float(WEEKDAYS[word.group().lower()]))
    return Number(*word.span(), *word.span(), "weekday", (), (), frozenset([meaning]))


def _clock(text: str, at: int) -> Number | None:
    """Noon; half past five, half five, quarter to six."""
    match = _CLOCK.match(text, at)
    if match is None:
        return None
    word, part, way, hour = (g and g.lower() for g in match.groups())
    if word:
        meanings = {float(CLOCK[word])}
    else:
        minutes = PARTS_OF_HOUR[part or "half"] * (-1 if way == "to" else 1)
        minutes += 60 * int(alpha2digit(hour, "en", threshold=0))
        meanings = {float((minutes + half) % 1440) for half in (0, 720)}
    clocks = frozenset(("clock", minutes) for minutes in meanings)
    return Number(*match.span(), *match.span(), "time", (), (), clocks)


def _readers() -> dict[str, tuple[_Reader, ...]]:
    """How to read on from a word that may begin a number."""
    found: dict[str, tuple[_Reader, ...]] = {}
    for words, read in (
        ([*CLOCK, *PARTS_OF_HOUR], _clock),
        ([*CARDINALS, *ORDINALS], _run),
        (["a", "an", "half", "couple"], _implied),
        ([share.split()[0] for share in SHARES], _share),
        ([day for day in WEEKDAYS if day not in ("sat", "sun")], _weekday),
    ):
        for word in words:
            found[word] = (*found.get(word, ()), read)
    return found


_READERS = _readers()
