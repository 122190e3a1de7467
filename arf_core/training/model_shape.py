"""The sizes of a Llama-like model, which decide its memory."""

import json
from pathlib import Path

from arf_core.records import Record


class ModelShape(Record):
    """Sizes as in a model's config.json."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    """Width of one attention head."""
    inner: int
    """Width of the feed-forward part."""
    vocabulary: int
    tied: bool
    """Input and output share their embeddings."""

    @property
    def linear(self) -> int:
        """Weights of the blocks' linear layers."""
        attention = 2 * self.width * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.width * self.inner)

    @property
    def weights(self) -> int:
        return self.linear + self.vocabulary * self.width * (1 if self.tied else 2)

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA adapter on all linear layers."""
        query, key = self.head * self.heads, self.head * self.kv_heads
        sides = 2 * (self.width + query) + 2 * (self.width + key) + 3 * (self.width + self.inner)
        return self.layers * rank * sides


def shape_of(folder: str | Path) -> ModelShape | None:
    """The shape in a folder's config.json; None where it is missing or of another kind."""
    try:
        config = json.loads((Path(folder) / "config.json").read_bytes())
        heads = config["num_attention_heads"]
        return ModelShape(
            width=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head=config.get("head_dim") or config["hidden_size"] // heads,
            inner=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            tied=bool(config.get("tie_word_embeddings")),
        )
    except (OSError, ValueError, TypeError, KeyError, ZeroDivisionError):
        return None  # whoever opens the model reports what is wrong with it
