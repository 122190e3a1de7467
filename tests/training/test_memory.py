"""The memory estimate says whether a training fits, and what would where it does not."""

import os
from pathlib import Path

import pytest

from arf_core.training.base_models import preset
from arf_core.training.memory import FreeMemory, estimate, free_memory
from arf_core.training.model_shape import ModelShape, shape_of
from arf_core.training.settings import Method, TrainingSettings


def shape(name: str) -> ModelShape:
    found = preset(name)
    assert found is not None
    return found.shape


def test_what_fits_is_told_without_a_plan() -> None:
    said = estimate(
        shape("llama-3.2-1b"), TrainingSettings(), "unsloth", 1024, FreeMemory("gpu", 24.0)
    )
    assert said.fits
    assert said.instead is None
    assert said.in_words().startswith("memory on the GPU: ")
    assert "24.0 GB are free." in said.in_words()


def test_what_does_not_fit_comes_with_the_mildest_change_that_does() -> None:
    base, settings = shape("llama-3.1-8b"), TrainingSettings(batch=8, accumulation=1)
    whole = estimate(base, settings, "unsloth", 4096, FreeMemory("gpu", None)).high
    plans = [
        estimate(base, settings, "unsloth", 4096, FreeMemory("gpu", gb))
        for gb in (whole - 1, 20.0, 4.0)
    ]
    assert [plan.fits for plan in plans] == [False] * 3
    mild, hard, none = (plan.instead for plan in plans)
    assert mild == "--batch 1 --accumulation 8"
    assert hard is not None
    assert "--method qlora" in hard
    assert none is None
    assert f"It would fit with {mild}." in plans[0].in_words()
    assert "take a smaller base" in plans[2].in_words()


def test_what_its_files_take_afterwards_is_told_where_it_is_too_much() -> None:
    def words(main: float) -> str:
        free = FreeMemory("gpu", 80.0, main)
        return estimate(shape("llama-3.1-8b"), TrainingSettings(), "trl", 1024, free).in_words()

    assert "takes some 48 GB of main memory, and 31 are free" in words(31.0)
    assert "main memory" not in words(60.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"hidden_size": "x"}', "\0"])
def test_a_shape_that_cannot_be_read_is_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert shape_of(tmp_path) is None


def test_without_a_known_amount_nothing_is_claimed() -> None:
    said = estimate(shape("qwen3-4b"), TrainingSettings(), "trl", 1024, FreeMemory("cpu", None))
    assert said.fits is None
    assert "free" not in said.in_words()


@pytest.mark.parametrize(("less", "more"), [("qlora", "lora"), ("lora", "full")])
def test_methods_stand_in_their_order(less: Method, more: Method) -> None:
    free = FreeMemory("gpu", 80.0)
    small, large = (
        estimate(shape("qwen2.5-7b"), TrainingSettings(method=m), "unsloth", 1024, free)
        for m in (less, more)
    )
    assert small.high < large.high
    assert small.low < small.high


def test_the_trainer_and_the_precision_count_on_a_gpu() -> None:
    def high(trainer: str, **more: object) -> float:
        settings = TrainingSettings.model_validate(more)
        return estimate(
            shape("llama-3.1-8b"), settings, trainer, 1024, FreeMemory("gpu", 80.0)
        ).high

    assert high("unsloth") < high("trl")
    assert high("trl") < high("trl", precision="fp32")


def test_the_card_that_may_be_used_is_the_one_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\ncase "$2" in 1) echo 2000;; *) echo 1000;; esac\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert free_memory()[:2] == ("gpu", pytest.approx(1000 * 2**20 / 1e9))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert free_memory()[:2] == ("gpu", pytest.approx(2000 * 2**20 / 1e9))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert free_memory().on == "cpu"
