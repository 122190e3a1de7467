"""Persons named in a summary whom nobody named in the conversation.

Only what is surely a person's name is looked at: a common given name, the name after it, and a name
that is introduced as one ("a customer named …", "Mr …"). Other words with a capital may be ordinary
words, titles or what everybody knows.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from arf_core.checks.transcript import Transcript, folded

_DATA = yaml.safe_load(Path(__file__).with_name("given_names.yaml").read_text(encoding="utf-8"))
GIVEN_NAMES = frozenset(_DATA["names"].split())
SHORT_FORMS = tuple(frozenset(names.split()) for names in _DATA["short_forms"])

_NAME = r"[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*"
_TOKEN = re.compile(rf"(?<![\w@#/.&'’-])({_NAME})(?![\w@/&])")
_SURNAME = re.compile(rf" (?:[A-Z]\. )?({_NAME})(?![\w@/&])")
_INTRODUCED = re.compile(
    rf"\b(?:named|by the name of|whose name is|Mrs?\.?|Ms\.?|Dr\.?) ({_NAME})(?![\w@/&])"
)
_POSSESSIVE = re.compile(r"['’]s?\Z")
_SHORTEST = 3
_LONG = 7
_MOST_EDITS = 2
_SOUNDS = str.maketrans("kyz", "cis")
_NO_SURNAME = frozenset(
    "team support service services customer agent hotel store shop bank card app centre center the "
    "street road avenue lane park hall house airport station day show group ltd inc llc company "
    "co corp foundation institute school university college prize award cup museum church hospital "
    "and or but for from with has was who is said will also edition series jr sr".split()
)
"""What follows a name and makes it a firm's, a place's or a thing's, or is no name."""


class PersonName(NamedTuple):
    start: int
    end: int
    text: str


def unknown_names(transcript: Transcript, text: str) -> Iterator[PersonName]:
    """The persons' names in the summary that nothing in the conversation resembles, in order."""
    if transcript.in_other_script:
        return
    for name in likely_names(text):
        if not is_known(name.text, transcript):
            yield name


def likely_names(text: str) -> Iterator[PersonName]:
    """Words of a text that are surely persons' names."""
    found: dict[int, PersonName] = {}
    for match in _INTRODUCED.finditer(text):
        name = _name(match)
        if folded(name.text) not in _NO_SURNAME:
            found[name.start] = name
    for match in _TOKEN.finditer(text):
        word = match.group()
        if folded(word) not in GIVEN_NAMES and not _POSSESSIVE.search(word):
            continue
        name = _name(match)
        if folded(name.text) in GIVEN_NAMES:
            found |= {n.start: n for n in _whole_name(name, text)}
    yield from (found[start] for start in sorted(found))


def _whole_name(name: PersonName, text: str) -> Iterator[PersonName]:
    """A given name and the surname after it; nothing where a firm or a place is named so."""
    following = _SURNAME.match(text, name.end)
    surname = _name(following) if following else None
    if surname and folded(surname.text) in _NO_SURNAME:
        return
    yield name
    if surname and _is_surname(surname, text):
        yield surname


def _name(match: re.Match[str]) -> PersonName:
    text = _POSSESSIVE.sub("", match.group(1))
    return PersonName(match.start(1), match.start(1) + len(text), text)


def _is_surname(name: PersonName, text: str) -> bool:
    """Is it the last of the words with capitals? "Ronald McDonald House" is no person."""
    after = _SURNAME.match(text, name.end)
    return len(name.text) >= _SHORTEST and not name.text.isupper() and after is None


def is_known(name: str, transcript: Transcript) -> bool:
    """Does the conversation hold the name, a form of it, or something spelt nearly so?"""
    if name in transcript.text:
        return True
    plain = folded(name)
    parts = re.findall(r"[^\W\d_]+", plain)
    joined = "".join(parts)
    if not joined or joined.upper() in transcript.squeezed or plain in transcript.folded:
        return True
    if any(transcript.words & forms for forms in SHORT_FORMS if plain in forms):
        return True
    spelt = _sound(joined)
    near = (
        _sound(word) for word in transcript.words if abs(len(word) - len(joined)) <= _MOST_EDITS
    )
    return any(_alike(spelt, word) for word in near) or any(
        word.startswith(joined) or (len(word) >= _SHORTEST and joined.startswith(word))
        for word in transcript.words
    )


def _alike(name: str, word: str) -> bool:
    """One slip apart, two in long names, with the same beginning."""
    if len(word) < _SHORTEST or word[0] != name[0]:
        return False
    return within_edits(name, word, _MOST_EDITS if len(name) >= _LONG else 1)


def _sound(name: str) -> str:
    """Letters that names are spelt with either way, in one form: Catherine and Katharine."""
    return name.replace("ph", "f").translate(_SOUNDS)


def within_edits(first: str, second: str, most: int) -> bool:
    """Can one word be made of the other by at most so many letters put in, out, or exchanged?"""
    if abs(len(first) - len(second)) > most:
        return False
    row = list(range(len(second) + 1))
    before: list[int] = []
    for i, a in enumerate(first, 1):
        new = [i]
        for j, b in enumerate(second, 1):
            cost = min(row[j] + 1, new[-1] + 1, row[j - 1] + (a != b))
            if before and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1] <= most
