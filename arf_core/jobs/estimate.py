"""What a run will take, before it begins: calls, tokens, money and time, each as a range.

Nothing is sent. The questions about a sample of the items are made as the run would make them; how
many tokens they have, how long the replies are and how fast they come is taken from earlier calls
of the same model for the same task, where there are any. Every estimate says what it rests on.
"""

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

from sqlalchemy import select

from arf_core.analysis.analyze import AnalyzeSettings, count_work, unread_by
from arf_core.analysis.detectors import open_detector
from arf_core.models import Request, Traits
from arf_core.models.ask import AsksModel
from arf_core.models.cost import CHARS_PER_TOKEN, admit, spent
from arf_core.models.history import History, history_of
from arf_core.project import Project
from arf_core.records import Record, Summary
from arf_core.revision.editors import EditTask, open_editor
from arf_core.revision.revise import ReviseSettings, not_revised
from arf_core.revision.revise import tasks as editor_tasks
from arf_core.revision.rounds import new_round
from arf_core.revision.verifiers import CheckTask, open_verifier
from arf_core.revision.verify import (
    VerifySettings,
    count_checks,
    refuse_circular,
    refuse_own,
    to_verify,
)
from arf_core.revision.verify import tasks as verifier_tasks
from arf_core.store import schema
from arf_core.store.queries import count_summaries, find_system, items

T = TypeVar("T")
SAMPLE = 200
"""About so many questions are made."""
BYTES_A_TOKEN = (5.5, 4.2, CHARS_PER_TOKEN)
"""Low, likely and high number of tokens, where this model has not counted any yet."""
REPLY_TOKENS = (20.0, 300.0, 2048.0)
"""Where there has been no reply of this kind yet; max_tokens bounds it."""


class Range(Record):
    low: float
    likely: float
    high: float

    def by(self, other: "Range") -> "Range":
        return Range(
            low=self.low * other.low, likely=self.likely * other.likely, high=self.high * other.high
        )


ONE = Range(low=1, likely=1, high=1)
NOTHING = Range(low=0, likely=0, high=0)


class Estimate(Record):
    """What a run will take."""

    who: str
    """Who would work: `llm:gpt`."""
    items: int
    """Summaries that are still to be done."""
    calls: Range = NOTHING
    stored: float = 0.0
    """Questions whose answers are stored already, so that they are not sent."""
    prompt_tokens: Range = NOTHING
    completion_tokens: Range = NOTHING
    cost: Range | None = None
    """None where no price is known."""
    currency: str = ""
    budget_left: float | None = None
    """None where the project has no budget."""
    seconds: Range | None = None
    """None where the model's pace is not known."""
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


def estimate_analyze(
    project: Project, settings: AnalyzeSettings | None = None, **values: Any
) -> Estimate:
    """What `analyze` with these settings would take. Raises the same errors."""
    settings = AnalyzeSettings.of(settings, values)
    store, system, limit = project.store, settings.system, settings.limit
    find_system(store, system)
    reader = open_detector(project, settings.detector, settings.model)
    unread = unread_by(reader, project.taxonomy, settings.fresh)
    report = count_work(store, system, unread, settings.splits, limit)
    count = report.asked - report.skipped
    if not isinstance(reader, AsksModel):
        return _without_calls(reader.name, count)
    where = (*unread, *_thinned(count)) if limit is None else unread
    pages = items(store, system, *where, splits=settings.splits)
    sample = list(islice((item for page in pages for item in page), limit and min(limit, SAMPLE)))
    return _estimate(project, count, len(sample), reader, sample, settings.fresh)


def estimate_revise(
    project: Project, settings: ReviseSettings | None = None, **values: Any
) -> list[Estimate]:
    """What `revise` with these settings would take, then what verifying would, if a verifier is
    named. Raises the errors of `revise_and_verify`."""
    settings = ReviseSettings.of(settings, values)
    store, into = project.store, settings.into
    editor = open_editor(project, settings.editor, settings.model)
    made = new_round(project, settings.system, editor, settings.detectors, settings.categories)
    unrevised = not_revised(into)
    report = count_work(store, settings.system, (unrevised,))
    count = report.asked - report.skipped
    thinned = _thinned(count)
    sampled = count_summaries(store, settings.system, unrevised, *thinned)
    sample = list(editor_tasks(store, made, editor, unrevised, *thinned))
    estimates = [_of(project, editor, count, sampled, sample, settings.fresh)]
    if settings.verifier is not None:
        verifier = open_verifier(project, settings.verifier, settings.verifier_model)
        refuse_own(verifier, made.detectors)
        checks = [_as_if_edited(task, into) for task in sample if task.findings]
        estimates.append(_of(project, verifier, count, sampled, checks, settings.fresh))
    return estimates


def estimate_verify(
    project: Project, settings: VerifySettings | None = None, **values: Any
) -> Estimate:
    """What `verify` with these settings would take. Raises the same errors."""
    settings = VerifySettings.of(settings, values)
    verifier = open_verifier(project, settings.verifier, settings.model)
    refuse_circular(project, settings.system, verifier)
    report = count_checks(project, settings.system, verifier, settings.fresh)
    count = report.asked - report.skipped
    where = (*to_verify(project, settings.system, verifier, settings.fresh), *_thinned(count))
    sampled = count_summaries(project.store, settings.system, *where)
    sample = list(verifier_tasks(project.store, settings.system, *where))
    return _of(project, verifier, count, sampled, sample, settings.fresh)


def _thinned(count: int) -> tuple[Any, ...]:
    """Condition on a summary that keeps about SAMPLE of `count`, from all over the system."""
    step = math.ceil(count / SAMPLE)
    return (schema.summary.c.seq % step == 0,) if step > 1 else ()


def _as_if_edited(task: EditTask, into: str) -> CheckTask:
    """What there will be to check, as long as the text before: nobody knows the edit yet."""
    before = task.item.summary
    return CheckTask(
        conversation=task.item.conversation,
        before=before,
        after=Summary.of(before.conversation_id, into, before.text, before.id),
        findings=task.findings,
    )


def _of(
    project: Project, worker: Any, count: int, sampled: int, sample: list[Any], fresh: bool
) -> Estimate:
    if not isinstance(worker, AsksModel):
        return _without_calls(worker.name, count)
    return _estimate(project, count, sampled, worker, sample, fresh)


def _without_calls(who: str, count: int) -> Estimate:
    return Estimate(who=who, items=count, rests_on=(f"{who} makes no calls to a chat model.",))


def _estimate(
    project: Project,
    count: int,
    sampled: int,
    worker: "AsksModel[T]",
    sample: Sequence[T],
    fresh: bool,
) -> Estimate:
    """From questions about `sample`, which are those of `sampled` summaries, to all `count`."""
    model, task = worker.asker.chat, worker.asker.task
    admit(model, project.settings.privacy)
    requests = [worker.request(item) for item in sample]
    known = set() if fresh else _stored(project, model.identity, requests)
    to_send = [r for r in requests if r.key(model.identity) not in known]
    asks = _share(len(to_send), sampled, count)
    past = history_of(project.store, model.name, task)
    tokens = _prompt_tokens(to_send, past, whole=sampled >= count)
    answered = asks.by(_factor(past.answered_an_item))
    prompt = answered.by(tokens)
    completion = answered.by(_reply_tokens(past, model.traits))
    limits, price = project.settings.limits, model.traits.price
    calls = asks.by(_factor(past.calls_an_item))
    return Estimate(
        who=worker.name,
        items=count,
        calls=calls,
        stored=round(count * (len(requests) - len(to_send)) / max(sampled, 1)),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=price
        and Range(**{n: price.of(getattr(prompt, n), getattr(completion, n)) for n in ENDS}),
        currency=limits.currency,
        budget_left=None
        if limits.budget is None
        else max(0.0, limits.budget - spent(project.store)),
        seconds=_seconds(asks, calls, prompt, past, model.traits),
        rests_on=_rests_on(model.name, model.traits, past, len(requests), count),
    )


ENDS = ("low", "likely", "high")


def _stored(project: Project, identity: str, requests: Sequence[Request]) -> set[str]:
    keys, table = [r.key(identity) for r in requests], schema.call
    query = select(table.c.key).where(table.c.key.in_(keys), table.c.status == "answered")
    with project.store.read() as conn:
        return set(conn.scalars(query))


def _share(hits: int, sampled: int, count: int) -> Range:
    """`hits` of `sampled`, out of `count`: within two standard errors where it is a sample."""
    if not sampled:
        return NOTHING
    share = hits / sampled
    doubt = 2 * math.sqrt(max(share * (1 - share), 0) / sampled) if sampled < count else 0.0
    return Range(
        low=round(count * max(share - doubt, 0)),
        likely=round(count * share),
        high=round(count * min(share + doubt, 1)),
    )


def _factor(measured: float | None) -> Range:
    """Calls for one item: more than one where a reply is asked for again, or a call fails."""
    likely = max(1.0, measured or 1.0)
    return Range(low=1, likely=likely, high=max(1.1, 1 + 2 * (likely - 1)))


def _prompt_tokens(requests: Sequence[Request], past: History, whole: bool) -> Range:
    """Tokens of one question."""
    if not requests:
        return NOTHING
    sizes = [r.size for r in requests]
    mean = sum(sizes) / len(sizes)
    spread = math.sqrt(sum((s - mean) ** 2 for s in sizes) / len(sizes))
    doubt = 0.0 if whole else 2 * spread / math.sqrt(len(sizes))
    if past.bytes_a_token:
        a_token = (1.03 * past.bytes_a_token, past.bytes_a_token, past.bytes_a_token / 1.03)
    else:
        a_token = BYTES_A_TOKEN
    ends = (mean - doubt, mean, mean + doubt)
    return Range(**{n: end / b for n, end, b in zip(ENDS, ends, a_token, strict=True)})


def _reply_tokens(past: History, traits: Traits) -> Range:
    most = float(traits.max_tokens or REPLY_TOKENS[2])
    if past.reply_tokens is None:
        low, likely, _ = REPLY_TOKENS
        return Range(low=min(low, most), likely=min(likely, most), high=most)
    mean, doubt = past.reply_tokens, past.reply_doubt
    return Range(low=max(0.0, mean - doubt), likely=mean, high=min(mean + doubt, most))


def _seconds(
    asks: Range, calls: Range, tokens: Range, past: History, traits: Traits
) -> Range | None:
    """At the pace of earlier calls, a third quicker to a half slower, and within what the model
    may be asked in a minute."""
    if past.items_a_second is None:
        return None
    slack = Range(low=0.67, likely=1, high=1.5)
    at_pace = asks.by(slack)

    def bounded(end: str) -> float:
        bounds = [getattr(at_pace, end) / (past.items_a_second or 1)]
        if traits.requests_per_minute:
            bounds.append(60 * getattr(calls, end) / traits.requests_per_minute)
        if traits.tokens_per_minute:
            bounds.append(60 * getattr(tokens, end) / traits.tokens_per_minute)
        return float(max(bounds))

    return Range(**{end: bounded(end) for end in ENDS})


def _rests_on(name: str, traits: Traits, past: History, made: int, count: int) -> tuple[str, ...]:
    said = [f"The questions about {made:,} of {count:,} summaries, made but not sent."]
    if past.items:
        said.append(
            f"{past.items:,} earlier answers of {name}: {past.reply_tokens or 0:.0f} tokens a "
            f"reply, {past.bytes_a_token or 0:.1f} bytes a token"
            + (f", {past.items_a_second:.3g} a second." if past.items_a_second else ".")
        )
    else:
        said.append(
            f"{name} has not done this task yet, so lengths are guesses and its pace is unknown: "
            "run it on 20 first (--limit 20), and the range shrinks."
        )
    if traits.price is None:
        said.append(
            f"{name} has no price in arf.toml, so nothing is said of money."
            if traits.leaves
            else f"{name} works in this process and costs no money."
        )
    return tuple(said)
