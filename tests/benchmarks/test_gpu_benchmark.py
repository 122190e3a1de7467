"""The benchmark of trainings on a GPU, as far as it can be tried without one."""

import json
import os
from pathlib import Path

import pytest

from arf_core.training.requirements import missing
from arf_core.training.training_records import StepRow
from benchmarks import gpu_finetune
from benchmarks.gpu_finetune import (
    BARE,
    Bench,
    Figures,
    Run,
    TrainingFailed,
    card_says,
    card_watched,
    cells,
    figures_of,
    last_error,
    main,
    measured,
)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card of which 2 GiB are in use before, and 12 GiB while it is watched."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\ncase "$*" in\n*name*) echo A card;;\n'
        "*lms*) echo 2048; echo '[N/A]'; echo 12288; exec sleep 60;;\n*) echo 2048;;\nesac\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


def bench(folder: Path, card: str | None = None) -> Bench:
    return Bench(folder, card, steps=6, length=64, most_s=60)


def a_run(**more: object) -> Run:
    return Run("tiny", "lora", "trl", 12.4, (2.0, 4.0))._replace(**more)


def test_the_first_steps_are_left_out_and_time_is_weighed() -> None:
    paces = [(1.0, 5.0), (100.0, 1.0), (100.0, 1.0), (100.0, 1.0), (300.0, 3.0)]
    rows, seconds = [], 0.0
    for step, (pace, span) in enumerate(paces, 1):
        seconds += span
        rows.append(
            StepRow(
                step=step,
                total=5,
                loss=7.0 - step,
                tokens_per_second=pace,
                seconds=seconds,
                memory_gb=1.5,
            )
        )
    assert figures_of(rows) == Figures(
        tokens_per_second=(100 * 1 + 300 * 3) / 4, tokens_per_step=500, peak=1.5e9, loss=2.0
    )


def test_how_full_the_card_got_is_counted_from_before(tmp_path: Path, card: None) -> None:
    import time

    with card_watched(bench(tmp_path, card_says("name"))) as watched:
        deadline = time.monotonic() + 10
        while "12288" not in (tmp_path / "memory").read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert watched == [pytest.approx(10 * 2**30 / 1e9)]


def test_one_that_fails_is_a_line_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Figures:
        raise TrainingFailed("CUDA | out of\nmemory", "a long trace")

    monkeypatch.setattr(gpu_finetune, "bare", fails)
    base = tmp_path / "tiny"
    run = measured(bench(tmp_path), None, base, "lora", BARE)  # type: ignore[arg-type]
    assert (run.problem, run.log) == ("CUDA | out of\nmemory", "a long trace")
    assert cells(run)[3] == "CUDA / out of memory"
    assert "|" not in "".join(cells(run))


def test_qlora_without_a_gpu_says_so_and_tries_nothing(tmp_path: Path) -> None:
    run = measured(bench(tmp_path), None, tmp_path / "tiny", "qlora", "trl")  # type: ignore[arg-type]
    assert cells(run)[3] == "needs a GPU"


def test_the_estimate_is_held_against_what_the_card_held() -> None:
    assert cells(a_run(tokens_per_second=1234.5, tensors_gb=1.0, card_gb=2.0))[3:9] == (
        *("1,234", "–", "1.0", "2.0"),
        *("2.0–4.0", "+50 %"),
    )
    assert cells(a_run(tokens_per_second=1234.5, tensors_gb=1.5))[8] == "+100 %"


def test_the_line_that_names_an_error_is_found() -> None:
    trace = 'Traceback\n  File "x.py"\nValueError: too long\nRaise max_length.\n'
    assert last_error(trace) == "ValueError: too long"
    assert last_error("Killed\n") == "Killed"
    assert last_error("") == "it said nothing"


def test_without_a_gpu_it_says_so_and_ends_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_finetune, "card_says", lambda what: None)
    assert main([]) == 0
    assert capsys.readouterr().out == "left out: no GPU on this machine\n"


@pytest.mark.train
@pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train")
def test_trainings_that_take_too_long_are_told_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_finetune, "card_says", lambda what: None)
    kept = tmp_path / "kept.json"
    given = ["--shapes", "tiny", "--length", "64", "--minutes", "0.005", "--json", str(kept)]
    assert main(given) == 0
    runs = json.loads(kept.read_text())["runs"]
    assert [run["trainer"] for run in runs] == ["trl", "unsloth", BARE]
    assert all(run["problem"].startswith("not done after") for run in runs)
    assert capsys.readouterr().out.count("not done after") == 3
