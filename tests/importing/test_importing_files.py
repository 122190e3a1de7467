"""What can be given: formats, encodings, archives, folders, data sets."""

import gzip
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_files import MESSAGES, TALK, stored, summaries, write, write_jsonl

from arf_core.errors import InputError
from arf_core.importing import load
from arf_core.importing.delimited import sniff
from arf_core.importing.files import given
from arf_core.project import Project
from arf_core.records import Conversation

TURNS = [{"speaker": s, "text": t} for s, t in TALK]
ROW = {"id": "c1", "turns": TURNS, "summary": "A lamp is replaced."}


def zipped(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


# -- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        [ROW],
        {"version": 2, "data": [ROW]},
        {"data": [ROW], "version": 2},
        {"c1": {"turns": TURNS, "summary": ROW["summary"]}, "c2": {"turns": TURNS[:1]}},
        {"c1": TURNS, "c2": TURNS[:1]},
        ROW,
    ],
    ids=["list", "list within", "list first", "rows by id", "turns by id", "one row"],
)
def test_json_is_read_in_every_arrangement(
    project: Project, tmp_path: Path, document: object
) -> None:
    load(project, write(tmp_path / "a.json", json.dumps(document, indent=1)))
    assert stored(project)["c1"] == TALK


def test_lists_named_after_splits_give_the_split(project: Project, tmp_path: Path) -> None:
    talk = [["user", "Hello there you"], ["agent", "Hi"]]
    document = {
        "train": [{"convo_id": 1, "original": talk}],
        "test": [{"convo_id": 2, "original": talk[:1]}],
    }
    load(project, write(tmp_path / "a.json", json.dumps(document)))
    found = project.store.all(Conversation)
    assert {c.external_id: c.split for c in found} == {"1": "train", "2": "test"}


def test_a_large_json_list_is_read_piece_by_piece(project: Project, tmp_path: Path) -> None:
    rows = [{"id": n, "turns": [["user", f"{n} " + "x" * 5000]]} for n in range(200)]
    load(project, write(tmp_path / "a.json", json.dumps(rows)))
    assert len(stored(project)) == 200


def test_parquet_is_read_with_its_nested_columns(project: Project, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "a.parquet")
    load(project, tmp_path / "a.parquet")
    assert stored(project) == {"c1": TALK}
    assert summaries(project) == {("c1", "teacher"): "A lamp is replaced."}


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_is_found_out(project: Project, tmp_path: Path, separator: str) -> None:
    text = MESSAGES.replace(",", separator)
    load(project, write(tmp_path / "data", text))
    assert stored(project)["a"] == TALK


def test_the_format_is_found_by_content_where_the_name_misleads(
    project: Project, tmp_path: Path
) -> None:
    load(project, write_jsonl(tmp_path / "a.csv", [ROW]))
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "b.json")
    load(project, tmp_path / "b.json")
    load(project, write(tmp_path / "m.parquet", MESSAGES))
    assert set(stored(project)) == {"c1", "b"}, "a is the same talk as c1"


def test_quotes_and_newlines_within_cells_are_kept(project: Project, tmp_path: Path) -> None:
    text = (
        'conversation_id,speaker,text\n1,user,"He said ""no"",\nthen left; 5"""\n1,agent,ok then\n'
    )
    load(project, write(tmp_path / "m.csv", text))
    assert stored(project)["1"][0] == ("customer", 'He said "no",\nthen left; 5"')


def test_backslashes_before_quotes_are_understood(project: Project, tmp_path: Path) -> None:
    text = 'conversation_id,speaker,text\n1,user,"He said \\"no\\", then left"\n1,agent,ok then\n'
    report = load(project, write(tmp_path / "m.csv", text))
    assert stored(project)["1"][0] == ("customer", 'He said "no", then left')
    assert any("backslash" in note for note in report.notes)


def test_single_quotation_marks_in_tsv_are_text() -> None:
    text = 'a\tb\n"hello there\tx\nshe said "5\ty\n'
    assert not sniff(text, cut=False).quoting
    assert sniff('a\tb\n"x\ny"\tz\n', cut=False).quoting


# -- encodings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_what_they_are_need_no_flag(
    project: Project, tmp_path: Path, encoding: str
) -> None:
    text = MESSAGES.replace("broken", "zerbröselt 😀 شكرا")
    (tmp_path / "m.csv").write_bytes(text.encode(encoding))
    load(project, tmp_path / "m.csv")
    assert stored(project)["a"][0][1] == "My lamp came zerbröselt 😀 شكرا."


def test_another_encoding_is_named_and_can_be_given(project: Project, tmp_path: Path) -> None:
    filler = "".join(f"f{n},2024-01-01,customer,chat,déjà vu à la café n° {n}\n" for n in range(50))
    (tmp_path / "m.csv").write_bytes((MESSAGES + filler).encode("cp1252"))
    with pytest.raises(InputError, match="line 6 ") as caught:
        load(project, tmp_path / "m.csv")
    assert "--encoding" in caught.value.hint
    load(project, tmp_path / "m.csv", encoding="cp1252")
    assert stored(project)["f0"] == [("customer", "déjà vu à la café n° 0")]


@pytest.mark.parametrize("name", ["nonsense", "base64", "rot13"])
def test_an_encoding_that_does_not_exist_is_told(
    project: Project, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError, match=name):
        load(project, write(tmp_path / "m.csv", MESSAGES), encoding=name)


def test_utf_16_without_its_mark_is_recognised(project: Project, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(MESSAGES.encode("utf-16-le"))
    with pytest.raises(InputError) as caught:
        load(project, tmp_path / "m.csv")
    assert "--encoding utf-16-le" in caught.value.hint
    load(project, tmp_path / "m.csv", encoding="utf-16-le")
    assert stored(project)["a"] == TALK


# -- archives and folders ------------------------------------------------------------------------


def test_gzip_and_zip_are_read_in_place(project: Project, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode()))
    pq.write_table(pa.Table.from_pylist([ROW | {"id": "p", "turns": TURNS[:1]}]), tmp_path / "p")
    archive = zipped(
        tmp_path / "chats.zip",
        {
            "sub/m.csv": MESSAGES,
            "p.parquet": (tmp_path / "p").read_bytes(),
            "__MACOSX/._m.csv": "rubbish",
            "README.md": "read me",
        },
    )
    before = sorted(tmp_path.iterdir())
    load(project, tmp_path / "one.jsonl.gz")
    report = load(project, archive)
    assert set(stored(project)) == {"c1", "b", "p"}
    assert {c.source for c in project.store.all(Conversation)} == {"one", "chats"}
    assert report.duplicates == 1, "the same talk stands in both"
    assert any("README.md" in note for note in report.notes)
    assert sorted(tmp_path.iterdir()) == before, "nothing was unpacked"


def test_a_folder_is_read_with_all_its_files_as_one_source(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    header, *rows = MESSAGES.splitlines(keepends=True)
    write(folder / "january" / "m.csv", header + rows[0] + rows[1])
    write(folder / "february" / "m.csv", header + rows[2] + rows[3])
    write(folder / "notes.txt", "just some words\nwithout a table\n")
    write(folder / "report.docx", "x")
    (folder / "loop").symlink_to(folder)
    report = load(project, folder)
    assert stored(project)["a"] == TALK, "a conversation may go over several files"
    assert {c.source for c in project.store.all(Conversation)} == {"export"}
    assert any("report.docx" in note for note in report.notes)


def test_files_of_several_kinds_in_a_folder_each_have_their_mapping(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    write(folder / "m.csv", MESSAGES)
    write_jsonl(folder / "n.jsonl", [ROW | {"id": "n", "turns": TURNS[:1]}])
    report = load(project, folder)
    assert {m.shape for m in report.mappings} == {"messages", "turns"}
    assert set(stored(project)) == {"a", "b", "n"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "a"), ("a.v2.jsonl.zip", "a.v2"), (".hidden", ".hidden"), ("x.csv.gz", "x")],
)
def test_the_source_is_the_name_without_its_endings(
    tmp_path: Path, name: str, expected: str
) -> None:
    file = tmp_path / name
    if name.endswith(".zip"):
        zipped(file, {"a.csv": MESSAGES})
    else:
        write(file, MESSAGES)
    assert given(file).source == expected


# -- Hugging Face --------------------------------------------------------------------------------


def test_a_folder_written_by_save_to_disk_is_read(project: Project, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    train = datasets.Dataset.from_list([ROW])
    test = datasets.Dataset.from_list([ROW | {"id": "c2", "turns": TURNS[:1]}])
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(tmp_path / "saved")
    load(project, tmp_path / "saved")
    found = project.store.all(Conversation)
    assert {c.external_id: c.split for c in found} == {"c1": "train", "c2": "test"}
    assert stored(project)["c1"] == TALK
    assert {c.source for c in found} == {"saved"}


def test_a_folder_in_the_layout_of_the_hub_is_read(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    folder = tmp_path / "hub"
    files = "".join(
        f"  - split: {split}\n    path: d/{name}.jsonl\n"
        for split, name in (("train", "a"), ("validation", "b"))
    )
    card = f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\nA set.\n"
    write(folder / "README.md", card)
    write_jsonl(folder / "d" / "a.jsonl", [ROW])
    write_jsonl(folder / "d" / "b.jsonl", [ROW | {"id": "c2", "turns": TURNS[:1]}])
    load(project, folder)
    found = project.store.all(Conversation)
    assert {c.external_id: c.split for c in found} == {"c1": "train", "c2": "dev"}


def test_a_data_set_that_cannot_be_reached_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")

    def fail(*args: object, **more: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(InputError, match="no route to host"):
        load(project, "somebody/some-set")


def test_rows_without_an_id_in_files_of_one_name_stay_apart(
    project: Project, tmp_path: Path
) -> None:
    for n, month in enumerate(("january", "february")):
        write_jsonl(tmp_path / "data" / month / "a.jsonl", [{"turns": TURNS[n:]}])
    load(project, tmp_path / "data")
    assert set(stored(project)) == {"january/a.jsonl:1", "february/a.jsonl:1"}
