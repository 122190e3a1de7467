"""Bad input: each case is told with what was seen and what to do, and nothing is stored."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from importing_files import MESSAGES, TALK, numbered, stored, write, write_jsonl
from test_importing_files import zipped

from arf_core.errors import ArfError, InputError
from arf_core.importing import files, json_text, load
from arf_core.importing import rows as table_rows
from arf_core.project import Project
from arf_core.records import Conversation, Turn

ROWS = [numbered(n) for n in range(50)]
JSONL = "".join(json.dumps(r) + "\n" for r in ROWS).encode()


def refused(project: Project, path: str | Path | list[str | Path], **options: object) -> ArfError:
    """The error that the import ends in; asserts that it left the store alone and helps."""
    before = project.store.revision()
    with pytest.raises(InputError) as caught:
        load(project, path, **options)
    assert project.store.revision() == before
    assert project.store.all(Conversation) == []
    assert caught.value.hint, "it says what to do"
    return caught.value


def encrypted_zip(path: Path) -> Path:
    zipped(path, {"a.csv": MESSAGES})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    return path


def office_file(path: Path, folder: str) -> Path:
    return zipped(path, {"[Content_Types].xml": "<x/>", f"{folder}/a.xml": "<x/>"})


def cut(path: Path, data: bytes) -> Path:
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def bomb(path: Path) -> Path:
    row = json.dumps(ROWS[0]).encode()
    return put(path, gzip.compress(row + b"\n" + (b" " * 999_999 + b"\n") * 68, 9))


CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (lambda p: put(p / "a.csv", b""), "a.csv is empty"),
    "blank": (lambda p: put(p / "a.csv", b"\n \n"), "a.csv is empty"),
    "header only": (lambda p: put(p / "a.csv", b"id,text\n"), "no rows"),
    "rows that do not fit": (
        lambda p: put(p / "a.csv", b"id,text\n1,2,3\n4,5,6\n"),
        "No row of a.csv fits its header .line 2: 3 cells",
    ),
    "empty list": (lambda p: put(p / "a.json", b"[]"), "no rows"),
    "wrong encoding": (
        lambda p: put(p / "a.csv", MESSAGES.replace("lamp", "lämp").encode("latin-1")),
        r"a.csv is not utf-8 text: byte 0xe4 on line 3",
    ),
    "binary": (lambda p: put(p / "a.csv", bytes(range(256)) * 50 + bytes(20_000)), "a.csv is no"),
    "one long line": (
        lambda p: put(p / "a.jsonl", JSONL + b'{"id": "' + b"x" * 50_000_000 + b'"}\n'),
        "Line 51 of a.jsonl is longer than 16 million",
    ),
    "unclosed quote": (
        lambda p: put(
            p / "a.csv", (MESSAGES + 'a,2024,agent,chat,"never closed\n' * 1 + "b,\n" * 9).encode()
        ),
        "quotation mark is opened on line 6 and never closed",
    ),
    "cut gzip": (lambda p: cut(p / "a.jsonl.gz", gzip.compress(JSONL)), "damaged or cut short"),
    "cut zip": (
        lambda p: cut(p / "a.zip", zipped(p / "b.zip", {"a.jsonl": JSONL}).read_bytes()),
        "damaged or cut short",
    ),
    "no zip": (lambda p: put(p / "a.zip", b"PK\x03\x04 hello"), "damaged or cut short"),
    "encrypted zip": (lambda p: encrypted_zip(p / "a.zip"), "encrypted"),
    "bomb": (lambda p: bomb(p / "a.jsonl.gz"), "zip bomb"),
    "nested archive": (
        lambda p: zipped(p / "a.zip", {"a.csv": MESSAGES, "inner.zip": b"PK"}),
        "holds another archive: inner.zip",
    ),
    "empty zip": (lambda p: zipped(p / "a.zip", {}), "found: nothing"),
    "zip of other things": (lambda p: zipped(p / "a.zip", {"a.exe": b"x"}), "found: a.exe"),
    "excel": (lambda p: office_file(p / "a.xlsx", "xl"), "Excel workbook"),
    "word": (lambda p: office_file(p / "a.docx", "word"), "Office document"),
    "old excel": (lambda p: put(p / "a.xls", b"\xd0\xcf\x11\xe0" + bytes(9)), "old Excel"),
    "pdf": (lambda p: put(p / "a.pdf", b"%PDF-1.4 ..."), "a PDF"),
    "missing": (lambda p: p / "nowhere.csv", "There is no file .*nowhere.csv"),
    "folder of other things": (
        lambda p: put(p / "a.exe", b"x").parent,
        "holds no file that can be read .found: a.exe",
    ),
    "broken json": (
        lambda p: put(p / "a.json", b'[\n{"id": 1},\n{"id": oops}\n]'),
        r"a.json is not valid JSON: .*line 3",
    ),
    "cut json": (lambda p: put(p / "a.json", b'[{"id": 1}, {"id"'), "a.json is not valid JSON"),
    "rubbish behind json": (
        lambda p: put(p / "a.json", b'[{"id": 1}] and more'),
        "there is more text after the end",
    ),
    "deep json": (
        lambda p: put(p / "a.json", b"[" * 200_000 + b"]" * 200_000),
        "nested too deeply",
    ),
    "cut parquet": (lambda p: put(p / "a.parquet", b"PAR1" + bytes(100)), "no Parquet file"),
    "only scalars": (lambda p: put(p / "a.jsonl", b"1\n2\n3\n"), "columns: column 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_read_is_refused_with_a_message(
    project: Project, tmp_path: Path, case: str
) -> None:
    make, expected = CASES[case]
    folder = tmp_path / "given"
    folder.mkdir()
    path = make(folder)
    with pytest.raises(InputError, match=expected):
        load(project, path)
    refused(project, path)


def test_a_zip_with_a_wrong_checksum_is_refused(project: Project, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.jsonl": JSONL})
    info = zipfile.ZipFile(path).infolist()[0]
    data = path.read_bytes()
    wrong = struct.pack("<L", info.CRC ^ 1)
    put(path, data.replace(struct.pack("<L", info.CRC), wrong))
    assert "damaged" in str(refused(project, path))


def test_names_that_climb_out_of_a_zip_write_nothing_and_are_shown_escaped(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    zipped(path, {"../../evil\x1b[31m.csv": MESSAGES})
    before = sorted(p for p in tmp_path.rglob("*") if "project" not in p.parts)
    report = load(project, path)
    assert "\x1b" not in report.files[0]
    assert "\\x1b" in report.files[0]
    assert sorted(p for p in tmp_path.rglob("*") if "project" not in p.parts) == before


def test_a_loop_of_folders_ends(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "loop"
    folder.mkdir()
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "a.csv").symlink_to(folder / "b.csv")
    (folder / "b.csv").symlink_to(folder / "a.csv")
    refused(project, folder)
    refused(project, folder / "a.csv")


def test_no_path_at_all_is_told(project: Project) -> None:
    refused(project, [])


@pytest.mark.parametrize("limit", ["LONGEST_LINE"])
def test_a_long_line_within_a_quoted_cell_is_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(table_rows, limit, 10_000)
    text = MESSAGES + 'a,2024-01-01,agent,chat,"' + "x" * 20_000 + '"\n'
    assert "Line 6" in str(refused(project, write(tmp_path / "m.csv", text)))


def test_one_json_value_larger_than_can_be_held_is_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "LARGEST_VALUE", 1_000_000)
    monkeypatch.setattr(json_text, "_FIRST_READ", 1_000)
    text = json.dumps([{"id": 1, "turns": [["user", "x" * 3_000_000]]}])
    assert "The value on line 1 of a.json is longer" in str(
        refused(project, write(tmp_path / "a.json", text))
    )


def test_a_bomb_in_a_zip_stops_while_it_streams(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 1_000_000)
    data = json.dumps(ROWS[0]).encode() + b"\n" + b" " * 20_000_000
    path = zipped(tmp_path / "a.zip", {"a.jsonl": data})
    assert "zip bomb" in str(refused(project, path))


def test_a_project_folder_that_is_gone_is_told(project: Project, tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", MESSAGES)
    project.path = tmp_path / "gone"
    with pytest.raises(InputError, match="Cannot write to"):
        load(project, file)


# -- rows that cannot be used, among others that can ---------------------------------------------


def rejects(project: Project, path: Path) -> list[tuple[int, str]]:
    return [(r.line, r.reason) for r in load(project, path).rejected]


def test_ragged_rows_are_rejected_by_line(project: Project, tmp_path: Path) -> None:
    text = MESSAGES + "a,2024-01-01\n\na,b,c,d,e,f,g\n"
    assert rejects(project, write(tmp_path / "m.csv", text)) == [
        (6, "the row does not fit the header"),
        (8, "the row does not fit the header"),
    ]
    assert stored(project)["a"] == TALK


def test_a_stray_quotation_mark_costs_its_row(project: Project, tmp_path: Path) -> None:
    text = MESSAGES + 'a,2024-01-03T00:00:00,agent,chat,"so" he said\n' + MESSAGES.splitlines()[1]
    assert rejects(project, write(tmp_path / "m.csv", text)) == [
        (6, "a quotation mark stands where none may")
    ]


def test_nul_characters_cost_their_row(project: Project, tmp_path: Path) -> None:
    text = MESSAGES + "a,2024-01-03T00:00:00,agent,chat,nul \0 here\n"
    assert rejects(project, write(tmp_path / "m.csv", text)) == [
        (6, "the text has a NUL character")
    ]
    rows = [
        *ROWS[:2],
        {"id": "z", "turns": [["user", "a\0b"]]},
        {"id": "a\0", "turns": [["b", "c"]]},
    ]
    assert [line for line, _ in rejects(project, write_jsonl(tmp_path / "a.jsonl", rows))] == [3, 4]


def test_lone_surrogates_cost_their_row(project: Project, tmp_path: Path) -> None:
    bad = r'{"id": "z", "turns": [["user", "half \ud83d of it"]]}'
    lines = JSONL.decode() + bad + "\n"
    assert rejects(project, write(tmp_path / "a.jsonl", lines)) == [
        (51, "half of a character pair (lone surrogate)")
    ]
    listed = "[" + ",\n".join([*JSONL.decode().splitlines(), bad]) + "]"
    again = Project.create(tmp_path / "again")
    assert rejects(again, write(tmp_path / "a.json", listed)) == [
        (51, "half of a character pair (lone surrogate)")
    ]


def test_bad_lines_of_jsonl_cost_themselves(project: Project, tmp_path: Path) -> None:
    deep = '{"id": ' + "[" * 5_000 + "]" * 5_000 + "}"
    text = JSONL.decode() + '{"id": oops}\n\n[1, 2]\n' + deep + "\n" + '{"id": "no turns"}\n'
    found = rejects(project, write(tmp_path / "a.jsonl", text))
    assert [line for line, _ in found] == [51, 53, 54, 55]
    assert found[0][1] == "the line is not valid JSON"
    assert found[2][1] == "values are nested too deeply"


def test_nan_and_infinity_are_missing_values(project: Project, tmp_path: Path) -> None:
    text = '{"id": NaN, "turns": [["user", "Hello you"]], "score": Infinity, "rank": 2}\n'
    load(
        project, write(tmp_path / "a.jsonl", text + text.replace("NaN", '"b"').replace("you", "me"))
    )
    found = project.store.all(Conversation)
    assert [c.external_id for c in found] == ["a.jsonl:1", "b"]
    assert found[0].attributes == {"rank": 2}


def test_turns_that_are_no_turns_cost_their_row(project: Project, tmp_path: Path) -> None:
    good = [{"speaker": "user", "text": "Hello"}]
    rows: list[dict[str, object]] = [
        {"id": str(n), "turns": [*good, {"speaker": "user", "text": f"{n}"}]} for n in range(9)
    ]
    bad = [[1, 2], "words", {"a": 1}, [{"speaker": "user"}], [{"speaker": "a", "text": {"b": 1}}]]
    rows += [{"id": f"x{n}", "turns": turns} for n, turns in enumerate(bad)]
    found = rejects(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert [line for line, _ in found] == [10, 11, 12, 13, 14]


def test_conversations_of_one_turn_and_of_five_thousand_are_fine(
    project: Project, tmp_path: Path
) -> None:
    many = [["user", f"message number {n}"] for n in range(5_000)]
    rows = [{"id": "one", "turns": [["user", "alone"]]}, {"id": "many", "turns": many}]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert len(stored(project)["many"]) == 5_000
    assert report.turns is not None
    assert (report.turns.min, report.turns.max) == (1, 5_000)


def test_any_script_and_control_characters_are_kept_exactly(
    project: Project, tmp_path: Path
) -> None:
    text = "مرحبا \u202eאבג\u202c 👩‍👩‍👧 \x07\x1b[0m\t\u2028\u0085 ﬁ e\u0301  "
    rows = [{"id": "1", "turns": [["user", text]]}]
    load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert project.store.all(Conversation)[0].turns == (Turn(speaker="customer", text=text),)


def test_turns_without_words_are_kept_and_counted(project: Project, tmp_path: Path) -> None:
    rows = [{"id": "1", "turns": [["user", "Hello"], ["agent", ""], ["user", None]]}]
    report = load(project, write_jsonl(tmp_path / "a.jsonl", rows))
    assert len(stored(project)["1"]) == 3
    assert any("2 turns have no text" in note for note in report.notes)


def test_times_that_cannot_be_read_are_counted(project: Project, tmp_path: Path) -> None:
    rows = "".join(f"c,2024-01-01T10:00:{n:02d},user,chat,text {n}\n" for n in range(20))
    text = MESSAGES.splitlines()[0] + "\n" + rows + "c,yesterday,user,chat,the last\n"
    report = load(project, write(tmp_path / "m.csv", text))
    assert any("1 times could not be read" in note for note in report.notes)
    assert stored(project)["c"][-1] == ("customer", "the last")


def test_a_duplicate_id_with_another_text_keeps_the_first_across_imports(
    project: Project, tmp_path: Path
) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "turns": [["user", "first words"]]}])
    load(project, file)
    write_jsonl(file, [{"id": "1", "turns": [["user", "other words"]]}, numbered(2)])
    assert rejects(project, file) == [(1, "another conversation has the same id")]
    assert stored(project)["1"] == [("customer", "first words")]


def test_gzip_members_one_after_another_are_one_file(project: Project, tmp_path: Path) -> None:
    half = len(JSONL.splitlines(True)) // 2
    lines = JSONL.splitlines(True)
    data = gzip.compress(b"".join(lines[:half])) + gzip.compress(b"".join(lines[half:]))
    load(project, put(tmp_path / "a.jsonl.gz", data))
    assert len(stored(project)) == 50


def test_a_deflated_stream_that_is_no_gzip_is_told(project: Project, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    buffer.write(b"\x1f\x8b" + zlib.compress(JSONL))
    assert "damaged" in str(refused(project, put(tmp_path / "a.gz", buffer.getvalue())))
