"""Arrays of numbers equal the slow count of rows, whatever was written in whatever order."""

import json
import random
from collections import Counter, defaultdict

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from items import add_items, make_item, reading
from sqlalchemy import select

from arf_core.evaluate.rates import rates_of
from arf_core.evaluate.slices import attribute_names, error_rates_by
from arf_core.project import Project
from arf_core.records import SPLITS, Finding, Item, Reading, Split, Summary
from arf_core.store import arrays, blocks, schema
from arf_core.store.arrays import finding_columns, refresh
from arf_core.store.database import Store
from arf_core.store.filters import Scope, findings_in
from arf_core.store.patterns import patterns_of

CATEGORIES = ("wrong_figure", "invented_detail", "wrong_party")
DETECTORS = ("a", "b")
SYSTEMS = ("teacher", "r1")


def conversation(n: int, system: str = "teacher") -> Item:
    split: Split = SPLITS[n % 3]
    item = make_item(f"c{n}", ["customer: Hello."], f"Summary {n}.", system, split)
    attributes = {"channel": "chat" if n % 2 else "phone", "split": f"v{n % 4}"}
    about = item.conversation.model_copy(update={"attributes": attributes if n % 5 else {}})
    return item.model_copy(update={"conversation": about})


class Writer:
    """Writes as verbs do: imports, readings, readings again, failures, other texts."""

    def __init__(self, project: Project) -> None:
        self.project, self.n, self.count = project, 0, 0
        self.items: dict[tuple[str, int], Item] = {}

    def bring_in(self, data: random.Random) -> None:
        new = [
            conversation(n, system)
            for n in range(self.n, self.n + data.randint(1, 3))
            for system in SYSTEMS
        ]
        add_items(self.project, new)
        self.items |= {(i.summary.system, self.n + k // 2): i for k, i in enumerate(new)}
        self.n += len(new) // 2

    def read(self, data: random.Random) -> None:
        if not self.items:
            return
        detector = data.choice(DETECTORS)
        chosen = data.sample(sorted(self.items), data.randint(1, len(self.items)))
        self.project.store.put_readings(
            [self._reading(self.items[k], detector, data) for k in chosen]
        )

    def _reading(self, item: Item, detector: str, data: random.Random) -> Reading:
        self.count += 1
        n = data.randint(0, 3)
        status = data.choice(["done", "done", "failed"])
        made = reading(item, self.count, n, status, detector)
        findings: list[Finding] = [
            f.model_copy(
                update={
                    "category": data.choice(CATEGORIES),
                    "confidence": data.choice([None, 0.25, 0.75]),
                }
            )
            for f in made.findings
        ]
        kept = tuple(findings) if status == "done" else ()
        return made.model_copy(update={"findings": kept})

    def write_anew(self, data: random.Random) -> None:
        if not self.items:
            return
        key = data.choice(sorted(self.items))
        item, self.count = self.items[key], self.count + 1
        text = data.choice([item.summary.text, f"Other words {self.count}."])
        new = Summary.of(item.conversation.id, item.summary.system, text)
        self.project.store.put_summaries([new])
        self.items[key] = item.model_copy(update={"summary": new})


def slow_count(store: Store, system: str, detector: str, scope: Scope) -> tuple[object, ...]:
    """What is current, counted from the rows one by one."""
    c, a, f = schema.conversation, schema.analysis, schema.finding
    with store.read() as conn:
        about = {r.seq: r for r in conn.execute(select(c.c.seq, c.c.split, c.c.attributes))}
        inside = {
            n
            for n, r in about.items()
            if r.split in scope.splits
            and (scope.value is None or r.attributes.get(scope.attribute) == scope.value)
        }
        of = (a.c.system == system, a.c.detector == detector, a.c.current)
        read = {n for n in conn.scalars(select(a.c.conversation).where(*of)) if n in inside}
        of = (f.c.system == system, f.c.detector == detector, f.c.current)
        rows = conn.execute(select(f.c.conversation, f.c.category, f.c.confidence).where(*of))
        kept = [
            (n, category)
            for n, category, sure in rows
            if n in inside and (sure is None or sure >= scope.confidence)
        ]
    categories_of = defaultdict(set)
    for n, category in kept:
        categories_of[n].add(category)
    return (
        len(read),
        len(categories_of),
        Counter(category for _, category in kept),
        Counter(x for found in categories_of.values() for x in found),
        Counter(tuple(sorted(found)) for found in categories_of.values()),
    )


def quick_count(store: Store, system: str, detector: str, scope: Scope) -> tuple[object, ...]:
    found = findings_in(store, system, detector, scope)
    rates, patterns = rates_of(found), patterns_of(found)
    return (
        rates.any_error.total,
        rates.any_error.count,
        Counter(rates.findings),
        Counter({c: r.count for c, r in rates.by_category.items()}),
        Counter({p.categories: p.summaries for p in patterns.patterns}),
    )


STEPS = ("bring_in", "read", "write_anew", "look")
SCOPES = (
    Scope(),
    Scope(splits=("train",)),
    Scope(splits=("train", "dev"), confidence=0.5),
    Scope(attribute="channel", value="chat"),
    Scope(attribute="split", value="v1", splits=("test",), confidence=0.25),
)


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(
    steps=st.lists(
        st.sampled_from(["bring_in", "read", "write_anew", "look"]), min_size=4, max_size=14
    ),
    seed=st.integers(0, 2**32),
)
def test_columns_equal_the_slow_count_after_any_writes(
    steps: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SIZE", 4)
        project = Project.create(tmp_path_factory.mktemp("p") / "project")
        writer, data = Writer(project), random.Random(seed)
        for n in range(3):  # each value of an attribute is there from the start
            writer.bring_in(data)
            writer.read(data) if n else None
        for step in steps:
            if step == "look":  # so that some blocks are kept and others counted anew
                finding_columns(project.store, "teacher", "a")
            else:
                getattr(writer, step)(data)
        for system in SYSTEMS:
            for detector in DETECTORS:
                for scope in SCOPES[: None if writer.n > 5 else 3]:
                    counts = [
                        c(project.store, system, detector, scope) for c in (slow_count, quick_count)
                    ]
                    assert counts[0] == counts[1], (system, detector, scope)
        project.close()


def test_whole_blocks_are_kept_until_a_write_drops_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "SIZE", 4)
    items = [conversation(n) for n in range(9)]  # numbered from 1: two whole blocks and a third
    add_items(project, items)
    project.store.put_readings([reading(i, 1, findings=1, detector="a") for i in items])
    revision = project.store.revision()
    refresh(project.store, "teacher", "a")
    assert project.store.revision() == revision, "counting changes nothing that is read"

    def kept() -> list[tuple[str, int]]:
        with project.store.read() as conn:
            rows = conn.execute(select(schema.block).order_by(schema.block.c.part))
            return [(json.loads(r.part)[0] if r.part[0] == "[" else r.part, r.block) for r in rows]

    assert kept() == [("findings", 0), ("findings", 1), ("conversations", 0), ("conversations", 1)]
    other = Store(project.store.path)
    other.put_readings([reading(items[4], 2, findings=3, detector="a")])
    other.close()
    assert ("findings", 1) not in kept()
    assert ("findings", 0) in kept()
    asked = (project.store, "teacher", "a", Scope())
    assert slow_count(*asked) == quick_count(*asked)


def test_findings_come_in_order_with_their_numbers(project: Project) -> None:
    writer, data = Writer(project), random.Random(5)
    for _ in range(3):
        writer.bring_in(data)
    for _ in range(5):
        writer.read(data)
    found = finding_columns(project.store, "teacher", "a")
    assert len(found.seq) > 2
    assert (np.diff(found.conversation) >= 0).all()
    with project.store.read() as conn:
        for seq, n, code in zip(found.seq, found.conversation, found.category, strict=True):
            row = conn.execute(select(schema.finding).where(schema.finding.c.seq == int(seq))).one()
            assert (row.conversation, row.category) == (n, found.categories[code])
            assert row.current


def test_attributes_with_a_value_of_its_own_for_each_conversation_are_no_slices(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MOST_VALUES", 6)
    some = []
    for n in range(9):
        item = conversation(n)
        values = {"order": f"o{n}", "at": f"2025-03-0{n % 3 + 1}T10:00:0{n}", "kind": f"k{n % 2}"}
        about = item.conversation.model_copy(update={"attributes": values})
        some.append(item.model_copy(update={"conversation": about}))
    add_items(project, some)
    assert attribute_names(project.store) == ["at", "kind"]
    project.store.put_readings([reading(i, 0, findings=1) for i in some])
    days = error_rates_by(project.store, "teacher", "d", "at")
    assert [(d.value, d.total) for d in days] == [
        ("2025-03-01", 3),
        ("2025-03-02", 3),
        ("2025-03-03", 3),
    ]
