"""What the store promises for every kind of record, and for every process that writes."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items, reading
from pydantic import ValidationError
from sqlalchemy import UniqueConstraint, func, select

from arf_core.project import Project
from arf_core.records import (
    Analysis,
    Check,
    Conversation,
    Decision,
    Edit,
    Episode,
    Fact,
    Finding,
    Record,
    Revision,
    Score,
    Step,
    Summary,
    System,
    now,
)
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.writes import insert_new, to_row

AT = now()
FACTS = [
    Fact(conversation_id=REFUND.conversation.id, kind="issue", text=t, evidence=(0, 2))
    for t in ("lamp", "refund")
]
READINGS = [reading(REFUND, 1, findings=1), reading(DELIVERY, 1, findings=1)]
READINGS[0] = READINGS[0].model_copy(update={"facts": tuple(FACTS)})
FINDINGS = [f for r in READINGS for f in r.findings]
CHECKS = [
    Check(summary_id=r.item.summary.id, finding_id=f.id, verifier="v", result="fixed")
    for r, f in zip(READINGS, FINDINGS, strict=True)
]
REVISED = [
    Summary.of(i.conversation.id, "r1", "Shorter.", i.summary.id) for i in (REFUND, DELIVERY)
]
REVISIONS = [
    Revision(summary_id=s.id, editor="e", settings_hash="s", status="edited", change=0.5, at=AT)
    for s in REVISED
]
EDITS = [Edit(summary_id=s.id, finding_id=None, start=0, end=4, text="x") for s in REVISED]


def put_readings(store: Store) -> None:
    store.put_readings(READINGS, CHECKS)


def put_revisions(store: Store) -> None:
    store.put_revisions([(s, r, [e]) for s, r, e in zip(REVISED, REVISIONS, EDITS, strict=True)])


def adding(records: list[Record]) -> tuple[list[Record], Callable[[Store], object]]:
    return records, lambda store: store.add(records)


KINDS: dict[type[Record], tuple[list[Record], Callable[[Store], object]]] = {
    Analysis: ([r.analysis for r in READINGS], put_readings),
    Check: (CHECKS, put_readings),
    Fact: (FACTS, put_readings),
    Finding: (FINDINGS, put_readings),
    Edit: (EDITS, put_revisions),
    Revision: (REVISIONS, put_revisions),
    Conversation: adding([REFUND.conversation, DELIVERY.conversation]),
    Summary: adding([REFUND.summary, DELIVERY.summary]),
    System: adding([System(name=n, kind="student", parent="teacher") for n in "ab"]),
    Decision: adding(
        [Decision(summary_id="s", annotator=n, action="accept", at=AT) for n in ("anna", "bob")]
    ),
    Episode: adding(
        [
            Episode(
                id=n,
                scenario_id="s",
                system="agent",
                customer="calm",
                seed=1,
                turns=REFUND.conversation.turns,
                outcome="solved",
            )
            for n in "ab"
        ]
    ),
    Score: adding(
        [
            Score(
                kind="k", subjects=("a", "b"), judge="j", order=n, repeat=0, value=None, reason=""
            )
            for n in range(2)
        ]
    ),
    Step: adding(
        [Step(id=n, system="r1", annotator="a", kind="undo", summaries=1, at=AT) for n in "ab"]
    ),
}
"""Two records of each kind, and how they are written."""


@pytest.fixture(params=list(KINDS), ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest, project: Project) -> type[Record]:
    if KINDS[request.param][1] in (put_readings, put_revisions):
        add_items(project, [REFUND, DELIVERY])
    return request.param


def test_the_contract_covers_every_kind_of_record() -> None:
    assert set(KINDS) == set(schema.TABLES)


def test_records_come_back_equal_and_in_order(project: Project, kind: type[Record]) -> None:
    records, write = KINDS[kind]
    write(project.store)
    assert project.store.all(kind) == records
    table = schema.TABLES[kind]
    name = next(n for n in kind.model_fields if getattr(records[0], n) != getattr(records[1], n))
    assert project.store.get(kind, table.c[name] == getattr(records[1], name)) == records[1]
    assert project.store.get(kind, table.c[name].is_(None)) is None


def test_writing_again_adds_nothing_where_there_is_a_key(
    project: Project, kind: type[Record]
) -> None:
    records, write = KINDS[kind]
    table = schema.TABLES[kind]
    write(project.store)
    write(project.store)
    has_key = "seq" not in table.primary_key.columns or any(
        isinstance(constraint, UniqueConstraint) for constraint in table.constraints
    )
    if has_key:
        assert project.store.all(kind) == records
    else:
        assert set(project.store.all(kind)) == set(records)


def test_an_unknown_column_is_refused(project: Project, kind: type[Record]) -> None:
    record = KINDS[kind][0][0]
    with pytest.raises(ValidationError, match="nonsense"):
        kind.model_validate(record.model_dump() | {"nonsense": 1})
    with pytest.raises(ValueError, match="nonsense"), project.store.write() as conn:
        insert_new(conn, schema.TABLES[kind], [to_row(record) | {"nonsense": 1}])


def test_pages_are_in_order_of_arrival(project: Project, kind: type[Record]) -> None:
    table = schema.TABLES[kind]
    if "seq" not in table.c:
        pytest.skip("has no order of arrival")
    records, write = KINDS[kind]
    write(project.store)
    pages = list(project.store.pages(select(table), table.c.seq, size=1))
    assert [[row.seq for row in page] for page in pages] == [[1], [2]]
    fields = list(kind.model_fields)
    rows = [kind.model_validate({n: page[0]._mapping[n] for n in fields}) for page in pages]
    assert rows == records


def write_systems(path: Path, who: int, n: int) -> None:
    store = Store(path)
    for i in range(n):
        store.add([System(name=f"{who}-{i}", kind="teacher")])


def test_many_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    Store(tmp_path / "arf.db").close()
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=write_systems, args=(tmp_path / "arf.db", w, 40)) for w in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [w.exitcode for w in workers] == [0] * 2
    assert len(Store(tmp_path / "arf.db").all(System)) == 80


def write_pairs(path: Path) -> None:
    store = Store(path)
    i = 0
    while True:
        with store.write() as conn:
            rows = [
                {"name": f"{i}-{side}", "kind": "teacher", "settings_hash": ""} for side in "ab"
            ]
            for row in rows:
                conn.execute(schema.system.insert(), [row])
        i += 1


KILLS = int(os.environ.get("ARF_KILLS", "4"))


def test_killed_at_any_moment_the_store_holds_whole_writes(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    rng = random.Random(1)
    for n in range(KILLS):
        path = tmp_path / f"{n}.db"
        Store(path).close()
        worker = spawn.Process(target=write_pairs, args=(path,))
        worker.start()
        deadline = time.monotonic() + 20
        store = Store(path)
        while not store.all(System) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.2)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(10)
        names = [s.name for s in Store(path).all(System)]
        assert names
        assert len(names) % 2 == 0
        with Store(path).read() as conn:
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert conn.scalar(select(func.count()).select_from(schema.system)) == len(names)
