"""The detector and the verifier that ask a classifier, with one whose answers are known: it holds
a claim to be supported exactly if the conversation has all its words (tiny_nli.py)."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from items import add_items, make_item

from arf_core.analysis.analyze import analyze
from arf_core.analysis.detectors import open_detector
from arf_core.analysis.nli.claims import Question, judge
from arf_core.analysis.nli.classifier import FILES, Classifier
from arf_core.errors import ConfigError, InputError, ModelError
from arf_core.jobs.estimate import estimate_analyze
from arf_core.models.hub import pull_folder
from arf_core.project import Project
from arf_core.project.settings import NliSettings, PrivacySettings, edited
from arf_core.records import Analysis, Check, Finding, Summary
from arf_core.revision.revise import revise
from arf_core.revision.verifiers import CheckTask, Verdict, open_verifier
from arf_core.revision.verifiers.nli import carried
from arf_core.revision.verify import verify
from arf_core.store.findings import finding_rows
from arf_core.store.round_counts import round_outcome
from arf_core.text import Span, replacements_between

MISSING = "the extra `train` is not installed: make train"
LAMP = make_item(
    "lamp",
    [
        "customer: My lamp came broken . I paid 42.50 .",
        "agent: I will refund 42.50 within five days .",
        "customer: Fine , and the second lamp is good .",
    ],
    "My lamp came broken. I will refund 45.20 within five days. The second lamp is good.",
)
"""45.20 is 42.50."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny classifier."""
    pytest.importorskip("torch", reason=MISSING)
    pytest.importorskip("transformers", reason=MISSING)
    from tiny_nli import words_of, write_tiny_nli

    texts = [LAMP.summary.text, *(f"{t.speaker} {t.text}" for t in LAMP.conversation.turns)]
    more = "it stayed . a new one comes tomorrow w0 w1 w2 w3 w4 w5 w6 w7 w8 w9"
    return write_tiny_nli(tmp_path_factory.mktemp("nli") / "tiny", words_of([*texts, more]))


def classifier(folder: Path, **more: Any) -> Classifier:
    return Classifier("tiny", folder, NliSettings(**more))


def with_nli(project: Project, **values: Any) -> Project:
    with edited(project.path / "arf.toml") as document:
        document["nli"] = values
    return Project.open(project.path)


# -- detector ------------------------------------------------------------------------------------


def test_the_sentence_that_nothing_supports_is_the_finding(project: Project, tiny: Path) -> None:
    add_items(project, [LAMP])
    report = analyze(project, system="teacher", detector="nli", model=str(tiny))
    assert (report.done, report.calls, dict(report.failed)) == (1, 0, {})
    assert "cannot see what is missing" in report.notes[0]
    (row,) = finding_rows(project.store, "teacher")
    assert row.quote == "I will refund 45.20 within five days."
    assert LAMP.summary.text[row.start : row.end] == row.quote
    assert (row.category, row.detector) == ("contradiction", "nli:tiny")
    assert "Contradicted" in row.explanation
    (found,) = project.store.all(Finding)
    assert found.confidence is not None
    assert found.confidence > 0.9
    assert analyze(project, system="teacher", detector="nli", model=str(tiny)).skipped == 1


def test_the_model_of_arf_toml_is_asked_and_its_threshold_kept(
    project: Project, tiny: Path
) -> None:
    add_items(project, [LAMP])
    project = with_nli(project, model=str(tiny), threshold=1e-9)
    assert analyze(project, system="teacher", detector="nli").done == 1
    assert list(finding_rows(project.store, "teacher")) == []
    project = with_nli(project, model=str(tiny), contradicted="wrong_figure")
    assert (
        analyze(project, system="teacher", detector="nli").done == 1
    )  # other settings: it is read again
    assert [r.category for r in finding_rows(project.store, "teacher")] == ["wrong_figure"]


def test_a_conversation_longer_than_the_model_is_read_in_windows(
    project: Project, tiny: Path
) -> None:
    turns = [f"customer: {'. ' * 50} w{n}" for n in range(10)]
    item = make_item("long", turns, "W0. W7. W3 w4. W0 w9.")
    (answer,) = open_detector(project, "nli", str(tiny)).read([item])
    assert answer.value is not None
    # neighbours stand in one window, the first and the last turn never do
    assert [f.quote for f in answer.value.findings] == ["W0 w9."]


LINE = st.lists(st.sampled_from([*"0123456789", "."]), min_size=1, max_size=300)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINE, min_size=1, max_size=8))
def test_every_word_of_a_conversation_is_read_however_long_its_turns(
    tiny: Path, lines: list[list[str]]
) -> None:
    turns = [" ".join(f"w{w}" if w != "." else "." for w in line) for line in lines]
    item = make_item("x", [f"customer: {t}" for t in turns], "x")
    said = {w for t in turns for w in t.split()}
    words = [f"w{n}" for n in range(10)]
    question = Question(item.conversation, words)
    judge(classifier(tiny), [question])
    assert {w for w, a in zip(words, question.answers, strict=True) if a.support > 0.5} == (
        said & set(words)
    )
    assert " ".join(question.windows).count("customer") >= len(turns)


def test_batches_change_nothing(tiny: Path) -> None:
    pairs = [(f"w{n} {'. ' * (n * 7 % 40)} w{n + 1}", f"w{n + (n % 2) * 2}") for n in range(8)] * 3
    one_by_one = classifier(tiny, batch_size=1).odds(pairs)
    together = classifier(tiny, batch_size=7).odds(pairs)
    assert [o.support > 0.5 for o in one_by_one] == [n % 2 == 0 for n in range(8)] * 3
    for left, right in zip(one_by_one, together, strict=True):
        assert left.support == pytest.approx(right.support, abs=1e-4)


def test_a_sentence_too_long_for_the_model_is_a_failure_not_a_cut(
    project: Project, tiny: Path
) -> None:
    long = make_item("long", ["customer: w1"], "w1 " * 150)
    add_items(project, [long, LAMP])
    report = analyze(project, system="teacher", detector="nli", model=str(tiny))
    assert (report.done, dict(report.failed)) == (1, {"context": 1})
    (failed,) = [a for a in project.store.all(Analysis) if a.status == "failed"]
    assert "150 tokens" in (failed.raw or "")


def test_it_makes_no_calls_and_its_estimate_says_so(project: Project, tiny: Path) -> None:
    add_items(project, [LAMP])
    told = estimate_analyze(project, system="teacher", detector="nli", model=str(tiny))
    assert (told.items, told.calls.high) == (1, 0)
    assert "no calls" in told.rests_on[0]


# -- verifier ------------------------------------------------------------------------------------


def finding(text: str, quote: str | None, category: str = "wrong_figure") -> Finding:
    start = text.index(quote) if quote else None
    return Finding(
        id=f"{category} {quote}",
        analysis_id="a",
        category=category,
        quote=quote,
        start=start,
        end=start + len(quote) if quote and start is not None else None,
        explanation="x",
    )


def verdict(project: Project, tiny: Path, after: str, *found: Finding) -> Verdict:
    before = LAMP.summary
    task = CheckTask(
        conversation=LAMP.conversation,
        before=before,
        after=Summary.of(before.conversation_id, "r1", after, before.id),
        findings=found,
    )
    (answer,) = open_verifier(project, "nli", str(tiny)).verify([task])
    assert answer.value is not None
    return answer.value


WRONG = finding(LAMP.summary.text, "45.20")


@pytest.mark.parametrize(
    ("after", "found", "expected"),
    [
        ("My lamp came broken. I will refund 42.50 within five days. Fine.", WRONG, "fixed"),
        ("My lamp came broken. The second lamp is good.", WRONG, "fixed"),
        ("My lamp came broken. I will refund 45.21 within five days. Fine.", WRONG, "not_fixed"),
        (
            "My lamp came broken. I will refund 42.50 within five days. Fine.",
            finding(LAMP.summary.text, "The second lamp"),
            "unchecked",  # the classifier held that sentence to be right
        ),
        (
            "My lamp came broken. I will refund 42.50 within five days.",
            finding(LAMP.summary.text, "45.20", "personal_data"),
            "unchecked",
        ),
        (
            "My lamp came broken. I will refund 42.50 within five days.",
            finding(LAMP.summary.text, None, "missing_issue"),
            "unchecked",
        ),
        (
            "My lamp came broken. I will refund 42.50 within five days.",
            finding(LAMP.summary.text, None, "wrong_figure"),
            "unchecked",
        ),
    ],
)
def test_it_judges_what_it_saw_and_nothing_else(
    project: Project, tiny: Path, after: str, found: Finding, expected: str
) -> None:
    said = verdict(project, tiny, after, found)
    assert [j.result for j in said.judgements] == [expected]
    assert said.judgements[0].reason
    assert said.new_errors == ()


def test_what_an_edit_brings_in_is_a_new_error(project: Project, tiny: Path) -> None:
    after = "My lamp came broken tomorrow. I will refund 42.50 within five days. A new one comes."
    said = verdict(project, tiny, after, WRONG)
    assert [j.result for j in said.judgements] == ["fixed"]
    assert [e.quote for e in said.new_errors] == [
        "My lamp came broken tomorrow.",
        "A new one comes.",
    ]
    assert all(after[e.start : e.end] == e.quote for e in said.new_errors)


def test_an_old_error_that_nobody_found_is_not_new(project: Project, tiny: Path) -> None:
    after = LAMP.summary.text.replace("45.20", "45.21").replace("My lamp", "The lamp")
    said = verdict(project, tiny, after)
    assert said.new_errors == ()


@given(st.text("ab .", max_size=30), st.text("ab .", max_size=30), st.data())
def test_a_span_is_carried_to_what_stands_there_after_the_changes(
    before: str, after: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    changes = sorted(replacements_between(before, after))
    at = carried(Span(start, end), changes)
    assert 0 <= at.start <= at.end <= len(after)
    if not any(c.start < end and start <= c.end for c in changes):
        assert at.of(after) == before[start:end]


def test_one_model_of_ones_own_has_a_verifier_that_is_not_circular(
    arf, project: Project, tiny: Path
) -> None:
    add_items(project, [LAMP])
    p = project.path
    assert arf("analyze", p).code == 0  # the rules find 45.20
    assert arf("revise", p, "--editor", "rules", "--into", "r1").code == 0
    done = arf("verify", p, "--system", "r1", "--verifier", "nli", "--model", tiny, "--json")
    assert done.code == 0, done.err
    assert done.json["verify"]["done"] == 1
    outcome = round_outcome(Project.open(p).store, "r1")
    assert outcome.fixed + outcome.not_fixed == 1
    assert {c.verifier for c in Project.open(p).store.all(Check)} == {"nli:tiny"}
    read = arf("analyze", p, "--detector", "nli", "--model", tiny, "--json")
    assert (read.code, read.json["done"]) == (0, 1)


def test_the_detector_that_asked_cannot_be_the_verifier(project: Project, tiny: Path) -> None:
    add_items(project, [LAMP])
    analyze(project, system="teacher", detector="nli", model=str(tiny))
    revise(project, system="teacher", into="r1", editor="rules")
    with pytest.raises(InputError, match="asked for this revision"):
        verify(project, system="r1", verifier="nli", model=str(tiny))


# -- what can be wrong with it --------------------------------------------------------------------


def folder_with(tmp_path: Path, config: dict[str, Any]) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("labels", "supports", "fits"),
    [
        (["contradiction", "neutral", "entailment"], None, True),
        (["entailment", "not_entailment"], None, True),
        (["unsupported", "supported"], None, True),
        (["hallucinated", "consistent"], None, True),
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], None, True),
        (["score"], None, True),
        (["LABEL_0", "LABEL_1"], None, False),
        (["LABEL_0", "LABEL_1"], "LABEL_1", True),
        (["LABEL_0", "LABEL_1"], "LABEL_7", False),
        (["consistent", "factual"], None, False),
        (["positive", "negative"], None, False),
    ],
)
def test_the_label_that_supports_is_known_or_asked_for_but_never_guessed(
    tmp_path: Path, labels: list[str], supports: str | None, fits: bool
) -> None:
    folder = folder_with(tmp_path, {"id2label": dict(enumerate(labels))})
    if fits:
        assert classifier(folder, supports=supports).identity
        return
    with pytest.raises(ConfigError, match="which one means") as caught:
        classifier(folder, supports=supports)
    assert "supports = " in caught.value.hint


def test_a_classifier_trained_anew_is_another_one(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"id2label": {0: "consistent", 1: "hallucinated"}})
    weights = folder / "model.safetensors"
    weights.write_bytes(b"a" * 100)
    before = classifier(folder).identity
    assert classifier(folder).identity == before
    weights.write_bytes(b"b" * 100)
    assert classifier(folder).identity != before


def test_a_missing_or_broken_model_says_what_to_do(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No classifier is named") as caught:
        open_detector(project, "nli")
    assert "[nli]" in caught.value.hint
    with pytest.raises(ConfigError, match="no folder"):
        open_detector(project, "nli", "./nothing-here")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"config\.json is missing"):
        open_detector(project, "nli", str(tmp_path / "empty"))
    offline = PrivacySettings(offline=True)
    with pytest.raises(ModelError, match="offline"):
        pull_folder("somebody/no-such-model-anywhere", FILES, offline)


def test_weights_that_are_none_are_told_in_one_line(
    project: Project, tiny: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes(b"no weights")
    add_items(project, [LAMP])
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        analyze(project, system="teacher", detector="nli", model=str(broken))
    assert "\n" not in caught.value.message


def test_without_the_extra_one_line_says_how_to_get_it(project: Project, tmp_path: Path) -> None:
    add_items(project, [LAMP])
    folder = folder_with(tmp_path, {"id2label": {"0": "entailment", "1": "neutral"}})
    code = "import sys; sys.modules['torch'] = None; from arf_core.cli import main; main()"
    command = [sys.executable, "-c", code, "analyze", str(project.path)]
    command += ["--detector", "nli", "--model", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert "make train" in done.stderr
    assert "Traceback" not in done.stderr


# -- a name on the hub ----------------------------------------------------------------------------


class _Hub(BaseHTTPRequestHandler):
    """Serves the files of one repository, firm/tiny."""

    protocol_version = "HTTP/1.1"
    folder: Path
    sha = "0" * 40

    def log_message(self, *_: object) -> None:
        return None

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = self.path.split("?")[0]
        name = path.rpartition("/")[2]
        body = b""
        files = sorted(self.folder.iterdir())
        if path.startswith("/api/models/firm/tiny/tree/"):
            listed = [{"type": "file", "path": f.name, "size": 1, "oid": f.name} for f in files]
            body = json.dumps(listed).encode()
        elif path.startswith("/api/models/firm/tiny"):
            names = [{"rfilename": f.name} for f in files]
            body = json.dumps({"id": "firm/tiny", "sha": self.sha, "siblings": names}).encode()
        elif "/resolve/" in path and (self.folder / name).is_file():
            body = (self.folder / name).read_bytes()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{name}"')
        self.send_header("X-Repo-Commit", self.sha)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a local server gives out as firm/tiny."""
    folder = folder_with(tmp_path, {"id2label": {"0": "entailment", "1": "neutral"}})
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "train.py").write_text("not wanted")
    monkeypatch.setattr(_Hub, "folder", folder, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    server.server_close()


def test_a_classifier_is_fetched_by_its_name_and_only_once(project: Project, hub: Path) -> None:
    detector = open_detector(project, "nli", "firm/tiny")
    assert detector.name == "nli:tiny"
    got = pull_folder("firm/tiny", FILES, PrivacySettings())
    assert sorted(f.name for f in got.iterdir()) == ["config.json", "model.safetensors"]
    for file in hub.iterdir():
        file.unlink()
    assert pull_folder("firm/tiny", FILES, PrivacySettings(offline=True)) == got
