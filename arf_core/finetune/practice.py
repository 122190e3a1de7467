"""A practice base: a tiny Llama or Qwen3 made from nothing, in a second, on a CPU.

It has never seen a word, so what it learns is the form and the commonest phrases. It is there to
try the whole path, and for tests; a student of it is marked as a practice model everywhere.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from arf_core.errors import InputError
from arf_core.finetune.extra import need_training
from arf_core.finetune.settings import Shape
from arf_core.finetune.tokens import CHATML
from arf_core.project import Project
from arf_core.queries import PAGE
from arf_core.records import Conversation

PRACTICE = "practice.json"
"""Marks the folder of a practice base, and of a student of one."""
FAMILIES = ("llama", "qwen2", "qwen3")
VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT = 2000, 128, 4, 4, 2048
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SEED = 3407


def practice_shape() -> Shape:
    """The sizes of a practice base, which it has before it is made."""
    return Shape(
        width=WIDTH,
        layers=LAYERS,
        heads=HEADS,
        kv_heads=HEADS // 2,
        head=WIDTH // HEADS,
        inner=3 * WIDTH,
        vocabulary=VOCABULARY,
        tied=True,
    )


def practice_base(project: Project, family: str = "llama") -> Path:
    """The project's practice base of a family, made where there is none; its vocabulary comes from
    conversations of the train split. Raises InputError for a family that is not known."""
    if family not in FAMILIES:
        raise InputError(
            f"There is no practice base {family!r}.", f"Use one of: {', '.join(FAMILIES)}."
        )
    folder = project.path / "models" / f"practice-{family}"
    if not (folder / PRACTICE).is_file():
        make_base(folder, _texts(project), family)
    return folder


def is_practice(base: str | Path) -> bool:
    return (Path(base) / PRACTICE).is_file()


def _texts(project: Project) -> list[str]:
    from arf_core import schema

    where = schema.conversation.c.split == "train"
    found = project.store.all(Conversation, where, schema.conversation.c.seq <= 10 * PAGE)
    system, _ = project.prompt("summarise").render(conversation=())
    return [system["content"], *(turn.text for c in found for turn in c.turns)]


def make_base(
    folder: Path,
    texts: Iterable[str],
    family: str = "llama",
    width: int = WIDTH,
    layers: int = LAYERS,
) -> Path:
    """Write tokenizer and random weights of a family into `folder`; the same seed, the same
    weights. Raises MissingExtra without torch."""
    need_training()
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    tokenizer = _tokenizer(list(texts))
    torch.manual_seed(SEED)
    model = _model(family, len(tokenizer), width, layers)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # written last: its being there means that the base is whole
    note = {"practice": True, "family": family, "licence": "Apache-2.0"}
    (folder / PRACTICE).write_text(json.dumps(note), encoding="utf-8")
    return folder


def _tokenizer(texts: Sequence[str]) -> Any:
    """Byte-level BPE of a small vocabulary, from the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    end, start, stop = SPECIAL
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=end,
        eos_token=stop,
        pad_token=end,
        additional_special_tokens=[start],
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def _model(family: str, vocabulary: int, width: int, layers: int) -> Any:
    import transformers

    name = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[family]
    settings: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS // 2,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if family == "qwen3":
        settings["head_dim"] = width // HEADS
    config = getattr(transformers, f"{name}Config")(**settings)
    return getattr(transformers, f"{name}ForCausalLM")(config)
