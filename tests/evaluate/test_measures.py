import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from items import DELIVERY, REFUND, add_items, make_item, reading

from arf_core.analysis.annotations import load_labels
from arf_core.errors import InputError
from arf_core.evaluate.agreement import agreement
from arf_core.evaluate.rates import Rate, error_rates, wilson
from arf_core.project import Project


def test_wilson_gives_the_published_interval() -> None:
    # Newcombe 1998, table I: 81 of 263, method 3 (Wilson without continuity correction)
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson(0, 20)
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_rate(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    low, high = wilson(count, total)
    assert 0 <= low <= count / total <= high <= 1


@pytest.mark.parametrize(("count", "total"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(count: int, total: int) -> None:
    with pytest.raises(ValueError):
        wilson(count, total)


def test_a_rate_of_nothing_is_unknown_not_zero() -> None:
    assert Rate(count=0, total=0).share is None
    assert Rate(count=0, total=0).interval is None


def test_rates_count_what_was_read_and_nothing_else(project: Project) -> None:
    three = make_item("three", ["customer: a"], "A.", split="test")
    failed = make_item("failed", ["customer: b"], "B.")
    add_items(project, [REFUND, DELIVERY, three, failed])
    project.store.put_readings(
        [
            reading(REFUND, 1, findings=2),
            reading(DELIVERY, 2),
            reading(three, 3, findings=1),
            reading(failed, 4, status="failed"),
        ]
    )
    rates = error_rates(project.store, "teacher", "d")
    assert (rates.any_error.count, rates.any_error.total) == (2, 3)
    assert rates.by_category == {"wrong_figure": Rate(count=2, total=3)}
    assert rates.findings == {"wrong_figure": 3}
    train = error_rates(project.store, "teacher", "d", ["train"])
    assert (train.any_error.count, train.any_error.total) == (1, 2)
    nobody = error_rates(project.store, "teacher", "somebody")
    assert nobody.any_error == Rate(count=0, total=0)


def label(project: Project, by: str, *lines: dict) -> None:
    file = project.path / f"{by}.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    load_labels(project, file, by, "teacher")


def say(category: str, quote: str | None = None) -> dict:
    return {"category": category, "quote": quote, "evidence": [0], "explanation": "x"}


def test_agreement_pairs_findings_by_category_and_sentence(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    label(
        project,
        "gold",
        {
            "id": "refund",
            "findings": [
                say("wrong_figure", "45.20"),
                say("wrong_status", "was made"),
                say("missing_issue"),
                say("missing_resolution"),
            ],
        },
        {"id": "delivery", "findings": []},
    )
    label(
        project,
        "ben",
        {
            "id": "refund",
            "findings": [
                say("wrong_figure", "A refund of 45.20"),  # same sentence, other extent: right
                say("contradiction", "made"),  # same place under another name
                say("missing_issue"),
                say("missing_issue"),  # the second one has no counterpart
            ],
        },
        {"id": "delivery", "findings": [say("wrong_figure", "tomorrow")]},
    )
    found = agreement(project.store, "teacher", "person:ben", "person:gold")
    assert found.summaries == 2
    assert found.findings.model_dump(exclude={"rejections"}) == {
        "hits": 2,
        "false_alarms": 3,
        "misses": 2,
    }
    assert found.findings.precision == 2 / 5
    assert found.findings.recall == 2 / 4
    assert found.findings.balanced_accuracy is None
    assert (found.places.hits, found.places.false_alarms, found.places.misses) == (4, 1, 0)
    assert found.has_error.model_dump() == {
        "hits": 1,
        "false_alarms": 1,
        "misses": 0,
        "rejections": 0,
    }
    assert found.has_error.balanced_accuracy == 0.5
    assert found.by_category["missing_issue"].false_alarms == 1


def test_agreement_of_nothing_is_unknown(project: Project) -> None:
    add_items(project, [REFUND])
    found = agreement(project.store, "teacher", "a", "b")
    assert (found.summaries, found.findings.precision, found.findings.recall) == (0, None, None)


def test_labels_that_do_not_fit_are_rejected_with_their_line(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND, DELIVERY])
    lines = [
        {"id": "refund", "findings": [say("wrong_figure", "45.20")]},
        {"id": "nobody", "findings": []},
        {"id": "delivery", "findings": [say("rude", "parcel")]},
        {"id": "delivery", "findings": [say("wrong_figure", "not there")]},
        {"id": "delivery", "findings": [say("wrong_figure", "parcel") | {"evidence": [9]}]},
        {"id": "delivery"},
    ]
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\nnot json\n")
    report = load_labels(project, file, "anna", "teacher")
    assert (report.summaries, report.findings) == (1, 1)
    assert [r.split(":")[0] for r in report.rejected] == ["2", "3", "4", "5", "6", "7"]
    for reason, line in zip(
        ("nobody", "rude", "not there", "turn 9", "findings", ""), report.rejected, strict=True
    ):
        assert reason in line
    file.write_text("")
    with pytest.raises(InputError, match="it is empty"):
        load_labels(project, file, "anna", "teacher")
    with pytest.raises(InputError, match="no system 'x'"):
        load_labels(project, file, "anna", "x")
    with pytest.raises(InputError, match="cannot be read"):
        load_labels(project, tmp_path / "none", "anna", "teacher")
