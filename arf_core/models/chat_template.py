"""Applies a model's chat template, and keeps special tokens such as <|im_end|> out of messages.

A tokenizer reads a special token wherever its text occurs, so a conversation that contained one
could end a turn and forge the next.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from arf_core.errors import ConfigError, in_one_line

CORRECT = (
    "Use another model, or correct the template in its folder: chat_template.jinja, or "
    "chat_template in tokenizer_config.json."
)


class SpecialTokens:
    """The special tokens of one tokenizer."""

    def __init__(self, texts: Iterable[str]) -> None:
        # plain text among the added tokens, such as a run of spaces, forges nothing
        special = sorted({t for t in texts if t.startswith(("<", "[")) and len(t) > 1}, key=len)
        self._pattern = re.compile("|".join(map(re.escape, reversed(special))) or r"(?!)")

    def split_in(self, messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        """The messages with a space in each special token, which makes it ordinary text."""
        return [{**m, "content": self._split(m["content"])} for m in messages]

    def _split(self, text: str) -> str:
        while self._pattern.search(text):
            text = self._pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
        return text


@lru_cache(maxsize=4)  # needed for every row, and large vocabularies have hundreds
def special_tokens(tokenizer: Any) -> SpecialTokens:
    """Those of a transformers tokenizer."""
    return SpecialTokens(token.content for token in tokenizer.added_tokens_decoder.values())


def chat_text(tokenizer: Any, messages: Sequence[dict[str, str]], *, asks: bool) -> str:
    """The messages as the model's template writes them; `asks` adds the beginning of the answer.

    Raises ConfigError where the template fails.
    """
    safe = special_tokens(tokenizer).split_in(messages)
    try:
        text = tokenizer.apply_chat_template(safe, tokenize=False, add_generation_prompt=asks)
    except Exception as error:
        roles = ", ".join(m["role"] for m in messages)
        raise ConfigError(
            f"The model's chat template cannot word a chat of {roles}: {in_one_line(error)}",
            CORRECT,
        ) from error
    return str(text)
