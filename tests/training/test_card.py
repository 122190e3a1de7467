"""The card of a student: what it says is so, and it can be published."""

import re

import pytest
import yaml
from markdown_it import MarkdownIt

from arf_core.training.base_models import PRESETS
from arf_core.training.card import model_card
from arf_core.training.settings import TrainingSettings
from arf_core.training.training_records import (
    Artifacts,
    GgufCheck,
    RowLengths,
    Smoke,
    Trained,
    TrainingJob,
)

SECRET = "Anna Berg of 12 Mill Lane asked for a refund."
USED = {
    "learning_rate": 2e-4,
    "checkpoint_every": 5,
    "precision": "bf16",
    "gradient_checkpointing": True,
}


def card(
    settings: TrainingSettings | None = None,
    eval_loss: float | None = 0.5,
    practice: bool = False,
    **of: str,
) -> str:
    """Of a student; `of` are the texts that come from outside, by their field."""
    settings = settings or TrainingSettings()
    job = TrainingJob(
        name=of.get("name", "student-r1"),
        system=of.get("system", "r1"),
        choice="good",
        base=of.get("base", "unsloth/Llama-3.2-1B-Instruct"),
        licence=of.get("licence", "Llama 3.2 Community Licence"),
        practice=practice,
        trainer="trl",
        settings=settings,
        rows=60,
        dev_rows=12,
        fingerprint="abc",
        matched_with=(of.get("matched", "teacher:all"),),
    )
    trained = Trained(
        steps=25,
        final_loss=0.25,
        eval_loss=eval_loss,
        seconds=9.0,
        peak_memory_gb=1.0,
        device=of.get("device", "NVIDIA H200"),
        lengths=RowLengths(
            rows=60,
            median=400,
            p99=900,
            longest=1000,
            max_length=904,
            truncated=1,
            too_long=0,
            learned_share=0.1,
        ),
        used=settings.model_copy(update=USED),
    )
    check = GgufCheck(
        texts=4, tokens=99, positions=99, largest_difference=0.01, spread=9.0, same_choice=1.0
    )
    made = Artifacts(
        adapter="adapter",
        merged="merged",
        gguf={"f16": "gguf/student-r1-f16.gguf"},
        checks={"f16": check},
        gguf_missing=of.get("missing"),
        modelfile="gguf/Modelfile",
        card="README.md",
        smoke=Smoke(conversation="c1", prompt_tokens=321, answer=SECRET),
    )
    return model_card(job, trained, made)


def table(text: str) -> dict[str, str]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return dict(rows[2:])


def structure(text: str) -> list[str]:
    """The elements of the rendered card, in order."""
    body = text.split("---\n", 2)[2]
    return re.findall(r"</?\w+", MarkdownIt().enable("table").render(body))


def head(text: str) -> dict[str, object]:
    start, made, rest = text.split("---\n", 2)
    assert (start, rest[:1]) == ("", "\n")
    return yaml.safe_load(made)


def test_the_settings_are_those_that_were_used() -> None:
    assert table(card()) == {
        "method": "lora",
        "rank": "16",
        "alpha": "16",
        "learning_rate": "0.0002",
        "warmup_share": "0.05",
        "batch": "2",
        "accumulation": "4",
        "epochs": "2",
        "max_length": "904",
        "seed": "3407",
        "patience": "3",
        "checkpoint_every": "5",
        "precision": "bf16",
        "gradient_checkpointing": "yes",
    }


def test_settings_that_had_no_say_are_left_out() -> None:
    assert "epochs" not in table(card(TrainingSettings(steps=25)))
    assert table(card(TrainingSettings(steps=25)))["steps"] == "25"
    assert not {"rank", "alpha"} & set(table(card(TrainingSettings(method="full"))))
    assert "patience" not in table(card(TrainingSettings(patience=None)))
    assert "patience" not in table(card(eval_loss=None))


def test_a_dev_split_is_said_to_be_looked_at_only_where_it_was() -> None:
    assert "12 rows of the dev split" in card()
    assert "0.5000 on the dev split" in card()
    for unseen in (card(TrainingSettings(evaluate=False), eval_loss=None), card(eval_loss=None)):
        assert "the dev split was not looked at" in unseen
        assert "12 rows" not in unseen


def test_each_practice_base_is_called_what_it_is() -> None:
    made = card(base="/p/models/practice-llama", practice=True)
    assert "**A practice model.** Its base is tiny and was made from nothing" in made
    pre_trained = card(base="/arf/examples/closed_world/closed-world", practice=True)
    assert "28,000 generated conversations" in pre_trained
    assert "from nothing" not in pre_trained
    assert "practice" not in card()


def test_nothing_private_is_in_it_and_what_is_private_is_named() -> None:
    text = card(base="/home/anna/models/llama")
    assert SECRET not in text
    assert "/home" not in text
    assert "321 tokens" in text
    for file in ("train.jsonl", "dev.jsonl", "artifacts.json"):
        assert file in text


def test_its_head_is_that_of_a_hub_s_card() -> None:
    assert head(card()) == {
        "license": "llama3.2",
        "base_model": "unsloth/Llama-3.2-1B-Instruct",
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["summarization"],
    }
    assert {head(card(licence=p.licence))["license"] for p in PRESETS} == {
        *("apache-2.0", "llama3.1", "llama3.2", "other")
    }
    assert head(card(base="/home/anna/llama", licence="mit"))["license"] == "mit"
    assert "base_model" not in head(card(base="/home/anna/llama"))
    assert "license" not in head(card(licence="see the base's own page"))


@pytest.mark.parametrize(
    "field", ["name", "system", "base", "licence", "matched", "device", "missing"]
)
def test_strange_texts_change_nothing_but_themselves(field: str) -> None:
    strange = "/a`b|c\n\n# d\r| e | <b>*f*_g_[h](i) &amp;"
    assert structure(card(**{field: strange})) == structure(card(**{field: "/a plain one"}))
