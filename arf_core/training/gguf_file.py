"""Write a GGUF file of a Llama, Qwen2 or Qwen3 model with the `gguf` package.

That package names the tensors. Written here are the header, the order of Llama's query and key
rows (llama.cpp rotates neighbouring pairs, transformers the two halves), the scaled rotary
positions of Llama 3.1 and later, and the tokenizer.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arf_core.errors import InputError, MissingExtra
from arf_core.models.model_identity import PRACTICE_KEY

FAMILIES = {"llama": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}
"""Model types that can be written, with their names in the package."""
SPLITTERS = {
    "llama-bpe": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
}
"""Beginning of the regular expression that splits words, by llama.cpp's name for it."""
OWN_CONVERTER = (
    "The merged model is in transformers' form; llama.cpp's own convert_hf_to_gguf.py may know it."
)


def write_gguf(
    file: Path, model: Any, tokenizer: Any, kind: str, name: str, *, practice: bool = False
) -> None:
    """Write the model (weights in 32 bit) with weights of type `kind`; `practice` marks it.

    Raises InputError for an unsupported family or tokenizer, MissingExtra without `gguf`.
    """
    try:
        import gguf
    except ImportError as error:
        raise MissingExtra(
            "A GGUF file needs the gguf package, not installed here.", "Install it: make train"
        ) from error
    config = model.config
    if config.model_type not in FAMILIES:
        raise InputError(
            f"No GGUF file can be written of a {config.model_type!r} model.",
            f"Families that can: {', '.join(FAMILIES)}. {OWN_CONVERTER}",
        )
    writer = gguf.GGUFWriter(str(file), config.model_type)
    try:
        writer.add_name(name)
        if practice:
            writer.add_bool(PRACTICE_KEY, True)
        writer.add_file_type(
            gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "q8_0" else gguf.LlamaFileType.MOSTLY_F16
        )
        _header(writer, config)
        _tokenizer(writer, tokenizer, model)
        for tensor_name, tensor, as_type in _tensors(model, kind):
            writer.add_tensor(tensor_name, tensor, raw_dtype=as_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _header(writer: Any, config: Any) -> None:
    heads = config.num_attention_heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads or heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_key_length(_head(config))
    writer.add_value_length(_head(config))
    writer.add_rope_dimension_count(_head(config))
    writer.add_rope_freq_base(_rope(config)["rope_theta"])


def _head(config: Any) -> int:
    """Width of one attention head."""
    return int(
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )


def _rope(config: Any) -> dict[str, Any]:
    """The rotary position parameters. Raises InputError for an unsupported type."""
    rope = dict(getattr(config, "rope_parameters", None) or {})
    rope.setdefault("rope_theta", getattr(config, "rope_theta", 10000.0))
    kind = rope.get("rope_type", "default")
    if kind not in ("default", "llama3"):
        raise InputError(
            f"No GGUF file can be written of a model with {kind!r} positions.",
            OWN_CONVERTER,
        )
    return rope


def _tensors(model: Any, kind: str) -> Iterator[tuple[str, Any, Any]]:
    """Each tensor with its GGUF name and its storage type."""
    import gguf
    import numpy as np

    config = model.config
    architecture = gguf.MODEL_ARCH[FAMILIES[config.model_type]]
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    if (factors := _rope_factors(config)) is not None:
        yield "rope_freqs.weight", factors, gguf.GGMLQuantizationType.F32
    tied = bool(config.tie_word_embeddings)
    for theirs, tensor in model.state_dict().items():
        if tied and theirs == "lm_head.weight":
            continue
        ours = names.get_name(theirs, try_suffixes=(".weight", ".bias"))
        if ours is None:
            raise InputError(
                f"The model has a part that GGUF has no name for: {theirs}.",
                "The merged model is in transformers' form and whole.",
            )
        data = tensor.detach().to("cpu").float().numpy()
        if config.model_type == "llama" and ".self_attn." in theirs:
            data = _interleaved(data, theirs, config)
        if data.ndim == 1:
            yield ours, data.astype(np.float32), gguf.GGMLQuantizationType.F32
        elif kind == "q8_0" and data.shape[-1] % 32 == 0:
            q8 = gguf.GGMLQuantizationType.Q8_0
            yield ours, gguf.quants.quantize(data, q8), q8
        else:
            yield ours, data.astype(np.float16), gguf.GGMLQuantizationType.F16


def _interleaved(data: Any, name: str, config: Any) -> Any:
    """Query and key rows with the halves of each head interleaved; other tensors as they are."""
    if "q_proj" in name:
        heads = config.num_attention_heads
    elif "k_proj" in name:
        heads = config.num_key_value_heads or config.num_attention_heads
    else:
        return data
    half = data.shape[0] // heads // 2
    rest = data.shape[1:]
    return data.reshape(heads, 2, half, *rest).swapaxes(1, 2).reshape(data.shape)


def _rope_factors(config: Any) -> Any | None:
    """Divisors of the rotary frequencies for long texts, as in Llama 3.1 (rope type `llama3`): low
    frequencies by `factor`, high ones not at all, those between in proportion."""
    import numpy as np

    rope = _rope(config)
    if rope.get("rope_type", "default") != "llama3":
        return None
    width = _head(config)
    before = rope["original_max_position_embeddings"]
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    factors = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / width)
        turns = before / wavelength
        smooth = min(1.0, max(0.0, (turns - low) / (high - low)))
        factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, dtype=np.float32)


def _tokenizer(writer: Any, tokenizer: Any, model: Any) -> None:
    """Raises InputError for a tokenizer that is not byte-level BPE."""
    import gguf

    made = json.loads(tokenizer.backend_tokenizer.to_str()) if tokenizer.is_fast else {}
    if made.get("model", {}).get("type") != "BPE" or made["model"].get("byte_fallback"):
        raise InputError(
            "No GGUF file can be written with this tokenizer: it is not byte-level BPE.",
            OWN_CONVERTER,
        )
    size = model.config.vocab_size
    tokens = [f"[unused{i}]" for i in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for token, i in tokenizer.get_vocab().items():
        tokens[i], kinds[i] = token, gguf.TokenType.NORMAL
    for i, added in tokenizer.added_tokens_decoder.items():
        tokens[i] = added.content
        kinds[i] = gguf.TokenType.CONTROL if added.special else gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitter(made))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    merges = made["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    for add, i in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_eos_token_id, tokenizer.eos_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
    ):
        if i is not None:
            add(i)
    writer.add_add_bos_token(False)  # the chat template says where one stands
    writer.add_chat_template(tokenizer.chat_template)


def _splitter(made: dict[str, Any]) -> str:
    """llama.cpp's name for the tokenizer's word splitting. A wrong guess fails the comparison."""
    text = json.dumps(made.get("pre_tokenizer"))
    for name, begins in SPLITTERS.items():
        if json.dumps(begins)[1:-1] in text:
            return name
    return "gpt-2"
