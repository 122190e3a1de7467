"""Rates by attribute, and the other counts that charts draw."""

from collections import Counter

import hypothesis
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from items import add_items, make_item, reading

from arf_core.errors import InputError
from arf_core.evaluate.rates import error_rates
from arf_core.evaluate.slices import attribute_names, error_rates_by
from arf_core.project import Project
from arf_core.records import Check, Edit, Finding, Item, Reading, Revision, Summary, System, now
from arf_core.store.binning import binned
from arf_core.store.lengths import turn_lengths, word_lengths
from arf_core.store.patterns import error_patterns
from arf_core.store.round_counts import outcomes_by_category, round_outcome

CATEGORIES = ("wrong_figure", "invented_detail", "wrong_party")


def given(items: list[Item], name: str, values: dict[str, str]) -> list[Item]:
    """The items, with this attribute in the conversations (by their name) that have a value."""
    return [
        i.model_copy(
            update={
                "conversation": i.conversation.model_copy(
                    update={"attributes": {name: values[i.conversation.external_id]}}
                )
            }
        )
        if i.conversation.external_id in values
        else i
        for i in items
    ]


def read(item: Item, *categories: str, detector: str = "d") -> Reading:
    """A reading that found errors of these categories."""
    made = reading(item, 0, findings=len(categories), detector=detector)
    found = [
        f.model_copy(update={"category": c}) for f, c in zip(made.findings, categories, strict=True)
    ]
    return made.model_copy(update={"findings": tuple(found)})


def items(n: int) -> list[Item]:
    return [
        make_item(
            f"c{i}", ["customer: Hello."], "A summary.", split="test" if i % 5 == 0 else "train"
        )
        for i in range(n)
    ]


def test_slices_count_each_summary_that_was_read_once(project: Project) -> None:
    values = {"c0": "chat", "c1": "chat", "c2": "phone", "c3": "phone"}
    some = given(items(6), "channel", values)
    add_items(project, some)
    project.store.put_readings(
        [
            read(some[0], "wrong_figure", "wrong_figure", "wrong_party"),
            read(some[1]),
            read(some[2], "wrong_figure"),
            reading(some[3], 0, status="failed"),
            read(some[4], "invented_detail"),
            read(some[2], "wrong_party", detector="somebody else"),
        ]
    )
    slices = error_rates_by(project.store, "teacher", "d", "channel")
    assert [(s.value, s.kind, s.rates.any_error.count, s.total) for s in slices] == [
        ("chat", "value", 1, 2),
        ("phone", "value", 1, 1),
        ("no value", "missing", 1, 1),
    ]
    assert {c: r.count for c, r in slices[0].rates.by_category.items()} == {
        "wrong_figure": 1,
        "wrong_party": 1,
    }
    assert slices[0].rates.findings == {"wrong_figure": 2, "wrong_party": 1}
    train = error_rates_by(project.store, "teacher", "d", "channel", ["train"])
    assert [(s.value, s.total) for s in train] == [("chat", 1), ("phone", 1), ("no value", 1)]


@settings(max_examples=30, deadline=None)
@hypothesis.given(data=st.data())
def test_slices_add_up_to_the_rates_of_the_whole(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = Project.create(tmp_path_factory.mktemp("p") / "project")
    some = items(data.draw(st.integers(1, 12)))
    values = data.draw(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=12, max_size=12))
    given_values = {i.conversation.external_id: v for i, v in zip(some, values, strict=False) if v}
    some = given(some, "kind", given_values or {"c0": "a"})
    add_items(project, some)
    found = st.none() | st.lists(st.sampled_from(CATEGORIES), max_size=4)
    kinds = [data.draw(found) for _ in some]
    project.store.put_readings(
        [read(i, *k) for i, k in zip(some, kinds, strict=True) if k is not None]
    )
    splits = data.draw(st.sampled_from([["train"], ["train", "dev", "test"]]))
    slices = error_rates_by(project.store, "teacher", "d", "kind", splits, top=1)
    whole = error_rates(project.store, "teacher", "d", splits)
    assert sum(s.total for s in slices) == whole.any_error.total
    assert sum(s.rates.any_error.count for s in slices) == whole.any_error.count
    by_category: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    for part in slices:
        by_category.update({c: r.count for c, r in part.rates.by_category.items()})
        findings.update(part.rates.findings)
    assert by_category == {c: r.count for c, r in whole.by_category.items()}
    assert findings == whole.findings
    patterns = error_patterns(project.store, "teacher", "d", splits)
    assert patterns.by_category() == by_category
    assert patterns.total - patterns.clean == whole.any_error.count
    project.close()


def test_an_unknown_attribute_names_those_there_are(project: Project) -> None:
    assert attribute_names(project.store) == []
    add_items(project, given(items(1), "channel", {"c0": "chat"}))
    assert attribute_names(project.store) == ["channel"]
    with pytest.raises(InputError, match="chanel") as error:
        error_rates_by(project.store, "teacher", "d", "chanel")
    assert "channel" in error.value.hint
    assert error_rates_by(project.store, "teacher", "nobody", "channel") == []


def labels(values: list[str], top: int = 12) -> list[str]:
    return [g.label for g in binned(values, [1] * len(values), top)]


def test_dates_are_grouped_by_month_and_over_many_months_by_year() -> None:
    days = [f"2025-{m:02}-{d:02}T10:00:00" for m in (3, 1, 2) for d in range(1, 20)]
    assert labels(days) == ["2025-01", "2025-02", "2025-03"]
    assert labels(["2025-02-01", "2025-01-01"]) == ["2025-01-01", "2025-02-01"]
    years = [f"{y}-{m:02}-01" for y in (2021, 2020, 2022) for m in range(1, 13)]
    assert labels(years) == ["2020", "2021", "2022"]


def test_numbers_keep_their_order_and_many_become_ranges() -> None:
    assert labels(["10", "9", "1"]) == ["1", "9", "10"]
    assert labels([str(i) for i in range(100)]) == [
        "0 to 19",
        "20 to 39",
        "40 to 59",
        "60 to 79",
        "80 to 99",
    ]


def test_rare_values_are_counted_together_and_a_single_one_keeps_its_name() -> None:
    groups = binned(["a", "b", "c", "d"], [1, 5, 3, 1], top=2)
    assert [(g.label, g.kind) for g in groups] == [
        ("b", "value"),
        ("c", "value"),
        ("2 other values", "other"),
    ]
    assert [g.label for g in binned(["a", "b", "c"], [1, 5, 3], top=2)] == ["b", "c", "a"]


@hypothesis.given(
    st.lists(
        st.tuples(st.text() | st.dates().map(str) | st.integers().map(str), st.integers(0, 9)),
        unique_by=lambda x: x[0],
    ),
    st.integers(1, 5),
)
def test_every_value_is_in_exactly_one_group(pairs: list[tuple[str, int]], top: int) -> None:
    groups = binned([v for v, _ in pairs], [n for _, n in pairs], top)
    members = [m for g in groups for m in g.members]
    assert sorted(members) == list(range(len(pairs)))


def revised(project: Project) -> None:
    """A round in which four findings were answered, in four ways."""
    before = items(4)
    add_items(project, before)
    project.store.add([System(name="r1", kind="revision", parent="teacher")])
    categories = ["wrong_figure", "wrong_figure", "wrong_party", "invented_detail"]
    readings = [read(i, c) for i, c in zip(before, categories, strict=True)]
    project.store.put_readings(readings)
    children = [
        Summary.of(i.conversation.id, "r1", "Better.", parent_id=i.summary.id) for i in before
    ]
    asked = [tuple(f.id for f in r.findings) for r in readings]
    revisions = [
        Revision(
            summary_id=c.id, editor="e", settings_hash="s", status="edited", findings=ids, at=now()
        )
        for c, ids in zip(children, asked, strict=True)
    ]
    edits: list[Edit] = []
    project.store.put_revisions([(c, r, edits) for c, r in zip(children, revisions, strict=True)])
    new = Finding(id="new", analysis_id="a", category="wrong_party", explanation="x")

    def check(n: int, result: str, verifier: str = "v", finding: str | None = None) -> Check:
        return Check(
            summary_id=children[n].id,
            finding_id=finding or asked[n][0],
            verifier=verifier,
            result=result,
        )

    checks = [
        check(0, "fixed"),
        check(1, "fixed"),
        check(1, "not_fixed", verifier="w"),
        check(2, "unchecked"),
        check(2, "new_error", finding=new.id),
    ]
    after = [
        Item(conversation=i.conversation, summary=c) for i, c in zip(before, children, strict=True)
    ]
    verified = read(after[2], detector="check:v")
    new = new.model_copy(update={"analysis_id": verified.analysis.id})
    verified = verified.model_copy(update={"findings": (new,)})
    project.store.put_readings([verified], checks)


def test_a_rounds_outcome_is_counted_by_category(project: Project) -> None:
    revised(project)
    outcomes = {o.category: o for o in outcomes_by_category(project.store, "r1")}
    figure = outcomes["wrong_figure"]
    assert (figure.fixed, figure.not_fixed, figure.unchecked, figure.new_errors) == (1, 1, 0, 0)
    party = outcomes["wrong_party"]
    assert (party.fixed, party.not_fixed, party.unchecked, party.new_errors) == (0, 0, 1, 1)
    assert outcomes["invented_detail"].unchecked == 1  # nobody has looked
    assert outcomes_by_category(project.store, "teacher") == []


def test_outcomes_by_category_add_up_to_the_rounds_outcome(project: Project) -> None:
    revised(project)
    whole = round_outcome(project.store, "r1")
    parts = outcomes_by_category(project.store, "r1")
    assert parts
    for field in ("fixed", "not_fixed", "unchecked", "new_errors"):
        assert sum(getattr(p, field) for p in parts) == getattr(whole, field)


def test_lengths_are_counted_in_words_and_turns(project: Project) -> None:
    turns = ["customer: Hello.", "agent: Hi."]
    add_items(
        project,
        [
            make_item("two lines", turns, "One two\nthree. "),
            make_item("empty", turns[:1], " "),
            make_item("one", turns, "Fine.", split="test"),
        ],
    )
    assert word_lengths(project.store, "teacher").counts == {3: 1, 0: 1, 1: 1}
    assert word_lengths(project.store, "teacher", ["test"]).counts == {1: 1}
    assert turn_lengths(project.store).counts == {1: 1, 2: 2}
