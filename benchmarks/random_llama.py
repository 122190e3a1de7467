"""What the GPU benchmark trains: a Llama with random weights, and rows of one length for it."""

from pathlib import Path

from arf_core.models.model_identity import PRACTICE
from arf_core.project import Project
from arf_core.training.base_models import preset
from arf_core.training.model_shape import ModelShape
from arf_core.training.practice import make_base
from arf_core.training.tokens import encode
from arf_core.training.train import open_tokenizer
from arf_core.training.training_set import training_set
from benchmarks.finetune import WORDS, project_in

TINY = ModelShape(
    width=64, layers=2, heads=4, kv_heads=2, head=16, inner=192, vocabulary=2000, tied=True
)
PROMPT = (
    "{% block system %}Summarise.{% endblock %}{% block user %}{{ conversation | turns }}"
    "{% endblock %}"
)
"""A short one: the conversation is to be most of a row."""
SPARE = 2
"""Tokens of a row that stay free, for an end that a library adds to a text."""


def shape_named(name: str) -> ModelShape:
    if name == "tiny":
        return TINY
    known = preset({"1b": "llama-3.2-1b", "8b": "llama-3.1-8b"}[name])
    assert known is not None
    return known.shape


def make_shape(folder: Path, shape: ModelShape) -> None:
    """A Llama of this shape with random weights in 16 bit, and a small tokenizer. To be called in a
    process of its own: what it takes of the GPU is free again with its end."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    make_base(folder, [" ".join(WORDS)], width=64, layers=1)  # for its tokenizer
    (folder / PRACTICE).unlink()
    for weights in folder.glob("*.safetensors"):
        weights.unlink()  # beside weights in several files, the one file would be read instead
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head,
        max_position_embeddings=8192,
        tie_word_embeddings=shape.tied,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)


def rows_of_length(folder: Path, base: Path, length: int) -> Project:
    """A project whose rows all but fill `length` tokens. None is cut: where rows are cut, each
    library does it in its own way, and would train on other tokens."""
    tokenizer, words = open_tokenizer(str(base)), length
    while True:
        project = project_in(folder / f"{words}-words", words, PROMPT)
        rows = training_set(project, "teacher").train
        over = max(len(encode(tokenizer, r).input_ids) for r in rows) + SPARE - length
        if over <= 0:
            return project
        words -= over
        assert words > 0, f"{length} tokens are too few for a row"
