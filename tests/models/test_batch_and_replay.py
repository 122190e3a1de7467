import json
from pathlib import Path
from typing import Any

import pytest
from items import DELIVERY, REFUND, add_items
from scripted_replies import CLEAN, REFUND_READING

from arf_core.analysis.analyze import analyze
from arf_core.errors import ConfigError, InputError
from arf_core.models.providers.batch import count_waiting, read_replies, write_requests
from arf_core.models.providers.replay import read_recordings, recordings_of, write_recordings
from arf_core.models.registry import model_for
from arf_core.project import Project
from arf_core.records import Analysis
from arf_core.store.findings import finding_rows


def with_models(project: Project) -> Project:
    file = project.path / "arf.toml"
    file.write_text(
        file.read_text()
        + '\n[models.night]\nprovider = "batch"\nmodel = "big"\n'
        + '\n[models.tape]\nprovider = "replay"\npath = "tape.jsonl"\n'
        + '\n[roles]\ndetector = "night"\n'
    )
    (project.path / "tape.jsonl").touch()
    return Project.open(project.path)


def reply_to(line: dict[str, Any], reply: Any) -> str:
    body = {
        "choices": [{"message": {"content": json.dumps(reply)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 9},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    return json.dumps(
        {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}
    )


def written(project: Project, file: Path) -> list[dict[str, Any]]:
    write_requests(project.store, file)
    return [json.loads(line) for line in file.read_text().splitlines()]


def about(line: dict[str, Any]) -> str:
    return "refund" if "lamp" in line["body"]["messages"][1]["content"] else "delivery"


def answer_all(project: Project, folder: Path, **replies: Any) -> None:
    lines = written(project, folder / "out.jsonl")
    (folder / "in.jsonl").write_text(
        "\n".join(reply_to(x, replies[about(x)]) for x in lines) + "\n"
    )
    read_replies(project.store, folder / "in.jsonl")


def test_requests_go_out_in_openais_format_and_replies_come_back(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND, DELIVERY])
    project = with_models(project)
    report = analyze(project, system="teacher", detector="llm")
    assert (report.pending, report.done, report.calls) == (2, 0, 0)
    assert project.store.all(Analysis) == []
    lines = written(project, tmp_path / "out.jsonl")
    assert {(x["method"], x["url"]) for x in lines} == {("POST", "/v1/chat/completions")}
    assert {x["body"]["model"] for x in lines} == {"big"}
    assert all(x["body"]["response_format"]["type"] == "json_schema" for x in lines)
    assert len({x["custom_id"] for x in lines}) == 2
    answer_all(project, tmp_path, refund=REFUND_READING, delivery=CLEAN)
    assert count_waiting(project.store) == 0
    report = analyze(project, system="teacher", detector="llm")
    assert (report.pending, report.done, report.cached) == (0, 2, 2)
    assert len(list(finding_rows(project.store, "teacher"))) == 3


def test_an_unusable_reply_is_asked_again_by_file_then_fails(
    project: Project, tmp_path: Path
) -> None:
    add_items(project, [REFUND, DELIVERY])
    project = with_models(project)
    analyze(project, system="teacher", detector="llm")
    answer_all(project, tmp_path, refund={"facts": []}, delivery=CLEAN)
    report = analyze(project, system="teacher", detector="llm")
    assert (report.done, report.pending) == (1, 1)
    (line,) = written(project, tmp_path / "again.jsonl")
    assert "findings" in line["body"]["messages"][3]["content"]
    answer_all(project, tmp_path, refund={"facts": []})
    report = analyze(project, system="teacher", detector="llm")
    assert dict(report.failed) == {"schema": 1}
    report = analyze(project, system="teacher", detector="llm", fresh=True)
    assert report.pending == 2


def test_errors_unknown_ids_and_other_files_are_told(project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND, DELIVERY])
    project = with_models(project)
    analyze(project, system="teacher", detector="llm")
    first, second = written(project, tmp_path / "out.jsonl")
    failed = {"custom_id": first["custom_id"], "response": None, "error": {"message": "expired"}}
    refused = {"custom_id": second["custom_id"], "response": {"status_code": 500, "body": "x"}}
    stranger = json.loads(reply_to({"custom_id": "nobody"}, CLEAN))
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join(json.dumps(x) for x in (failed, refused, stranger)) + "\n\n")
    report = read_replies(project.store, file)
    assert (report.replies, report.unknown) == (0, 1)
    assert report.failed[0].startswith("1: ")
    assert "expired" in report.failed[0]
    assert count_waiting(project.store) == 2
    file.write_text("some,csv\n1,2\n")
    with pytest.raises(InputError, match="line 1: not a line of a batch output"):
        read_replies(project.store, file)
    with pytest.raises(InputError, match="cannot be read"):
        read_replies(project.store, tmp_path / "missing.jsonl")


def test_nothing_waiting_writes_no_file(project: Project, tmp_path: Path) -> None:
    assert write_requests(project.store, tmp_path / "out.jsonl") == 0
    assert not (tmp_path / "out.jsonl").exists()


def recorded(project: Project, tmp_path: Path) -> Project:
    """A project whose model `tape` holds what `night` answered."""
    add_items(project, [REFUND, DELIVERY])
    project = with_models(project)
    analyze(project, system="teacher", detector="llm")
    answer_all(project, tmp_path, refund=REFUND_READING, delivery=CLEAN)
    analyze(project, system="teacher", detector="llm")
    recordings = recordings_of(project.store, "night", "a model of the test")
    assert write_recordings(project.path / "tape.jsonl", recordings) == 2
    return Project.open(project.path)


def test_recordings_answer_the_same_question_and_no_other(project: Project, tmp_path: Path) -> None:
    project = recorded(project, tmp_path)
    report = analyze(project, system="teacher", detector="llm", model="tape")
    assert (report.done, dict(report.failed)) == (2, {})
    assert report.notes == ["tape answers from recordings of a model of the test."]
    other = REFUND.summary.model_copy(
        update={"id": "x", "system": "other", "text": "Another text."}
    )
    add_items(project, [REFUND.model_copy(update={"summary": other})])
    report = analyze(project, system="other", detector="llm", model="tape")
    assert dict(report.failed) == {"not_recorded": 1}


def test_a_changed_prompt_is_said(project: Project, tmp_path: Path) -> None:
    project = recorded(project, tmp_path)
    (project.path / "prompts").mkdir()
    (project.path / "prompts" / "detect.md").write_text(
        "{% block system %}Other words.{% endblock %}{% block user %}x{% endblock %}"
    )
    report = analyze(project, system="teacher", detector="llm", model="tape")
    assert report.done == 2
    assert "2 recordings of tape answered an earlier wording of the prompt." in report.notes


def test_a_changed_taxonomy_is_not_recorded(project: Project, tmp_path: Path) -> None:
    project = recorded(project, tmp_path)
    content = project.taxonomy.model_dump(mode="json")
    content["categories"] = content["categories"][:-1]
    (project.path / "taxonomy.yaml").write_text(json.dumps(content))
    report = analyze(Project.open(project.path), system="teacher", detector="llm", model="tape")
    assert dict(report.failed) == {"not_recorded": 2}


def test_broken_or_missing_recordings_are_told(project: Project, tmp_path: Path) -> None:
    project = recorded(project, tmp_path)
    assert len(list(read_recordings(project.path / "tape.jsonl"))) == 2
    (project.path / "tape.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match="line 1, is no recording"):
        model_for(project, "detector", "tape")
    (project.path / "tape.jsonl").unlink()
    with pytest.raises(ConfigError, match="are missing"):
        model_for(project, "detector", "tape")
