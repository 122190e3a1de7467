"""Looking through conversations, and counting what a project holds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from items import add_items, make_item

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.report.dataset_stats import (
    attribute_counts,
    attributes_by_interest,
    holdings,
    source_counts,
    split_counts,
)
from arf_core.store.lengths import turn_lengths, word_lengths
from arf_core.store.search import Search, conversation, search, search_position

WORDS = [
    ("lamp", ["customer: My lamp came broken.", "agent: We send a 100% new one."]),
    ("parcel", ["customer: Where is my parcel?", 'agent: It "left" on Monday.']),
    ("hum", ["customer: The speaker hums.", "agent: A new\nline, and a \\ stroke."]),
    ("unicode", ["customer: Где посылка? naïve 🎁", "agent: At the door."]),
]


@pytest.fixture
def filled(project: Project) -> Project:
    add_items(project, [make_item(name, turns, f"About {name}.") for name, turns in WORDS])
    return project


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["lamp", "parcel", "hum", "unicode"]),
        ("LAMP", ["lamp"]),
        ("parc", ["parcel"]),
        ("my parcel", ["parcel"]),
        ('"my parcel"', ["parcel"]),
        ('"parcel my"', []),
        ("speaker", ["hum"]),  # no key of the stored turns is taken for a word
        ("at", ["unicode"]),
        ("100%", ["lamp"]),
        ("_", []),
        ("%", ["lamp"]),
        ("\\", ["hum"]),
        ("посылка 🎁", ["unicode"]),
        ('" stroke"', ["hum"]),
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=30))
def test_any_text_can_be_searched_for(filled: Project, text: str) -> None:
    wanted = Search(text=text.encode("utf-8", "replace").decode())
    for hit in search(filled.store, wanted):
        assert search_position(filled.store, wanted, hit.id).number


def test_a_whole_id_finds_that_conversation_alone(filled: Project) -> None:
    assert [h.external_id for h in search(filled.store, Search(text="hum"))] == ["hum"]
    assert (
        search_position(
            filled.store, Search(text="hum"), search(filled.store, Search())[0].id
        ).total
        == 1
    )


def test_neighbours_are_those_among_the_hits(filled: Project) -> None:
    hits = search(filled.store, Search(text="e"))
    assert len(hits) > 2
    middle = search_position(filled.store, Search(text="e"), hits[1].id)
    assert (middle.number, middle.total) == (2, len(hits))
    assert (middle.before, middle.after) == (hits[0].id, hits[2].id)
    first = search_position(filled.store, Search(), hits[0].id)
    assert first.before is None
    outside = search_position(filled.store, Search(text="lamp"), hits[-1].id)
    assert (outside.number, outside.total) == (None, 1)


def test_an_unknown_or_ambiguous_id_is_said(filled: Project) -> None:
    with pytest.raises(InputError, match="no conversation 'gone'"):
        conversation(filled.store, "gone")
    with pytest.raises(InputError, match="no conversation"):
        search_position(filled.store, Search(), "gone")
    assert conversation(filled.store, "lamp").turns[0].text == "My lamp came broken."
    twin = conversation(filled.store, "lamp").model_copy(update={"id": "other"})
    filled.store.add([twin])
    with pytest.raises(InputError, match="Several conversations"):
        conversation(filled.store, "lamp")


def test_holdings_and_values_account_for_every_conversation(filled: Project) -> None:
    held = holdings(filled.store)
    assert (held.conversations, held.summaries) == (4, (("teacher", 4),))
    assert split_counts(filled.store).total == 4
    more = [c.model_copy(update={"id": f"n{i}", "attributes": {"channel": "chat"}})
            for i, c in enumerate([conversation(filled.store, "lamp")] * 3)]  # fmt: skip
    filled.store.add(more)
    values = attribute_counts(filled.store, "channel")
    assert [(c.label, c.conversations, c.kind) for c in values.counts] == [
        ("chat", 3, "value"),
        ("no value", 4, "missing"),
    ]
    assert values.total == holdings(filled.store).conversations == 7
    assert source_counts(filled.store).counts[0].label == "test"


def test_what_people_ask_for_first_comes_first() -> None:
    assert attributes_by_interest(["zeta", "Language", "alpha", "channel"]) == [
        "channel",
        "Language",
        "alpha",
        "zeta",
    ]


def test_lengths_of_many_texts_are_measured_on_a_sample(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arf_core.store.lengths.SAMPLE", 10)
    add_items(project, [make_item(f"c{i}", ["customer: Hi."], "Two words.") for i in range(40)])
    for lengths in (turn_lengths(project.store), word_lengths(project.store, "teacher")):
        assert (lengths.step, sum(lengths.counts.values())) == (4, 10)
    assert word_lengths(project.store, "nobody").counts == {}
