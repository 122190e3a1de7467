"""Rows as token ids with labels: the loss counts on the answer alone.

The prompt is encoded as it will be asked later, with the same chat template, and the answer apart
from it, so that the border between the two is a token border.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from arf_core.errors import ConfigError
from arf_core.models.chat_template import chat_text
from arf_core.training.chat_trial import refuse_endless
from arf_core.training.training_records import RowLengths
from arf_core.training.training_rows import ExportRow

NO_LOSS = -100
"""The label that torch's cross entropy ignores."""
LEAST_PROMPT = 16
"""Tokens of the prompt that must remain of a row that is cut."""
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_THINKING = "{%- set enable_thinking = false -%}"
DAY = {
    "%A": "Friday",
    "%a": "Fri",
    "%d": "26",
    "%-d": "26",
    "%B": "July",
    "%b": "Jul",
    "%m": "07",
    "%Y": "2024",
    "%H": "12",
    "%M": "00",
    "%S": "00",
}
"""The date in every prompt, by strftime's codes: Llama 3.1's fallback."""
FIXED = {
    "enable_thinking": NO_THINKING,
    "date_string": "{%- set date_string = '26 Jul 2024' -%}",
    "strftime_now": (
        "{%- macro strftime_now(format) -%}{{ format"
        + "".join(f" | replace('{code}', '{text}')" for code, text in DAY.items())
        + " }}{%- endmacro -%}"
    ),
}
"""Variables that are fixed in a template that uses them, so that every later user of the student
sends the prompt it was trained on: no thinking, and the same date every day."""


class EncodedRow(NamedTuple):
    """One row. `labels` are the ids where the loss counts, NO_LOSS elsewhere."""

    input_ids: list[int]
    labels: list[int]
    cut: int
    """Tokens removed from the conversation."""


def with_template(tokenizer: Any) -> Any:
    """The tokenizer with one chat template: its own with FIXED, or ChatML for a base without one.

    Raises ConfigError for a base without template and without ChatML's marks, and for a template
    that does not end.
    """
    template = tokenizer.chat_template
    if isinstance(template, dict):  # several, by purpose
        template = template.get("default")
    if not isinstance(template, str):
        if "<|im_end|>" not in tokenizer.get_vocab():
            raise ConfigError(
                "The base model has no chat template.",
                "Take its Instruct version, or add a chat_template to its tokenizer_config.json.",
            )
        template = CHATML
        tokenizer.eos_token = "<|im_end|>"  # noqa: S105 (a mark, no secret)
    for variable, value in FIXED.items():
        if variable in template and value not in template:
            template = value + template
    tokenizer.chat_template = template
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    refuse_endless(tokenizer)
    return tokenizer


def encode(tokenizer: Any, row: ExportRow) -> EncodedRow:
    """The whole row. Raises ConfigError where a finished chat does not begin with its prompt."""
    prompt = chat_text(tokenizer, row.messages[:-1], asks=True)
    chat = chat_text(tokenizer, row.messages, asks=False)
    if not chat.startswith(prompt):
        raise ConfigError(
            "The base model's chat template words a finished chat otherwise than an asked one.",
            "Put a chat_template that does not into its tokenizer_config.json.",
        )
    asked = _ids(tokenizer, prompt)
    answer = _ids(tokenizer, chat[len(prompt) :])
    return EncodedRow(asked + answer, [NO_LOSS] * len(asked) + answer, 0)


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def fitted(row: EncodedRow, max_length: int) -> EncodedRow | None:
    """The row within the length; None where the answer and a little of the prompt do not fit.

    The answer stays whole. The prompt loses its middle, since a conversation begins with the
    request and ends with the outcome.
    """
    over = len(row.input_ids) - max_length
    if over <= 0:
        return row
    left = row.labels.count(NO_LOSS) - over
    if left < LEAST_PROMPT:
        return None
    head = left // 2
    ids = row.input_ids[:head] + row.input_ids[head + over :]
    labels = row.labels[:head] + row.labels[head + over :]
    return EncodedRow(ids, labels, over)


def prepared(
    tokenizer: Any, rows: Sequence[ExportRow], max_length: int | None, limit: int
) -> tuple[list[EncodedRow], RowLengths]:
    """The rows as the trainer takes them. `limit` is the model's context length."""
    encoded = [encode(tokenizer, row) for row in rows]
    sizes = sorted(len(e.input_ids) for e in encoded)
    p99 = sizes[max(0, math.ceil(0.99 * len(sizes)) - 1)]
    cap = min(max_length or math.ceil(p99 / 8) * 8, limit)
    kept = [row for e in encoded if (row := fitted(e, cap)) is not None]
    learned = sum(label != NO_LOSS for e in kept for label in e.labels)
    lengths = RowLengths(
        rows=len(kept),
        median=sizes[len(sizes) // 2],
        p99=p99,
        longest=sizes[-1],
        max_length=cap,
        truncated=sum(e.cut > 0 for e in kept),
        too_long=len(encoded) - len(kept),
        learned_share=round(learned / max(1, sum(len(e.input_ids) for e in kept)), 4),
    )
    return kept, lengths
