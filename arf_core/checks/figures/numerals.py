"""Numbers in digits or English words, in all the ways in which they are written.

1,200 = 1.200 = 1 200 = 1'200 = 1.2k = twelve hundred; 12.5 = 12,50 = twelve and a half.
"""

import re
from decimal import Decimal
from functools import lru_cache

from arf_core.checks.figures.model import Numeral

HARD_SPACE = "\u00a0"
_RUN = re.compile(rf"\d{{1,40}}(?:[.,'{HARD_SPACE}]\d{{1,40}}){{0,8}}")
_DIGITS = re.compile(r"\d+")
_SEPARATORS = frozenset(f".,'{HARD_SPACE}")
_BEFORE_FRACTION = frozenset(" -½¼¾⅓⅔")
_SPACED = re.compile(
    r"\d{1,3}(?: \d{3}){1,4}(?![\d])(?![.,]\d{3})(?:[.,]\d{1,2}(?!\d))?|\d{1,3}, 000(?![\d,.])"
)
_LONGEST = 18
"""Longer rows of digits are codes, never numbers to reckon with."""

_DASHES = "‐‑‒–—−﹣－"
_PLAIN = (
    dict.fromkeys(map(ord, _DASHES), "-")
    | dict.fromkeys(map(ord, "‘’‚‛´`′＇"), "'")
    | dict.fromkeys(map(ord, "“”„‟″"), '"')
    | dict.fromkeys(map(ord, "\u2007\u2009\u202f\u2008\u200a"), HARD_SPACE)
    | {ord("％"): "%", ord("＄"): "$", ord("￡"): "£", ord("￥"): "¥", ord("："): ":"}
)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
UNITS = {word: n for n, word in enumerate(_SMALL)}
TENS = {word: 20 + 10 * n for n, word in enumerate(_TENS)} | {"fourty": 40}
SCALES = {
    "thousand": 10**3,
    "lakh": 10**5,
    "lakhs": 10**5,
    "lac": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "crores": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}
NUMBER_WORDS = frozenset({*UNITS, *TENS, *SCALES, "hundred", "dozen"})
_WORD = r"(?:" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")(?![^\W_])"
_WORD_RUN = re.compile(
    rf"{_WORD}(?:(?:\s{{1,3}}|-)(?:and\s{{1,3}})?{_WORD}){{0,15}}", re.IGNORECASE
)
_EACH_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_AND_A_HALF = re.compile(
    r"\s{1,3}and\s{1,3}(?:(?:a|one)\s{1,3}half|(?:a|one)\s{1,3}quarter|three\s{1,3}quarters)"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"(?:[ \-]|(?<=\d))(?:([½¼¾⅓⅔])|(\d)/(\d)(?![\d/]))")
_FRACTIONS = {
    "½": Decimal("0.5"),
    "¼": Decimal("0.25"),
    "¾": Decimal("0.75"),
    "⅓": Decimal(1) / 3,
    "⅔": Decimal(2) / 3,
}
_SCALE_AFTER = re.compile(
    r"(?:\s?(thousand|million|billion|trillion|lakhs?|lac|crores?|hundred|dozen|grand|mill?|mln|mn"
    r"|bn|tsd|mio|mrd)(?![^\W_]))|([kK](?![^\W_])|(?<=\d)[mMbB](?=[ ,.;:)\n]|$))",
    re.IGNORECASE,
)
_SCALE_VALUE = {
    **SCALES,
    "hundred": 100,
    "dozen": 12,
    "grand": 1000,
    "k": 1000,
    "tsd": 1000,
    "m": 10**6,
    "mil": 10**6,
    "mill": 10**6,
    "mln": 10**6,
    "mn": 10**6,
    "mio": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "mrd": 10**9,
}


def plainly(text: str) -> str:
    """The text with digits of any script, dashes, quotes and hard spaces in one form each.

    It has the same length, so that offsets are those of the text given.
    """
    if text.isascii():
        return text
    return _FOREIGN_DIGIT.sub(lambda m: str(int(m.group())), text.translate(_PLAIN))


def numeral_in_digits(text: str, start: int) -> Numeral | None:
    """The number whose first digit stands at `start`; None for a row that is no one number.

    `text` is plain (see `plainly`).
    """
    run = _DIGITS.match(text, start)
    if run is None:
        return None
    after = text[run.end() : run.end() + 1]
    if after in (" ", ",") and (spaced := _SPACED.match(text, start)):
        return _spaced(spaced)
    if after in _SEPARATORS:
        run = _RUN.match(text, start) or run
    values = grouped(run.group())
    if not values:
        return None
    numeral = Numeral(start, run.end(), values)
    return _with_fraction(text, numeral) if after in _BEFORE_FRACTION else numeral


def end_of_row(text: str, start: int) -> int:
    """Where the digits and separators that begin at `start` end."""
    row = _RUN.match(text, start)
    return row.end() if row else start + 1


def _spaced(match: re.Match[str]) -> Numeral | None:
    """1 200 is 1200, but may be the last word of a list: its groups are kept as parts."""
    groups = match.group().replace(", ", " ").split(" ")
    whole = grouped("".join(groups).replace(",", "."))
    parts = tuple(value for group in groups for value in grouped(group))
    return Numeral(match.start(), match.end(), (*whole[:1], *parts[-1:]), parts)


@lru_cache(maxsize=4096)
def grouped(run: str) -> tuple[Decimal, ...]:
    """What digits with separators may mean: "1.200" is 1200 or 1.2. Empty where they are no number.

    >>> [str(value) for value in grouped("1.200")]
    ['1200', '1.200']
    """
    marks = [c for c in run if not c.isdigit()]
    if sum(c.isdigit() for c in run) > _LONGEST:
        return ()
    if not marks:
        return (Decimal(run),)
    groups = re.split(r"[.,'\u00a0]", run)
    kinds = set(marks)
    thousands = _are_thousands(groups)
    if len(kinds) == 1 and kinds <= {"'", HARD_SPACE}:
        return (Decimal("".join(groups)),) if thousands else ()
    if len(marks) == 1:
        decimal = Decimal(".".join(groups))
        return (Decimal("".join(groups)), decimal) if thousands else (decimal,)
    if len(kinds) == 1:
        return (Decimal("".join(groups)),) if thousands else ()
    whole_is_grouped = marks[-1] in ".," and marks[-1] not in marks[:-1] and len(kinds) == 2
    if whole_is_grouped and _are_thousands(groups[:-1]):
        return (Decimal("".join(groups[:-1]) + "." + groups[-1]),)
    return ()


def _are_thousands(groups: list[str]) -> bool:
    """1,234,567 and the Indian 12,34,567."""
    first, *rest = groups
    if not 1 <= len(first) <= 3 or first[0] == "0" or len(rest[-1]) != 3:
        return False
    western = all(len(g) == 3 for g in rest)
    return western or (len(first) <= 2 and all(len(g) == 2 for g in rest[:-1]))


def _with_fraction(text: str, numeral: Numeral) -> Numeral:
    """2½ and 2 1/2."""
    match = _FRACTION.match(text, numeral.end)
    if match is None or numeral.values[0] % 1:
        return numeral
    sign, above, below = match.groups()
    if sign is None and (below == "0" or above >= below):
        return numeral
    part = _FRACTIONS[sign] if sign else Decimal(above) / Decimal(below)
    values = tuple(value + part for value in numeral.values)
    return numeral._replace(end=match.end(), values=values, parts=numeral.values)


def numeral_in_words(text: str, start: int) -> Numeral | None:
    """The longest number in English words from `start`; None where there is none.

    "hundred" and "million" alone mean one of them; "dozen" is twelve.
    """
    run = _WORD_RUN.match(text, start)
    if run is None:
        return None
    words = [(m.group().lower(), m.end()) for m in _EACH_WORD.finditer(text, start, run.end())]
    value, count = _value_of([word for word, _ in words])
    if count == 0:
        return None
    numeral = Numeral(start, words[count - 1][1], (Decimal(value),), in_digits=False)
    if half := _AND_A_HALF.match(text, numeral.end):
        return _and_a_half(text, numeral, half)
    return numeral


def _and_a_half(text: str, numeral: Numeral, match: re.Match[str]) -> Numeral:
    """Two and a half; two and a half thousand."""
    said = match.group().lower()
    part = "0.5" if "half" in said else "0.75" if "three" in said else "0.25"
    value = numeral.values[0] + Decimal(part)
    return with_scale(text, Numeral(numeral.start, match.end(), (value,), numeral.values, False))


class _Sum:
    """A number in words as far as it is read. The word before decides what may follow."""

    def __init__(self) -> None:
        self.total = 0
        self.section = 0
        self.last = ""
        self.scale = 10**18

    def take(self, word: str) -> bool:
        """Add a word; False where the number ends before it."""
        if word in UNITS:
            return self._small(UNITS[word], ten_may_stand_before=0 < UNITS[word] < 10)
        if word in TENS:
            return self._small(TENS[word], ten_may_stand_before=False)
        if word == "hundred":
            return self._hundred()
        return self._scale(12 if word == "dozen" else SCALES[word], word)

    def _small(self, value: int, *, ten_may_stand_before: bool) -> bool:
        fits = self.last in ("", "hundred", "scale") or (
            self.last == "ten" and ten_may_stand_before
        )
        if not fits or self.last == "zero":
            return False
        self.section += value
        self.last = "ten" if value >= 20 else "small" if value else "zero"
        return True

    def _hundred(self) -> bool:
        if self.last in ("hundred", "scale", "zero", "dozen") or self.section >= 100:
            return False
        self.section = (self.section or 1) * 100
        self.last = "hundred"
        return True

    def _scale(self, scale: int, word: str) -> bool:
        if self.last in ("scale", "zero", "dozen") or scale >= self.scale:
            return False
        self.total += (self.section or 1) * scale
        self.section = 0
        self.last, self.scale = ("dozen" if word == "dozen" else "scale"), scale
        return True


def _value_of(words: list[str]) -> tuple[int, int]:
    """The number that the words begin with, and how many of them it takes ("and" is skipped)."""
    reading = _Sum()
    taken = 0
    for i, word in enumerate(words):
        if word == "and":
            if reading.last not in ("hundred", "scale"):
                break
            continue
        if not reading.take(word):
            break
        taken = i + 1
    return reading.total + reading.section, taken


def with_scale(text: str, numeral: Numeral) -> Numeral:
    """The numeral with a word of size after it: 1.2 million, 5k, 3 dozen.

    A single m or b is read so only by whoever knows that money is meant; see `measures`.
    """
    match = _SCALE_AFTER.match(text, numeral.end)
    if match is None or (match.group(2) or "").lower() in ("m", "b"):
        return numeral
    return scaled(numeral, match)


def with_money_scale(text: str, numeral: Numeral) -> Numeral:
    """As `with_scale`, and $5m is five million."""
    match = _SCALE_AFTER.match(text, numeral.end)
    return numeral if match is None else scaled(numeral, match)


def scaled(numeral: Numeral, match: re.Match[str]) -> Numeral:
    size = _SCALE_VALUE[(match.group(1) or match.group(2)).lower()]
    values = tuple(value * size for value in numeral.values)
    parts = (*numeral.parts, *numeral.values)
    return numeral._replace(end=match.end(), values=values, parts=parts)
