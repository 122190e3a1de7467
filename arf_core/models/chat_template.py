"""A chat in a model's own form, by its template, and the marks of that, such as <|im_end|>: tokens
that only a template may set.

A tokenizer takes a mark for one wherever it stands. Whoever writes one into a conversation would
end a turn, and forge the next; so what stands between the template's own marks is only words.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from arf_core.errors import ConfigError, in_one_line

CORRECT = (
    "Take another model, or correct the template in its folder: chat_template.jinja, or "
    "chat_template in tokenizer_config.json."
)


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


def chat_text(tokenizer: Any, messages: Sequence[dict[str, str]], *, asks: bool) -> str:
    """Messages in the model's own form; `asks` adds the beginning of the answer. A mark that stands
    in a message is only words. Raises ConfigError with what the template raises."""
    said = marks_of(tokenizer).as_words(messages)
    try:
        text = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=asks)
    except Exception as error:
        roles = ", ".join(m["role"] for m in messages)
        raise ConfigError(
            f"The model's chat template cannot word a chat of {roles}: {in_one_line(error)}",
            CORRECT,
        ) from error
    return str(text)
