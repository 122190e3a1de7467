"""Bases as people have them: what is said of each that cannot be trained, and of its licence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from trainings import entered, settings_of, shop, tiny_base

from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.training.base_models import find_base
from arf_core.training.plan import plan_of
from arf_core.training.requirements import missing
from arf_core.training.trainers import open_trainer
from arf_core.training.training_errors import fault_of

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()}: make train"),
]
Breaks = Callable[[Path], object]


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return shop(tmp_path_factory.mktemp("orders") / "p")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("bases"), "llama")


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "base"))


def with_text(name: str, text: str) -> Breaks:
    return lambda base: (base / name).write_text(text, encoding="utf-8")


def without(name: str) -> Breaks:
    return lambda base: (base / name).unlink()


def with_config(**changed: object) -> Breaks:
    def change(base: Path) -> None:
        file = base / "config.json"
        config = json.loads(file.read_text(encoding="utf-8")) | changed
        file.write_text(json.dumps(config), encoding="utf-8")

    return change


def with_code_of_its_own(base: Path) -> None:
    with_config(model_type="own", auto_map={"AutoConfig": "code.Config"})(base)
    (base / "code.py").write_text("raise SystemExit('it ran')", encoding="utf-8")


def with_a_tokenizer_of_its_own(base: Path) -> None:
    file = base / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    own = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["code.Own", None]}}
    file.write_text(json.dumps(config | own), encoding="utf-8")


def with_half_the_weights(base: Path) -> None:
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("breaks", "said", "remedy"),
    [
        (with_text("config.json", "{oops"), "config.json", "config.json"),
        (with_text("config.json", "[]"), "No model", "config.json"),
        (with_text("config.json", "{}"), "model_type", "Llama, Qwen2 or Qwen3"),
        (with_config(model_type="frobnicator"), "frobnicator", "Llama, Qwen2 or Qwen3"),
        (with_config(model_type=["llama"]), "No model", "Llama, Qwen2 or Qwen3"),
        (with_config(num_attention_heads=0), "No model", "config.json"),
        (with_code_of_its_own, "code of its own", "Llama, Qwen2 or Qwen3"),
        (with_a_tokenizer_of_its_own, "code of its own", "Llama, Qwen2 or Qwen3"),
        (without("tokenizer.json"), "tokenizer", "tokenizer.json"),
        (with_text("tokenizer.json", "{oops"), "No model", "tokenizer.json"),
        (with_text("tokenizer.json", "{}"), "No model", "tokenizer.json"),
        (with_text("tokenizer_config.json", "[]"), "No model", "tokenizer.json"),
        (with_config(max_position_embeddings="many"), "max_position_embeddings", "config.json"),
        (with_config(max_position_embeddings=-5), "max_position_embeddings", "config.json"),
        (with_config(max_position_embeddings=0), "max_position_embeddings", "config.json"),
        (with_config(max_position_embeddings=10**30), "max_position_embeddings", "config.json"),
        (with_config(max_position_embeddings=3), "No answer fits", "choose another"),
    ],
)
def test_a_base_that_cannot_be_read_is_told_before_anything_is_trained(
    orders: Project, base: Path, breaks: Breaks, said: str, remedy: str
) -> None:
    breaks(base)
    with pytest.raises(InputError) as told:
        plan_of(orders, settings_of(base, "trl", "s"))
    assert said in told.value.message
    assert remedy in told.value.hint


def test_code_beside_a_family_that_is_known_is_not_run(orders: Project, base: Path) -> None:
    with_config(auto_map={"AutoModelForCausalLM": "code.Model"})(base)
    (base / "code.py").write_text("raise SystemExit('it ran')", encoding="utf-8")
    assert plan_of(orders, settings_of(base, "trl", "s")).steps == 8


@pytest.mark.parametrize(
    ("breaks", "said", "remedy"),
    [
        (without("model.safetensors"), "weights", "again"),
        (with_half_the_weights, "weights", "again"),
        (with_text("model.safetensors", "no weights"), "weights", "again"),
        (with_config(hidden_size=32), "weights", "again"),
        (with_config(model_type="gpt2", n_embd=64), "layers", "Llama, Qwen2 or Qwen3"),
    ],
)
def test_weights_that_cannot_be_read_end_the_training_with_what_to_do(
    tmp_path: Path, base: Path, breaks: Breaks, said: str, remedy: str
) -> None:
    breaks(base)
    run = entered(shop(tmp_path / "p"), settings_of(base, "trl", "s", steps=1))
    with pytest.raises(Exception) as raised:
        open_trainer("trl").train(run)
    fault = fault_of(raised.value)
    assert fault.reason == "unusable"
    assert said in fault.message
    assert remedy in fault.hint


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        (b"---\nlicense: apache-2.0\n---\n# A base", "apache-2.0"),
        (b'---\r\nlicense: "mit"  # ours\r\n---\r\n', "mit"),
        (b"---\nlanguage: en\nlicense:\n- apache-2.0\n- mit\n---\n", "apache-2.0, mit"),
        (b"---\nlicense: mit\n---\nCaf\xe9", "mit"),
        (b"---\nlanguage: en\n---\nlicense: mine", None),
        (b"# A base\nlicense: mine", None),
        (b"---\nlicense: [mit\n---\n", None),
        (b"---\nlicense: mit", None),
        (b"---\n- license: mit\n---\n", None),
        (b"", None),
    ],
)
def test_the_licence_is_the_one_in_the_head_of_the_card(
    project: Project, tmp_path: Path, card: bytes, licence: str | None
) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "README.md").write_bytes(card)
    assert find_base(project, str(tmp_path))[1] == (licence or "not stated in its folder")
