"""A person's decisions on a round: the queue, what stands after them, undo, and what goes out."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from items import Result, add_items, make_item, reading
from sqlalchemy import select

from arf_core.errors import InputError
from arf_core.jobs.kinds import KINDS, ReviewJob, command_of
from arf_core.project import Project
from arf_core.records import (
    Check,
    Decision,
    Edit,
    Finding,
    Item,
    Revision,
    Split,
    Summary,
    System,
    now,
)
from arf_core.review.card import review_card
from arf_core.review.decisions import accept_verified, apply_decisions, decide, steps, undo
from arf_core.review.queue import QueueFilter, find, queue
from arf_core.review.status import reviewed_name
from arf_core.store import schema
from arf_core.store.database import Store
from arf_core.store.round_counts import outcomes_by_category, review_counts, round_outcome
from arf_core.training.export import export, outlook

SPLITS: tuple[Split, ...] = ("train", "train", "dev", "test")


def add_revised(
    project: Project,
    name: str,
    results: Sequence[tuple[str, str]] = (),
    *,
    status: str = "edited",
    flagged: bool = False,
    change: float = 0.05,
    split: Split = "train",
) -> str:
    """A conversation with a teacher's summary and its revision in r1, whose findings were checked.

    `results` holds category and result of each; "nobody" leaves one unchecked by anyone.
    """
    item = make_item(name, [f"customer: {name}?", "agent: Yes."], f"About {name}.", split=split)
    add_items(project, [item])
    asked = [r for r in results if r[1] != "new_error"]
    found = _read(project, item, [c for c, _ in asked], f"r0-{name}")
    text = f"Revised: {name}." if status == "edited" else item.summary.text
    child = Summary.of(item.conversation.id, "r1", text, item.summary.id)
    revision = Revision(
        summary_id=child.id,
        editor="e",
        settings_hash="s",
        status=status,
        findings=tuple(f.id for f in found),
        change=change,
        flagged=flagged,
        at=now(),
    )
    edits = [Edit(summary_id=child.id, finding_id=f.id, start=0, end=5, text="x") for f in found]
    project.store.put_revisions([(child, revision, edits)])
    _check(project, item, child, results, found)
    return child.id


def _read(project: Project, item: Item, categories: Sequence[str], id_: str) -> list[Finding]:
    read = reading(item, 1)
    found = [
        Finding(id=f"{id_}-{n}", analysis_id=read.analysis.id, category=c, explanation="x")
        for n, c in enumerate(categories)
    ]
    project.store.put_readings([read.model_copy(update={"findings": tuple(found)})])
    return found


def _check(
    project: Project,
    item: Item,
    child: Summary,
    results: Sequence[tuple[str, str]],
    found: Sequence[Finding],
) -> None:
    asked = [r for _, r in results if r != "new_error"]
    new = [c for c, r in results if r == "new_error"]
    read = reading(item.model_copy(update={"summary": child}), 2, detector="check:v")
    added = [
        Finding(id=f"new-{child.id}-{n}", analysis_id=read.analysis.id, category=c, explanation="x")
        for n, c in enumerate(new)
    ]
    pairs = [(f.id, r) for f, r in zip(found, asked, strict=True)] + [
        (f.id, "new_error") for f in added
    ]
    checks = [
        Check(summary_id=child.id, finding_id=id_, verifier="v", result=r)
        for id_, r in pairs
        if r != "nobody"
    ]
    project.store.put_readings([read.model_copy(update={"findings": tuple(added)})], checks)


@pytest.fixture
def round_(project: Project) -> Project:
    project.store.add([System(name="r1", kind="revision", parent="teacher", model="llm:e")])
    return project


def names(store: Store, filters: QueueFilter | None = None) -> list[str]:
    return [q.external_id for q in queue(store, "r1", filters)]


def every_kind(project: Project) -> dict[str, str]:
    """One revision for each status, entered in no order; summary ids by name."""
    return {
        "clean": add_revised(project, "clean", status="unchanged"),
        "verified": add_revised(project, "verified", [("a", "fixed"), ("b", "fixed")]),
        "large": add_revised(project, "large", [("a", "fixed")], change=0.2),
        "unchecked": add_revised(project, "unchecked", [("a", "unchecked")]),
        "unlooked": add_revised(project, "unlooked", [("b", "nobody")]),
        "flagged": add_revised(project, "flagged", [("a", "fixed")], flagged=True),
        "failed": add_revised(project, "failed", [("a", "not_fixed")], status="failed"),
        "not_fixed": add_revised(project, "not_fixed", [("a", "fixed"), ("b", "not_fixed")]),
        "new": add_revised(project, "new", [("a", "fixed"), ("c", "new_error")]),
    }


def test_the_riskiest_come_first_and_what_nobody_changed_stays_out(round_: Project) -> None:
    every_kind(round_)
    in_order = [
        "new", "not_fixed", "failed", "flagged", "unchecked", "unlooked", "large", "verified",
    ]  # fmt: skip
    assert names(round_.store) == in_order
    assert names(round_.store, QueueFilter(statuses=("clean",))) == ["clean"]
    assert names(round_.store, QueueFilter(category="b")) == ["not_fixed", "unlooked", "verified"]
    assert names(round_.store, QueueFilter(category="c")) == ["new"]
    assert names(round_.store, QueueFilter(split="test")) == []


def test_pages_go_on_where_the_last_ended_in_both_directions(round_: Project) -> None:
    every_kind(round_)
    for n in range(20):
        add_revised(round_, f"v{n}", [("a", "fixed")])
    whole = queue(round_.store, "r1")
    assert len(whole) == 28
    seen = page = queue(round_.store, "r1", size=5)
    while page := queue(round_.store, "r1", after=page[-1].position, size=5):
        seen = [*seen, *page]
    assert seen == whole
    for i, one in enumerate(whole):
        before = queue(round_.store, "r1", before=one.position, size=3)
        assert before == whole[max(0, i - 3) : i]


def test_a_check_or_another_text_moves_a_revision_in_the_queue(round_: Project) -> None:
    id_ = add_revised(round_, "x", [("a", "nobody")])
    assert queue(round_.store, "r1")[0].status == "unchecked"
    shown = review_card(round_.store, "r1", id_)
    check = Check(summary_id=id_, finding_id="r0-x-0", verifier="w", result="fixed")
    round_.store.put_readings([reading(shown.item, 7, detector="check:w")], [check])
    assert queue(round_.store, "r1")[0].status == "verified"
    other = Summary.of(shown.item.conversation.id, "r1", "Another.", shown.item.summary.parent_id)
    revision = shown.revision.model_copy(update={"summary_id": other.id})
    round_.store.put_revisions([(other, revision, [])])
    assert [(q.summary_id, q.status) for q in queue(round_.store, "r1")] == [
        (other.id, "unchecked")
    ]


def slow_outcomes(project: Project) -> Counter[tuple[str, str]]:
    """(category, result) of every finding of r1, from the checks one by one."""
    store = project.store
    category = {f.id: f.category for f in store.all(Finding)}
    checks = store.all(Check, schema.check.c.current)
    outcomes = Counter(
        (category[c.finding_id or ""], "new_errors") for c in checks if c.result == "new_error"
    )
    for revision in store.all(Revision, schema.revision.c.current):
        for id_ in revision.findings:
            given = {c.result for c in checks if c.finding_id == id_}
            decisive = [r for r in ("not_fixed", "fixed") if r in given]
            outcomes[category[id_], decisive[0] if decisive else "unchecked"] += 1
    return outcomes


def test_counts_are_those_of_the_slow_way(round_: Project) -> None:
    every_kind(round_)
    add_revised(round_, "more", [("a", "fixed"), ("a", "fixed"), ("c", "new_error")], split="test")
    store, slow = round_.store, slow_outcomes(round_)
    fields = ("fixed", "not_fixed", "unchecked", "new_errors")
    by_category = {o.category: o for o in outcomes_by_category(store, "r1")}
    assert {
        (c, f): n for c, o in by_category.items() for f in fields if (n := getattr(o, f))
    } == slow
    whole = round_outcome(store, "r1")
    for field in fields:
        assert getattr(whole, field) == sum(n for (_, f), n in slow.items() if f == field)
    revisions = store.all(Revision, schema.revision.c.current)
    for status, n in Counter(r.status for r in revisions).items():
        assert getattr(whole, status) == n
    assert whole.flagged == sum(r.flagged for r in revisions) == 1
    assert sum(c.summaries for c in review_counts(store, "r1") if c.split == "test") == 1


def test_a_card_has_each_edit_beside_its_finding_and_its_check(round_: Project) -> None:
    id_ = add_revised(round_, "x", [("a", "fixed"), ("b", "not_fixed"), ("c", "new_error")])
    shown = review_card(round_.store, "r1", id_)
    assert [
        (a.finding and a.finding.category, len(a.edits), [c.result for c in a.checks])
        for a in shown.answered
    ] == [("a", 1, ["fixed"]), ("b", 1, ["not_fixed"])]
    assert [(a.finding and a.finding.category) for a in shown.new_errors] == ["c"]
    assert shown.before
    assert (shown.before.text, shown.final_text) == ("About x.", "Revised: x.")
    with pytest.raises(InputError, match="no revised summary"):
        review_card(round_.store, "r1", "nothing")


def test_a_conversation_is_found_by_its_own_id_and_by_ours(round_: Project) -> None:
    id_ = add_revised(round_, "order 7", [("a", "fixed")])
    conversation = review_card(round_.store, "r1", id_).item.conversation
    assert find(round_.store, "r1", " order 7 ") == id_
    assert find(round_.store, "r1", conversation.id) == id_
    with pytest.raises(InputError, match="no conversation 'order 8'"):
        find(round_.store, "r1", "order 8")


def test_a_decision_takes_a_revision_out_of_the_queue(round_: Project) -> None:
    ids = every_kind(round_)
    decide(round_.store, "r1", ids["new"], "reject", "anna")
    decide(round_.store, "r1", ids["large"], "accept", "anna")
    decide(round_.store, "r1", ids["flagged"], "reword", "anna", " Better. ")
    assert names(round_.store)[:2] == ["not_fixed", "failed"]
    assert names(round_.store, QueueFilter(decision="reject")) == ["new"]
    assert names(round_.store, QueueFilter(decision="reword")) == ["flagged"]
    assert review_card(round_.store, "r1", ids["flagged"]).final_text == "Better."
    assert review_card(round_.store, "r1", ids["new"]).final_text == "About new."


def test_what_cannot_be_decided_is_refused(round_: Project) -> None:
    id_ = add_revised(round_, "x", [("a", "fixed")])
    with pytest.raises(InputError, match="new text is empty"):
        decide(round_.store, "r1", id_, "reword", "anna", " \n")
    with pytest.raises(InputError, match="no revised summary"):
        decide(round_.store, "teacher", id_, "accept", "anna")
    with pytest.raises(InputError, match="Nobody is named"):
        decide(round_.store, "r1", id_, "accept", " ")
    conversation = review_card(round_.store, "r1", id_).item.conversation
    round_.store.put_summaries([Summary.of(conversation.id, "teacher", "Imported anew.")])
    with pytest.raises(InputError, match="has been replaced since"):
        decide(round_.store, "r1", id_, "reject", "anna")
    assert steps(round_.store, "r1") == []


def test_a_rewording_that_changes_nothing_is_an_acceptance(round_: Project) -> None:
    id_ = add_revised(round_, "x", [("a", "fixed")])
    assert decide(round_.store, "r1", id_, "reword", "anna", "Revised: x.").kind == "accept"


def test_undo_goes_back_step_by_step_and_keeps_the_trail(round_: Project) -> None:
    ids = every_kind(round_)
    store = round_.store
    decide(store, "r1", ids["new"], "reject", "anna")
    decide(store, "r1", ids["new"], "reword", "anna", "Mine.")
    accept_verified(store, "r1", "anna")
    assert "verified" not in names(store)
    reopened = Project.open(round_.path).store
    assert [s.kind for s in (undo(reopened, "r1", "anna"),) if s] == ["accept_verified"]
    assert "verified" in names(store)
    assert review_card(store, "r1", ids["new"]).final_text == "Mine."
    undo(store, "r1", "anna")
    assert review_card(store, "r1", ids["new"]).final_text == "About new."
    undo(store, "r1", "anna")
    assert names(store)[0] == "new"
    assert undo(store, "r1", "anna") is None
    trail = store.all(Decision, schema.decision.c.summary_id == ids["new"])
    assert [d.action for d in trail] == ["reject", "reword", "reject", "open"]
    assert [(s.kind, s.undone) for s in reversed(steps(store, "r1"))] == [
        ("reject", True),
        ("reword", True),
        ("accept_verified", True),
        ("undo", False),
        ("undo", False),
        ("undo", False),
    ]


def test_undo_leaves_what_others_decided(round_: Project) -> None:
    id_ = add_revised(round_, "x", [("a", "fixed")])
    decide(round_.store, "r1", id_, "accept", "anna")
    decide(round_.store, "r1", id_, "reword", "bob", "Bob's.")
    undo(round_.store, "r1", "anna")
    assert review_card(round_.store, "r1", id_).final_text == "Bob's."
    undo(round_.store, "r1", "bob")
    assert names(round_.store) == ["x"]
    assert undo(round_.store, "r1", "bob") is None


def test_accept_all_verified_takes_just_these(
    round_: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_kind(round_)
    monkeypatch.setattr("arf_core.review.decisions.ROWS_PER_WRITE", 10)
    for n in range(30):
        add_revised(round_, f"v{n}", [("a", "fixed")])
    told: list[tuple[int, int]] = []
    step = accept_verified(round_.store, "r1", "anna", lambda *n: told.append(n))
    assert step
    assert (step.summaries, told[-1]) == (31, (31, 31))
    assert {s.status for s in queue(round_.store, "r1", QueueFilter(decision="accept"))} == {
        "verified"
    }
    assert accept_verified(round_.store, "r1", "anna") is None
    undo(round_.store, "r1", "anna")
    assert queue(round_.store, "r1", QueueFilter(decision="accept")) == []


def test_a_large_step_is_a_job_with_a_command(round_: Project, tmp_path: Path) -> None:
    every_kind(round_)
    work = ReviewJob(system="r1", by="anna", step="accept_verified")
    kind = KINDS["review"]
    report = kind.run(round_, work, tmp_path, lambda *_: None)
    assert kind.summary(report) == "1 summaries"
    assert command_of(work, "p") == "arf review p accept-verified --system r1 --by anna"
    back = ReviewJob(system="r1", by="anna", step="undo")
    assert kind.summary(kind.run(round_, back, tmp_path, lambda *_: None)) == "1 summaries"
    assert queue(round_.store, "r1", QueueFilter(decision="accept")) == []


def texts(store: Store, system: str) -> dict[str, str]:
    s, c = schema.summary, schema.conversation
    query = select(c.c.external_id, s.c.text).join(c, c.c.id == s.c.conversation_id)
    with store.read() as conn:
        return {r[0]: r[1] for r in conn.execute(query.where(s.c.system == system))}


def test_the_reviewed_system_is_the_round_with_the_decisions_applied(round_: Project) -> None:
    ids = every_kind(round_)
    store = round_.store
    decide(store, "r1", ids["new"], "reject", "anna")
    decide(store, "r1", ids["not_fixed"], "reword", "anna", "Mine.")
    report = apply_decisions(store, "r1")
    assert (report.asked, report.done) == (9, 9)
    expected = texts(store, "r1") | {"new": "About new.", "not_fixed": "Mine."}
    assert texts(store, "r1-reviewed") == expected
    assert apply_decisions(store, "r1").done == 0
    decide(store, "r1", ids["large"], "reword", "anna", "Short.")
    assert texts(store, "r1-reviewed") == expected | {"large": "Short."}
    for _ in range(3):
        undo(store, "r1", "anna")
    assert texts(store, "r1-reviewed") == texts(store, "r1")
    (made,) = store.all(System, schema.system.c.name == "r1-reviewed")
    assert (made.kind, made.parent) == ("reviewed", "r1")


def test_a_round_that_went_on_is_settled_again(round_: Project) -> None:
    add_revised(round_, "x", [("a", "fixed")])
    apply_decisions(round_.store, "r1")
    add_revised(round_, "y", [("a", "fixed")])
    assert (
        apply_decisions(round_.store, "r1").skipped,
        apply_decisions(round_.store, "r1").skipped,
    ) == (1, 2)
    assert texts(round_.store, "r1-reviewed") == texts(round_.store, "r1")


def test_only_a_round_can_be_reviewed(round_: Project) -> None:
    add_revised(round_, "x", [("a", "fixed")])
    with pytest.raises(InputError, match="no revision round"):
        apply_decisions(round_.store, "teacher")
    round_.store.add([System(name=reviewed_name("r1"), kind="student")])
    with pytest.raises(InputError, match="another system"):
        apply_decisions(round_.store, "r1")


def test_an_export_holds_just_what_was_decided_or_verified(round_: Project, tmp_path: Path) -> None:
    ids = every_kind(round_)
    held_out = add_revised(round_, "held out", [("a", "not_fixed")], split="test")
    store = round_.store
    decide(store, "r1", ids["new"], "reject", "anna")
    decide(store, "r1", ids["not_fixed"], "reword", "anna", "Mine.")
    decide(store, "r1", ids["flagged"], "accept", "anna")
    decide(store, "r1", held_out, "accept", "anna")
    foretold = outlook(review_counts(store, "r1"), reviewed=True)
    report = export(round_, system="r1-reviewed", into=tmp_path / "set")
    rows = [json.loads(line) for line in (tmp_path / "set" / "train.jsonl").open()]
    assert {(r["conversation"], r["origin"], r["messages"][-1]["content"]) for r in rows} == {
        ("clean", "clean", "About clean."),
        ("verified", "verified", "Revised: verified."),
        ("large", "verified", "Revised: large."),
        ("flagged", "accepted", "Revised: flagged."),
        ("new", "kept", "About new."),
        ("not_fixed", "reworded", "Mine."),
    }
    assert (report.by_origin, report.left_out) == (foretold.goes, foretold.stays)
    assert foretold.test == 1
    plain = export(round_, system="r1", into=tmp_path / "plain")
    assert (plain.by_origin, plain.left_out) == (
        (o := outlook(review_counts(store, "r1"))).goes,
        o.stays,
    )
    assert plain.left_out["rejected"] == 1
    assert plain.left_out["replaced"] == 1


WORDS = st.sampled_from(["accept", "reject", "reword", "all", "undo", "settle"])
MOVES = st.lists(st.tuples(WORDS, st.integers(0, 5), st.sampled_from(["anna", "bob"])), max_size=25)


class Model:
    """What a review should do, in the plainest way: a list of steps, of which some are struck."""

    def __init__(self, names: Sequence[str], verified: Sequence[str]) -> None:
        self.names, self.verified = names, verified
        self.steps: list[tuple[str, dict[str, tuple[str, str | None]]]] = []

    def state(self) -> dict[str, tuple[str, str | None]]:
        counts: dict[str, tuple[str, str | None]] = dict.fromkeys(self.names, ("open", None))
        for _, said in self.steps:
            counts |= said
        return counts

    def move(self, word: str, name: str, by: str, text: str) -> None:
        if word == "undo":
            mine = [i for i, (who, _) in enumerate(self.steps) if who == by]
            if mine:
                del self.steps[mine[-1]]
        elif word == "all":
            state = self.state()
            waiting = [n for n in self.verified if state[n][0] == "open"]
            if waiting:
                self.steps.append((by, dict.fromkeys(waiting, ("accept", None))))
        else:
            stands = {"accept": None, "reject": f"About {name}.", "reword": text}[word]
            self.steps.append((by, {name: (word, stands)}))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES)
def test_any_sequence_of_decisions_and_undoings_leaves_what_still_stands(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int, str]]
) -> None:
    with Project.create(tmp_path_factory.mktemp("review") / "p") as project:
        store = project.store
        store.add([System(name="r1", kind="revision", parent="teacher")])
        made = {
            f"c{n}": add_revised(
                project, f"c{n}", [("a", "fixed" if n % 2 else "unchecked")], split=SPLITS[n % 4]
            )
            for n in range(6)
        }
        model = Model(list(made), [n for i, n in enumerate(made) if i % 2])
        for turn, (word, n, by) in enumerate(moves):
            name, text = f"c{n}", f"Text {turn}."
            if word == "settle":
                apply_decisions(store, "r1")
            elif word == "undo":
                undo(store, "r1", by)
            elif word == "all":
                accept_verified(store, "r1", by)
            else:
                decide(store, "r1", made[name], word, by, text)
            model.move(word, name, by, text) if word != "settle" else None
        state = model.state()
        shown = {name: review_card(store, "r1", id_) for name, id_ in made.items()}
        assert {
            n: (c.queued.decision, c.decided and c.decided.text) for n, c in shown.items()
        } == state
        apply_decisions(store, "r1")
        assert texts(store, "r1-reviewed") == {n: c.final_text for n, c in shown.items()}
        assert sum(t.summaries for t in review_counts(store, "r1")) == 6


def test_the_command_line_reviews_a_round(round_: Project, arf: Callable[..., Result]) -> None:
    every_kind(round_)
    path = round_.path
    listed = arf("review", path, "--json").json
    assert (listed["waiting"], listed["queue"][0]["external_id"]) == (8, "new")
    assert "[-About-]" in arf("review", path, "show", "new").out
    arf("review", path, "reword", "new", "--text", "Mine.", "--by", "anna")
    arf("review", path, "reject", "flagged", "--by", "anna")
    assert arf("review", path, "accept-verified", "--by", "anna", "--json").json["step"][
        "summaries"
    ]
    assert arf("review", path, "--json").json["waiting"] == 5
    arf("review", path, "undo", "--by", "anna")
    assert arf("review", path, "--json").json["waiting"] == 6
    assert [s["kind"] for s in arf("review", path, "history", "--json").json["steps"]] == [
        "undo", "accept_verified", "reject", "reword",
    ]  # fmt: skip
    applied = arf("review", path, "apply", "--json").json
    assert (applied["system"], applied["done"]) == ("r1-reviewed", 9)
    assert arf("review", path, "accept").code == 2
    assert arf("review", path, "accept", "nobody").code == 2
