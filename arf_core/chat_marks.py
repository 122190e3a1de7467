"""Marks of a chat, such as <|im_end|>: tokens that only a template may set.

A tokenizer takes a mark for one wherever it stands. Whoever writes one into a conversation would
end a turn, and forge the next; so what stands between the template's own marks is only words.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any


class Marks:
    """The marks of one tokenizer."""

    def __init__(self, texts: Iterable[str]) -> None:
        # plain words among the added tokens, such as a run of spaces, forge nothing
        marks = sorted({t for t in texts if t.startswith(("<", "[")) and len(t) > 1}, key=len)
        self._pattern = re.compile("|".join(map(re.escape, reversed(marks))) or r"(?!)")

    def as_words(self, messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        """The messages with a space within each mark that stands in their texts."""
        return [{**m, "content": self._split(m["content"])} for m in messages]

    def _split(self, text: str) -> str:
        while self._pattern.search(text):
            text = self._pattern.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)
        return text


@lru_cache(maxsize=4)  # asked for with every row, and large vocabularies have hundreds of marks
def marks_of(tokenizer: Any) -> Marks:
    """Those of a tokenizer of transformers."""
    return Marks(token.content for token in tokenizer.added_tokens_decoder.values())
