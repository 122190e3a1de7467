import pytest
from hypothesis import given
from hypothesis import strategies as st

from arf_core.text import (
    Replacement,
    Span,
    change_share,
    clashes,
    locate,
    replace,
    replacements_between,
    sentences,
    word_diff,
)

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)
WORDS = st.lists(
    st.sampled_from("the fee of 1,200 $ was not. waived  It's\n“quoted” naïve".split(" "))
)


def said(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


def test_sentences_end_at_stops_but_not_at_abbreviations_or_decimals() -> None:
    text = (
        "Mr. Adams paid $4.50 at 5 p.m. on Jan. 3. He wants e.g. a refund! Is it due? "
        'She said "yes." The J. K. case is closed'
    )
    assert said(text) == [
        "Mr. Adams paid $4.50 at 5 p.m. on Jan. 3.",
        "He wants e.g. a refund!",
        "Is it due?",
        'She said "yes."',
        "The J. K. case is closed",
    ]


def test_sentences_of_other_scripts_and_lines() -> None:
    assert said("यह टूट गया। वापस करें।") == ["यह टूट गया।", "वापस करें।"]
    assert said("First line\nsecond line") == ["First line", "second line"]
    assert said("") == said(" \n ") == []


@given(TEXT)
def test_every_visible_character_is_in_just_one_sentence(text: str) -> None:
    spans = sentences(text)
    covered = [i for s in spans for i in range(s.start, s.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) >= {i for i, c in enumerate(text) if not c.isspace()}
    assert all(s.start < s.end for s in spans)


def test_a_quote_is_found_in_spite_of_quotation_marks_dashes_space_and_case() -> None:
    text = "The agent’s  reply – “it is\ndone” – came."
    for quote in (
        "agent's reply",
        "the AGENT’S reply",
        '"it is done"',
        'done" - came...',
        "“it is",
    ):
        span = locate(text, quote)
        assert span is not None, quote
    assert locate(text, "agent's reply") == Span(4, 18)
    assert locate(text, "never said") is None
    assert locate(text, "  ") is None
    assert locate(text, "...") is None


@given(TEXT, st.data())
def test_a_verbatim_quote_is_always_found_where_it_reads_the_same(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = text[start:end]
    span = locate(text, quote)
    if quote.strip():
        assert span is not None
        assert span.of(text) == quote
    else:
        assert span is None


@given(TEXT, TEXT)
def test_locate_never_points_outside(text: str, quote: str) -> None:
    span = locate(text, quote)
    assert span is None or 0 <= span.start < span.end <= len(text)


def test_replacements_use_the_offsets_of_the_text_given() -> None:
    edits = [Replacement(4, 7, "dog"), Replacement(0, 0, "> "), Replacement(11, 11, "!")]
    assert replace("The cat sat", edits) == "> The dog sat!"


@pytest.mark.parametrize(
    "edits",
    [
        [Replacement(0, 5, "x"), Replacement(4, 6, "y")],
        [Replacement(3, 3, "x"), Replacement(3, 3, "y")],
        [Replacement(0, 99, "x")],
        [Replacement(5, 2, "x")],
    ],
)
def test_impossible_replacements_are_refused(edits: list[Replacement]) -> None:
    with pytest.raises(ValueError):
        replace("a text of words", edits)


def test_neighbours_do_not_clash() -> None:
    assert clashes([Replacement(0, 3, "a"), Replacement(3, 5, "b")]) == []
    assert len(clashes([Replacement(0, 4, "a"), Replacement(3, 5, "b")])) == 1


@given(TEXT | WORDS.map(" ".join), TEXT | WORDS.map(" ".join))
def test_a_diff_makes_both_versions(before: str, after: str) -> None:
    parts = word_diff(before, after)
    assert "".join(p.text for p in parts if p.kind != "inserted") == before
    assert "".join(p.text for p in parts if p.kind != "deleted") == after
    assert replace(before, replacements_between(before, after)) == after


def test_a_diff_keeps_figures_whole() -> None:
    changed = [
        p for p in word_diff("a fee of 1,200.50 due", "a fee of 1,250.50 due") if p.kind != "same"
    ]
    assert [(p.kind, p.text) for p in changed] == [
        ("deleted", "1,200.50"),
        ("inserted", "1,250.50"),
    ]
    assert replacements_between("a 1,200 fee", "a 1,250 fee") == [Replacement(2, 7, "1,250")]


@given(WORDS.map(" ".join), WORDS.map(" ".join))
def test_the_share_of_change_is_a_share(before: str, after: str) -> None:
    assert 0 <= change_share(before, after) <= 1
    assert change_share(before, before) == 0


def test_the_share_of_change_grows_with_the_edit() -> None:
    text = "The agent will refund the fee within five days."
    small = change_share(text, "The agent will refund the fee within six days.")
    large = change_share(text, "Nothing of this has been said by anybody here.")
    assert 0 < small < 0.2 < large
