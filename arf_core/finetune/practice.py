"""A practice base: a tiny Llama or Qwen3 made from nothing, in seconds, on a CPU.

It knows which word likely follows which, counted in conversations of the project, and nothing else;
so what it learns is the form and the commonest phrases. It is there to try the whole path, and for
tests; a student of it is marked as a practice model everywhere.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from arf_core.errors import InputError
from arf_core.finetune.requirements import need_training
from arf_core.finetune.settings import CLOSED_WORLD, FAMILIES, Shape
from arf_core.finetune.tokens import CHATML
from arf_core.models.model_identity import PRACTICE
from arf_core.project import Project
from arf_core.records import Conversation
from arf_core.store.queries import PAGE

CLOSED_WORLD_FOLDER = (
    Path(__file__).resolve().parents[2] / "examples" / "closed_world" / CLOSED_WORLD
)
VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT = 2000, 128, 2, 4, 2048
SMOOTHING = 5.0
"""Pairs of tokens that are added to what was counted, as often as their second one is used."""
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
        tied=False,
    )


def practice_base(project: Project, family: str = "llama") -> Path:
    """The project's practice base of a family, made where there is none; its vocabulary comes from
    conversations of the train split. Raises InputError for a family that is not known."""
    if family not in FAMILIES:
        raise InputError(
            f"There is no practice base {family!r}.", f"Use one of: {', '.join(FAMILIES)}."
        )
    folder = _folder(project, family)
    if not (folder / PRACTICE).is_file():
        make_base(folder, _texts(project), family)
    return folder


def _folder(project: Project, family: str) -> Path:
    return project.path / "models" / f"practice-{family}"


def name_of_base(project: Project, base: str) -> str:
    """What the command calls a base that was made here: the other way round of `find_base`."""
    made = {str(_folder(project, family).resolve()): f"practice-{family}" for family in FAMILIES}
    made[str(_folder(project, FAMILIES[0]).resolve())] = "practice"
    return CLOSED_WORLD if Path(base) == CLOSED_WORLD_FOLDER else made.get(base, base)


def closed_world_base() -> Path:
    """The small base that is part of examples/closed_world. Raises InputError without one."""
    if not is_practice(CLOSED_WORLD_FOLDER):
        raise InputError(
            "The examples are not installed with the package.",
            "Run this from a clone of the repository, or use another base.",
        )
    return CLOSED_WORLD_FOLDER


def is_practice(base: str | Path) -> bool:
    return (Path(base) / PRACTICE).is_file()


def base_in_words(base: str) -> str:
    """What a practice base is, for people who look at a student of it."""
    if Path(base).name == CLOSED_WORLD:
        return (
            "Its base is small and has read nothing but 28,000 generated conversations of the "
            "closed world example: it knows their language and no other."
        )
    return (
        "Its base is tiny and was made from nothing: it shows the path, and its texts are no "
        "summaries."
    )


def _texts(project: Project) -> list[str]:
    from arf_core.store import schema

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
    read = list(texts)
    tokenizer = _tokenizer(read)
    torch.manual_seed(SEED)
    model = _model(family, len(tokenizer), width, layers)
    _knows_neighbours(model, _followers(tokenizer, read))
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
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if family == "qwen3":
        settings["head_dim"] = width // HEADS
    config = getattr(transformers, f"{name}Config")(**settings)
    return getattr(transformers, f"{name}ForCausalLM")(config)


def _followers(tokenizer: Any, texts: Sequence[str]) -> Any:
    """How often each token follows each, (vocabulary, vocabulary): rows are the first ones."""
    import torch

    size = len(tokenizer)
    counts = torch.zeros(size, size)
    for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]:
        pairs = torch.tensor(ids[:-1]), torch.tensor(ids[1:])
        if len(ids) > 1:
            counts.index_put_(pairs, torch.ones(len(ids) - 1), accumulate=True)
    return counts


def _knows_neighbours(model: Any, counts: Any) -> None:
    """Put into the embeddings what follows what, as the best product of two thin matrices: minutes
    of training would go into that. The blocks begin with little to say."""
    import torch

    share = counts.sum(0) + 0.1
    share /= share.sum()
    smooth = (counts + SMOOTHING * share) / (counts.sum(1, keepdim=True) + SMOOTHING)
    surprise = smooth.log() - smooth.log().mean(1, keepdim=True)
    width = model.config.hidden_size
    left, sizes, right = torch.svd_lowrank(surprise, q=min(width, len(counts)), niter=2)
    first = left * sizes
    norms = first.norm(dim=1, keepdim=True).clamp_min(1e-6)
    with torch.no_grad():
        # what a norm makes of a row has the length sqrt(width), whatever was there
        model.model.embed_tokens.weight[:, : len(sizes)] = 0.3 * first / norms
        model.lm_head.weight[:, : len(sizes)] = right * norms.mean() / width**0.5
        for name, weights in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weights.mul_(0.1)
