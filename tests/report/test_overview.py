"""Where a project stands, and the next thing to do."""

from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items, with_model

from arf_core.analysis.analyze import analyze
from arf_core.evaluate.rates import error_rates
from arf_core.evaluate.slices import error_rates_by
from arf_core.jobs.demo import make_demo
from arf_core.project import Project
from arf_core.records import Conversation, Summary, System
from arf_core.report import charts
from arf_core.report.overview import example, next_step, overview
from arf_core.review.card import review_card
from arf_core.review.decisions import apply_decisions
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.store.patterns import error_patterns
from arf_core.training.settings import TrainingSettings
from arf_core.training.training_records import TrainingJob


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    path = tmp_path_factory.mktemp("demo") / "sample"
    make_demo(path)
    return Project.open(path)


def test_the_headline_is_that_of_the_reader_who_took_no_part(demo: Project) -> None:
    said = overview(demo).headline
    assert said is not None
    assert said.detector == "llm:second-reader"
    assert not said.took_part
    assert (said.before.count, said.before.total) == (50, 120)
    assert said.after is not None
    assert (said.after.count, said.after.total) == (3, 120)
    assert next_step(demo, overview(demo)) == "review"


def test_every_view_shows_the_same_error_rate(demo: Project, arf) -> None:
    found = overview(demo)
    assert found.headline is not None
    detector, rate = found.headline.detector, found.headline.before
    store, system = demo.store, found.headline.system.name
    whole = error_rates(store, system, detector)
    assert whole.any_error == rate
    assert found.systems[0].rate(detector) == rate
    slices = [s.rates.any_error for s in error_rates_by(store, system, detector, "channel")]
    assert sum(r.count for r in slices) == rate.count
    assert sum(r.total for r in slices) == rate.total
    patterns = error_patterns(store, system, detector)
    assert (patterns.total - patterns.clean, patterns.total) == (rate.count, rate.total)
    chart = charts.error_rates([whole], demo.taxonomy)
    assert chart.data[0].text[0] == charts.rate_text(rate)
    (status,) = [
        s for s in arf("status", demo.path, "--json").json["systems"] if s["name"] == system
    ]
    assert status["with_error"][detector] == rate.model_dump()


def test_the_example_was_edited_and_is_verified(demo: Project) -> None:
    found = example(demo.store, "r1")
    assert found is not None
    shown = review_card(demo.store, "r1", found)
    assert shown.queued.status == "verified"
    assert shown.before is not None
    assert shown.before.text != shown.item.summary.text
    assert example(demo.store, "teacher") is None


def test_a_reader_that_took_part_is_said_to(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    analyze(project, system="teacher", detector="rules")
    said = overview(project).headline
    assert said is not None
    assert (said.detector, said.corrected, said.took_part) == ("rules", None, False)
    revise(project, system="teacher", into="r1", editor="rules")
    analyze(project, system="r1", detector="rules")
    said = overview(project).headline
    assert said is not None
    assert said.corrected is not None
    assert (said.corrected.name, said.took_part) == ("r1", True)


def test_the_next_thing_goes_the_whole_way(project: Project, tmp_path: Path) -> None:
    def step(project: Project = project) -> str:
        return next_step(project, overview(project))

    assert step() == "import"
    project.store.add([REFUND.conversation, DELIVERY.conversation])
    project.store.add([System(name="teacher", kind="teacher")])
    assert step() == "summaries"
    assert overview(project).headline is None
    project.store.put_summaries([REFUND.summary, DELIVERY.summary])
    assert step() == "rules"
    analyze(project, system="teacher", detector="rules")
    assert step() == "connect"
    assert step(with_model(project, "m", "http://127.0.0.1:9/v1")) == "read"
    revise(project, system="teacher", into="r1", editor="rules")
    assert step() == "verify"
    with pytest.raises(Exception, match="cannot verify it"):
        verify(project, system="r1", verifier="rules")


def test_after_review_a_student_is_trained_and_what_it_writes_is_read(tmp_path: Path) -> None:
    make_demo(tmp_path / "sample")
    project = Project.open(tmp_path / "sample")
    apply_decisions(project.store, "r1")
    assert next_step(project, overview(project)) == "train"
    project.store.add([System(name="s", kind="student")])
    conversation = project.store.all(Conversation)[0]
    project.store.put_summaries([Summary.of(conversation.id, "s", "Lamp broken.")])
    assert next_step(project, overview(project)) == "judge"
    analyze(project, system="s", detector="rules")
    assert next_step(project, overview(project)) == "review"


def test_a_student_that_learnt_from_itself_still_stands_in_the_chain(project: Project) -> None:
    system = System(name="s", kind="student", model="s")
    project.store.add([System(name="teacher", kind="teacher"), system])
    file = project.path / "students" / "s" / "job.json"
    file.parent.mkdir(parents=True)

    def made_from(learnt: str) -> str | None:
        job = TrainingJob(
            name="s",
            system=learnt,
            choice="all",
            base="b",
            licence="",
            practice=False,
            trainer="trl",
            settings=TrainingSettings(),
            rows=1,
            dev_rows=0,
            fingerprint="f",
        )
        file.write_text(job.model_dump_json())
        return next(s.made_from for s in overview(project).systems if s.system.name == "s")

    assert made_from("teacher") == "teacher"
    assert made_from("s") is None
