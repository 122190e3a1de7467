"""What was said: a conversation as one text, with what the rules look up in it.

Whatever is costly is made when it is first asked for, since most summaries need little of it.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

from arf_core.checks.number import squeezed

if TYPE_CHECKING:  # the workers start in a third of the time without the records
    from arf_core.records import Conversation, Scalar

BREAK = "\x00"
"""Stands between turns: no word, no digit and no white space, so that nothing reads across it."""

AGENTS = frozenset(
    "agent bot assistant support advisor adviser representative rep operator staff system".split()
)
_ISO_DAY = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_WORD = re.compile(r"[^\W_]+")
_ENGLISH = frozenset(
    "the a an is are was were to of in on at for and or but i you he she it we they my your his "
    "her our their this that with have has had do does did not can will would be me so if as from "
    "by about what how when please thanks more than which who after before its been also".split()
)
_OTHER = frozenset(
    "hai hain ka ki ko ke se mera meri mere nahi nahin kya aap mujhe hoon raha rahi rahe karo kar "
    "karna bhi yeh woh toh bol yaar ji haan kyun abhi mein aapka aapki der das und nicht ist ich "
    "wir sie mit auf ein eine haben bitte le et pas je vous nous une pour dans avec mais sur merci "
    "bonjour el que por para una mi con muy gracias pero esta il che non di sono della grazie um "
    "uma nao os obrigado voce het een niet voor dat zijn jest nie sie".split()
)
_ENGLISH_FOR_EACH_OTHER = 6
_ENGLISH_SHARE = 0.1
_FOREIGN_SHARE = 0.1
_LAST_LATIN = "\u024f"


class TranscriptTurn(NamedTuple):
    """A turn, without the cost of a record."""

    speaker: str
    text: str
    at: datetime | None = None


class Transcript:
    """A conversation as the rules read it: turns, then speakers' names and attributes."""

    def __init__(self, lines: Iterable[TranscriptTurn], attributes: Iterable[str] = ()) -> None:
        self.lines = tuple(lines)
        self.attributes = tuple(attributes)
        self._starts: list[int] = []
        at = 0
        for line in self.lines:
            self._starts.append(at)
            at += len(line.text) + 1
        self._turns_end = at
        speakers = dict.fromkeys(line.speaker for line in self.lines)
        parts = [*(line.text for line in self.lines), *speakers, *self.attributes]
        self.text = BREAK.join(parts)

    @classmethod
    def of(cls, conversation: "Conversation") -> Self:
        lines = (TranscriptTurn(turn.speaker, turn.text, turn.at) for turn in conversation.turns)
        return cls(lines, attribute_texts(conversation.attributes, conversation.external_id))

    def turn_at(self, offset: int) -> int | None:
        """The turn that a character of `text` belongs to; None in speakers and attributes."""
        return bisect_right(self._starts, offset) - 1 if offset < self._turns_end else None

    def turns_with(self, pattern: re.Pattern[str]) -> tuple[int, ...]:
        """The turns in which a pattern is found."""
        return tuple(i for i, line in enumerate(self.lines) if pattern.search(line.text))

    def by_agent(self, turn: int) -> bool:
        """Did the company speak?"""
        return self.lines[turn].speaker.strip(" #*[]").casefold() in AGENTS

    @cached_property
    def folded(self) -> str:
        return folded(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words, in lower case, without accents."""
        return frozenset(_WORD.findall(self.folded))

    @cached_property
    def in_english(self) -> bool:
        """Is it surely English, so that numbers and months in words are understood?

        Its little words are 20 to 50 % of the words of a text in it; those of other languages,
        which in a mixture stand between them, are none.
        """
        words = _WORD.findall(self.folded)
        english = sum(word in _ENGLISH for word in words)
        other = sum(word in _OTHER for word in words)
        enough = english >= _ENGLISH_SHARE * len(words)
        return enough and english >= _ENGLISH_FOR_EACH_OTHER * other and not self.in_other_script

    @cached_property
    def in_other_script(self) -> bool:
        """Are many of its letters not Latin ones, so that names are spelt otherwise?"""
        if self.text.isascii():
            return False
        letters = [c for c in self.folded if c.isalpha()]
        return sum(c > _LAST_LATIN for c in letters) > _FOREIGN_SHARE * len(letters)

    @cached_property
    def squeezed(self) -> str:
        """Letters and digits alone, in upper case, turn after turn."""
        return squeezed(self.text)

    @cached_property
    def days(self) -> frozenset[date]:
        """When the conversation took place, as far as that is known."""
        stamped = {line.at.date() for line in self.lines if line.at}
        return frozenset(stamped | set(_whole_days(self.attributes)))


def attribute_texts(attributes: Mapping[str, "Scalar"], external_id: str) -> list[str]:
    """The values that are known of a conversation besides its words."""
    values = (v for v in attributes.values() if v is not None and not isinstance(v, bool))
    return [external_id, *(str(value) for value in values)]


def _whole_days(texts: Iterable[str]) -> Iterable[date]:
    for text in texts:
        for match in _ISO_DAY.finditer(text[:200]):
            try:
                yield date.fromisoformat(match.group())
            except ValueError:  # 2025-13-40
                continue


def folded(text: str) -> str:
    """Text in lower case without accents. Its offsets are not those of the text given."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))
