"""The small base of the closed world: a Llama shape pre-trained on conversations alone.

    python -m benchmarks.closed_world.base FOLDER

It has seen no summary, true or not: what it has learnt is the language in a first pass, and in two
more to copy, by saying turns of a conversation again in another order. Kept in
examples/closed_world/base, in 16 bit.
"""

import argparse
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from arf_core.finetune.practice import make_base
from benchmarks.closed_world.language import (
    ISSUE,
    NEXT_STEP,
    OUTCOME,
    Case,
    cases,
)

WIDTH = 96
CONVERSATIONS = 16_000
ECHOED = 4


class Pass(NamedTuple):
    """One pass of the pre-training."""

    seed: str
    batch: int
    rate: float


ECHOES = (Pass("echo", 16, 3e-3), Pass("echo-2", 8, 5e-3))
CARD = """---
license: apache-2.0
---
# closed-world

{weights:,} weights in the shape of Llama, pre-trained on {n:,} generated conversations of the
closed world (loss {loss:.3f}), never on a summary. A practice model: it knows no other language.
Made by `python -m benchmarks.closed_world.base`.
"""
SYSTEM = "Summarise."
PROMPT = f"""{{% block system %}}
{SYSTEM}
{{% endblock %}}
{{% block user %}}
{{% for turn in conversation.turns %}}
{{{{ turn.speaker }}}}: {{{{ turn.text }}}}
{{% endfor %}}
{{% endblock %}}
"""
"""The project's own summarise prompt: the shipped one is longer than the conversations."""


def spoken(case: Case) -> str:
    return "\n".join(f"{turn.speaker}: {turn.text}" for turn in case.turns)


def asked(case: Case) -> list[dict[str, str]]:
    """The messages that a student is asked with: PROMPT, filled in."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": spoken(case)}]


def echoed(case: Case, number: int) -> list[dict[str, str]]:
    """The same, answered by some of its turns in any order: to answer it is enough to copy."""
    turns = random.Random(number).sample(case.turns, ECHOED)
    said = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
    return [*asked(case), {"role": "assistant", "content": said}]


def make(folder: Path, n: int = CONVERSATIONS, width: int = WIDTH) -> float:
    """Write the base into `folder`. Returns the loss at the end, in nats a token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    seen = cases(n, "train", "base")
    # so that the words of summaries are tokens too; no sentence of one is in it
    words = {w for t in (*ISSUE, *NEXT_STEP, *sum(OUTCOME.values(), ())) for w in t.split()}
    words = {f"The {w}" for w in words if "{" not in w}
    roles = ["system", "user", "assistant"]
    make_base(folder, [SYSTEM, *roles, *sorted(words), *map(spoken, seen)], width=width)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    loss = _pretrain(model, tokenizer, [asked(case) for case in seen], Pass("base", 32, 3e-3))
    for echo in ECHOES:
        again = cases(n // 2, "train", echo.seed)
        loss = _pretrain(model, tokenizer, list(map(echoed, again, range(len(again)))), echo)
    model.to(torch.float16).save_pretrained(folder)
    weights = sum(p.numel() for p in model.parameters())
    card = CARD.format(weights=weights, n=n, loss=loss)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return loss


def _pretrain(
    model: Any, tokenizer: Any, chats: Sequence[list[dict[str, str]]], how: Pass
) -> float:
    """One pass over the chats. Returns the loss at its end."""
    import torch

    steps = math.ceil(len(chats) / how.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, how.rate, total_steps=steps, pct_start=0.05
    )
    began, lately = time.monotonic(), 0.0
    for step, (ids, labels) in enumerate(_batches(tokenizer, chats, how.batch)):
        loss = model(input_ids=ids, labels=labels, attention_mask=(labels >= 0).long()).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        lately = loss.item() if step == 0 else 0.95 * lately + 0.05 * loss.item()
        if step % 25 == 0:
            print(f"{step}/{steps} {lately:.3f} {time.monotonic() - began:.0f} s", flush=True)
    return lately


def _batches(
    tokenizer: Any, chats: Sequence[list[dict[str, str]]], batch: int
) -> Iterator[tuple[Any, Any]]:
    import torch

    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    encoded = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts]
    for at in range(0, len(encoded), batch):
        part = encoded[at : at + batch]
        width = max(map(len, part))
        ids = torch.tensor([x + [tokenizer.pad_token_id] * (width - len(x)) for x in part])
        labels = torch.tensor([x + [-100] * (width - len(x)) for x in part])
        yield ids, labels


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.closed_world.base", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--width", type=int, default=WIDTH)
    given = parser.parse_args()
    loss = make(given.folder, given.conversations, given.width)
    print(f"loss {loss:.3f}")


if __name__ == "__main__":
    main()
