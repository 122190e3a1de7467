"""What a run will take, before it begins: calls, tokens, money and time, each as a range.

Nothing is sent. The requests about a sample of the items are made as the run would make them; their
tokens per byte, the length of replies and the speed come from earlier calls of the same model for
the same task, where there are any. Every estimate says what it is based on.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from operator import mul, truediv
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement

from arf_core.models import Request, Traits, admit
from arf_core.models.ask import PromptPlugin
from arf_core.models.calls import stored_replies
from arf_core.models.cost import spent
from arf_core.models.history import History, history_of
from arf_core.models.limits import BYTES_PER_TOKEN
from arf_core.project import Project
from arf_core.records import Record
from arf_core.store import schema


class Range(Record):
    """At least, likely, at most."""

    low: float
    likely: float
    high: float


def combined(function: Callable[..., float], *ranges: Range) -> Range:
    """The range whose ends are `function` of the ends of others."""
    ends = zip(*(r.model_dump().values() for r in ranges), strict=True)
    low, likely, high = (function(*values) for values in ends)
    return Range(low=low, likely=likely, high=high)


NOTHING = Range(low=0, likely=0, high=0)
BYTES_A_TOKEN = Range(low=5.5, likely=4.2, high=BYTES_PER_TOKEN)
"""For the low, likely and high number of tokens, until this model has counted some."""
REPLY_TOKENS = Range(low=20, likely=300, high=2048)
"""Until the model has replied for this task; max_tokens bounds it."""
SAMPLE = 200
"""About how many requests are made."""
AROUND_SPEED = Range(low=0.67, likely=1, high=1.5)
"""From a third quicker to half slower than before."""


class Estimate(Record):
    """What a run will take."""

    who: str
    """The plug-in that would work, such as `llm:gpt`."""
    items: int
    """Summaries that are still to be done."""
    calls: Range = NOTHING
    stored: float = 0.0
    """Requests whose answers are stored already, so that they are not sent."""
    prompt_tokens: Range = NOTHING
    completion_tokens: Range = NOTHING
    cost: Range | None = None
    """None where no price is known."""
    currency: str = ""
    budget_left: float | None = None
    """None where the project has no budget."""
    seconds: Range | None = None
    """None where the model's speed is unknown."""
    rests_on: tuple[str, ...] = ()
    """Sentences: what it is based on, and what would make it better."""

    @property
    def within_budget(self) -> Literal["yes", "perhaps", "no"] | None:
        """None where there is no budget, or no price."""
        if self.budget_left is None or self.cost is None:
            return None
        if self.cost.high <= self.budget_left:
            return "yes"
        return "no" if self.cost.low > self.budget_left else "perhaps"


class Worker(Protocol):
    """A plug-in; one that is no `PromptPlugin` asks no chat model."""

    name: str


def estimate_calls(
    project: Project,
    worker: Worker,
    count: int,
    sampled: int | None,
    sample: Iterable[Any],
    fresh: bool,
) -> Estimate:
    """What `worker` will take for `count` summaries.

    `sample` has its items for `sampled` of them: fewer, where some summaries need no question; None
    where each has one. Raises ModelError where the privacy settings forbid the worker's model.
    """
    if not isinstance(worker, PromptPlugin):
        note = f"{worker.name} makes no calls to a chat model."
        return Estimate(who=worker.name, items=count, rests_on=(note,))
    model, store, limits = worker.runner.chat, project.store, project.settings.limits
    admit(model, project.settings.privacy)
    requests = [worker.request(item) for item in sample]
    sampled = len(requests) if sampled is None else sampled
    keys = [r.key(model.identity) for r in requests]
    stored = {} if fresh else stored_replies(store, keys)
    to_send = [r for r, key in zip(requests, keys, strict=True) if key not in stored]
    past = history_of(store, model.name, worker.runner.task)
    asks = _share(len(to_send), sampled, count)
    calls = combined(mul, asks, _repetition(past.calls_an_item))
    answered = combined(mul, asks, _repetition(past.answered_an_item))
    prompt = combined(mul, answered, _prompt_tokens(to_send, past, whole=sampled >= count))
    completion = combined(mul, answered, _reply_tokens(past, model.traits))
    price, budget = model.traits.price, limits.budget
    return Estimate(
        who=worker.name,
        items=count,
        calls=calls,
        stored=round(count * (len(requests) - len(to_send)) / max(sampled, 1)),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=None if price is None else combined(price.of, prompt, completion),
        currency=limits.currency,
        budget_left=None if budget is None else max(0.0, budget - spent(store)),
        seconds=_seconds(asks, calls, prompt, past, model.traits),
        rests_on=_rests_on(model.name, model.traits, past, len(requests), count),
    )


def thinned(count: int) -> tuple[ColumnElement[bool], ...]:
    """Condition that keeps about SAMPLE of `count` summaries, spread over a system."""
    step = math.ceil(count / SAMPLE)
    return (schema.summary.c.seq % step == 0,) if step > 1 else ()


def _share(hits: int, sampled: int, count: int) -> Range:
    """`hits` of `sampled`, out of `count`: within two standard errors where it is a sample."""
    if not sampled:
        return NOTHING
    share = hits / sampled
    doubt = 2 * math.sqrt(share * (1 - share) / sampled) if sampled < count else 0.0
    return Range(
        low=round(count * max(share - doubt, 0)),
        likely=round(count * share),
        high=round(count * min(share + doubt, 1)),
    )


def _repetition(measured: float | None) -> Range:
    """Calls for one item: more than one where a reply is asked for again, or a call fails."""
    likely = max(1.0, measured or 1.0)
    return Range(low=1, likely=likely, high=max(1.1, 1 + 2 * (likely - 1)))


def _prompt_tokens(requests: Sequence[Request], past: History, whole: bool) -> Range:
    """Tokens of one request."""
    if not requests:
        return NOTHING
    sizes = [r.size for r in requests]
    mean = sum(sizes) / len(sizes)
    spread = math.sqrt(sum((s - mean) ** 2 for s in sizes) / len(sizes))
    doubt = 0.0 if whole else 2 * spread / math.sqrt(len(sizes))
    size = Range(low=mean - doubt, likely=mean, high=mean + doubt)
    if past.bytes_a_token is None:
        return combined(truediv, size, BYTES_A_TOKEN)
    measured = past.bytes_a_token
    return combined(
        truediv, size, Range(low=1.03 * measured, likely=measured, high=measured / 1.03)
    )


def _reply_tokens(past: History, traits: Traits) -> Range:
    most = float(traits.max_tokens or REPLY_TOKENS.high)
    if past.reply_tokens is None:
        return combined(lambda tokens: min(tokens, most), REPLY_TOKENS)
    mean, doubt = past.reply_tokens, past.reply_doubt
    return Range(low=max(0.0, mean - doubt), likely=mean, high=min(mean + doubt, most))


def _seconds(
    asks: Range, calls: Range, tokens: Range, past: History, traits: Traits
) -> Range | None:
    """At about the speed of earlier calls, and within the model's limits a minute."""
    speed = past.items_a_second
    if speed is None:
        return None

    def slowest(items: float, calls: float, tokens: float) -> float:
        return max(
            items / speed,
            60 * calls / (traits.requests_per_minute or math.inf),
            60 * tokens / (traits.tokens_per_minute or math.inf),
        )

    return combined(slowest, combined(mul, asks, AROUND_SPEED), calls, tokens)


def _rests_on(name: str, traits: Traits, past: History, made: int, count: int) -> tuple[str, ...]:
    notes = [f"The questions about {made:,} of {count:,} summaries, made but not sent."]
    if past.items:
        notes.append(
            f"{past.items:,} earlier answers of {name}: {past.reply_tokens or 0:.0f} tokens a "
            f"reply, {past.bytes_a_token or 0:.1f} bytes a token"
            + (f", {past.items_a_second:.3g} a second." if past.items_a_second else ".")
        )
    else:
        notes.append(
            f"{name} has not done this task yet, so lengths are guesses and its pace is unknown: "
            "run it on 20 first (--limit 20), and the range shrinks."
        )
    if traits.price is None:
        notes.append(
            f"{name} has no price in arf.toml, so the cost is unknown."
            if traits.leaves
            else f"{name} works in this process and costs no money."
        )
    return tuple(notes)
