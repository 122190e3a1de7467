"""The benchmark of the one command: its table says what the commands said and left."""

from pathlib import Path
from typing import Any

import pytest

from arf_core.project import Project
from arf_core.project.settings import edited
from arf_core.records import RunReport
from arf_core.training.run_folder import RunFolder, run_folder, write_atomically
from arf_core.training.settings import PRACTICE
from arf_core.training.students import FinetuneReport
from arf_core.training.training_records import (
    Artifacts,
    GgufCheck,
    RowLengths,
    Smoke,
    Trained,
    TrainingJob,
)
from benchmarks import practice
from benchmarks.practice import STUDENT, Timed, main, rows_of, timed

SHAPE = (
    '{"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 2000, '
    '"num_key_value_heads": 2, "intermediate_size": 384}'
)
WRITTEN = RunReport(asked=40, done=38, completion_tokens=5204, failed={"truncated": 2})


def left_in(project: Path) -> RunFolder:
    """What a training leaves, in so far as the table is made from it."""
    base = project / "models" / "practice-llama"
    base.mkdir(parents=True)
    (base / "config.json").write_text(SHAPE)
    run = run_folder(project, STUDENT)
    run.folder.mkdir(parents=True)
    job = TrainingJob(
        name=STUDENT,
        system="r1",
        choice="good",
        base=str(base),
        licence="Apache-2.0",
        practice=True,
        trainer="trl",
        settings=PRACTICE,
        rows=60,
        dev_rows=20,
        fingerprint="abc",
    )
    trained = Trained(
        steps=180,
        final_loss=2.06,
        eval_loss=None,
        seconds=31.4,
        peak_memory_gb=0.71,
        device="cpu",
        lengths=RowLengths(
            rows=60,
            median=600,
            p99=900,
            longest=1000,
            max_length=320,
            truncated=60,
            too_long=0,
            learned_share=0.2,
        ),
    )
    check = GgufCheck(
        texts=4,
        tokens=3095,
        positions=2048,
        largest_difference=0.125,
        spread=52.7,
        same_choice=0.998,
    )
    made = Artifacts(
        adapter=None,
        merged="merged",
        gguf={"f16": "gguf/x-f16.gguf"},
        checks={"f16": check},
        gguf_missing="The q8_0 file answers otherwise.",
        modelfile="gguf/Modelfile",
        card="README.md",
        smoke=Smoke(conversation="c", prompt_tokens=9, answer="A lamp."),
    )
    for file, record in (
        (run.job_file, job),
        (run.trained_file, trained),
        (run.artifacts_file, made),
    ):
        write_atomically(file, record.model_dump_json())
    return run


def report() -> dict[str, Any]:
    return FinetuneReport(
        name=STUDENT,
        state="done",
        steps=180,
        total=180,
        final_loss=2.06,
        seconds=31.4,
        artifacts={},
        models=(STUDENT, f"{STUDENT}-gguf"),
        practice=True,
    ).model_dump()


def test_the_table_has_what_the_commands_said_and_left(tmp_path: Path) -> None:
    run = left_in(tmp_path)
    trained = Timed(report(), seconds=63.2, cpu=62.7)
    written = Timed(WRITTEN.model_dump() | {"system": STUDENT}, seconds=9.54, cpu=10.5)
    command, answers, f16, q8_0, memory = rows_of(run, trained, written, 512)
    assert "60 rows, 180 steps of 4, 2 GGUF files" in command[0]
    assert command[2] == ("63 s, of which 31 s of training; 63 s of CPU; last loss 2.06: met")
    assert answers[2] == (
        "9.5 s, 10.5 s of CPU; 38 answers end, on average after 110 tokens; 2 are cut at 512"
    )
    assert "3,095 tokens, 2,048 positions" in f16[0]
    assert f16[1].endswith("within 2 % of the spread")
    assert "0.12 of a spread of 52.7; the same next token at 99.8 %" in f16[2]
    assert q8_0[2] == "not kept: The q8_0 file answers otherwise."
    assert "0.9 M weights, full, 4 × 320 tokens" in memory[0]
    assert memory[1] == "estimate 0.62–1.06 GB"
    assert memory[2] == "0.71 GB at its peak: within, +18 %"


@pytest.mark.parametrize(("seconds", "code", "verdict"), [(119.9, 0, "met"), (120.0, 1, "MISSED")])
def test_two_minutes_are_a_target_that_must_be_met(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seconds: float,
    code: int,
    verdict: str,
) -> None:
    def ran(verb: str, folder: str, *_: str) -> Timed:
        if verb == "generate":
            return Timed(WRITTEN.model_dump(), 9.5, 10.5)
        left_in(Path(folder))
        with edited(Path(folder) / "arf.toml") as document:
            options = {"provider": "llama_cpp", "path": "x.gguf", "max_tokens": 512}
            document["models"] = {f"{STUDENT}-gguf": options}
        return Timed(report(), seconds, 62.7)

    monkeypatch.setattr(practice, "make_demo", lambda path: Project.create(path).close())
    monkeypatch.setattr(practice, "timed", ran)
    assert main() == code
    said = capsys.readouterr().out
    assert verdict in said
    assert "load average" in said


def test_a_command_is_timed_with_its_processes_and_a_failed_one_ends_it(tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    ran = timed("status", str(tmp_path / "p"))
    assert ran.said
    assert ran.cpu > 0
    assert ran.seconds > 0
    with pytest.raises(SystemExit, match="holds no project"):
        timed("status", str(tmp_path / "none"))
