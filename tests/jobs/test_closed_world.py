"""The closed world: its language can be read back, its writers err as often as they are told to,
and its errors are counted exactly. A small cut of the experiment trains."""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from items import Result as Ran
from sqlalchemy import func, select

from arf_core.jobs.closed_world import SYSTEMS
from arf_core.jobs.demo import EXAMPLES
from arf_core.project import Project
from arf_core.project.taxonomy import DEFAULT, load_taxonomy
from arf_core.records import Conversation, Summary
from arf_core.store import schema
from arf_core.store.round_counts import round_outcome
from arf_core.training import job_of
from arf_core.training.base_models import closed_world_base
from arf_core.training.requirements import missing
from arf_core.training.training_set import Arm
from benchmarks.closed_world.__main__ import DROPPED, FULL, MAIN
from benchmarks.closed_world.counting import CATEGORY, PARTS, UNREADABLE, count, errors, read
from benchmarks.closed_world.figures import Figures, Result
from benchmarks.closed_world.language import RARE, VARIANTS, Facts, cases, summary, truth
from benchmarks.closed_world.students import Sizes, named, project_of, settings_of, student, world
from benchmarks.closed_world.writers import (
    CATEGORIES,
    Quality,
    editor,
    falls_on,
    mistaken,
    reader,
    rewriter,
    teacher,
    wrong_in,
)

CASES = cases(1500, "train", "test")
needs_training = pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    assert cases(20, "train", "1") == cases(20, "train", "1")
    assert cases(20, "train", "1") != cases(20, "train", "2")
    assert cases(20, "train", "1")[0].facts != cases(20, "test", "1")[0].facts


def test_a_conversation_says_all_that_its_summary_needs() -> None:
    for case in CASES[:200]:
        said = " ".join(turn.text for turn in case.turns)
        facts = case.facts
        for word in (facts.product, facts.amount, facts.day):
            assert str(word) in said
        assert facts.action in said
        assert facts.condition is None or facts.condition in said
        assert facts.price != facts.amount


@pytest.mark.parametrize("variant", range(VARIANTS))
def test_a_true_summary_is_read_back_and_has_no_error(variant: int) -> None:
    for case in CASES[:300]:
        text = summary(truth(case.facts), variant)
        assert read(text) == truth(case.facts)
        assert errors(case.facts, text) == []


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("variant", range(VARIANTS))
def test_each_planted_error_is_counted_once_under_its_category_with_its_words(
    category: str, variant: int
) -> None:
    for case in CASES[:300]:
        text = summary(mistaken(truth(case.facts), category, case.facts), variant)
        (error,) = errors(case.facts, text)
        assert error.category == category
        if error.quote is None:
            assert category == "missing_resolution"
        else:
            assert text.count(error.quote) == 1


def test_categories_are_those_of_the_taxonomy() -> None:
    known = set(load_taxonomy(DEFAULT).by_id)
    assert known >= {*CATEGORIES, *CATEGORY.values(), *(c for c, _, _ in PARTS.values())}
    assert UNREADABLE not in known


def test_what_cannot_be_read_is_an_error_and_named_so() -> None:
    case = CASES[0]
    right = summary(truth(case.facts), case.variant)
    chance = random.Random(1)
    words = right.split()
    for _ in range(200):
        some = list(words)
        some[chance.randrange(len(some))] = "umbrella"
        assert errors(case.facts, " ".join(some))
    assert [e.category for e in errors(case.facts, "Umbrella.")] == [UNREADABLE]
    assert {e.category for e in errors(case.facts, "")} == {"missing_issue", "missing_resolution"}
    twice = errors(case.facts, f"{right} {right.split('. ')[0]}.")
    assert [e.category for e in twice] == ["irrelevant_or_repeated"]


@pytest.mark.parametrize("systematic", range(len(CATEGORIES) + 1))
def test_the_teacher_errs_as_often_by_rule_as_by_chance(systematic: int) -> None:
    found = count(CASES, teacher(CASES, systematic, "1"))
    for category in CATEGORIES:
        assert found.by_category[category] / len(CASES) == pytest.approx(RARE, abs=0.04), category
    assert found.with_error / len(CASES) == pytest.approx(1 - (1 - RARE) ** 4, abs=0.05)


def test_a_systematic_error_follows_from_the_input_and_from_nothing_else() -> None:
    texts = teacher(CASES, len(CATEGORIES), "1")
    other = teacher(CASES, len(CATEGORIES), "another seed")
    assert texts == other
    for case in CASES:
        by_rule = {c for c in CATEGORIES if falls_on(c, case.facts)}
        wrong = wrong_in(read(texts[case.id]), case.facts)
        # who has to act cannot be told wrong where the next step is left out
        assert by_rule == wrong or by_rule - wrong <= {"wrong_party", "missing_resolution"}
        assert bool(by_rule) == bool(errors(case.facts, texts[case.id]))
    assert teacher(CASES, 0, "1") != teacher(CASES, 0, "another seed")


@pytest.mark.parametrize("systematic", [0, 2, 4])
def test_writers_and_counting_agree_on_what_is_wrong(systematic: int) -> None:
    texts = teacher(CASES, systematic, "1")
    for case in CASES:
        counted = {e.category for e in errors(case.facts, texts[case.id])}
        assert wrong_in(read(texts[case.id]), case.facts) == counted


@pytest.mark.parametrize("mends", [0.4, 0.8, 1.0])
def test_the_editor_mends_and_breaks_the_shares_that_it_is_told_to(mends: float) -> None:
    quality = Quality(mends=mends, breaks=0.1)
    texts = teacher(CASES, 2, "1")
    marks = reader(CASES, texts, quality, "1")
    edited = editor(CASES, texts, marks)
    before = {c.id: wrong_in(read(texts[c.id]), c.facts) for c in CASES}
    found = sum(len(m.true) for m in marks.values())
    assert found / sum(map(len, before.values())) == pytest.approx(mends, abs=0.05)
    clean = [c for c in CASES if not marks[c.id].true]
    alarms = sum(bool(marks[c.id].false) for c in clean)
    assert alarms / len(clean) == pytest.approx(0.1, abs=0.04)
    for case in CASES:
        mark = marks[case.id]
        if not mark.true and not mark.false:
            assert edited[case.id] == texts[case.id]
        after = wrong_in(read(edited[case.id]), case.facts)
        assert not set(mark.true) & after
        assert set(mark.false) <= before[case.id] | after


def test_a_rewrite_has_other_words_and_not_many_errors_less() -> None:
    texts = teacher(CASES, 0, "1")
    anew = rewriter(CASES, texts, "1")
    assert all(anew[id_] != text for id_, text in texts.items())
    before, after = count(CASES, texts), count(CASES, anew)
    assert before.with_error * 0.5 < after.with_error < before.with_error


def test_figures_hold_the_share_between_the_ends_of_its_interval() -> None:
    ids = [f"c{i}" for i in range(100)]
    results = [
        Result(
            systematic=0,
            arm=arm,
            seed=seed,
            rows=1,
            steps=1,
            seconds=0.0,
            wrong=dict.fromkeys(ids[: many + seed], ("wrong_status",)),
            summaries=100,
        )
        for arm, many in (("teacher", 40), ("r1", 10))
        for seed in (1, 2, 3)
    ]
    figures = Figures(results, ids)
    share = figures.share(0, "teacher")
    assert share.value == pytest.approx(0.42)
    assert share.low < share.value < share.high
    assert figures.share(0, "r1", "wrong_party").value == 0
    fewer = figures.difference(0, "r1")
    assert fewer.value == pytest.approx(-0.30)
    assert fewer.high < 0


@pytest.mark.train
@pytest.mark.timeout(300)
@needs_training
def test_a_small_cut_of_the_experiment_trains_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARF_LOCKS", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sizes = Sizes(train=120, test=24, steps=4, answer_tokens=12)
    here = world(2, 1, (MAIN,), sizes)
    base = closed_world_base()
    project_of(here, tmp_path / "world").close()
    dropped = len(here.train) - sum(
        bool(m.true or m.false) for m in here.marks[DROPPED.system].values()
    )
    asked = {
        arm: settings_of(Arm(arm, "all"), DROPPED, base, f"s-{arm}", here, sizes)
        for arm in ("teacher", f"r1-{named(MAIN)}")
    }
    made = {arm: student(tmp_path / "world", asked[arm], 12) for arm in asked}
    for of in made.values():
        assert (of.rows, of.steps) == (dropped, 4)  # as many as the smallest arm has
        assert of.texts.keys() <= {c.id for c in here.test}
        assert 0 < count(here.test, of.texts).with_error <= 24
    with Project.open(tmp_path / "world") as project:
        rows = {arm: job_of(project, asked[arm])[1] for arm in made}
    first, second = ([r.conversation for r in rows[arm].train] for arm in made)
    assert first == second  # the same conversations in the same order


def test_the_example_is_what_the_generator_makes() -> None:
    lines = (EXAMPLES / "closed_world" / "conversations.jsonl").read_text().splitlines()
    rows = {row["id"]: row for row in map(json.loads, lines)}
    made = world(2, 1, (), FULL)
    assert len(made.train) + len(made.test) < len(rows)
    for case in (*made.train, *made.test):
        assert [t["text"] for t in rows[case.id]["turns"]] == [t.text for t in case.turns]
    for case in made.train:
        assert rows[case.id]["summary"] == made.systems["teacher"][case.id]


def test_the_example_goes_the_whole_way_with_every_reply_recorded(
    tmp_path: Path, arf: Callable[..., Ran]
) -> None:
    said = arf("demo", tmp_path / "world", "--example", "closed_world", "--json")
    assert said.code == 0, said.err
    systems = said.json["systems"]
    assert set(systems) == set(SYSTEMS)
    # an answer that found no end was kept by nobody
    assert all(FULL.test - 3 <= s["summaries"] <= FULL.test for s in systems.values())
    assert systems["r1"]["with_error"] < systems["teacher"]["with_error"]
    with Project.open(tmp_path / "world") as project:
        for name in SYSTEMS:
            query = select(func.count()).where(schema.unwritten.c.system == name)
            with project.store.read() as conn:
                failed = conn.scalar(query)
            assert failed == FULL.test - systems[name]["summaries"]
        outcome = round_outcome(project.store, "r1")
        assert outcome.fixed > outcome.not_fixed > 0  # false alarms are mended into errors
        assert outcome.unchecked == outcome.failed == 0
        facts = (EXAMPLES / "closed_world" / "facts.jsonl").read_text().splitlines()
        known = {row.pop("id"): Facts(**row) for row in map(json.loads, facts)}
        by_id = {c.id: c.external_id for c in project.store.all(Conversation)}
        wrong = Counter(
            s.system
            for s in project.store.all(Summary)
            if by_id[s.conversation_id].startswith("test")
            and errors(known[by_id[s.conversation_id]], s.text)
        )
        r1 = {
            by_id[s.conversation_id]: s.text for s in project.store.all(Summary) if s.system == "r1"
        }
    made = world(2, 1, (MAIN,), FULL).systems[f"r1-{named(MAIN)}"]
    assert {id_: r1[id_] for id_ in made} == made  # what the student on r1 has learnt from
    assert {name: s["with_error"] for name, s in systems.items()} == dict(wrong)
