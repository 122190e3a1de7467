import json
from pathlib import Path

import pytest
from datasets import load_from_disk
from items import DELIVERY, REFUND, add_items, make_item, reading

from arf_core.analysis.analyze import analyze
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Check, Item, Revision, Summary, System, now
from arf_core.review.decisions import decide
from arf_core.training.export import export


def revised(
    project: Project, item: Item, results: list[str], status: str = "edited", flagged: bool = False
) -> Summary:
    """Item's summary in round r1, whose findings were checked with these results."""
    child = Summary.of(item.conversation.id, "r1", item.summary.text + " Revised.", item.summary.id)
    revision = Revision(
        summary_id=child.id,
        editor="e",
        settings_hash="s",
        status=status,
        findings=tuple(f"{child.id}-{n}" for n, r in enumerate(results) if r != "new_error"),
        flagged=flagged,
        at=now(),
    )
    project.store.put_revisions([(child, revision, [])])
    checks = [
        Check(summary_id=child.id, finding_id=f"{child.id}-{n}", verifier="v", result=r)
        for n, r in enumerate(results)
        if r != "nobody looked"
    ]
    of_child = item.model_copy(update={"summary": child})
    project.store.put_readings([reading(of_child, 1, detector="check:v")], checks)
    return child


def round_of(project: Project, **results: list[str]) -> dict[str, Summary]:
    many = {name: make_item(name, [f"customer: {name}?"], f"About {name}.") for name in results}
    add_items(project, list(many.values()))
    project.store.add([System(name="r1", kind="revision", parent="teacher", model="llm:e")])
    made = {}
    for name, said in results.items():
        made[name] = revised(
            project,
            many[name],
            said,
            status="failed" if name == "failed" else "edited" if said else "unchanged",
            flagged=name == "flagged",
        )
    return made


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_only_rows_that_somebody_stands_behind_go_out(project: Project, tmp_path: Path) -> None:
    made = round_of(
        project,
        verified=["fixed", "fixed"],
        clean=[],
        not_fixed=["fixed", "not_fixed"],
        unchecked=["fixed", "unchecked"],
        unlooked=["fixed", "nobody looked"],
        new=["fixed", "new_error"],
        flagged=["fixed"],
        failed=["fixed"],
        accepted=["not_fixed"],
        rejected=["fixed"],
        changed_mind=["fixed"],
    )
    for name, actions in {
        "accepted": ["accept"],
        "rejected": ["reject"],
        "changed_mind": ["reject", "accept"],
    }.items():
        for action in actions:
            decide(project.store, "r1", made[name].id, action, "anna")
    report = export(project, system="r1", into=tmp_path / "set")
    assert {
        row["conversation"]: row["origin"] for row in lines(tmp_path / "set" / "train.jsonl")
    } == {
        "verified": "verified",
        "clean": "clean",
        "accepted": "accepted",
        "changed_mind": "accepted",
    }
    assert report.left_out == {
        "not_fixed": 1,
        "unchecked": 2,
        "new_error": 1,
        "flagged": 1,
        "failed": 1,
        "rejected": 1,
    }
    everything = export(project, system="r1", into=tmp_path / "all", everything=True)
    assert (everything.rows, everything.left_out) == (11, {})


def test_the_test_split_never_leaves(project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND, make_item("held out", ["customer: x"], "X.", split="test")])
    with pytest.raises(InputError, match="test split is never exported"):
        export(project, system="teacher", into=tmp_path / "set", splits=["train", "test"])
    assert not (tmp_path / "set").exists()
    export(project, system="teacher", into=tmp_path / "set", everything=True)
    text = "".join(p.read_text() for p in (tmp_path / "set").glob("*.jsonl"))
    assert "refund" in text
    assert "held out" not in text


def test_a_row_is_a_chat_that_ends_with_the_summary(project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND, make_item("dev", ["customer: x"], "X.", split="dev")])
    report = export(project, system="teacher", into=tmp_path / "set", everything=True)
    (row,) = lines(tmp_path / "set" / "train.jsonl")
    assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
    assert "Sorry. I will refund 42.50" in row["messages"][1]["content"]
    assert row["messages"][2]["content"] == REFUND.summary.text
    loaded = load_from_disk(str(tmp_path / "set" / "dataset"))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 1, "dev": 1}
    assert loaded["train"][0] == row
    card = (tmp_path / "set" / "README.md").read_text()
    assert report.fingerprint in card
    assert "| not_read | 2 |" in card


def test_the_same_rows_have_the_same_fingerprint(project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND, DELIVERY])
    first = export(project, system="teacher", into=tmp_path / "a", everything=True)
    again = export(project, system="teacher", into=tmp_path / "a", everything=True)
    assert first.fingerprint == again.fingerprint
    project.store.put_summaries([Summary.of(REFUND.conversation.id, "teacher", "Other.")])
    assert (
        export(project, system="teacher", into=tmp_path / "b", everything=True).fingerprint
        != first.fingerprint
    )


def test_a_system_without_parent_exports_what_was_read_and_found_clean(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND, DELIVERY, make_item("unread", ["customer: x"], "X.")])
    with pytest.raises(InputError, match="no detector has read it") as caught:
        export(project, system="teacher", into=tmp_path / "set")
    assert "--everything" in caught.value.hint
    project.store.put_readings([reading(REFUND, 1, findings=1), reading(DELIVERY, 2)])
    report = export(project, system="teacher", into=tmp_path / "set")
    assert report.by_origin == {"clean": 1}
    assert report.left_out == {"has_findings": 1, "not_read": 1}


def test_a_folder_with_other_files_is_left_alone(project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND])
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds other files"):
        export(project, system="teacher", into=tmp_path, everything=True)


@pytest.mark.parametrize("left", [(".part",), ("dataset", "train.jsonl", ".part")])
def test_an_export_that_was_cut_off_is_finished_by_the_next(
    project: Project, tmp_path: Path, left: tuple[str, ...]
) -> None:
    round_of(project, good=["fixed"])
    folder = tmp_path / "out"
    folder.mkdir()
    for name in left:
        if name.endswith(".jsonl"):
            (folder / name).write_text('{"half": ')
        else:
            (folder / name).mkdir()
    export(project, system="r1", into=folder, splits=("train",))
    assert [row["conversation"] for row in lines(folder / "train.jsonl")] == ["good"]
    assert load_from_disk(str(folder / "dataset"))["train"].num_rows == 1
    assert {p.name for p in folder.iterdir()} == {"train.jsonl", "dataset", "README.md"}


@pytest.mark.parametrize("theirs", [{"thesis.txt"}, {"README.md"}, {"README.md", "train.jsonl"}])
def test_an_export_leaves_the_files_of_others_alone(
    project: Project, tmp_path: Path, theirs: set[str]
) -> None:
    round_of(project, good=["fixed"])
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in theirs:
        (folder / name).write_text("mine")
    with pytest.raises(InputError, match="other files"):
        export(project, system="r1", into=folder)
    assert {p.name: p.read_text() for p in folder.iterdir()} == dict.fromkeys(theirs, "mine")


def test_an_earlier_export_is_replaced_and_what_lies_beside_it_stays(
    project: Project, tmp_path: Path
) -> None:
    round_of(project, good=["fixed"])
    folder = tmp_path / "out"
    export(project, system="r1", into=folder)
    assert (folder / "dev.jsonl").exists()
    (folder / "notes.txt").write_text("mine")
    export(project, system="r1", into=folder, splits=("train",))
    left = {p.name for p in folder.iterdir()}
    assert left == {"train.jsonl", "dataset", "README.md", "notes.txt"}


def test_a_file_is_no_folder_to_export_to(project: Project, tmp_path: Path) -> None:
    round_of(project, good=["fixed"])
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        export(project, system="r1", into=tmp_path / "out")


def test_the_card_says_who_read_and_warns_where_it_was_the_rules_alone(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND])
    analyze(project, system="teacher", detector="rules")
    report = export(project, system="teacher", into=tmp_path / "out", everything=True)
    assert report.read_by == ("rules",)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "`rules` alone: rules find few errors" in card
