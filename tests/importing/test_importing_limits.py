"""Long rows, many files, files that are named better than they look, and a disk that is full."""

import gzip
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_files import MESSAGES, TALK, numbered, stored, write, write_jsonl
from test_importing_bad_input import refused
from test_importing_files import zipped

from arf_core import importing
from arf_core.errors import ArfError
from arf_core.importing import delimited, json_text, load, plan, rows, staging, tables
from arf_core.project import Project

GOOD = [json.dumps(numbered(n)) for n in range(2)]


# -- one limit for a row -------------------------------------------------------------------------


def test_csv_jsonl_and_json_have_one_limit() -> None:
    limits = {rows.LONGEST_LINE, delimited.LONGEST_CELL, json_text.LARGEST_VALUE}
    assert limits == {rows.LONGEST_ROW}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "b.json", "c.json"])
def test_a_row_that_is_too_long_is_told_in_every_format(
    project: Project, tmp_path: Path, name: str
) -> None:
    long = "x" * (rows.LONGEST_ROW + 10)
    texts = {
        "a.csv": f"id,transcript\n1,Agent: {long}\n",
        "a.jsonl": json.dumps({"id": 1, "turns": [["user", long]]}) + "\n",
        "a.json": json.dumps([{"id": 1, "turns": [["user", long]]}]),
        "b.json": json.dumps({"id": 1, "turns": [["user", "x" * 999]] * (rows.LONGEST_ROW // 999)}),
        "c.json": json.dumps({f"k{n}": long[: len(long) // 3] for n in range(4)}),
    }
    error = refused(project, write(tmp_path / name, texts[name]))
    assert "longer than 16 million characters" in error.message
    assert name in error.message
    assert "line" in error.message.lower()


def test_a_row_of_parquet_that_is_too_long_is_told(project: Project, tmp_path: Path) -> None:
    long = "x" * (rows.LONGEST_ROW + 10)
    pq.write_table(
        pa.Table.from_pylist([numbered(0, more=""), numbered(1, more=long)]), tmp_path / "a"
    )
    assert "Row 2 of a is longer than 16 million" in refused(project, tmp_path / "a").message


# -- JSONL that is named so ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.zip", "a.json", "a.txt"])
def test_a_bad_second_line_costs_only_itself(project: Project, tmp_path: Path, name: str) -> None:
    text = f"{GOOD[0]}\nnot json\n{GOOD[1]}\n"
    file = tmp_path / name
    if name == "a.zip":
        zipped(file, {"b.jsonl": text})
    elif name.endswith(".gz"):
        file.write_bytes(gzip.compress(text.encode()))
    else:
        write(file, text)
    report = load(project, file)
    assert set(stored(project)) == {"c0", "c1"}
    assert [(r.line, r.reason) for r in report.rejected] == [(2, "the line is not valid JSON")]


def test_a_bad_first_line_of_jsonl_costs_only_itself(project: Project, tmp_path: Path) -> None:
    report = load(project, write(tmp_path / "a.jsonl", f'{{"id": oops\n{GOOD[0]}\n'))
    assert [r.line for r in report.rejected] == [1]
    assert set(stored(project)) == {"c0"}


def test_indented_json_is_json_whatever_its_name(project: Project, tmp_path: Path) -> None:
    load(project, write(tmp_path / "a.jsonl", json.dumps(numbered(1), indent=2)))
    load(project, write(tmp_path / "b.jsonl", json.dumps([numbered(2)], indent=2)))
    assert set(stored(project)) == {"c1", "c2"}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "list.json"])
def test_nesting_is_named_as_the_reason(project: Project, tmp_path: Path, name: str) -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    row = {**numbered(1), "deep": deep}
    text = json.dumps([row] if name == "list.json" else row)
    error = refused(project, write(tmp_path / name, text))
    assert "nested too deeply" in str(error)
    assert "holds no rows" not in str(error)


# -- many files ----------------------------------------------------------------------------------


def many(folder: Path, count: int) -> Path:
    path = folder / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(count):
            text = MESSAGES.replace("\nb,", f"\nb{n},").replace("\na,", f"\na{n},")
            archive.writestr(f"day-{n}.csv", text.replace("lamp", f"lamp number {n}"))
    return path


def test_many_small_files_in_a_zip_are_looked_at_once(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    listing = zipfile.ZipFile.infolist
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda z: opened.append(z) or listing(z))
    real = zipfile.ZipFile.__init__
    monkeypatch.setattr(
        zipfile.ZipFile, "__init__", lambda z, *a, **k: opened.append(a) or real(z, *a, **k)
    )
    sniffed: list[str] = []
    sniff = delimited.sniff
    monkeypatch.setattr(delimited, "sniff", lambda t, *a: sniffed.append(t) or sniff(t, *a))
    told: list[tuple[str, int, int]] = []
    path = many(tmp_path, 60)
    opened.clear()
    report = importing.load(project, path, progress=lambda *args: told.append(args))
    assert report.conversations == 61, "the order of b is the same in each"
    assert len(opened) <= 2, "the list of the archive is read once"
    assert len(sniffed) == 1, "files with one header are written alike"
    opening = [t for t in told if t[0] == "opening"]
    assert opening[-1] == ("opening", 60, 60)


def test_a_file_with_the_header_of_another_but_other_quotes_is_still_read(
    project: Project, tmp_path: Path
) -> None:
    header = "conversation_id,speaker,text\n"
    write(tmp_path / "in" / "a.csv", header + '1,user,"He said ""no"", then left"\n')
    write(tmp_path / "in" / "b.csv", header + '2,user,"She said \\"no\\", then left"\n')
    load(project, tmp_path / "in")
    assert stored(project) == {
        "1": [("customer", 'He said "no", then left')],
        "2": [("customer", 'She said "no", then left')],
    }


def test_what_is_listed_does_not_grow_with_the_number_of_files(
    project: Project, tmp_path: Path
) -> None:
    report = importing.load(project, many(tmp_path, 150))
    assert report.file_count == 150
    assert len(report.files) == 100
    assert len(report.mappings[0].files) == 100
    again = load(project, tmp_path / "many.zip")
    assert again.duplicates == 300
    assert len(again.duplicate_rows) == 100


# -- names in a zip ------------------------------------------------------------------------------


def test_names_with_backslashes_in_a_zip_are_read_in_place(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    zipped(path, {"..\\..\\X.csv": MESSAGES, "sub\\.hidden.csv": MESSAGES, "sub\\README.md": "x"})
    before = sorted(p for p in tmp_path.rglob("*") if "project" not in p.parts)
    report = load(project, path)
    assert stored(project)["a"] == TALK
    assert report.files == ["..\\..\\X.csv"]
    assert any("hidden" in n and "sub\\.hidden.csv" in n for n in report.notes)
    assert any("no tables" in n and "sub\\README.md" in n for n in report.notes)
    assert sorted(p for p in tmp_path.rglob("*") if "project" not in p.parts) == before


# -- a full disk ---------------------------------------------------------------------------------


def full(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    tables = f"PRAGMA max_page_count = {pages};\n{staging._TABLES}"
    monkeypatch.setattr(staging, "_TABLES", tables)


@pytest.mark.parametrize("pages", [1, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("shape", ["messages", "threads", "turns"])
def test_a_disk_that_fills_while_staging_is_told(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pages: int,
    shape: str,
) -> None:
    full(monkeypatch, pages)
    words = " ".join(f"w{n}" for n in range(40))
    if shape == "turns":
        rows_ = [numbered(n, more=words) for n in range(4_000)]
        file = write_jsonl(tmp_path / "a.jsonl", rows_)
    else:
        parent = ",in_reply_to" if shape == "threads" else ""
        one = "message_id" if shape == "threads" else "conversation_id"
        lines = [f"{n},user,{words} {n}{f',{n - 1}' if parent else ''}" for n in range(4_000)]
        file = write(tmp_path / "m.csv", f"{one},speaker,text{parent}\n" + "\n".join(lines))
    before = project.store.revision()
    with pytest.raises(ArfError, match="full") as caught:
        load(project, file)
    assert "space" in caught.value.hint
    assert project.store.revision() == before


def test_a_file_of_rejects_on_a_full_disk_is_told(project: Project, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    file = write(tmp_path / "m.csv", MESSAGES + "a,short\n")
    with pytest.raises(ArfError, match="/dev/full") as caught:
        load(project, file, rejects_to=Path("/dev/full"))
    assert caught.value.hint


def test_samples_and_preview_open_each_file_and_guess_its_mapping_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.csv", MESSAGES)
    opened: list[str] = []
    guessed: list[object] = []
    real_open, real_guess = tables.open_table, plan.mapping_of
    monkeypatch.setattr(
        tables, "open_table", lambda m, *a: opened.append(m.name) or real_open(m, *a)
    )
    monkeypatch.setattr(plan, "mapping_of", lambda *a: guessed.append(a) or real_guess(*a))
    seen = importing.inspect(tmp_path)
    assert [s.file for s in seen.samples] == ["a.csv", "b.csv"]
    assert seen.preview is not None
    assert seen.preview.conversations
    assert opened == ["a.csv", "b.csv"]
    assert len(guessed) == 1, "both files have the same columns"


def test_what_cannot_be_mapped_still_shows_its_first_rows(tmp_path: Path) -> None:
    seen = importing.inspect(write(tmp_path / "a.csv", "x,y\n1,2\n"))
    assert seen.preview is None
    assert seen.samples[0].rows == (("1", "2"),)
    assert "no column looks like conversations" in seen.problem
    assert "--map" in seen.hint
