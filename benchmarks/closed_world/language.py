"""The language of the closed world: a few facts, a conversation that says them, a summary that
tells them. Every word and every number is one token, and what a true summary says can be read back
exactly.
"""

import random
from typing import Any, Literal, NamedTuple

from arf_core.records import Record, Split, Turn

Status = Literal["sent", "promised", "conditional", "refused"]
STATUSES: tuple[Status, ...] = ("sent", "promised", "conditional", "refused")
CHANNELS = ("chat", "email", "phone", "form")
PRODUCTS = (
    "kettle lamp radio chair desk mirror clock fan heater drill bike tent tablet camera printer "
    "mixer toaster sofa carpet shelf"
).split()
ISSUES = (
    *("arrived broken", "arrived late", "makes a noise"),
    *("does not start", "has a scratch", "lost a wheel"),
)
REMEDIES = ("refund", "credit", "discount", "voucher")
CONDITIONS = ("the receipt is there", "the box is whole", "the stock is low")
ACTORS = ("customer", "shop", "courier")
ACTIONS = (
    *("send a photo", "bring the box", "call the desk"),
    *("check the label", "fetch the parcel", "sign the form"),
)
AMOUNTS = range(15, 215, 5)
MONTHS = (
    "January February March April May June July August September October November December"
).split()
RARE = 0.12
"""How often the last of the channels, remedies and actors comes, and a condition."""
VARIANTS = 3
"""Wordings of a summary."""


class Facts(Record):
    """What is true of one conversation."""

    channel: str
    product: str
    issue: str
    remedy: str
    price: int
    """What the customer paid, in euros; never the amount of the remedy."""
    amount: int
    status: Status
    condition: str | None
    """Of a conditional promise, else None."""
    actor: str
    """Who has to act next."""
    action: str
    day: int
    month: str
    bought: str
    """Day and month of the purchase; no summary tells it."""


class Told(NamedTuple):
    """What a summary says. None: it does not say it."""

    product: str | None
    issue: str | None
    status: str | None
    amount: int | None
    condition: str | None
    actor: str | None
    action: str | None
    day: int | None

    @property
    def has_next_step(self) -> bool:
        return self.actor is not None


class Case(Record):
    """One conversation with its facts."""

    id: str
    split: Split
    facts: Facts
    turns: tuple[Turn, ...]
    variant: int
    """The wording of its summaries."""


def truth(facts: Facts) -> Told:
    """What a right summary says."""
    return Told(**facts.model_dump(include=set(Told._fields)))


def cases(n: int, split: Split, seed: str, rare: float = RARE) -> list[Case]:
    """`n` conversations of a split; the same seed makes the same ones."""
    chance = random.Random(f"{seed}:{split}")
    found = []
    for i in range(n):
        facts = _facts(chance, rare)
        turns = turns_of(facts, chance)
        variant = chance.randrange(VARIANTS)
        found.append(
            Case(id=f"{split}-{i:04}", split=split, facts=facts, turns=turns, variant=variant)
        )
    return found


def _facts(chance: random.Random, rare: float) -> Facts:
    def mostly(usual: tuple[Any, ...], last: Any) -> Any:
        return last if chance.random() < rare else chance.choice(usual)

    amount, price = sorted(chance.sample(AMOUNTS, 2))
    status = mostly(("sent", "promised", "refused"), "conditional")
    return Facts(
        channel=mostly(CHANNELS[:-1], CHANNELS[-1]),
        product=chance.choice(PRODUCTS),
        issue=chance.choice(ISSUES),
        remedy=mostly(REMEDIES[:-1], REMEDIES[-1]),
        price=price,
        amount=amount,
        status=status,
        condition=chance.choice(CONDITIONS) if status == "conditional" else None,
        actor=mostly(ACTORS[:-1], ACTORS[-1]),
        action=chance.choice(ACTIONS),
        day=chance.randint(1, 28),
        month=chance.choice(MONTHS),
        bought=f"{chance.randint(1, 28)} {chance.choice(MONTHS)}",
    )


OUTCOMES = {
    "sent": (
        "I have just sent you a {remedy} of {amount} euros.",
        "A {remedy} of {amount} euros has left us today.",
    ),
    "promised": (
        "You will get a {remedy} of {amount} euros soon.",
        "We will send you a {remedy} of {amount} euros.",
    ),
    "conditional": (
        "You will get a {remedy} of {amount} euros if {condition}.",
        "If {condition}, we will send you a {remedy} of {amount} euros.",
    ),
    "refused": (
        "Sorry, we cannot give you a {remedy} of {amount} euros.",
        "A {remedy} of {amount} euros is not possible.",
    ),
}
SPOKEN_BY_AGENT = {"customer": "you", "shop": "our team", "courier": "the courier"}
SPOKEN_BY_CUSTOMER = {"customer": "I", "shop": "your team", "courier": "the courier"}
SCRIPT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("agent", ("This is the {channel} desk.",)),
    (
        "customer",
        (
            "My {product} {issue}. I bought it on {bought} and paid {price} euros.",
            "I paid {price} euros for a {product} on {bought}. It {issue}.",
        ),
    ),
    ("agent", ("Sorry about the {product}.", "I see, the {product} {issue}.")),
    ("customer", ("I want a {remedy}.", "Can I have a {remedy}?")),
    ("agent", ()),
    ("customer", ("So {amount} euros. And now?", "{amount} euros, not {price}. What is next?")),
    (
        "agent",
        ("By {day} {month} {you} must {action}.", "Next {you} must {action} by {day} {month}."),
    ),
    (
        "customer",
        ("So {me} must {action} by {day} {month}.", "Fine, {day} {month}, {me} must {action}."),
    ),
)
"""Who says what, in one of these wordings; the empty one is the outcome."""


def turns_of(facts: Facts, chance: random.Random) -> tuple[Turn, ...]:
    """A conversation with these facts, in wordings that fall by chance."""
    words = facts.model_dump() | {
        "you": SPOKEN_BY_AGENT[facts.actor],
        "me": SPOKEN_BY_CUSTOMER[facts.actor],
    }
    return tuple(
        Turn(
            speaker=speaker,
            text=chance.choice(wordings or OUTCOMES[facts.status]).format_map(words),
        )
        for speaker, wordings in SCRIPT
    )


ISSUE = (
    "The {product} {issue}.",
    "The customer says that the {product} {issue}.",
    "A {product} that {issue}.",
)
OUTCOME = {
    "sent": (
        "The shop has sent {amount} euros.",
        "The customer was sent {amount} euros.",
        "Sent: {amount} euros.",
    ),
    "promised": (
        "The shop will send {amount} euros.",
        "The customer was promised {amount} euros.",
        "Promised: {amount} euros.",
    ),
    "conditional": (
        "The shop will send {amount} euros if {condition}.",
        "The customer was promised {amount} euros if {condition}.",
        "Promised if {condition}: {amount} euros.",
    ),
    "refused": (
        "The shop refused {amount} euros.",
        "The customer was refused {amount} euros.",
        "Refused: {amount} euros.",
    ),
}
NEXT_STEP = (
    "The {actor} must {action} by day {day}.",
    "Next, by day {day}, the {actor} must {action}.",
    "Then the {actor} has to {action} by day {day}.",
)


def summary(told: Told, variant: int) -> str:
    """The text that says it, in one of the wordings."""
    words = told._asdict()
    parts = []
    if told.issue is not None:
        parts.append(ISSUE[variant])
    if told.status is not None:
        parts.append(OUTCOME[told.status][variant])
    if told.has_next_step:
        parts.append(NEXT_STEP[variant])
    return " ".join(parts).format_map(words)
