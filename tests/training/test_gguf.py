"""A GGUF file is the same model, as llama.cpp reads it; or it is refused, and says why.

The weights are large here: with those of a fresh model attention is so even that a wrong rotation
of positions would hardly show.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arf_core.errors import InputError
from arf_core.models import open_model
from arf_core.training import gguf_file
from arf_core.training.gguf_check import check_gguf
from arf_core.training.gguf_file import SPLITTERS, write_gguf
from arf_core.training.practice import make_base
from arf_core.training.requirements import missing
from arf_core.training.training_records import GgufCheck

pytest.importorskip("llama_cpp", reason="no llama-cpp-python: make local")
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train"),
]
TEXTS = [
    "<|im_start|>user\nI'm Zoë; order 20391 (12,50 €) isn't here…<|im_end|>\n",
    "The lamp is broken.\n\n\n  We'LL send\ta new one  by 2026-11-21! 你好 🙂 " * 6,
]
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LLAMA_SPLITS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_SPLITS = LLAMA_SPLITS.replace("{1,3}", "")
Make = Callable[..., tuple[Any, Any]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A model with large weights, and its tokenizer; more settings of its config by name."""
    folder = tmp_path_factory.mktemp("models")

    def model(family: str, splits: str | None = None, **changed: object) -> tuple[Any, Any]:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

        if not (folder / family).is_dir():
            make_base(folder / family, TEXTS, family, width=64, layers=2)
        config = AutoConfig.from_pretrained(folder / family)
        for name, value in changed.items():
            setattr(config, name, value)
        torch.manual_seed(1)
        made = AutoModelForCausalLM.from_config(config).to(torch.float32).eval()
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.ndim > 1 or not parameter.any():
                    parameter.normal_(0, 0.2)
        tokenizer = AutoTokenizer.from_pretrained(folder / family)
        return made, split_by(tokenizer, splits) if splits else tokenizer

    return model


def split_by(tokenizer: Any, expression: str) -> Any:
    """The tokenizer, but for how it finds words."""
    from tokenizers import Regex, pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(expression), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def written(model: Any, tokenizer: Any, folder: Path, kind: str = "f16") -> GgufCheck:
    file = folder / f"{kind}.gguf"
    write_gguf(file, model, tokenizer, kind, "a student")
    return check_gguf(file, model, tokenizer, TEXTS, kind)


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_a_file_of_each_family_has_the_tokens_and_logits_of_the_model(
    make: Make, tmp_path: Path, family: str, kind: str
) -> None:
    check = written(*make(family), tmp_path, kind)
    assert check.texts == 2
    assert check.tokens >= check.positions > 150
    assert check.spread > 5
    assert check.largest_difference < {"f16": 0.005, "q8_0": 0.1}[kind] * check.spread
    assert check.same_choice > {"f16": 0.99, "q8_0": 0.9}[kind]


@pytest.mark.parametrize("practice", [True, False])
def test_a_practice_model_says_that_it_is_one(make: Make, tmp_path: Path, practice: bool) -> None:
    file = tmp_path / "m.gguf"
    write_gguf(file, *make("llama"), "f16", "a student", practice=practice)
    model = open_model("m", {"provider": "llama_cpp", "path": "m.gguf"}, tmp_path)
    assert ["practice model" in note for note in model.notes()] == [True] * practice


def test_weights_of_its_own_at_the_end_are_written(make: Make, tmp_path: Path) -> None:
    model, tokenizer = make("llama", tie_word_embeddings=False)
    assert not model.lm_head.weight.equal(model.model.embed_tokens.weight)
    assert written(model, tokenizer, tmp_path).same_choice > 0.99


def test_positions_stretched_as_in_llama_3_are_written(make: Make, tmp_path: Path) -> None:
    check = written(*make("llama", rope_parameters=LLAMA3), tmp_path)
    assert check.largest_difference < 0.005 * check.spread
    assert check.same_choice > 0.99


@pytest.mark.parametrize(
    ("part", "instead"),
    [("_rope_factors", lambda config: None), ("_interleaved", lambda data, name, config: data)],
)
def test_a_file_that_is_another_model_is_found_out(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, instead: Any
) -> None:
    model, tokenizer = make("llama", rope_parameters=LLAMA3)
    monkeypatch.setattr(gguf_file, part, instead)
    with pytest.raises(InputError, match="answers otherwise than the merged model"):
        written(model, tokenizer, tmp_path)


@pytest.mark.parametrize("splits", [LLAMA_SPLITS, QWEN_SPLITS], ids=["llama-3", "qwen"])
def test_words_are_split_as_the_real_families_split_them(
    make: Make, tmp_path: Path, splits: str
) -> None:
    assert any(splits.startswith(begins) for begins in SPLITTERS.values())
    assert written(*make("llama", splits), tmp_path).texts == 2


def test_a_tokenizer_that_splits_otherwise_is_found_out(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="splits a text into other tokens"):
        written(*make("llama", r"\S\S|\s+|\S"), tmp_path)


def test_positions_of_a_way_that_is_not_known_are_refused(make: Make, tmp_path: Path) -> None:
    model, tokenizer = make("llama")
    model.config.rope_parameters = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}
    with pytest.raises(InputError, match="'yarn' positions"):
        written(model, tokenizer, tmp_path)


def test_another_family_is_refused_with_the_families_there_are(make: Make, tmp_path: Path) -> None:
    model, tokenizer = make("llama")
    model.config.model_type = "gemma3"
    with pytest.raises(InputError, match="'gemma3' model") as refused:
        written(model, tokenizer, tmp_path)
    assert "llama, qwen2, qwen3" in refused.value.hint


def test_a_tokenizer_that_falls_back_to_bytes_is_refused(make: Make, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    model, _ = make("llama")
    bpe = Tokenizer(models.BPE(vocab={"a": 0, "<unk>": 1}, merges=[], byte_fallback=True))
    with pytest.raises(InputError, match="not byte-level BPE"):
        written(model, PreTrainedTokenizerFast(tokenizer_object=bpe), tmp_path)
