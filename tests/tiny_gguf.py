"""A GGUF file of a few hundred kilobytes: a real llama for llama.cpp, whose answer is known.

All tokens share one embedding and every block adds nothing, so the logits are the same at each
step: those given by PREFERENCE. Under a JSON schema it then closes whatever it may close, which
makes the shortest object that fits. Every byte is a token.
"""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

WIDTH, LAYERS, HEADS, HIDDEN = 32, 2, 4, 64
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
PREFERENCE = ("<|im_end|>", '"', "]", "}", ":", ",", "{", "[", "0", "1", "o", "k")
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_tokens() -> list[str]:
    """The 256 bytes as the printable characters that GPT-2's tokenizer writes them with."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = (b for b in range(256) if b not in plain)
    names = {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(other)}
    return [names[b] for b in range(256)]


def write_tiny_gguf(file: Path, context: int = 32768, template: str = CHATML) -> Path:
    """Write the file; returns its path."""
    tokens = [*byte_tokens(), "in", *SPECIAL]
    writer = GGUFWriter(str(file), "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [TokenType.NORMAL] * (len(tokens) - len(SPECIAL)) + [TokenType.CONTROL] * len(SPECIAL)
    writer.add_token_types(kinds)
    writer.add_token_merges(["i n"])
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_chat_template(template)
    for name, tensor in _tensors(tokens).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _tensors(tokens: list[str]) -> dict[str, np.ndarray]:
    one = np.ones(WIDTH, dtype=np.float32)
    liking = np.zeros(len(tokens), dtype=np.float32)
    for rank, token in enumerate(PREFERENCE):
        liking[tokens.index(token)] = 1 - rank / len(PREFERENCE) / 2
    tensors = {
        "token_embd.weight": np.tile(one, (len(tokens), 1)),
        "output_norm.weight": one,
        "output.weight": np.outer(liking, one).astype(np.float32),
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"{block}.{name}.weight"] = one
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}.{name}.weight"] = np.zeros((WIDTH, WIDTH), dtype=np.float32)
        for name, shape in {
            "ffn_gate": (HIDDEN, WIDTH),
            "ffn_up": (HIDDEN, WIDTH),
            "ffn_down": (WIDTH, HIDDEN),
        }.items():
            tensors[f"{block}.{name}.weight"] = np.zeros(shape, dtype=np.float32)
    return tensors
