import json
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import plotly.graph_objects as go
import pytest
from colour_vision import VISIONS, contrast, distance, seen
from hypothesis import given, settings
from hypothesis import strategies as st

from arf_core.evaluate.agreement import Agreement, Confusion
from arf_core.evaluate.clusters import Cluster, Clustering, Point
from arf_core.evaluate.rates import ErrorRates, Rate
from arf_core.evaluate.slices import SliceRates
from arf_core.project.taxonomy import Taxonomy, load_taxonomy
from arf_core.records import System
from arf_core.report import charts
from arf_core.report.charts.marks import round_step
from arf_core.report.charts.palette import (
    CATEGORY_COLOURS,
    FIXED,
    NEW,
    NOT_FIXED,
    SEVERITY_COLOURS,
    SYSTEM_COLOURS,
    UNCHECKED,
    colour_at,
    ink_on,
)
from arf_core.report.charts.wording import listed, wrapped
from arf_core.report.dataset_stats import Counted, ValueCounts
from arf_core.store.lengths import TextLengths
from arf_core.store.patterns import ErrorPatterns, Pattern
from arf_core.store.round_counts import CategoryOutcome
from arf_core.training.training_records import StepRow

LIGHT, DARK = "#ffffff", "#0e1117"
TAXONOMY = load_taxonomy()
NAMES = {"teacher": "Teacher", "r1": "Corrected (r1)"}


def rates(system: str, total: int, any_error: int, **by_category: int) -> ErrorRates:
    return ErrorRates(
        system=system,
        detector="d",
        any_error=Rate(count=any_error, total=total),
        by_category={c: Rate(count=n, total=total) for c, n in by_category.items()},
        findings=by_category,
    )


TEACHER = rates("teacher", 120, 40, wrong_figure=12, invented_detail=30)
R1 = rates("r1", 120, 5, wrong_figure=5, wrong_party=1)


def part(value: str, total: int, **by_category: int) -> SliceRates:
    any_error = max(by_category.values(), default=0)
    found = rates("teacher", total, any_error, **by_category)
    return SliceRates(attribute="channel", value=value, rates=found)


SLICES = [part("chat", 100, wrong_figure=12, invented_detail=30), part("phone", 6, wrong_figure=3)]
PATTERNS = ErrorPatterns(
    system="teacher",
    detector="d",
    total=100,
    patterns=(
        Pattern(categories=("invented_detail", "wrong_figure"), summaries=9),
        Pattern(categories=("wrong_figure",), summaries=11),
        Pattern(categories=("irrelevant_or_repeated",), summaries=5),
        Pattern(categories=("irrelevant_or_repeated", "wrong_cause"), summaries=2),
    ),
)
OUTCOMES = [
    CategoryOutcome(system="r1", category="wrong_party", fixed=1, unchecked=2),
    CategoryOutcome(system="r1", category="wrong_figure", fixed=8, not_fixed=2, new_errors=7),
]
AGREEMENTS = [
    Agreement(
        detector="rules",
        reference="person:gold",
        summaries=120,
        findings=Confusion(hits=9, false_alarms=1, misses=71),
        places=Confusion(hits=10, misses=70),
        has_error=Confusion(hits=9, misses=40, rejections=71),
        by_category={},
    ),
    Agreement(
        detector="silent",
        reference="person:gold",
        summaries=120,
        findings=Confusion(misses=80),
        places=Confusion(misses=80),
        has_error=Confusion(misses=49, rejections=71),
        by_category={},
    ),
]
LENGTHS = [
    TextLengths(of="teacher", unit="words", counts={10: 5, 11: 5, 90: 10}),
    TextLengths(of="r1", unit="words", counts={12: 20}),
]
VALUES = ValueCounts(
    of="channel",
    counts=(
        Counted(label="chat", conversations=90),
        Counted(label="3 other values", conversations=9, kind="other"),
        Counted(label="no value", conversations=1, kind="missing"),
    ),
)


def clustering(n: int, of: int | None = None) -> Clustering:
    points = tuple(
        Point(
            finding_id=f"f{i}",
            category="wrong_figure" if i % 2 else "gone",
            cluster=0 if i % 2 else -1,
            x=i,
            y=-i,
            text="The amount is <b>42.50</b>.",
        )
        for i in range(n)
    )
    clusters = (
        Cluster(number=0, name="amount · refund", size=n // 2, categories={}),
        Cluster(number=-1, name="unclustered", size=n, categories={}),
    )
    return Clustering(clusters=clusters, points=points, of=of or n)


STEPS = [
    StepRow(step=n, total=8, loss=3.0 / n, eval_loss=3.5 / n if n % 4 == 0 else None)
    for n in range(1, 7)
]
FULL: dict[str, Callable[[], go.Figure]] = {
    "error_rates": lambda: charts.error_rates([TEACHER, R1], TAXONOMY, NAMES),
    "error_heatmap": lambda: charts.error_heatmap(SLICES, TAXONOMY),
    "severity": lambda: charts.severity([PATTERNS], TAXONOMY, NAMES),
    "cooccurrence": lambda: charts.cooccurrence(PATTERNS, TAXONOMY),
    "round_outcome": lambda: charts.round_outcome(OUTCOMES, TAXONOMY),
    "against_reference": lambda: charts.against_reference(AGREEMENTS),
    "lengths": lambda: charts.lengths(LENGTHS, NAMES),
    "clusters": lambda: charts.clusters(clustering(40), TAXONOMY),
    "values": lambda: charts.values(VALUES),
    "loss": lambda: charts.loss(STEPS),
}
NOTHING = ErrorPatterns(system="teacher", detector="d", total=0, patterns=())
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "error_rates": lambda: charts.error_rates([], TAXONOMY),
    "error_rates of nothing read": lambda: charts.error_rates([rates("r1", 0, 0)], TAXONOMY),
    "error_heatmap": lambda: charts.error_heatmap([], TAXONOMY),
    "severity": lambda: charts.severity([NOTHING], TAXONOMY),
    "cooccurrence": lambda: charts.cooccurrence(NOTHING, TAXONOMY),
    "round_outcome": lambda: charts.round_outcome([], TAXONOMY),
    "against_reference": lambda: charts.against_reference([]),
    "lengths": lambda: charts.lengths([TextLengths(of="r1", unit="words", counts={})]),
    "clusters": lambda: charts.clusters(Clustering(clusters=(), points=(), of=0), TAXONOMY),
    "values": lambda: charts.values(ValueCounts(of="channel", counts=())),
    "loss": lambda: charts.loss([]),
}


def drawn(figure: go.Figure) -> dict[str, Any]:
    """The figure as a browser gets it."""
    data: dict[str, Any] = json.loads(figure.to_json())
    return data


def title(figure: go.Figure) -> str:
    return str(figure.layout.title.text).replace("<br>", " ")


def trace(figure: go.Figure, name: str) -> Any:
    return next(t for t in figure.data if t.name == name)


# -- what holds for every chart ------------------------------------------------------------------


def test_every_chart_is_tried() -> None:
    made = {n for n in charts.__all__ if n not in ("category_colour", "empty")}
    assert made - {
        "in_theme",
        "narrow",
        "percent",
        "rate_text",
        "reader_name",
        "system_names",
    } == set(FULL)


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_gives_a_sentence_that_says_what_to_do(name: str) -> None:
    figure = EMPTY[name]()
    assert not figure.data
    (note,) = figure.layout.annotations
    assert len(note.text.replace("<br>", " ").split()) > 6
    assert (note.x, note.y, note.xref, note.yref) == (0.5, 0.5, "paper", "paper")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", FULL)
def test_charts_stand_on_any_ground_in_letters_that_can_be_read(name: str, theme: Any) -> None:
    figure = charts.in_theme(FULL[name](), theme)
    layout = figure.layout.template.layout
    ground = LIGHT if theme == "light" else DARK
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.paper_bgcolor is None
    sizes = list(font_sizes(drawn(figure)))
    assert sizes
    assert min(sizes) >= 13
    for colour in (
        layout.font.color,
        layout.title.subtitle.font.color,
        layout.hoverlabel.font.color,
    ):
        assert contrast(colour, ground) >= 4.5
    assert title(figure)
    assert all(len(line) <= 60 for line in figure.layout.title.text.split("<br>"))


def font_sizes(node: Any) -> Iterator[float]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("font") and "size" in value:
                yield value["size"]
            yield from font_sizes(value)
    elif isinstance(node, list):
        for value in node:
            yield from font_sizes(value)


def test_a_theme_changes_neither_data_nor_the_figure_that_was_given() -> None:
    figure = FULL["error_rates"]()
    before = figure.to_json()
    dark = charts.in_theme(figure, "dark")
    assert figure.to_json() == before
    assert drawn(dark)["data"] == drawn(figure)["data"]
    assert dark.layout.template.layout.font.color != figure.layout.template.layout.font.color


@pytest.mark.parametrize("name", FULL)
def test_points_can_be_traced_back_to_what_they_stand_for(name: str) -> None:
    if name in ("lengths", "loss"):
        return
    traces = [t for t in FULL[name]().data if t.hoverinfo != "skip"]
    assert traces
    assert all(t.customdata is not None and len(t.customdata) for t in traces)


# -- colours -------------------------------------------------------------------------------------


def test_the_distance_is_the_published_one() -> None:
    # Sharma, Wu and Dalal 2005, table 1: pairs 1, 7, 17 and 25
    published = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ]
    for one, other, expected in published:
        assert round(distance(one, other), 4) == expected


@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_categories_look_alike_to_anybody(vision: str) -> None:
    assert len(CATEGORY_COLOURS) == 10
    seen_colours = [seen(c, vision) for c in CATEGORY_COLOURS]
    closest = min(distance(a, b) for a, b in combinations(seen_colours, 2))
    assert closest >= (13.5 if vision == "normal" else 11)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(
    "together",
    [(FIXED, NOT_FIXED, UNCHECKED, NEW), tuple(SEVERITY_COLOURS.values()), SYSTEM_COLOURS],
    ids=["outcomes", "severities", "systems"],
)
def test_colours_of_one_chart_are_told_apart(together: tuple[str, ...], vision: str) -> None:
    seen_colours = [seen(c, vision) for c in together]
    assert min(distance(a, b) for a, b in combinations(seen_colours, 2)) >= 9


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_every_colour_stands_out_from_light_and_dark(ground: str) -> None:
    colours = [colour_at(i) for i in range(40)]
    colours += [*SYSTEM_COLOURS, *SEVERITY_COLOURS.values(), FIXED, NOT_FIXED, UNCHECKED, NEW]
    assert min(contrast(c, ground) for c in colours) >= 3


def test_the_eleventh_category_has_a_colour_of_its_own() -> None:
    assert len({colour_at(i) for i in range(30)}) == 30
    eleven = Taxonomy(
        categories=(
            *TAXONOMY.categories,
            TAXONOMY.categories[0].model_copy(update={"id": "own", "omission_of": ()}),
        )
    )
    assert charts.category_colour(eleven, "own") == colour_at(10)
    assert charts.category_colour(eleven, "gone") not in {colour_at(i) for i in range(11)}


def test_figures_inside_bars_can_be_read() -> None:
    colours = [*SEVERITY_COLOURS.values(), FIXED, NOT_FIXED, UNCHECKED, NEW]
    assert min(contrast(ink_on(c), c) for c in colours) >= 4.5


# -- words and numbers ---------------------------------------------------------------------------


def test_a_rate_is_told_with_its_count_and_interval() -> None:
    assert charts.rate_text(Rate(count=12, total=120)) == "12 of 120, 10\u00a0% (6–17)"
    assert charts.rate_text(Rate(count=0, total=0)) == "no data"
    assert charts.rate_text(Rate(count=12_000, total=120_000)).startswith("12,000 of 120,000, 10")


@given(st.integers(1, 10**7), st.data())
def test_some_is_never_told_as_none_nor_most_as_all(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    told = charts.percent(count / total)
    assert (told == "0\u00a0%") == (count == 0)
    assert (told == "100\u00a0%") == (count == total)


def test_systems_have_names_for_people() -> None:
    def system(name: str, kind: Any) -> System:
        return System(name=name, kind=kind)

    two = [system("r0", "teacher"), system("r1", "revision"), system("small", "student")]
    assert charts.system_names(two) == {
        "r0": "Teacher",
        "r1": "Corrected (r1)",
        "small": "Student",
    }
    more = charts.system_names([*two, system("tiny", "student"), system("r1-reviewed", "reviewed")])
    assert more["small"] == "Student (small)"
    assert more["r1-reviewed"] == "Corrected, reviewed"


def test_lists_and_long_names_read_as_people_write_them() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert wrapped("Missing resolution or next step", 22) == "Missing resolution or<br>next step"


@given(st.floats(0.001, 1e9))
def test_steps_of_an_axis_are_round(wanted: float) -> None:
    step = round_step(wanted)
    assert step >= wanted
    assert str(step).rstrip("0") in ("1", "2", "5")


def test_names_from_outside_are_drawn_as_they_are() -> None:
    figure = charts.error_rates([TEACHER], TAXONOMY, {"teacher": "<b>x</b> & y"})
    assert figure.data[0].name == "&lt;b&gt;x&lt;/b&gt; &amp; y"
    heatmap = charts.error_heatmap([part("<i>z</i>", 20, wrong_figure=1)], TAXONOMY)
    assert "<i>" not in json.dumps([[t.text, t.hovertext] for t in heatmap.data[:2]])
    assert "<i>" not in json.dumps(drawn(heatmap)["layout"]["xaxis"])
    points = trace(charts.clusters(clustering(4), TAXONOMY), "Wrong figure")
    assert "&lt;b&gt;42.50&lt;/b&gt;" in points.text[0]


# -- one by one ----------------------------------------------------------------------------------


def test_error_rates_are_sorted_by_the_first_system_below_any_error() -> None:
    figure = charts.error_rates([TEACHER, R1], TAXONOMY, NAMES)
    assert list(figure.layout.yaxis.ticktext) == [
        "<b>Any error</b>",
        "Invented detail",
        "Wrong figure",
        "Wrong party",
    ]
    teacher, r1 = figure.data
    assert [round(x, 1) for x in teacher.x] == [33.3, 25.0, 10.0, 0.0]
    assert teacher.text[2] == "12 of 120, 10\u00a0% (6–17)"
    assert [tuple(d) for d in r1.customdata] == [
        ("r1", ""),
        ("r1", "invented_detail"),
        ("r1", "wrong_figure"),
        ("r1", "wrong_party"),
    ]
    assert teacher.marker.symbol != r1.marker.symbol
    assert all(a < b for a, b in zip(teacher.y, r1.y, strict=True))
    low, high = Rate(count=12, total=120).interval or (0, 0)
    assert teacher.x[2] - teacher.error_x.arrayminus[2] == pytest.approx(100 * low)
    assert teacher.x[2] + teacher.error_x.array[2] == pytest.approx(100 * high)
    assert title(figure) == ("Teacher errs in 33\u00a0% of summaries, Corrected (r1) in 4\u00a0%")


def test_error_rates_say_who_read_how_many() -> None:
    def subtitle(*given: ErrorRates) -> str:
        return str(charts.error_rates(given, TAXONOMY).layout.title.subtitle.text)

    assert subtitle(TEACHER) == "120 summaries, read by d"
    assert subtitle(TEACHER, R1) == "120 summaries each, read by d"
    other = rates("r1", 1500, 7).model_copy(update={"detector": "e"})
    assert (
        subtitle(TEACHER, other).replace("<br>", " ") == "120 to 1,500 summaries, read by d and e"
    )


def test_a_category_that_the_taxonomy_lost_is_still_shown() -> None:
    figure = charts.error_rates([rates("teacher", 10, 2, gone=2)], TAXONOMY)
    assert list(figure.layout.yaxis.ticktext) == ["<b>Any error</b>", "gone"]
    lost = PATTERNS.model_copy(update={"patterns": (Pattern(categories=("gone",), summaries=3),)})
    assert trace(charts.severity([lost], TAXONOMY), "unknown category").x == (3.0,)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_rates_can_be_drawn(data: st.DataObject) -> None:
    def some(name: str) -> ErrorRates:
        total = data.draw(st.integers(0, 10**6))
        ids = data.draw(st.lists(st.sampled_from([*TAXONOMY.by_id, "gone"]), unique=True))
        counts = {c: data.draw(st.integers(0, total)) for c in ids}
        return rates(name, total, data.draw(st.integers(0, total)), **counts)

    given_rates = [some(f"s{i}") for i in range(data.draw(st.integers(0, 9)))]
    figure = charts.error_rates(given_rates, TAXONOMY)
    assert "NaN" not in figure.to_json()
    assert len(figure.data) == sum(r.any_error.total > 0 for r in given_rates)


def test_cells_of_few_summaries_are_set_apart() -> None:
    figure = charts.error_heatmap(SLICES, TAXONOMY)
    coloured, grey, words = figure.data
    assert [list(row) for row in coloured.z] == [[30, None], [30, None], [12, None]]
    assert [[z is not None for z in row] for row in grey.z] == [[False, True]] * 3
    assert list(words.text) == ["3", "0", "3"]
    assert [list(row) for row in coloured.text] == [["30", ""], ["30", ""], ["12", ""]]
    assert "fewer than 10" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert list(figure.layout.xaxis.ticktext) == ["chat (100)", "phone (6)"]
    assert title(figure) == "Errors by channel"
    enough = charts.error_heatmap(SLICES[:1], TAXONOMY)
    assert "Grey" not in enough.layout.title.subtitle.text


def test_slices_are_compared_by_those_with_enough_summaries() -> None:
    slices = [*SLICES, part("e-mail", 50, wrong_figure=1)]
    assert title(charts.error_heatmap(slices, TAXONOMY)) == (
        "Errors by channel: most in chat (30\u00a0%), least in e-mail (2\u00a0%)"
    )


def test_many_systems_are_told_apart_by_their_extremes() -> None:
    many = [rates(f"s{i}", 100, 10 + i) for i in range(5)]
    assert title(charts.error_rates(many, TAXONOMY, {"s4": "Teacher"})) == (
        "s0 errs least, in 10\u00a0% of summaries; Teacher most, in 14\u00a0%"
    )


def test_what_comes_together_is_a_share_of_the_row() -> None:
    figure = charts.cooccurrence(PATTERNS, TAXONOMY)
    assert title(figure) == (
        "“Invented detail” and “Wrong figure” occur together most often, in 9 summaries"
    )
    coloured, _, words = figure.data
    rows = [label.split(" <")[0] for label in figure.layout.yaxis.ticktext]
    assert rows == [
        "Invented detail",
        "Wrong figure",
        "Wrong cause or link",
        "Irrelevant or repeated",
    ]
    assert coloured.z[1][0] == 45  # 9 of the 20 with a wrong figure
    assert coloured.z[1][1] is None
    assert "9 of 20" in coloured.hovertext[1][0]
    assert len(words.text) == 9  # the three rows of fewer than ten, without the diagonal


def test_a_summary_counts_once_by_its_worst_error() -> None:
    figure = charts.severity([PATTERNS], TAXONOMY, NAMES)
    shares = {t.name: t.x[0] for t in figure.data if t.name}
    assert shares == {"misleads": 20, "misinforms": 2, "costs time": 5, "no error found": 73}
    assert title(figure) == "Teacher misleads in 20\u00a0% of summaries"


def test_new_errors_stand_to_the_left_and_are_not_told_as_negative() -> None:
    figure = charts.round_outcome(OUTCOMES, TAXONOMY)
    assert list(figure.layout.yaxis.ticktext) == ["Wrong figure", "Wrong party"]
    assert trace(figure, "fixed").x == (8, 1)
    assert trace(figure, "new error").x == (-7, 0)
    assert trace(figure, "unchecked").x == (0, 2)
    ticks = dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))
    assert min(ticks) < 0
    assert 0 in ticks
    assert not any("-" in text or "−" in text for text in ticks.values())
    assert title(figure) == "9 of 13 findings verified as fixed, 7 new errors"
    assert "no new error" in title(charts.round_outcome(OUTCOMES[:1], TAXONOMY))


def test_a_detector_that_reported_nothing_has_no_precision() -> None:
    figure = charts.against_reference(AGREEMENTS)
    assert trace(figure, "precision").x == (90.0, None)
    assert trace(figure, "recall").x == (11.25, 0.0)
    assert trace(figure, "precision").text[1] == "no data"
    assert title(figure) == "Highest recall against the gold labels: 11\u00a0%, the rules"
    by_summary = charts.against_reference(AGREEMENTS, by="has_error")
    assert trace(by_summary, "precision").x == (100.0, None)


def test_readers_are_named_as_people_call_them() -> None:
    assert charts.reader_name("rules") == "the rules"
    assert charts.reader_name("llm:big") == "big (LLM)"
    assert charts.reader_name("person:anna") == "anna (a person)"
    assert charts.reader_name("person:gold") == "the gold labels"


def test_a_training_of_one_step_is_seen_as_a_point() -> None:
    one = charts.loss(STEPS[:1])
    assert trace(one, "training").mode == "lines+markers"
    assert trace(charts.loss(STEPS), "training").mode == "lines"


def test_lengths_are_shares_with_their_median() -> None:
    figure = charts.lengths(LENGTHS, NAMES)
    for outline in figure.data:
        assert sum(outline.y) == pytest.approx(100)
    assert title(figure) == ("Median summary length: Teacher 11, Corrected (r1) 12 words")
    turns = charts.lengths(
        [TextLengths(of="conversations", unit="turns", counts={2: 1, 4: 5}, step=10)]
    )
    assert title(turns) == "Median conversation length: 4 turns"
    assert "every 10th" in turns.layout.title.subtitle.text
    with pytest.raises(ValueError, match="turns"):
        charts.lengths([LENGTHS[0], TextLengths(of="conversations", unit="turns", counts={1: 1})])


def test_very_long_texts_do_not_make_a_thousand_bars() -> None:
    counts = dict.fromkeys(range(100), 10) | {50_000: 1}
    (outline,) = charts.lengths([TextLengths(of="r1", unit="words", counts=counts)]).data
    assert len(outline.x) <= 64
    assert sum(outline.y) == pytest.approx(100)
    assert outline.text[-2].endswith("or more words: 1, 0.1\u00a0%")


def test_points_beyond_five_thousand_are_sampled_and_the_title_says_so() -> None:
    figure = charts.clusters(clustering(12_000), TAXONOMY)
    shown = sum(len(t.x) for t in figure.data)
    assert 2_500 < shown <= 5_000
    assert title(figure) == (f"1 group of similar findings in 12,000 (showing {shown:,})")
    assert len(figure.to_json()) < 1_500_000
    sampled = charts.clusters(clustering(40, of=60_000), TAXONOMY)
    assert "in 60,000 (showing 40)" in title(sampled)
    assert "showing" not in title(charts.clusters(clustering(40), TAXONOMY))


def test_points_have_the_colour_of_their_category_and_clusters_their_name() -> None:
    figure = charts.clusters(clustering(10), TAXONOMY)
    known, gone = figure.data
    assert (known.name, gone.name) == ("Wrong figure", "gone")
    assert known.marker.color == charts.category_colour(TAXONOMY, "wrong_figure")
    assert list(known.customdata) == ["f1", "f3", "f5", "f7", "f9"]
    assert [a.text for a in figure.layout.annotations] == ["amount · refund"]


def test_conversations_by_value_set_aside_what_is_no_value() -> None:
    (bars,) = charts.values(VALUES).data
    assert list(bars.x) == [90, 9, 1]
    assert bars.text[0] == "90 · 90\u00a0%"
    assert title(charts.values(VALUES)) == "Conversations by channel: 90\u00a0% chat"
    colours = list(bars.marker.color)
    assert colours[0] != colours[1] == colours[2]
    odd = ValueCounts(of="<b>x", counts=(Counted(label="<a href='x'>", conversations=1),))
    figure = charts.values(odd)
    assert "&lt;b&gt;x" in figure.layout.title.text
    assert figure.layout.yaxis.ticktext[0].startswith("&lt;a")


@pytest.mark.parametrize("name", FULL)
def test_a_narrow_figure_says_the_same_in_shorter_lines(name: str) -> None:
    figure = FULL[name]()
    slim = charts.narrow(figure)
    assert title(slim) == title(figure)
    assert max(map(len, slim.layout.title.text.split("<br>"))) <= 34
    assert (
        slim.layout.height - slim.layout.margin.t == figure.layout.height - figure.layout.margin.t
    )
    assert drawn(slim)["data"] == drawn(figure)["data"]
    assert charts.narrow(slim) == slim


def test_names_of_attributes_detectors_and_people_are_text_and_no_markup() -> None:
    odd = "<a href='x'>&"
    slices = [
        part("a" * 200, 20, wrong_figure=2).model_copy(update={"attribute": odd, "detector": odd})
    ]
    patterns = ErrorPatterns(system="teacher", detector=odd, total=3, patterns=())
    nothing = Confusion(hits=1)
    against = Agreement(
        detector=odd,
        reference=odd,
        summaries=3,
        findings=nothing,
        places=nothing,
        has_error=nothing,
        by_category={},
    )
    figures = [
        charts.error_heatmap(slices, TAXONOMY),
        charts.error_rates([TEACHER.model_copy(update={"detector": odd})], TAXONOMY),
        charts.severity([patterns], TAXONOMY),
        charts.against_reference([against]),
    ]
    for figure in figures:
        drawn = figure.update_traces(customdata=None).to_json()  # that is never drawn
        assert "&lt;a" in drawn or "\\u0026lt;a" in drawn
        assert "\\u003ca" not in drawn
        assert "<a" not in drawn
    (label,) = figures[0].layout.xaxis.ticktext
    assert len(label) < 60, "a long value leaves room for its count"
    assert "(20)" in label
