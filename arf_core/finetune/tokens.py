"""Rows as token ids with labels: the loss counts on the answer alone.

The prompt is encoded as it will be asked later, with the same chat template, and the answer apart
from it, so that the border between the two is a border of tokens.
"""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from arf_core.errors import ConfigError
from arf_core.finetune import template_trial
from arf_core.finetune.export import ExportRow
from arf_core.models.chat_template import CORRECT, chat_text
from arf_core.records import Record

NO_LOSS = -100
"""The label that torch's cross entropy ignores."""
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>")
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
"""The day that every prompt names, by strftime's codes: the one that Llama 3.1 falls back on."""
FIXED = {
    "enable_thinking": NO_THINKING,
    "date_string": "{%- set date_string = '26 Jul 2024' -%}",
    "strftime_now": (
        "{%- macro strftime_now(format) -%}{{ format"
        + "".join(f" | replace('{code}', '{said}')" for code, said in DAY.items())
        + " }}{%- endmacro -%}"
    ),
}
"""What a template is told for good where it asks for it, so that every later user gets the very
prompt that was learnt from, on every day: not to think, and the day."""


class Encoded(NamedTuple):
    """One row. `labels` are the ids where the loss counts, NO_LOSS elsewhere."""

    input_ids: list[int]
    labels: list[int]
    cut: int
    """Tokens of the conversation that did not fit."""


class Lengths(Record):
    """How long the rows are, in tokens, and what did not fit."""

    rows: int
    median: int
    p99: int
    longest: int
    max_length: int
    """Where rows are cut."""
    truncated: int
    """Rows that lost the middle of their conversation."""
    too_long: int
    """Rows whose answer alone does not fit: they are left out."""
    learned_share: float
    """Share of all tokens on which the loss counts."""


def with_template(tokenizer: Any) -> Any:
    """The tokenizer with one chat template: its own with what is FIXED, or ChatML for a base that
    has none.

    Raises ConfigError where there is no template and no place for ChatML's marks, or where the
    template comes to no end.
    """
    template = tokenizer.chat_template
    if isinstance(template, dict):  # several, by what they are for
        template = template.get("default")
    if not isinstance(template, str):
        if "<|im_end|>" not in tokenizer.get_vocab():
            raise ConfigError(
                "The base model has no chat template.",
                "Take its Instruct version, or add a chat_template to its tokenizer_config.json.",
            )
        template = CHATML
        tokenizer.eos_token = "<|im_end|>"  # noqa: S105 (a mark, no secret)
    for asked, fixed in FIXED.items():
        if asked in template and fixed not in template:
            template = fixed + template
    tokenizer.chat_template = template
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    _refuse_endless(tokenizer)
    return tokenizer


def _refuse_endless(tokenizer: Any) -> None:
    """Raises ConfigError for a template that does not come to an end with a short chat."""
    chat = [{"role": role, "content": "."} for role in ("system", "user", "assistant")]
    given = {"tools": None, "documents": None, **tokenizer.special_tokens_map}
    asked = {"messages": chat[:-1], "add_generation_prompt": True, **given}
    whole = {"messages": chat, "add_generation_prompt": False, **given}
    tried = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-P", template_trial.__file__],
        input=json.dumps({"template": tokenizer.chat_template, "chats": [asked, whole]}),
        text=True,
        check=False,
    )
    if tried.returncode < 0 or tried.returncode == template_trial.TOO_MUCH:
        raise ConfigError(
            "The base model's chat template comes to no end: a short chat takes it more than "
            f"{template_trial.SECONDS} s, {template_trial.BYTES // 2**30} GB or "
            f"{template_trial.CHARACTERS:,} characters.",
            CORRECT,
        )
    tried.check_returncode()


def encode(tokenizer: Any, row: ExportRow) -> Encoded:
    """The whole row. Raises ConfigError where the template words an answer other than a prompt."""
    prompt = chat_text(tokenizer, row.messages[:-1], asks=True)
    whole = chat_text(tokenizer, row.messages, asks=False)
    if not whole.startswith(prompt):
        raise ConfigError(
            "The base model's chat template words a finished chat otherwise than an asked one.",
            "Put a chat_template that does not into its tokenizer_config.json.",
        )
    asked = _ids(tokenizer, prompt)
    answer = _ids(tokenizer, whole[len(prompt) :])
    return Encoded(asked + answer, [NO_LOSS] * len(asked) + answer, 0)


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def fitted(row: Encoded, max_length: int) -> Encoded | None:
    """The row within the length. The answer stays whole; of the prompt the middle gives way, since
    a conversation begins with the request and ends with how it stands. None where the answer, and
    as much of the prompt, do not fit."""
    over = len(row.input_ids) - max_length
    if over <= 0:
        return row
    asked = row.labels.count(NO_LOSS)
    keep = asked - over
    if keep < 16:
        return None
    head = keep // 2
    gone = slice(head, head + over)
    ids, labels = list(row.input_ids), list(row.labels)
    del ids[gone], labels[gone]
    return Encoded(ids, labels, over)


def prepared(
    tokenizer: Any, rows: Sequence[ExportRow], max_length: int | None, limit: int
) -> tuple[list[Encoded], Lengths]:
    """The rows as the trainer takes them. `limit` is the longest text that the model can read."""
    encoded = [encode(tokenizer, row) for row in rows]
    sizes = sorted(len(e.input_ids) for e in encoded)
    p99 = sizes[max(0, math.ceil(0.99 * len(sizes)) - 1)]
    cap = min(max_length or math.ceil(p99 / 8) * 8, limit)
    fit = [fitted(e, cap) for e in encoded]
    kept = [e for e in fit if e is not None]
    learned = sum(label != NO_LOSS for e in kept for label in e.labels)
    lengths = Lengths(
        rows=len(kept),
        median=sizes[len(sizes) // 2],
        p99=p99,
        longest=sizes[-1],
        max_length=cap,
        truncated=sum(e.cut > 0 for e in kept),
        too_long=len(fit) - len(kept),
        learned_share=round(learned / max(1, sum(len(e.input_ids) for e in kept)), 4),
    )
    return kept, lengths
