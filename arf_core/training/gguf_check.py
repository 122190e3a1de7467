"""Check that a GGUF file is the same model: llama.cpp's token ids and logits are compared with the
merged model's, on whole chats of the training set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, MissingExtra
from arf_core.training.training_records import GgufCheck

MOST_TOKENS = 512
"""Of each text, for the comparison of logits."""
LARGEST = {"f16": 0.02, "q8_0": 0.15}
"""Largest difference of a logit that passes, as a share of the spread between the largest and the
smallest logit."""


def check_gguf(
    file: Path, model: Any, tokenizer: Any, texts: Sequence[str], kind: str
) -> GgufCheck:
    """Raises InputError where the file is another model, MissingExtra without llama-cpp-python."""
    llama = _opened(file, model)
    tokens = positions = same = 0
    largest = spread = 0.0
    try:
        for text in texts:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            theirs = llama.tokenize(text.encode(), add_bos=False, special=True)
            _same_ids(ids, theirs, tokenizer)
            tokens += len(ids)
            ours, other = _logits(llama, model, ids[: min(MOST_TOKENS, llama.n_ctx())])
            positions += len(ours)
            largest = max(largest, float(abs(ours - other).max()))
            spread = max(spread, float(ours.max() - ours.min()))
            same += int((ours.argmax(-1) == other.argmax(-1)).sum())
    finally:
        llama.close()
    if largest > LARGEST[kind] * spread:
        raise InputError(
            f"The {kind} file answers otherwise than the merged model: a logit differs by "
            f"{largest:.3g}, of a spread of {spread:.3g}. It is not kept.",
            "Use the merged model; please report the base model's name.",
        )
    return GgufCheck(
        texts=len(texts),
        tokens=tokens,
        positions=positions,
        largest_difference=round(largest, 6),
        spread=round(spread, 4),
        same_choice=round(same / max(1, positions), 4),
    )


def _opened(file: Path, model: Any) -> Any:
    try:
        from llama_cpp import Llama
    except ImportError as error:
        raise MissingExtra(
            "A GGUF file is kept only after llama.cpp has read it, and llama-cpp-python is not "
            "installed.",
            "Install it (a build of some minutes): make local; then give the same command again.",
        ) from error
    context = min(MOST_TOKENS, int(model.config.max_position_embeddings))
    return Llama(str(file), n_ctx=context, n_batch=context, logits_all=True, verbose=False)


def _same_ids(ids: list[int], theirs: list[int], tokenizer: Any) -> None:
    if ids == theirs:
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(ids, theirs, strict=False)) if a != b),
        min(len(ids), len(theirs)),
    )
    near = tokenizer.decode(ids[max(0, at - 3) : at + 3])
    raise InputError(
        f"llama.cpp splits a text into other tokens than the base's tokenizer, near {near!r}. The "
        "file is not kept.",
        "Use the merged model; please report the base model's name.",
    )


def _logits(llama: Any, model: Any, ids: list[int]) -> tuple[Any, Any]:
    """Both models' logits at each position, (positions, vocabulary)."""
    import numpy as np
    import torch

    with torch.no_grad():
        ours = model(input_ids=torch.tensor([ids])).logits[0].float().numpy()
    llama.reset()
    llama.eval(ids)
    return ours, np.array(llama.scores[: len(ids)], dtype=np.float32)
