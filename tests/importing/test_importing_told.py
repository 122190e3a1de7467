"""What an import says: columns that were not taken, headers that are none, numbers that add up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from importing_files import MESSAGES, TALK, stored, summaries, write, write_jsonl
from items import Result

from arf_core import importing
from arf_core.errors import InputError
from arf_core.importing import load
from arf_core.project import Project

TRANSCRIPT = '"Customer: My lamp came broken.\nAgent: Sorry! A new one is on its way."'


# -- columns named for a field -------------------------------------------------------------------


@pytest.mark.parametrize("value", ["s", "nan", "Refund"])
def test_a_column_that_is_called_summary_is_taken_though_its_values_are_short(
    project: Project, tmp_path: Path, value: str
) -> None:
    file = write(tmp_path / "a.csv", f"id,transcript,summary\n1,{TRANSCRIPT},{value}\n")
    report = load(project, file)
    assert summaries(project) == {("1", "teacher"): value}
    assert any("short" in n and repr(value) in n and "--map summary=" in n for n in report.notes)


def test_a_column_named_for_a_field_but_not_taken_is_told_with_its_flag(
    project: Project, tmp_path: Path
) -> None:
    row = {
        "id": "1",
        "turns": [list(t) for t in TALK],
        "highlights": "lamp",
        "reference": "R-77",
        "summary": "A lamp is replaced.",
        "summaries": ["Another one."],
        "model": "Phone 7",
    }
    report = load(project, write_jsonl(tmp_path / "a.jsonl", [row]))
    told = {n for n in report.notes if "was not taken" in n}
    for flag in (
        "--map summary=highlights",
        "--map summary=summaries",
        "--map reference_summary=reference",
        "--map system=model",
    ):
        assert any(flag in note for note in told), flag
    assert len(told) == 4


def test_an_unreadable_time_and_speaker_of_messages_are_told(
    project: Project, tmp_path: Path
) -> None:
    text = MESSAGES.replace("2024-01-0", "the day before 0")
    report = load(project, write(tmp_path / "m.csv", text))
    assert any("--map time=created_at" in note for note in report.notes)


def test_nothing_is_told_of_columns_that_were_taken_or_taken_away(
    project: Project, tmp_path: Path
) -> None:
    report = load(project, write(tmp_path / "m.csv", MESSAGES))
    assert not [n for n in report.notes if "was not taken" in n]
    file = write(tmp_path / "b.csv", f"id,transcript,summary\n1,{TRANSCRIPT},A lamp.\n")
    again = load(project, file, columns={"summary": ""})
    assert not [n for n in again.notes if "was not taken" in n]


def test_the_plain_output_says_how_many_have_no_summary_and_what_became_of_columns(
    arf: Callable[..., Result], tmp_path: Path
) -> None:
    rows = [
        {"id": n, "turns": [["user", f"hello number {n}"]], "channel": "chat", "summary": s}
        for n, s in enumerate(["A greeting.", "", "Another one."])
    ]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    out = arf("import", str(tmp_path / "p"), str(file)).out
    assert "Conversations without a summary: 1." in out
    assert "Attributes: channel" in out
    bare = write_jsonl(tmp_path / "b.jsonl", [{"id": 9, "turns": [["user", "something else"]]}])
    out = arf("import", str(tmp_path / "p"), str(bare)).out
    assert "No column was recognised as a summary" in out
    assert "--map summary=COLUMN" in out
    assert "Attributes: none" in out


# -- a file without a header ---------------------------------------------------------------------


def test_a_first_row_that_is_data_is_no_header(project: Project, tmp_path: Path) -> None:
    other = TRANSCRIPT.replace("lamp", "chair")
    file = write(tmp_path / "a.csv", f"c1,{TRANSCRIPT}\nc2,{other}\n")
    report = load(project, file)
    assert next(iter(stored(project).values())) == TALK
    assert len(stored(project)) == 2
    assert any("--header" in n and "no header" in n for n in report.notes)


def test_rows_of_messages_without_a_header_are_told_with_both_remedies(
    project: Project, tmp_path: Path
) -> None:
    file = write(tmp_path / "m.csv", MESSAGES.partition("\n")[2])
    with pytest.raises(InputError) as caught:
        load(project, file)
    assert "column 1" in caught.value.message
    assert "--header" in str(caught.value)
    columns = {
        "conversation_id": "column 1",
        "time": "column 2",
        "speaker": "column 3",
        "text": "column 5",
    }
    load(project, file, columns=columns)
    assert stored(project)["a"] == TALK


def test_whether_there_is_a_header_can_be_said(project: Project, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", f"c1,{TRANSCRIPT}\nc2,{TRANSCRIPT.replace('lamp', 'bed')}\n")
    load(project, file, header=True, columns={"text": TRANSCRIPT.strip('"').replace("\n", " ")})
    assert len(stored(project)) == 1
    named = write(tmp_path / "b.csv", "what,said\nwho,Customer: so\n")
    seen = importing.preview(
        named,
        importing.ImportSettings(header=False, shape="document", columns={"document": "column 2"}),
    )
    assert [c.turns[0].text for c in seen.conversations] == ["said", "Customer: so"]


@pytest.mark.parametrize(
    "header",
    [
        "id,transcript,2023,2024",
        "ID,Please paste the whole conversation with the customer here",
        "conversation_id,transcript",
        "nummer,gespräch",
    ],
)
def test_unusual_headers_stay_headers(tmp_path: Path, header: str) -> None:
    more = ",1,2" if "2023" in header else ""
    file = write(tmp_path / "a.csv", f"{header}\n1,{TRANSCRIPT}{more}\n2,{TRANSCRIPT}{more}\n")
    (table,) = importing.inspect([file]).samples
    assert table.columns == tuple(header.split(","))


def test_the_flag_for_the_header_stands_in_the_command(
    arf: Callable[..., Result], tmp_path: Path
) -> None:
    file = write(
        tmp_path / "a.csv", f"id,text\n1,{TRANSCRIPT}\n2,{TRANSCRIPT.replace('lamp', 'bed')}\n"
    )
    done = arf("import", str(tmp_path / "p"), str(file), "--no-header", "--json")
    assert done.json["conversations"] == 3


# -- numbers -------------------------------------------------------------------------------------


def test_rows_read_are_new_or_there_already_or_rejected(project: Project, tmp_path: Path) -> None:
    turns = [list(t) for t in TALK]
    rows = [
        {"id": "1", "turns": turns, "summary": "The first.", "reference": "One of a person."},
        {"id": "2", "turns": turns, "summary": "The second.", "reference": "Two of a person."},
        {"id": "3", "turns": turns, "summary": "The first.", "reference": "One of a person."},
        {"id": "4", "turns": [], "summary": "Of nothing."},
    ]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    rejected = sum(report.rejected_by_reason.values())
    assert (report.read, report.conversations, report.duplicates, rejected) == (4, 1, 1, 2)
    assert [(r.line, "The second." in r.seen) for r in report.rejected] == [(4, False), (2, True)]
