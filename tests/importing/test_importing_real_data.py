"""The real files: every one is read as it is meant. Skipped where they are not at hand."""

from collections import Counter
from pathlib import Path

import pytest

from arf_core import importing
from arf_core.importing import ImportReport, load
from arf_core.project import Project
from arf_core.records import Conversation, Summary


def data_files(real_data: Path) -> list[Path]:
    """The files that the tests here are about; the folder may hold others besides."""
    names = sorted(p for folder in ("devset", "raw") for p in (real_data / folder).iterdir())
    names = [p for p in names if p.suffix in (".csv", ".jsonl", ".zip")]
    assert len(names) >= 9
    return names


def rejected(report: ImportReport) -> int:
    return sum(report.rejected_by_reason.values())


def test_tweets_become_threads_and_the_broken_row_is_told_by_line(
    project: Project, real_data: Path
) -> None:
    report = load(project, real_data / "raw" / "twcs_excerpt.csv")
    assert report.mappings[0].shape == "threads"
    assert report.read == 5_001
    # 1,305 whole rows name no parent; the two halves of the broken one make the 1,307 that a
    # reader sees who fills up short rows. 7 replies have lost their parent, one of them to it.
    assert report.conversations == 1_305 + 7
    assert report.messages == 4_999
    assert [r.line for r in report.rejected] == [2589, 2591]
    assert any(n.startswith("7 messages answer one that is not in the file") for n in report.notes)
    assert report.speakers.roles == {"customer": 2_777, "agent": 2_222}
    for c in project.store.all(Conversation):
        times = [t.at for t in c.turns if t.at]
        assert len(times) == len(c.turns)
        assert times == sorted(times)


def test_tweets_joined_by_br_get_their_sides(project: Project, real_data: Path) -> None:
    report = load(project, real_data / "raw" / "tweetsumm_test.csv")
    assert report.mappings[0].shape == "delimited"
    assert report.mappings[0].delimiter == "<BR>"
    assert (report.conversations, report.summaries, rejected(report)) == (110, 110, 0)
    assert report.messages == 1_152
    assert report.speakers.inferred_conversations == 110
    assert report.summaries_by_system == {"teacher": 110}


def test_inferred_sides_agree_with_the_labels_of_the_same_conversations(
    project: Project, tmp_path: Path, real_data: Path
) -> None:
    load(project, real_data / "raw" / "tweetsumm_test.csv")
    labelled = Project.create(tmp_path / "labelled")
    load(labelled, real_data / "devset" / "tweetsumm.jsonl")
    sides = {
        tuple(t.text.strip() for t in c.turns): [t.speaker for t in c.turns]
        for c in labelled.store.all(Conversation)
    }
    pairs = [
        (turn.speaker, side)
        for c in project.store.all(Conversation)
        for turn, side in zip(c.turns, sides.get(tuple(t.text for t in c.turns), []), strict=False)
    ]
    assert len(pairs) > 1_000
    assert sum(a == b for a, b in pairs) >= 0.98 * len(pairs)


def test_a_zip_of_nested_turns_is_read_in_place(project: Project, real_data: Path) -> None:
    report = load(project, real_data / "raw" / "ecommerce_v_0_1.jsonl.zip")
    assert report.mappings[0].shape == "turns"
    assert (report.conversations, report.messages, rejected(report)) == (6_000, 71_686, 0)
    assert report.speakers.roles == {"agent": 35_845, "customer": 35_841}
    assert {c.source for c in project.store.all(Conversation)} == {"ecommerce_v_0_1"}
    assert report.splits["train"] == pytest.approx(4_200, abs=150)


@pytest.mark.parametrize(
    ("name", "conversations", "summaries", "splits"),
    [
        ("tweetsumm", 1_087, {"reference": 1_087}, {"train": 869, "dev": 108, "test": 110}),
        ("dialogsum_service", 163, {"reference": 163}, {"dev": 89, "test": 74}),
        ("sgd_service", 350, {}, {"dev": 300, "test": 50}),
        ("cucom_hinglish", 51, {}, None),
    ],
)
def test_development_sets_come_in_whole(
    project: Project,
    real_data: Path,
    name: str,
    conversations: int,
    summaries: dict[str, int],
    splits: dict[str, int] | None,
) -> None:
    report = load(project, real_data / "devset" / f"{name}.jsonl")
    assert report.mappings[0].shape == "turns"
    assert (report.conversations, rejected(report)) == (conversations, 0)
    assert report.summaries_by_system == summaries
    assert splits is None or report.splits == splits
    assert report.leaks == 0


def test_five_systems_over_shared_dialogues_meet_on_them(project: Project, real_data: Path) -> None:
    report = load(project, real_data / "devset" / "faceval.jsonl")
    assert (report.read, report.conversations, report.duplicates) == (690, 138, 552)
    assert len(report.summaries_by_system) == 6, "four models, human_ref, and the reference"
    assert set(report.summaries_by_system.values()) == {138}
    by_conversation = Counter(s.conversation_id for s in project.store.all(Summary))
    assert set(by_conversation.values()) == {6}
    # a judgement of one summary is no attribute of its conversation
    assert "is_faithful" in report.mappings[0].left_out
    assert report.speakers.kept_labels > 100, "people's names stay"


def test_documents_with_ten_summaries_each(project: Project, real_data: Path) -> None:
    report = load(project, real_data / "devset" / "faithbench.jsonl")
    assert report.mappings[0].shape == "document"
    assert (report.conversations, report.summaries, rejected(report)) == (75, 750, 0)
    assert len(report.summaries_by_system) == 10
    assert all(len(c.turns) == 1 for c in project.store.all(Conversation))


def test_whole_folders_of_different_files_are_read_at_once(
    project: Project, real_data: Path
) -> None:
    report = load(project, real_data / "raw")
    assert {m.shape for m in report.mappings} == {"threads", "delimited", "turns"}
    assert report.conversations == 1_312 + 110 + 6_000
    report = load(project, real_data / "devset")
    # the test part of tweetsumm is there twice, but with other sides where they were inferred
    assert report.conversations + report.duplicates == 1_087 + 163 + 350 + 51 + 690 + 750
    assert rejected(report) == 0


def test_importing_again_finds_everything_there(project: Project, real_data: Path) -> None:
    names = data_files(real_data)
    small = [p for p in names if p.stat().st_size < 2_000_000]
    for path in small:
        load(project, path)
    before = project.store.revision()
    for path in small:
        report = load(project, path)
        assert (report.conversations, report.summaries) == (0, 0)
        assert report.duplicates > 0
    assert project.store.revision() == before


def test_previews_of_every_file_show_conversations(real_data: Path) -> None:
    names = data_files(real_data)
    for path in names:
        seen = importing.preview(path, rows=3)
        assert len(seen.conversations) == 3
