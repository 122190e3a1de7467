"""Any conversations, written in each shape and format and imported, come back as they were; and
from garbage nothing but an ArfError ever escapes."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from importing_files import stored, summaries, write

from arf_core import importing
from arf_core.errors import ArfError
from arf_core.importing import load
from arf_core.project import Project

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY = st.characters(codec="utf-8", exclude_characters="\0")
WORDS = st.text(ANY, min_size=1, max_size=60)
PLAIN = st.text(st.sampled_from("abc déß漢😀.,!?\"';|0"), max_size=30).map(lambda t: f"Well {t} so")
SPEAKERS = st.sampled_from(["customer", "agent", "bot", "Anna"])
Talk = list[tuple[str, str]]
Case = tuple[list[Talk], list[str]]
Found = tuple[dict[str, Talk], dict[tuple[str, str], str]]
"""Turns by the conversation's own id; summaries by that and the system."""


def talks(
    words: st.SearchStrategy[str], speakers: st.SearchStrategy[str] = SPEAKERS
) -> st.SearchStrategy[Case]:
    """Different conversations, and a summary for each."""
    talk = st.lists(st.tuples(speakers, words), min_size=1, max_size=6)
    shown = talk.filter(lambda t: any(w.strip() for _, w in t))
    unique = st.lists(shown, min_size=1, max_size=5, unique_by=tuple)
    return unique.flatmap(
        lambda found: st.tuples(
            st.just(found), st.lists(PLAIN, min_size=len(found), max_size=len(found))
        )
    )


def imported(write_files: Callable[[Path], list[Path]], **options: object) -> Found:
    """What a preview shows of these files; it reads them as an import does, but stores nothing."""
    with TemporaryDirectory() as name:
        seen = importing.preview(
            write_files(Path(name)), importing.ImportSettings(**options), rows=99
        )
        names = {c.id: c.external_id for c in seen.conversations}
        return (
            {c.external_id: [(t.speaker, t.text) for t in c.turns] for c in seen.conversations},
            {(names[s.conversation_id], s.system): s.text for s in seen.summaries},
        )


def expected(case: Case) -> Found:
    talks, texts = case
    return (
        {f"c{n}": talk for n, talk in enumerate(talks)},
        {(f"c{n}", "teacher"): text for n, text in enumerate(texts)},
    )


def csv_text(header: list[str], rows: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([header, *rows])
    return out.getvalue()


def nested(case: Case) -> list[dict[str, object]]:
    return [
        {
            "id": f"c{n}",
            "turns": [{"speaker": s, "text": t} for s, t in talk],
            "summary": text,
        }
        for n, (talk, text) in enumerate(zip(*case, strict=True))
    ]


@given(talks(WORDS))
@QUICK
def test_nested_turns_as_jsonl(case: Case) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in nested(case))
    assert imported(lambda f: [write(f / "a.jsonl", lines)]) == expected(case)


@given(talks(WORDS))
@settings(QUICK, max_examples=8)
def test_what_is_stored_is_what_was_written(case: Case) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in nested(case))
    with TemporaryDirectory() as name, Project.create(Path(name) / "p") as project:
        load(project, write(Path(name) / "a.jsonl", lines))
        assert (stored(project), summaries(project)) == expected(case)


@given(talks(WORDS))
@QUICK
def test_nested_turns_as_json_by_id(case: Case) -> None:
    assume(len(case[0]) > 1)
    rows = {row.pop("id"): row for row in nested(case)}
    text = json.dumps(rows, ensure_ascii=False)
    assert imported(lambda f: [write(f / "a.json", text)]) == expected(case)


@given(talks(WORDS))
@QUICK
def test_nested_turns_as_parquet(case: Case) -> None:
    def files(folder: Path) -> list[Path]:
        pq.write_table(pa.Table.from_pylist(nested(case)), folder / "a.parquet")
        return [folder / "a.parquet"]

    assert imported(files) == expected(case)


@given(talks(WORDS))
@QUICK
def test_turns_as_json_in_a_cell(case: Case) -> None:
    rows = [[r["id"], json.dumps(r["turns"]), r["summary"]] for r in nested(case)]
    text = csv_text(["id", "dialogue", "summary"], rows)
    assert imported(lambda f: [raw(f / "a.csv", text)]) == expected(case)


def raw(path: Path, text: str) -> Path:
    """Written without any change to line ends."""
    path.write_bytes(text.encode())
    return path


@given(
    talks(WORDS.filter(lambda w: not w.isspace())),
    st.randoms(use_true_random=False),
    st.sampled_from(",;\t|"),
)
@QUICK
def test_messages_in_any_order_and_summaries_in_a_second_table(
    case: Case, random: Random, separator: str
) -> None:
    rows = [
        [f"c{n}", str(place), speaker, text]
        for n, talk in enumerate(case[0])
        for place, (speaker, text) in enumerate(talk)
    ]
    shuffle = list(rows)
    random.shuffle(shuffle)
    header = ["conversation_id", "turn_index", "speaker", "text"]
    told = [[f"c{n}", text] for n, text in enumerate(case[1])]

    def files(folder: Path) -> list[Path]:
        about = raw(folder / "about.csv", csv_text(["conversation_id", "summary"], told, separator))
        return [raw(folder / "m.csv", csv_text(header, shuffle, separator)), about]

    conversations, found = imported(files)
    wanted = expected(case)
    assert (sorted(conversations.items()), found) == (sorted(wanted[0].items()), wanted[1])


@given(talks(PLAIN), st.randoms(use_true_random=False))
@QUICK
def test_threads_in_any_order(case: Case, random: Random) -> None:
    rows = []
    for n, talk in enumerate(case[0]):
        for place, (speaker, text) in enumerate(talk):
            parent = "" if place == 0 else f"c{n}" if place == 1 else f"c{n}.{place - 1}"
            mine = f"c{n}" if place == 0 else f"c{n}.{place}"
            rows.append([mine, parent, speaker, text, f"2024-01-01 10:00:0{place}"])
    random.shuffle(rows)
    header = ["message_id", "reply_to", "author", "text", "created_at"]
    found, _ = imported(lambda f: [raw(f / "t.csv", csv_text(header, rows))], shape="threads")
    assert sorted(found.items()) == sorted(expected(case)[0].items())


@given(talks(PLAIN, st.sampled_from(["customer", "agent", "bot"])))
@QUICK
def test_text_of_labelled_lines(case: Case) -> None:
    rows = [
        {"id": f"c{n}", "dialogue": "\n".join(f"{s}: {t}" for s, t in talk), "summary": text}
        for n, (talk, text) in enumerate(zip(*case, strict=True))
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert imported(lambda f: [write(f / "a.jsonl", lines)], shape="lines") == expected(case)


@given(talks(PLAIN), st.sampled_from(["<BR>", " ||| ", "</s>", "~~"]))
@QUICK
def test_turns_joined_by_a_mark(case: Case, mark: str) -> None:
    assume(all("|" not in t for talk in case[0] for _, t in talk))
    rows = [[f"c{n}", mark.join(t for _, t in talk)] for n, talk in enumerate(case[0])]
    assume(len({tuple(t for _, t in talk) for talk in case[0]}) == len(case[0]))
    text = csv_text(["id", "chat"], rows)
    found, _ = imported(
        lambda f: [raw(f / "a.csv", text)], shape="delimited", delimiter=mark.strip()
    )
    words = {name: [t for _, t in talk] for name, talk in found.items()}
    assert words == {f"c{n}": [t for _, t in talk] for n, talk in enumerate(case[0])}


# -- garbage -------------------------------------------------------------------------------------

JSONISH = st.text(st.sampled_from('[]{}",:0a \n\\u'), max_size=200).map(str.encode)
CSVISH = st.text(st.sampled_from('"",;\n\r\tab\0é'), max_size=300).map(str.encode)
GARBAGE = st.one_of(
    st.binary(max_size=400),
    JSONISH,
    CSVISH,
    CSVISH.map(lambda b: b"conversation_id,speaker,text\n" + b),
    JSONISH.map(lambda b: b'{"id": 1, "turns": [["a", "b"]]}\n' + b),
    JSONISH.map(lambda b: b'{"a": {"turns": [["user", "x"]]}, ' + b),
    st.binary(max_size=200).map(lambda b: b"PK\x03\x04" + b),
    st.binary(max_size=200).map(lambda b: b"\x1f\x8b\x08" + b),
    st.binary(max_size=200).map(lambda b: b"PAR1" + b + b"PAR1"),
    st.binary(max_size=200).map(lambda b: b"\xff\xfe" + b),
)


@given(GARBAGE, st.sampled_from(["a.csv", "a.json", "a.jsonl", "a.zip", "a.gz", "a.parquet", "a"]))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_ends_in_an_arf_error_or_in_a_preview(data: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        try:
            seen = importing.preview(file)
        except ArfError:
            return
        seen.model_dump_json()


@given(GARBAGE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_within_archives_and_through_the_whole_import(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("in/a.jsonl", data)
            archive.writestr("in/b.csv", data)
        with Project.create(Path(folder) / "p") as project:
            try:
                load(project, file).model_dump_json()
            except ArfError:
                return


@pytest.mark.parametrize("value", ["nan", "", "[]", "{}", "\\", '"', "null", "0.0"])
@given(cells=st.lists(st.sampled_from(["a", "1", "", "2024-01-01", "agent", "x y"]), min_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_odd_cells_in_every_column_end_in_an_arf_error_or_in_a_preview(
    value: str, cells: list[str]
) -> None:
    header = ["id", "parent_id", "speaker", "text", "created_at", "summary"]
    rows = [[*cells[:5], value], [value, *cells[1:6]], [*cells[:2], value, *cells[3:6]]]
    with TemporaryDirectory() as folder:
        file = raw(Path(folder) / "a.csv", csv_text(header, rows))
        try:
            importing.preview(file).model_dump_json()
        except ArfError:
            return
