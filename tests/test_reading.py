"""Looking through conversations, and counting what a project holds."""

import pytest
from conftest import add_items, make_item
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from arf_core import schema
from arf_core.contents import attribute_counts, attributes_by_interest, holdings, split_counts
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.reading import Search, conversation, place, search

WORDS = [
    ("lamp", ["customer: My lamp came broken.", "agent: We send a 100% new one."]),
    ("parcel", ["customer: Where is my parcel?", 'agent: It "left" on Monday.']),
    ("text", ["customer: The speaker hums.", "agent: A new\nline, and a \\ stroke."]),
    ("unicode", ["customer: Где посылка? naïve 🎁", "agent: At the door."]),
]


@pytest.fixture
def filled(project: Project) -> Project:
    add_items(project, [make_item(name, turns, f"About {name}.") for name, turns in WORDS])
    return project


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["lamp", "parcel", "text", "unicode"]),
        ("LAMP", ["lamp"]),
        ("parc", ["parcel"]),
        ("my parcel", ["parcel"]),
        ('"my parcel"', ["parcel"]),
        ('"parcel my"', []),
        ("speaker", ["text"]),  # no key of the stored turns is taken for a word
        ("at", ["unicode"]),
        ("100%", ["lamp"]),
        ("_", []),
        ("%", ["lamp"]),
        ("\\", ["text"]),
        ("посылка 🎁", ["unicode"]),
        ('" stroke"', ["text"]),
        ("nothing of the kind", []),
    ],
)
def test_words_are_found_where_they_were_said(filled: Project, text: str, found: list[str]) -> None:
    hits = search(filled.store, Search(text=text))
    names = [h.external_id for h in hits]
    # an id is found by any part of it, so those that only the id holds are set aside
    assert [n for n in names if not text or text.lower() not in n or n in found] == found


def test_a_conversation_is_found_by_a_part_of_its_own_id(filled: Project) -> None:
    assert [h.external_id for h in search(filled.store, Search(text="unico"))] == ["unicode"]


@given(st.text(max_size=30))
def test_any_text_can_be_searched_for(text: str) -> None:
    str(Search(text=text))
    from arf_core.reading import _matches

    _matches(Search(text=text))


def test_neighbours_are_those_among_the_hits(filled: Project) -> None:
    hits = search(filled.store, Search(text="e"))
    assert len(hits) > 2
    middle = place(filled.store, Search(text="e"), hits[1].id)
    assert (middle.number, middle.total) == (2, len(hits))
    assert (middle.before, middle.after) == (hits[0].id, hits[2].id)
    first = place(filled.store, Search(), hits[0].id)
    assert first.before is None
    outside = place(filled.store, Search(text="lamp"), hits[-1].id)
    assert (outside.number, outside.total) == (None, 1)


def test_an_unknown_or_ambiguous_id_is_said(filled: Project) -> None:
    with pytest.raises(InputError, match="no conversation 'gone'"):
        conversation(filled.store, "gone")
    with pytest.raises(InputError, match="no conversation"):
        place(filled.store, Search(), "gone")
    assert conversation(filled.store, "lamp").turns[0].text == "My lamp came broken."
    twin = conversation(filled.store, "lamp").model_copy(update={"id": "other"})
    filled.store.add([twin])
    with pytest.raises(InputError, match="Several conversations"):
        conversation(filled.store, "lamp")


def test_holdings_and_values_account_for_every_conversation(filled: Project) -> None:
    held = holdings(filled.store)
    assert (held.conversations, held.turns, held.summaries) == (4, 8, (("teacher", 4),))
    assert split_counts(filled.store).total == 4
    ids = [h.id for h in search(filled.store, Search())]
    rows = [{"name": "channel", "value": "chat", "conversation_id": i} for i in ids[:3]]
    with filled.store.write() as conn:
        conn.execute(insert(schema.attribute), rows)
    values = attribute_counts(filled.store, "channel")
    assert [(c.label, c.conversations, c.kind) for c in values.counts] == [
        ("chat", 3, "value"),
        ("no value", 1, "missing"),
    ]
    assert values.total == 4


def test_what_people_ask_for_first_comes_first() -> None:
    assert attributes_by_interest(["zeta", "Language", "alpha", "channel"]) == [
        "channel",
        "Language",
        "alpha",
        "zeta",
    ]
