"""Findings as a list: by category, by words, page after page, one beside its conversation."""

import numpy as np
import pytest
from items import DELIVERY, REFUND, add_items, reading

from arf_core.errors import InputError
from arf_core.evaluate.agreement import agreement
from arf_core.project import Project
from arf_core.records import Finding, Item, Reading, Summary
from arf_core.store import finding_list
from arf_core.store.arrays import finding_columns
from arf_core.store.finding_list import finding_card, listed, neighbours, page, with_words

SAYS = [
    ("wrong_figure", 0.9, "45.20 is 42.50 in the conversation.", "45.20"),
    ("wrong_status", 0.4, "The refund is only PROMISED: 100 % of it.", None),
    ("wrong_figure", None, "An under_score and a percent sign: 5 %.", "lamp"),
]


def read(item: Item, n: int, says: list[tuple[str, float | None, str, str | None]]) -> Reading:
    made = reading(item, n, findings=len(says))
    found: list[Finding] = [
        f.model_copy(
            update={"category": c, "confidence": sure, "explanation": words, "quote": quote}
        )
        for f, (c, sure, words, quote) in zip(made.findings, says, strict=True)
    ]
    return made.model_copy(update={"findings": tuple(found)})


@pytest.fixture
def filled(project: Project) -> Project:
    add_items(project, [REFUND, DELIVERY])
    project.store.put_readings([read(DELIVERY, 1, SAYS[1:2]), read(REFUND, 1, SAYS)])
    return project


def explanations(project: Project, seqs: np.ndarray) -> list[str]:
    return [row.explanation for row in finding_list.rows(project.store, seqs)]


def test_the_list_is_in_order_of_the_conversations_or_of_confidence(filled: Project) -> None:
    found = finding_columns(filled.store, "teacher", "d")
    in_order = finding_list.rows(filled.store, listed(found))
    assert [r.external_id for r in in_order] == ["refund"] * 3 + ["delivery"]
    sure = [r.confidence for r in finding_list.rows(filled.store, listed(found, (), "sure"))]
    assert sure == [0.9, 0.4, 0.4, None]
    unsure = [r.confidence for r in finding_list.rows(filled.store, listed(found, (), "unsure"))]
    assert unsure == [0.4, 0.4, 0.9, None]
    figures = listed(found, ["wrong_figure", "no such category"])
    assert explanations(filled, figures) == [SAYS[0][2], SAYS[2][2]]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("45.20", [0]),
        ("promised", [1, 1]),
        ("100 %", [1, 1]),
        ("5 %", [2]),
        ("under_score", [2]),
        ("underXscore", []),
        ("LAMP percent", [2]),
        ("lamp 45.20", []),
        ("'; DROP TABLE finding; --", []),
        ("", [0, 1, 2, 1]),
    ],
)
def test_words_are_found_as_they_are_written(filled: Project, words: str, hits: list[int]) -> None:
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    expected = [SAYS[n][2] for n in hits]
    found = explanations(filled, with_words(filled.store, seqs, words))
    # "5 %" is two words, and 45.20 holds a 5
    assert [e for e in found if e in expected or words != "5 %"] == expected


def test_a_search_stops_where_there_is_enough(
    filled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding_list, "ROWS_PER_SEARCH", 1)
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    assert len(with_words(filled.store, seqs, "the", most=1)) == 1
    assert len(with_words(filled.store, seqs, "e")) == 4


def test_pages_and_neighbours_cover_the_list(filled: Project) -> None:
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    rows = [row.seq for n in range(3) for row in page(filled.store, seqs, n, size=2)]
    assert rows == seqs.tolist()
    first, last = neighbours(seqs, rows[0]), neighbours(seqs, rows[-1])
    assert (first.index, first.before, first.after) == (0, None, rows[1])
    assert (last.index, last.before, last.after, last.total) == (3, rows[2], None, 4)
    assert neighbours(seqs, 999).index is None


def test_a_card_has_the_conversation_and_all_findings_of_the_summary(filled: Project) -> None:
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    found = finding_card(filled.store, int(seqs[0]))
    assert found.item.conversation == REFUND.conversation
    assert {f.explanation for f in found.findings} == {s[2] for s in SAYS}
    assert (found.system, found.detector, found.current, found.corrected) == (
        "teacher",
        "d",
        True,
        None,
    )


def test_a_finding_of_an_older_reading_is_told_as_such(filled: Project) -> None:
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    filled.store.put_readings([read(REFUND, 2, SAYS[:1])])
    assert not finding_card(filled.store, int(seqs[0])).current
    filled.store.put_summaries([Summary.of(REFUND.conversation.id, "teacher", "Better.")])
    with pytest.raises(InputError, match="rewritten"):
        finding_card(filled.store, int(seqs[0]))
    with pytest.raises(InputError, match="999"):
        finding_card(filled.store, 999)


def test_a_chart_gives_ids_and_the_list_takes_numbers(filled: Project) -> None:
    seqs = listed(finding_columns(filled.store, "teacher", "d"))
    ids = [row.id for row in finding_list.rows(filled.store, seqs)]
    numbers = finding_list.numbers_of(filled.store, [*ids, "no such finding"])
    assert sorted(numbers.tolist()) == sorted(seqs.tolist())


def test_agreement_looks_only_at_what_both_have_read(filled: Project) -> None:
    filled.store.put_readings([reading(REFUND, 5, findings=1, detector="person:anna")])
    found = agreement(filled.store, "teacher", "d", "person:anna")
    assert (found.summaries, found.has_error.hits) == (1, 1)
