"""The labelling queue: what a person is given to read, and how their readings are kept."""

import pytest
from items import add_items, make_item, reading

from arf_core.analysis.annotations import (
    LabelledFinding,
    count_read,
    last_read,
    next_unread,
    record,
)
from arf_core.errors import InputError, ReplyError
from arf_core.evaluate.agreement import agreement
from arf_core.evaluate.rates import error_rates
from arf_core.project import Project
from arf_core.records import SPLITS, Item
from arf_core.store.queries import findings_of

ERROR = LabelledFinding(
    category="wrong_figure", quote="paid 45.20", evidence=[0], explanation="It was 42.50."
)


@pytest.fixture
def several(project: Project) -> list[Item]:
    """Four summaries, one of them held out, in the order in which the queue hands them out."""
    made = [
        make_item(
            f"c{n}", ["customer: I paid 42.50."], f"The customer {n} paid 45.20.", split=split
        )
        for n, split in enumerate(("train", "dev", "train", "test"))
    ]
    add_items(project, made)
    return sorted(made, key=lambda item: item.summary.id)


def next_for(project: Project, by: str, splits=SPLITS, after: str = "") -> Item | None:
    return next_unread(project.store, "teacher", by, splits, after)


def test_everybody_is_handed_every_summary_once(project: Project, several: list[Item]) -> None:
    for item in several:
        assert next_for(project, "anna") == item
        record(project, item, "anna", ())
    assert next_for(project, "anna") is None
    assert next_for(project, "bob") == several[0]
    assert count_read(project.store, "teacher", "anna") == 4
    assert last_read(project.store, "teacher", "anna") == several[-1]
    assert last_read(project.store, "teacher", "bob") is None


def test_the_test_split_is_handed_out_only_where_it_is_asked_for(
    project: Project, several: list[Item]
) -> None:
    seen = []
    while item := next_for(project, "anna", ("train", "dev")):
        seen.append(item.conversation.split)
        record(project, item, "anna", ())
    assert sorted(seen) == ["dev", "train", "train"]


def test_what_is_put_off_comes_again_at_the_end(project: Project, several: list[Item]) -> None:
    first, second, *rest = several
    assert next_for(project, "anna", after=first.summary.id) == second
    for item in (second, *rest):
        record(project, item, "anna", ())
    assert next_for(project, "anna", after=rest[-1].summary.id) == first


def test_a_reading_is_complete_and_a_later_one_takes_its_place(
    project: Project, several: list[Item]
) -> None:
    item = several[0]
    record(project, item, "anna", [ERROR])
    (found,) = findings_of(project.store, [item.summary.id], ["person:anna"])[item.summary.id]
    assert (found.category, found.quote) == ("wrong_figure", "paid 45.20")
    assert item.summary.text[found.start : found.end] == "paid 45.20"
    record(project, item, "anna", ())
    rates = error_rates(project.store, "teacher", "person:anna")
    assert (rates.any_error.count, rates.any_error.total) == (0, 1)


def test_what_does_not_stand_in_the_texts_is_refused(project: Project, several: list[Item]) -> None:
    item = several[0]
    with pytest.raises(ReplyError, match="is not in the summary"):
        record(project, item, "anna", [ERROR.model_copy(update={"quote": "paid 99"})])
    with pytest.raises(ReplyError, match="turn 7 does not exist"):
        record(project, item, "anna", [ERROR.model_copy(update={"evidence": [7]})])
    with pytest.raises(InputError, match="no category"):
        record(project, item, "anna", [ERROR.model_copy(update={"category": "nonsense"})])
    with pytest.raises(InputError, match="No reader is named"):
        record(project, item, " ", [ERROR])
    assert count_read(project.store, "teacher", "anna") == 0


def test_detectors_are_measured_against_the_person(project: Project, several: list[Item]) -> None:
    first, second, *_ = several
    project.store.put_readings([reading(i, 1, findings=1, detector="d") for i in (first, second)])
    omission = LabelledFinding(category="wrong_figure", explanation="x")
    record(project, first, "anna", [omission])
    record(project, second, "anna", ())
    found = agreement(project.store, "teacher", "d", "person:anna")
    assert (found.summaries, found.findings.precision, found.findings.recall) == (2, 0.5, 1.0)
