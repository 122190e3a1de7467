"""Search conversations by id or words, and step from one hit to the next."""

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, exists, func, or_, select, type_coerce

from arf_core.errors import InputError
from arf_core.records import SPLITS, Conversation, Record, Split, Summary
from arf_core.store import schema
from arf_core.store.database import Store, columns
from arf_core.text import shortened

SHOWN = 50
COUNTED = 1_000
"""Further hits are not counted, so that a common word costs no more than a rare one."""
_TERM = re.compile(r'"([^"]+)"|(\S+)')


class Search(Record):
    """A query: a conversation's id, or words that all occur in it."""

    text: str = ""
    splits: tuple[Split, ...] = SPLITS


class Hit(Record):
    """A conversation in the list of hits."""

    id: str
    external_id: str
    split: Split
    n_turns: int
    opening: str
    """How it begins, shortened."""


class SearchPosition(Record):
    """A conversation's position among the hits."""

    number: int | None
    """From 1; None where it is no hit, or beyond those that are counted."""
    total: int
    """At most COUNTED + 1, which stands for more."""
    before: str | None
    after: str | None
    """Ids of its neighbours."""


def search(store: Store, query: Search, most: int = SHOWN) -> list[Hit]:
    """The first hits in order of arrival."""
    c = schema.conversation
    first = func.json_extract(c.c.turns, "$[0].text")
    hits = select(c.c.id, c.c.external_id, c.c.split, c.c.n_turns, first.label("opening"))
    with store.read() as conn:
        hits = hits.where(_matches(conn, query)).order_by(c.c.seq).limit(most)
        rows = [dict(r._mapping) for r in conn.execute(hits)]
    return [Hit.model_validate(r | {"opening": shortened(r["opening"] or "")}) for r in rows]


def search_position(store: Store, query: Search, conversation_id: str) -> SearchPosition:
    """A conversation's position among the hits, and its neighbours.

    Raises InputError where the project has no such conversation.
    """
    c = schema.conversation
    with store.read() as conn:
        matches = _matches(conn, query)
        hits = select(c.c.seq).where(matches).order_by(c.c.seq).limit(COUNTED + 1).subquery()
        here = conn.scalar(select(c.c.seq).where(c.c.id == conversation_id))
        if here is None:
            raise _unknown(conversation_id)
        seqs = list(conn.scalars(select(hits.c.seq)))
        before = select(c.c.id).where(c.c.seq < here, matches).order_by(c.c.seq.desc()).limit(1)
        after = select(c.c.id).where(c.c.seq > here, matches).order_by(c.c.seq).limit(1)
        return SearchPosition(
            number=seqs.index(here) + 1 if here in seqs else None,
            total=len(seqs),
            before=conn.scalar(before),
            after=conn.scalar(after),
        )


def conversation(store: Store, conversation_id: str) -> Conversation:
    """A conversation by our id or, where only one has it, by the file's own.

    Raises InputError where there is none, or several have it.
    """
    c = schema.conversation
    by_id = store.get(Conversation, c.c.id == conversation_id)
    if by_id is not None:
        return by_id
    with store.read() as conn:
        query = select(*columns(Conversation)).where(c.c.external_id == conversation_id).limit(2)
        rows = [dict(r._mapping) for r in conn.execute(query)]
    if not rows:
        raise _unknown(conversation_id)
    if len(rows) > 1:
        raise InputError(
            f"Several conversations have the id {conversation_id!r}.",
            "Search for it, and choose among them.",
        )
    return Conversation.model_validate(rows[0])


def summaries_of(store: Store, conversation_id: str) -> list[Summary]:
    """What each system wrote about a conversation, in order of arrival."""
    return store.all(Summary, schema.summary.c.conversation_id == conversation_id)


def _unknown(conversation_id: str) -> InputError:
    return InputError(
        f"The project has no conversation {shortened(conversation_id)!r}.",
        "Search for words in it, or import the file that holds it.",
    )


def _matches(conn: Connection, query: Search) -> ColumnElement[bool]:
    """A whole id means that conversation, and is found without a look at all the others."""
    c = schema.conversation
    found: list[ColumnElement[bool]] = []
    if set(query.splits) != set(SPLITS):
        found.append(c.c.split.in_(query.splits))
    text = query.text.strip()
    if text:
        exact = or_(c.c.id == text, c.c.external_id == text)
        if conn.scalar(select(c.c.seq).where(exact).limit(1)) is not None:
            found.append(exact)
        else:
            in_id = c.c.external_id.contains(text, autoescape=True)
            found.append(or_(in_id, and_(*map(_contains, _terms(text)))))
    return and_(*found) if found else c.c.seq > 0


def _terms(text: str) -> Sequence[str]:
    """Words, and phrases in quotes."""
    return [phrase or word for phrase, word in _TERM.findall(text)]


def _contains(term: str) -> ColumnElement[bool]:
    """A turn contains the term. The stored JSON is searched first, which is quick, and only
    its hits are checked for whether the term is in a turn's words and not in a key."""
    c = schema.conversation
    written = json.dumps(term, ensure_ascii=False)[1:-1]
    turn: Any = func.json_each(c.c.turns).table_valued("value")
    words = func.json_extract(turn.c.value, "$.text")
    really = exists(select(1).select_from(turn).where(words.contains(term, autoescape=True)))
    stored = type_coerce(c.c.turns, Text)
    return and_(stored.contains(written, autoescape=True), really)
