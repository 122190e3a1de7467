"""The benchmarks can be started by name, and what cannot run says why."""

import importlib.util
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, DATA, left_out, main


def test_every_benchmark_names_a_module_that_exists() -> None:
    assert len({b.name for b in BENCHMARKS}) == len(BENCHMARKS) > 5
    for benchmark in BENCHMARKS:
        assert importlib.util.find_spec(benchmark.command[1]), benchmark


def test_without_data_those_that_need_it_are_left_out_and_no_others(tmp_path: Path) -> None:
    needing = [b for b in BENCHMARKS if DATA in b.command]
    assert needing
    for benchmark in BENCHMARKS:
        assert (left_out(benchmark, None) is not None) == (benchmark in needing)
        assert left_out(benchmark, tmp_path) is None


def test_one_by_name_is_the_only_one_and_says_why_it_is_left_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules-quality"]) == 0
    out = capfd.readouterr().out
    assert "left out: needs labelled data" in out
    assert "rules-speed" not in out


def test_an_unknown_name_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["nonsense"])
    assert stopped.value.code == 2
    assert "rules-speed" in capsys.readouterr().err
