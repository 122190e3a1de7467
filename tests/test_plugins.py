"""What every plug-in of a kind must do. A new module in a folder is found and tested by itself."""

import json
from collections.abc import Iterator

import pytest
from items import REFUND, add_items, with_model
from scripted_replies import EDITS, REFUND_READING, Script
from scripted_server import ScriptedServer

from arf_core import plugins
from arf_core.analysis.detectors import Detection, detectors, open_detector
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.records import Finding, Summary
from arf_core.revision.editors import EditTask, Proposal, editors, open_editor
from arf_core.revision.verifiers import CheckTask, Verdict, open_verifier, verifiers
from arf_core.text import clashes, replace

FIXED = REFUND.summary.text.replace("45.20", "42.50")
WRONG = Finding(
    id="a-0",
    analysis_id="a",
    category="wrong_figure",
    quote="45.20",
    start=REFUND.summary.text.index("45.20"),
    end=REFUND.summary.text.index("45.20") + 5,
    evidence=(0, 1),
    explanation="It is 42.50.",
)
VERIFIED = {"checks": [{"finding": 1, "result": "fixed", "reason": "42.50"}], "new_errors": []}
ONE_EDIT = {"edits": EDITS["edits"][:1]}
BETTER = {"summary": FIXED}


@pytest.fixture
def ready(project: Project) -> Iterator[Project]:
    """A project with a summary and a scripted model for every role."""
    script = Script(detect=REFUND_READING, edit=ONE_EDIT, rewrite=BETTER, verify=VERIFIED)
    with ScriptedServer(script) as server:
        ready = with_model(project, "a", server.url, schema_means="json_schema")
        add_items(ready, [REFUND])
        yield ready


def model_of(name: str) -> str | None:
    """The model that a plug-in is opened with; those that call none are opened without."""
    return None if name == "rules" else "a"


def skip_without_its_model(project: Project, name: str) -> None:
    if name == "nli":
        pytest.skip("a classifier is needed: tests/analysis/test_nli.py has one")


def test_a_name_that_is_none_is_refused_with_the_list() -> None:
    with pytest.raises(InputError) as refused:
        plugins.load_plugin("arf_core.analysis.detectors", "rulez", "detector")
    assert "rules" in refused.value.hint


@pytest.mark.parametrize("name", detectors())
def test_every_detector_reads_completely(ready: Project, name: str) -> None:
    skip_without_its_model(ready, name)
    detector = open_detector(ready, name, model_of(name))
    assert detector.name.split(":")[0] == name
    assert json.loads(detector.settings)
    answers = list(detector.read(iter([REFUND])))
    assert [a.item for a in answers] == [REFUND]
    detection = answers[0].value
    assert isinstance(detection, Detection)
    assert "wrong_figure" in {f.category for f in detection.findings}
    for finding in detection.findings:
        assert finding.category in ready.taxonomy.by_id
        assert finding.explanation
        assert all(0 <= turn < len(REFUND.conversation.turns) for turn in finding.evidence)
        if finding.start is not None:
            assert REFUND.summary.text[finding.start : finding.end] == finding.quote
    assert all(isinstance(note, str) for note in detector.notes())


@pytest.mark.parametrize("name", editors())
def test_every_editor_proposes_edits_that_fit(ready: Project, name: str) -> None:
    editor = open_editor(ready, name, model_of(name))
    assert editor.name.split(":")[0] == name
    assert json.loads(editor.settings)
    task = EditTask(item=REFUND, findings=(WRONG,) if editor.targeted else ())
    answers = list(editor.edit(iter([task])))
    assert [a.item for a in answers] == [task]
    proposal = answers[0].value
    assert isinstance(proposal, Proposal)
    replacements = [edit.replacement for edit in proposal.edits]
    assert not clashes(replacements)
    assert replace(REFUND.summary.text, replacements) == FIXED
    expected = {WRONG.id} if editor.targeted else {None}
    assert {edit.finding_id for edit in proposal.edits} == expected


@pytest.mark.parametrize("name", verifiers())
def test_every_verifier_judges_each_finding_and_never_fixes_what_it_cannot_judge(
    ready: Project, name: str
) -> None:
    skip_without_its_model(ready, name)
    verifier = open_verifier(ready, name, model_of(name))
    assert verifier.name.split(":")[0] == name
    assert json.loads(verifier.settings)
    task = CheckTask(
        conversation=REFUND.conversation,
        before=REFUND.summary,
        after=Summary.of(REFUND.conversation.id, "r1", FIXED, REFUND.summary.id),
        findings=(WRONG,),
    )
    answers = list(verifier.verify(iter([task])))
    assert [a.item for a in answers] == [task]
    verdict = answers[0].value
    assert isinstance(verdict, Verdict)
    assert [j.result for j in verdict.judgements] == ["fixed"]
    assert verdict.new_errors == ()
