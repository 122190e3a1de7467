"""Which currency a word or sign beside a number names."""

import re

from arf_core.checks.figures import units

SIGNS = "".join(units.CURRENCY_SIGNS)
_BEFORE_SIGN = re.compile(rf"(?:(?<![^\W_])([A-Za-z]{{1,2}}))?([{SIGNS}])[ \u00a0]?\Z")
_BEFORE_WORD = re.compile(r"(?<![^\W_])([^\W\d_]{1,3})\.?[ \u00a0]?\Z")
_ENDS_CURRENCY = frozenset(SIGNS + " .\u00a0")


def currency_before(text: str, start: int) -> tuple[int, str] | None:
    """Where the currency before a number begins, and the ISO codes it may mean."""
    if start == 0 or (text[start - 1] not in _ENDS_CURRENCY and not text[start - 1].isalpha()):
        return None
    before = text[max(0, start - 6) : start]
    offset = start - len(before)
    if sign := _BEFORE_SIGN.search(before):
        letters = (sign.group(1) or "").lower()
        if sign.group(2) == "$" and letters in units.DOLLAR_LETTERS:
            return offset + sign.start(), units.DOLLAR_LETTERS[letters]
        return offset + sign.start(2), units.CURRENCY_SIGNS[sign.group(2)]
    if word := _BEFORE_WORD.search(before):
        found = _currency_word_before(word.group(1), attached=word.end(1) == len(before))
        return None if found is None else (offset + word.start(), found)
    return None


def _currency_word_before(word: str, *, attached: bool) -> str | None:
    if word in units.CURRENCY_CODES:
        return units.CURRENCY_CODES[word]
    if word == "R" and attached:
        return "ZAR"
    if word == "fr":  # the preposition of no language we read, but French "fr" follows numbers
        return None
    return units.CURRENCY_BEFORE.get(word.lower())


def confirmed(word: str) -> str | None:
    """The currency said once more after the number: $45 CAD, $45 dollars."""
    said_again = word.lower() in ("dollar", "dollars")
    return units.DOLLARS if said_again else units.CURRENCY_CODES.get(word)


def currency_after(word: str) -> str | None:
    return units.CURRENCY_CODES.get(word) or units.CURRENCY_WORDS.get(singular(word.lower()))


def narrower(first: str, second: str) -> str:
    both = [code for code in first.split() if code in second.split()]
    return " ".join(both) or second


def singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") else word
