"""The small base of the closed world: a Llama shape pre-trained on conversations alone.

    python -m benchmarks.closed_world.base FOLDER

It has seen no summary, true or not: what it has learnt is the language in a first pass, and in a
second to find things again, by telling turns of a conversation anew, in other words and another
order. Kept in examples/closed_world/closed-world, in 16 bit.
"""

import argparse
import itertools
import math
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from arf_core.training.practice import make_base
from benchmarks.closed_world.language import ISSUE, NEXT_STEP, OUTCOME, Case, cases, turns_of

WIDTH, LAYERS = 96, 4
EVEN = 0.25
"""In what it reads nothing is rarer than its like: half a million weights forget what is."""
RETOLD = 4
"""Turns of a retelling."""


Chat = list[dict[str, str]]


class Pass(NamedTuple):
    """One pass of the pre-training."""

    seed: str
    conversations: int
    batch: int
    rate: float


LANGUAGE = Pass("base", 4_000, 32, 3e-3)
RETELLING = Pass("retold", 24_000, 16, 3e-3)
CARD = """---
license: apache-2.0
---
# closed-world

{weights:,} weights in the shape of Llama, pre-trained on {n:,} generated conversations of the
closed world, told once or twice (loss {loss:.3f}), never on a summary. A practice model: it knows
no other language.
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


def asked(case: Case) -> Chat:
    """The messages that a student is asked with: PROMPT, filled in."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": spoken(case)}]


def retold(case: Case) -> Chat:
    """The same, answered by turns of another conversation with these facts: what the customer paid,
    what was promised and who has to act must be found, to be said in other words."""
    chance = random.Random(f"retold:{case.id}")
    turns = chance.sample(turns_of(case.facts, chance), RETOLD)
    said = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
    return [*asked(case), {"role": "assistant", "content": said}]


def make(
    folder: Path, language: Pass = LANGUAGE, retelling: Pass = RETELLING, width: int = WIDTH
) -> float:
    """Write the base into `folder`. Returns the loss at the end, in nats a token of a retelling."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    seen = cases(language.conversations, "train", language.seed, EVEN)
    # so that the words of summaries are tokens too; no sentence of one is in it
    words = {w for t in (*ISSUE, *NEXT_STEP, *sum(OUTCOME.values(), ())) for w in t.split()}
    words = {f"The {w}" for w in words if "{" not in w}
    texts = [SYSTEM, "system", "user", "assistant", *sorted(words), *map(spoken, seen)]
    make_base(folder, texts, width=width, layers=LAYERS)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    _pretrain(model, tokenizer, map(asked, seen), language)
    again = cases(retelling.conversations, "train", retelling.seed, EVEN)
    loss = _pretrain(model, tokenizer, map(retold, again), retelling)
    model.to(torch.float16).save_pretrained(folder)
    weights = sum(p.numel() for p in model.parameters())
    n = language.conversations + retelling.conversations
    card = CARD.format(weights=weights, n=n, loss=loss)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return loss


def _pretrain(model: Any, tokenizer: Any, chats: Iterable[Chat], how: Pass) -> float:
    """One pass over the chats. Returns the loss at its end."""
    import torch

    steps = math.ceil(how.conversations / how.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, how.rate, total_steps=steps, pct_start=0.05
    )
    began, lately = time.monotonic(), 0.0
    for step, (ids, labels) in enumerate(_batches(tokenizer, chats, how.batch)):
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        lately = loss.item() if step == 0 else 0.95 * lately + 0.05 * loss.item()
        if step % 25 == 0:
            print(f"{step}/{steps} {lately:.3f} {time.monotonic() - began:.0f} s", flush=True)
    return lately


def _batches(tokenizer: Any, chats: Iterable[Chat], batch: int) -> Iterator[tuple[Any, Any]]:
    """Token ids and labels, each (batch, longest). Padded at the right, where a causal model looks
    at nothing. Where there is an answer it alone is learnt: the rest falls by chance."""
    import torch

    chats = iter(chats)
    while part := list(itertools.islice(chats, batch)):
        rows = [_encoded(tokenizer, chat) for chat in part]
        width = max(len(ids) for ids, _ in rows)
        pad = tokenizer.pad_token_id
        ids = torch.tensor([x + [pad] * (width - len(x)) for x, _ in rows])
        labels = torch.tensor([y + [-100] * (width - len(y)) for _, y in rows])
        yield ids, labels


def _encoded(tokenizer: Any, chat: Chat) -> tuple[list[int], list[int]]:
    def ids_of(messages: Chat, **options: bool) -> list[int]:
        text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    ids = ids_of(chat)
    if chat[-1]["role"] != "assistant":
        return ids, ids
    before = len(ids_of(chat[:-1], add_generation_prompt=True))
    return ids, [-100] * before + ids[before:]


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.closed_world.base", description=__doc__)
    parser.add_argument("folder", type=Path)
    print(f"loss {make(parser.parse_args().folder):.3f}")


if __name__ == "__main__":
    main()
