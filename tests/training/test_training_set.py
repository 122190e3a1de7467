import json
from pathlib import Path

import pytest
from items import add_items, make_item, reading
from test_export import round_of

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Summary, System
from arf_core.training.export import export
from arf_core.training.training_set import Arm, read_rows, training_set, write_rows


def teacher_of(project: Project, n: int, faulty: int = 0) -> None:
    items = [make_item(f"c{i}", [f"customer: question {i}"], f"Answer {i}.") for i in range(n)]
    add_items(project, items)
    project.store.put_readings(
        [reading(item, i, findings=int(i < faulty)) for i, item in enumerate(items)]
    )


def test_the_test_split_is_refused_and_never_in_a_set(project: Project) -> None:
    add_items(
        project,
        [
            make_item("a", ["customer: x"], "X."),
            make_item("held", ["customer: y"], "Y.", split="test"),
        ],
    )
    with pytest.raises(InputError, match="never trained on"):
        training_set(project, "teacher", splits=("train", "test"))
    rows = training_set(project, "teacher")
    assert [r.conversation for r in (*rows.train, *rows.dev)] == ["a"]


def test_the_dev_split_stands_beside_the_rows_to_learn_from(project: Project) -> None:
    add_items(
        project,
        [make_item("a", ["customer: x"], "X."), make_item("d", ["customer: y"], "Y.", split="dev")],
    )
    rows = training_set(project, "teacher")
    assert ([r.conversation for r in rows.train], [r.conversation for r in rows.dev]) == (
        ["a"],
        ["d"],
    )


def test_a_set_has_the_rows_of_the_export(project: Project, tmp_path: Path) -> None:
    round_of(project, fixed=["fixed"], clean=[], open=["not_fixed"], failed=["fixed"])
    export(project, system="r1", into=tmp_path / "set")
    lines = (tmp_path / "set" / "train.jsonl").read_text().splitlines()
    rows = training_set(project, "r1")
    assert rows.choice == "good"
    assert sorted(r.model_dump_json() for r in rows.train) == sorted(
        json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False) for line in lines
    )
    assert rows.left_out == {"not_fixed": 1, "failed": 1}
    assert len(training_set(project, "r1", "all").train) == 4


def test_all_rows_of_a_teacher_or_those_without_a_finding(project: Project) -> None:
    teacher_of(project, 5, faulty=2)
    assert len(training_set(project, "teacher").train) == 5
    good = training_set(project, "teacher", "good")
    assert (len(good.train), good.left_out) == (3, {"has_findings": 2})


def test_doubles_and_empty_summaries_stay_out_and_are_counted(project: Project) -> None:
    add_items(
        project,
        [
            make_item("a", ["customer: the same"], "Same."),
            make_item("b", ["customer: the same"], "Same. "),
            make_item("c", ["customer: the same"], "Another."),
            make_item("d", ["customer: other"], "  "),
        ],
    )
    rows = training_set(project, "teacher")
    assert len(rows.train) == 2
    assert rows.left_out == {"double": 1, "empty": 1}
    assert any("already" in line for line in rows.in_words())


def test_arms_of_a_comparison_have_the_same_size_and_the_same_conversations(
    project: Project,
) -> None:
    teacher_of(project, 12, faulty=5)
    project.store.add([System(name="other", kind="rewrite", parent="teacher")])
    items = [make_item(f"c{i}", [f"customer: question {i}"], "") for i in range(12)]
    project.store.put_summaries(
        [Summary.of(i.conversation.id, "other", f"Otherwise {n}.") for n, i in enumerate(items)]
    )
    arms = [Arm("teacher", "all"), Arm("teacher", "good"), Arm("other")]
    sets = [training_set(project, a.system, a.choice, match=arms) for a in arms]
    assert [len(s.train) for s in sets] == [7, 7, 7]
    whole, good, other = ([r.conversation for r in s.train] for s in sets)
    assert whole == other  # the same conversations in the same order
    assert set(good) & set(whole)
    assert sets[0].left_out["matched"] == 5


def test_an_arm_is_read_from_a_word() -> None:
    assert Arm.parse("r1") == Arm("r1")
    assert Arm.parse("teacher:good") == Arm("teacher", "good")
    assert Arm.parse("a:b:all") == Arm("a:b", "all")


def test_the_fingerprint_follows_the_rows(project: Project) -> None:
    teacher_of(project, 4)
    before = training_set(project, "teacher").fingerprint
    assert training_set(project, "teacher").fingerprint == before
    item = make_item("c1", ["customer: question 1"], "Changed.")
    project.store.put_summaries([item.summary])
    assert training_set(project, "teacher").fingerprint != before


def test_a_set_without_rows_says_why(project: Project) -> None:
    teacher_of(project, 2, faulty=2)
    with pytest.raises(InputError, match="2: a detector found errors"):
        training_set(project, "teacher", "good")


def test_rows_are_read_back_as_they_were(project: Project, tmp_path: Path) -> None:
    add_items(project, [make_item("a", ["customer: línea\u2028two"], "Ünïcode\nin two lines.")])
    rows = training_set(project, "teacher").train
    write_rows(tmp_path / "rows.jsonl", rows)
    assert tuple(read_rows(tmp_path / "rows.jsonl")) == rows
