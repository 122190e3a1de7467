import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items, make_item, reading

from arf_core.errors import StoreError
from arf_core.evaluate.rates import error_rates
from arf_core.project import Project
from arf_core.records import (
    Analysis,
    Conversation,
    Decision,
    Finding,
    Summary,
    System,
    Turn,
    now,
)
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.queries import findings_of, items, read_by


def test_records_come_back_as_they_went_in(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    assert project.store.all(Conversation) == [REFUND.conversation, DELIVERY.conversation]
    assert project.store.all(Summary) == [REFUND.summary, DELIVERY.summary]
    turns = (Turn(speaker="customer", text="‫مرحبا‬ 🤥\x07\n", at=now()),)
    odd = REFUND.conversation.model_copy(
        update={
            "id": "odd",
            "external_id": "odd",
            "turns": turns,
            "attributes": {"n": 1, "x": "ü", "b": True},
        }
    )
    project.store.add([odd])
    assert project.store.get(Conversation, schema.conversation.c.id == "odd") == odd
    decision = Decision(summary_id="x", annotator="anna", action="accept", at=now())
    project.store.add([decision])
    assert project.store.all(Decision) == [decision]


def test_adding_what_is_there_changes_nothing(project: Project) -> None:
    assert project.store.add([REFUND.conversation]) == 1
    assert project.store.add([REFUND.conversation, DELIVERY.conversation]) == 1


def test_a_new_text_takes_the_place_of_a_systems_old_one(project: Project) -> None:
    add_items(project, [REFUND])
    better = Summary.of(REFUND.conversation.id, "teacher", "Better.")
    project.store.put_summaries([better])
    assert project.store.all(Summary) == [better]


def test_the_newest_complete_reading_counts_and_older_ones_stay(project: Project) -> None:
    add_items(project, [REFUND])
    id_ = REFUND.summary.id
    for step, (r, expected) in enumerate(
        [
            (reading(REFUND, 1, findings=2), 2),
            (reading(REFUND, 2, findings=1), 1),
            (reading(REFUND, 3, status="failed"), 1),
            (reading(REFUND, 4, findings=0), 0),
        ]
    ):
        project.store.put_readings([r])
        assert len(findings_of(project.store, [id_], ["d"]).get(id_, [])) == expected, step
    assert read_by(project.store, [id_], "d") == {id_}
    assert read_by(project.store, [id_], "somebody else") == set()
    assert len(project.store.all(Analysis)) == 4
    assert len(project.store.all(Finding)) == 3


def test_what_was_said_of_a_text_that_gave_way_counts_no_longer(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    project.store.put_readings([reading(REFUND, 1, findings=2), reading(DELIVERY, 1)])
    project.store.put_summaries([Summary.of(REFUND.conversation.id, "teacher", "Better.")])
    rates = error_rates(project.store, "teacher", "d")
    assert (rates.any_error.total, rates.any_error.count, rates.findings) == (1, 0, {})
    assert len(project.store.all(Finding)) == 2


def test_detectors_do_not_displace_one_another(project: Project) -> None:
    add_items(project, [REFUND])
    project.store.put_readings([reading(REFUND, 1, findings=2, detector="a")])
    project.store.put_readings([reading(REFUND, 2, findings=1, detector="b")])
    found = findings_of(project.store, [REFUND.summary.id], ["a", "b"])
    assert len(found[REFUND.summary.id]) == 3


def test_pages_hold_each_summary_once_while_others_write(project: Project) -> None:
    many = [make_item(f"c{i}", [f"customer: {i}"], f"Summary {i}.") for i in range(45)]
    add_items(project, many)
    seen = []
    for page in items(project.store, "teacher", page=10):
        seen += [item.summary.text for item in page]
        project.store.add([System(name=f"s{len(seen)}", kind="student")])
    assert seen == [i.summary.text for i in many]


def test_the_revision_number_grows_with_every_write_of_any_connection(project: Project) -> None:
    other = Store(project.store.path)
    before = project.store.revision()
    other.add([System(name="x", kind="teacher")])
    assert project.store.revision() > before
    assert project.store.revision() == other.revision()


def test_a_write_that_fails_leaves_nothing(project: Project) -> None:
    before = project.store.revision()
    with pytest.raises(RuntimeError), project.store.write() as conn:
        conn.execute(
            schema.system.insert(), [{"name": "x", "kind": "teacher", "settings_hash": ""}]
        )
        raise RuntimeError("interrupted")
    assert project.store.all(System) == []
    assert project.store.revision() == before


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "arf.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path / "arf.db")


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    Store(tmp_path / "arf.db").close()
    with sqlite3.connect(tmp_path / "arf.db") as conn:
        conn.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(StoreError, match="newer") as caught:
        Store(tmp_path / "arf.db")
    assert "Update" in caught.value.hint


def layout(path: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as conn:
        tables = [r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [
            (t, *map(str, c[1:])) for t in tables for c in conn.execute(f"PRAGMA table_info('{t}')")
        ]
        indexes = [
            (t, *map(str, i[1:])) for t in tables for i in conn.execute(f"PRAGMA index_list('{t}')")
        ]
    return sorted(columns + indexes)


def test_every_older_schema_migrates_to_the_present_one(tmp_path: Path) -> None:
    Store(tmp_path / "new.db").close()
    snapshots = sorted((Path(__file__).parent / "schemas").glob("v*.sql"))
    assert [s.stem for s in snapshots] == [f"v{n}" for n in range(1, schema.VERSION + 1)]
    for snapshot in snapshots:
        path = tmp_path / f"{snapshot.stem}.db"
        with sqlite3.connect(path) as conn:
            conn.executescript(snapshot.read_text())
            conn.execute(f"PRAGMA user_version = {snapshot.stem[1:]}")
        Store(path).close()
        assert layout(path) == layout(tmp_path / "new.db"), snapshot.stem


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs a small disk")
def test_a_full_disk_is_told_and_what_was_stored_is_kept(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=2m tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("cannot mount a small disk here")
    try:
        store = Store(disk / "arf.db")
        store.add([System(name="first", kind="teacher")])
        with pytest.raises(StoreError, match="full"):
            for i in range(1000):
                store.keep_version("test", "x" * 20_000, f"h{i}")
        assert [s.name for s in store.all(System)] == ["first"]
        store.close()
    finally:
        os.system(f"umount {disk}")
