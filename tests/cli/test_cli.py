import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items, with_model
from scripted_replies import CLEAN, EDITS, REFUND_READING, Script
from scripted_server import Scripted, ScriptedServer

from arf_core import cli
from arf_core.cli import PARTS, build
from arf_core.cli.output import CONTROL, plain, print_json
from arf_core.project import Project
from arf_core.records import Analysis, Summary


def test_the_first_commands_of_a_newcomer(arf, tmp_path: Path) -> None:
    assert "analyze" in arf("--help").out
    assert arf("--version").out.startswith("arf 0.")
    made = arf("init", tmp_path / "p", "--name", "Support chats", "--json")
    assert made.json == {"project": str(tmp_path / "p"), "name": "Support chats"}
    assert "arf import" in arf("status", tmp_path / "p").out
    assert arf("status", tmp_path / "p", "--json").json["systems"] == []
    again = arf("init", tmp_path / "p")
    assert again.code == 2
    assert "a project already" in again.err


def test_each_command_is_found_in_the_part_that_is_said_to_bring_it() -> None:
    """Only that part is imported, so a command missing from the list would not be slow but gone."""
    whole = build()
    names = {c.name or c.callback.__name__ for c in whole.registered_commands if c.callback}
    names |= {g.name for g in whole.registered_groups if g.name}
    listed = [command for commands in PARTS.values() for command in commands]
    assert sorted(names) == sorted(listed)
    files = {
        f.stem for f in Path(cli.__file__).parent.glob("*.py") if "def register" in f.read_text()
    }
    assert files == set(PARTS)
    for command in listed:
        alone = build(command)
        found = {c.name or c.callback.__name__ for c in alone.registered_commands if c.callback}
        assert command in found | {g.name for g in alone.registered_groups}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["analyze", "nowhere"], "holds no project"),
        (["analyse", "nowhere"], "No such command"),
        (["analyze", "{p}", "--system", "student"], "no system 'student'"),
        (["analyze", "{p}", "--detector", "rulez"], "no detector 'rulez'"),
        (["analyze", "{p}", "--detector", "llm"], "No model plays the detector"),
        (["analyze", "{p}", "--detector", "llm", "--model", "gpt"], "no model 'gpt'"),
        (["analyze", "{p}", "--limit", "0"], "greater than or equal to 1"),
        (["analyze", "{p}", "--split", "tests"], "tests"),
        (["findings", "{p}", "--category", "rude"], "no category 'rude'"),
        (["revise", "{p}", "--editor", "poet"], "no editor 'poet'"),
        (["verify", "{p}", "--system", "r1"], "no system 'r1'"),
        (["export", "{p}", "out", "--split", "test"], "never exported"),
        (["label", "{p}", "missing.jsonl", "--by", "anna"], "cannot be read"),
        (["batch", "read", "{p}", "missing.jsonl"], "cannot be read"),
    ],
)
def test_bad_input_is_exit_code_2_and_says_what_to_do(
    arf, project: Project, arguments: list, told: str
) -> None:
    add_items(project, [REFUND])
    filled = [str(a).format(p=project.path) for a in arguments]
    result = arf(*filled)
    assert result.code == 2
    assert told in " ".join(result.err.split())
    assert "Traceback" not in result.err
    assert result.out == ""


def test_errors_with_json_are_one_object_too(arf, tmp_path: Path) -> None:
    result = arf("status", tmp_path, "--json")
    assert result.code == 2
    assert set(result.json) == {"error", "hint"}


def test_analyze_revise_check_export_from_the_command_line(
    arf, project: Project, tmp_path: Path
) -> None:
    verdict = {
        "checks": [{"finding": n, "result": "fixed", "reason": ""} for n in (1, 2, 3)],
        "new_errors": [],
    }
    script = Script(detect_refund=REFUND_READING, detect_delivery=CLEAN, edit=EDITS, verify=verdict)
    add_items(project, [REFUND, DELIVERY])
    with ScriptedServer(script) as server:
        with_model(project, "a", server.url, schema_means="json_schema")
        with_model(project, "b", server.url, model="other", schema_means="json_schema")
        p = project.path
        analyzed = arf("analyze", p, "--detector", "llm", "--model", "a", "--json")
        assert analyzed.code == 0
        assert {k: analyzed.json[k] for k in ("asked", "done", "failed", "calls")} == {
            "asked": 2,
            "done": 2,
            "failed": {},
            "calls": 2,
        }
        lines = [json.loads(x) for x in arf("findings", p, "--system", "teacher").out.splitlines()]
        assert [x["category"] for x in lines] == [
            "wrong_figure",
            "wrong_status",
            "missing_resolution",
        ]
        assert set(lines[0]) >= {
            "external_id",
            "summary",
            "quote",
            "start",
            "end",
            "evidence",
            "explanation",
            "detector",
        }
        assert len(arf("findings", p, "--json").json["findings"]) == 3
        revised = arf(
            "revise",
            p,
            "--into",
            "r1",
            "--model",
            "a",
            "--verifier",
            "llm",
            "--verifier-model",
            "b",
            "--json",
        )
        assert revised.code == 0
        assert revised.json["outcome"]["fixed"] == 3
        exported = arf("export", p, tmp_path / "set", "--json")
        assert exported.json["by_origin"] == {"verified": 1, "clean": 1}
    shown = arf("status", p).out
    assert "50 %" in shown
    assert "no detector" in shown
    for command in (
        ["analyze", p, "--detector", "llm", "--model", "a"],
        ["verify", p, "--model", "b"],
    ):
        assert "2 done before of 2" in (out := arf(*command).out) or "1 done before of 1" in out


def test_failed_items_are_exit_code_1(arf, project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    with ScriptedServer(Script(detect_refund="nonsense", detect_delivery=CLEAN)) as server:
        with_model(project, "a", server.url, schema_means="json_schema")
        result = arf("analyze", project.path, "--detector", "llm", "--model", "a", "--json")
    assert result.code == 1
    assert result.json["failed"] == {"schema": 1}
    assert result.json["done"] == 1


def test_a_batch_model_from_the_command_line(arf, project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND, DELIVERY])
    file = project.path / "arf.toml"
    file.write_text(file.read_text() + '\n[models.night]\nprovider = "batch"\nmodel = "big"\n')
    asked = ("analyze", project.path, "--detector", "llm", "--model", "night")
    assert arf(*asked, "--json").json["pending"] == 2
    assert "waiting for replies" in arf(*asked).out
    assert (
        arf("batch", "write", project.path, tmp_path / "out.jsonl", "--json").json["requests"] == 2
    )
    reply = {"choices": [{"message": {"content": json.dumps(CLEAN)}, "finish_reason": "stop"}]}
    requests = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(requests) == 2
    (tmp_path / "in.jsonl").write_text(
        "\n".join(
            json.dumps(
                {"custom_id": r["custom_id"], "response": {"status_code": 200, "body": reply}}
            )
            for r in requests
        )
    )
    assert arf("batch", "read", project.path, tmp_path / "in.jsonl", "--json").json["replies"] == 2
    assert arf(*asked, "--json").json["done"] == 2
    kept = arf(
        "batch",
        "record",
        project.path,
        tmp_path / "tape.jsonl",
        "--model",
        "night",
        "--replied-by",
        "me",
        "--json",
    )
    assert kept.json["recordings"] == 2
    assert (
        arf("batch", "write", project.path, tmp_path / "none.jsonl", "--json").json["requests"] == 0
    )


def test_a_person_labels_from_the_command_line(arf, project: Project, tmp_path: Path) -> None:
    add_items(project, [REFUND])
    file = tmp_path / "anna.jsonl"
    file.write_text('{"id": "refund", "findings": []}\n{"id": "nobody", "findings": []}\n')
    result = arf("label", project.path, file, "--by", "anna", "--json")
    assert result.code == 1
    assert result.json["summaries"] == 1
    assert "person:anna" in arf("status", project.path).out


def test_the_taxonomy_prints_as_a_file_to_edit(arf, project: Project) -> None:
    shipped = arf("taxonomy").out
    (project.path / "taxonomy.yaml").write_text(shipped)
    assert Project.open(project.path).taxonomy.hash == project.taxonomy.hash
    assert arf("taxonomy", project.path).out == shipped


def test_nothing_that_strangers_wrote_reaches_the_terminal_as_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = "\x1b[2J\x9b31m\x07\x00[bold]x[/bold]\x7f"
    assert not set(plain(hostile).plain) & {chr(c) for c in CONTROL}
    assert "[bold]x[/bold]" in plain(hostile).plain
    print_json({"text": hostile})
    out = capsys.readouterr().out
    assert json.loads(out) == {"text": hostile}
    assert not set(out) & {chr(c) for c in CONTROL if c != 10}


def test_stopped_by_the_keyboard_it_keeps_what_is_done_and_goes_on(project: Project) -> None:
    from items import make_item

    many = [make_item(f"c{i}", [f"customer: {i}"], f"Summary {i}.") for i in range(120)]
    add_items(project, many)
    slow = Scripted(json.dumps(CLEAN), wait=0.05)
    with ScriptedServer(lambda body, n: slow) as server:
        with_model(project, "a", server.url, schema_means="json_schema", max_concurrency=4)
        command = [
            sys.executable,
            "-m",
            "arf_core.cli",
            "analyze",
            str(project.path),
            "--detector",
            "llm",
        ]
        process = subprocess.Popen(
            [*command, "--model", "a"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while len(server.requests) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "run the same command to continue" in err
        sent = len(server.requests)
        assert 20 <= sent < 120
        done = subprocess.run(
            [*command, "--model", "a", "--json"], capture_output=True, text=True, check=True
        )
        report = json.loads(done.stdout)
        assert report["skipped"] + report["done"] == 120
        # twice at most what was in flight, and what had been answered but not stored yet
        assert len(server.requests) <= 120 + 2 * 4
    assert len([a for a in project.store.all(Analysis) if a.status == "done"]) == 120
    assert len(project.store.all(Summary)) == 120


def test_a_faulty_command_line_is_one_json_object_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "arf_core.cli", "status", str(tmp_path), "--shap", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "No such option" in json.loads(ran.stdout)["error"]
    assert "Usage" in ran.stderr


def test_what_the_system_refuses_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "arf_core.cli", "init", str(tmp_path / "file" / "x"), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    told = json.loads(ran.stdout)
    assert told["error"].startswith("Not a directory")
    assert "a part of it is a file" in told["hint"]
    assert "Traceback" not in ran.stderr


def test_findings_of_a_detector_that_has_read_nothing_are_no_clean_bill(project: Project) -> None:
    add_items(project, [REFUND])
    command = [sys.executable, "-m", "arf_core.cli", "findings", str(project.path)]
    ran = subprocess.run([*command, "--detector", "rule"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "'rule' has not read" in ran.stderr or "rule has not read" in ran.stderr


def test_a_terminal_without_the_letters_shows_their_codes(project: Project) -> None:
    from items import make_item

    add_items(project, [make_item("ü→", ["customer: hello"], "The customer said hello 你好.")])
    command = [sys.executable, "-m", "arf_core.cli", "analyze", str(project.path)]
    subprocess.run(command, check=True, capture_output=True)
    command = [sys.executable, "-m", "arf_core.cli", "review", str(project.path), "--help"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, env=ascii_only, check=False)
    assert ran.returncode == 0
    assert b"UnicodeEncodeError" not in ran.stderr
