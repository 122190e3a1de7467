"""Which systems can be reviewed, and what a review makes."""

from arf_core.records import System
from arf_core.store import schema
from arf_core.store.database import Store

SUFFIX = "-reviewed"
ROUNDS = ("revision", "rewrite")
"""Kinds of systems that can be reviewed."""


def reviewed_name(system: str) -> str:
    """The name of the system that a review of round `system` makes."""
    return system + SUFFIX


def round_of(store: Store, name: str) -> str | None:
    """The round whose review makes, or would make, the system of this name; None for others."""
    made_from = name.removesuffix(SUFFIX)
    kinds = {s.name: s.kind for s in store.all(System, schema.system.c.name.in_((name, made_from)))}
    is_reviewed = name.endswith(SUFFIX) and kinds.get(name, "reviewed") == "reviewed"
    return made_from if is_reviewed and kinds.get(made_from) in ROUNDS else None
