import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from items import add_items, make_item, reading

from arf_core.evaluate import clusters, embedding
from arf_core.evaluate.clusters import Clustering, cluster_findings, sample_findings
from arf_core.evaluate.embedding import UNCLUSTERED
from arf_core.project import Project
from arf_core.project.taxonomy import load_taxonomy
from arf_core.records import Finding, Reading

TAXONOMY = load_taxonomy()


def finding(n: int, text: str, category: str = "wrong_figure", quote: str | None = None) -> Finding:
    return Finding(id=f"f{n}", analysis_id="a", category=category, quote=quote, explanation=text)


TOPICS = {
    "invented_detail": "courier driver van parcel strike depot delivery street".split(),
    "wrong_figure": "refund invoice amount euro cents payment bank total".split(),
    "wrong_status": "password login account locked reset browser website code".split(),
}


def of_topics(n: int, seed: int = 0) -> list[Finding]:
    """Findings of three topics that share no words, in turn."""
    rng = random.Random(seed)
    names = list(TOPICS)
    return [
        finding(i, " ".join(rng.sample(TOPICS[names[i % 3]], 6)), names[i % 3]) for i in range(n)
    ]


def check(found: Clustering, n: int) -> None:
    """What holds for every clustering."""
    assert len(found.points) == n
    assert all(math.isfinite(p.x) and math.isfinite(p.y) for p in found.points)
    numbers = [c.number for c in found.clusters]
    assert numbers == [*range(len(numbers) - (UNCLUSTERED in numbers)), UNCLUSTERED][: len(numbers)]
    for cluster in found.clusters:
        members = [p for p in found.points if p.cluster == cluster.number]
        assert len(members) == cluster.size == sum(cluster.categories.values()) > 0
        assert cluster.name
    assert sum(c.size for c in found.clusters) == n
    sizes = [c.size for c in found.clusters if c.number != UNCLUSTERED]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_a_few_findings_are_never_a_cluster(n: int) -> None:
    found = cluster_findings(of_topics(n), TAXONOMY)
    check(found, n)
    assert {c.name for c in found.clusters} <= {"unclustered"}


def test_five_findings_can_be_clustered() -> None:
    check(cluster_findings(of_topics(5), TAXONOMY), 5)


@pytest.mark.parametrize("n", [5, 60])
def test_identical_texts_are_one_cluster(n: int) -> None:
    found = cluster_findings([finding(i, "The refund is late.") for i in range(n)], TAXONOMY)
    check(found, n)
    (cluster,) = found.clusters
    assert cluster.number == 0
    assert "refund" in cluster.name
    assert len({(p.x, p.y) for p in found.points}) == 1


def test_topics_are_found_and_named_by_their_words() -> None:
    found = cluster_findings(of_topics(90), TAXONOMY)
    check(found, 90)
    real = [c for c in found.clusters if c.number != UNCLUSTERED]
    assert {category for c in real for category in c.categories} == set(TOPICS)
    for cluster in real:
        (category,) = cluster.categories
        words = set(cluster.name.replace(" · ", " ").split())
        assert words
        assert words <= set(TOPICS[category])


def test_near_points_say_alike_things() -> None:
    points = cluster_findings(of_topics(90), TAXONOMY).points
    right = 0
    for p in points:
        others = [q for q in points if q is not p]
        nearest = min(others, key=lambda q: (q.x - p.x) ** 2 + (q.y - p.y) ** 2)
        right += nearest.category == p.category
    assert right >= 85


def test_the_same_findings_give_the_same_clusters() -> None:
    assert cluster_findings(of_topics(60), TAXONOMY) == cluster_findings(of_topics(60), TAXONOMY)


def test_findings_without_a_word_are_unclustered() -> None:
    wordless = [finding(i, "12.50 → 13.50", category="gone", quote="…") for i in range(8)]
    lone = [f.model_copy(update={"category": "7"}) for f in wordless]
    found = cluster_findings(lone, TAXONOMY)
    check(found, 8)
    assert [c.name for c in found.clusters] == ["unclustered"]


def test_a_cluster_without_common_words_is_named_by_its_category() -> None:
    texts = ["alpha bravo", "charlie delta", "echo foxtrot", "golf hotel", "india juliet"]
    different = [finding(i, text) for i, text in enumerate(texts)]
    labels = clusters.np.zeros(5, dtype=int)
    terms = clusters._distinctive_terms([f.explanation for f in different], labels)
    assert terms[0] == ()
    assert clusters._name(0, terms[0], "wrong_figure", TAXONOMY) == "wrong figure"


def test_many_findings_are_sampled_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MOST", 60)
    found = cluster_findings(of_topics(300), TAXONOMY)
    check(found, 60)
    assert found.of == 300
    assert cluster_findings(of_topics(60), TAXONOMY).of == 60
    assert cluster_findings(of_topics(10), TAXONOMY, of=1_000).of == 1_000


def test_beyond_what_is_fitted_findings_join_their_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedding, "MOST_FITTED", 60)
    monkeypatch.setattr(embedding, "MOST_TSNE", 60)
    found = cluster_findings(of_topics(240), TAXONOMY)
    check(found, 240)
    real = [c for c in found.clusters if c.number != UNCLUSTERED]
    assert [len(c.categories) for c in real] == [1, 1, 1]
    assert sum(c.size for c in real) > 200


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=30) | st.sampled_from(["same words here", "the and of", "42"]),
            st.none() | st.text(max_size=10),
        ),
        max_size=25,
    )
)
def test_any_texts_can_be_clustered(texts: list[tuple[str, str | None]]) -> None:
    findings = [finding(i, text, quote=quote) for i, (text, quote) in enumerate(texts)]
    check(cluster_findings(findings, TAXONOMY), len(findings))


def read(project: Project, n: int, detector: str = "d", split: str = "train") -> list[Reading]:
    made = [make_item(f"{split}{i}", ["customer: Hi."], f"{i}.", split=split) for i in range(n)]
    add_items(project, made)
    readings = [reading(item, i, findings=1, detector=detector) for i, item in enumerate(made)]
    project.store.put_readings(readings)
    return readings


def test_a_sample_is_drawn_evenly_and_again_the_same(project: Project) -> None:
    readings = read(project, 400)
    read(project, 20, split="test")
    whole = sample_findings(project.store, "teacher", "d", ["train"])
    assert (whole.of, len(whole.findings)) == (400, 400)
    part = sample_findings(project.store, "teacher", "d", ["train"], most=100)
    assert part.of == 400
    assert 70 <= len(part.findings) <= 130
    places = [i for i, r in enumerate(readings) if r.findings[0] in part.findings]
    for quarter in range(4):
        assert 10 <= sum(i // 100 == quarter for i in places) <= 45
    assert sample_findings(project.store, "teacher", "d", ["train"], most=100) == part
    assert sample_findings(project.store, "teacher", "nobody").of == 0
