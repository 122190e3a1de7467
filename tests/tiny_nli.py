"""A BERT of two layers, written by hand, whose answer is known: a conversation supports a claim
exactly if it holds all the claim's words.

Each word has a dimension of its own. In the first layer every word looks for its like among the
words of the conversation, and for [CLS] where there is none; in the second, [CLS] looks for words
that found none. Words outside the vocabulary are all the same word.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LABELS = {0: "contradiction", 1: "neutral", 2: "entailment"}
FEATURES = 4  # is claim, is special, found its like, a constant
LONGEST = 128


def words_of(texts: Iterable[str]) -> list[str]:
    """The vocabulary of some texts."""
    split = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
    lower = normalizers.Lowercase()
    found = {
        word for text in texts for word, _ in split.pre_tokenize_str(lower.normalize_str(text))
    }
    return sorted(found)


def write_tiny_nli(folder: Path, words: list[str], labels: dict[int, str] | None = None) -> Path:
    """Write the model as `save_pretrained` does; returns the folder."""
    vocabulary = [*SPECIAL, *words]
    labels = labels or LABELS
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=len(vocabulary) + FEATURES,
        num_hidden_layers=2,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=LONGEST,
        id2label=labels,
        label2id={name: n for n, name in labels.items()},
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith("LayerNorm.weight") else 0.0)
        _fill(model, len(vocabulary), len(labels))
    model.save_pretrained(folder)
    _tokenizer(vocabulary).save_pretrained(folder)
    return folder


def _fill(model: BertForSequenceClassification, size: int, labels: int) -> None:
    claim, special, found, constant = range(size, size + FEATURES)
    embedded = model.bert.embeddings
    for token in range(size):
        embedded.word_embeddings.weight[token, token] = 3.0
        embedded.word_embeddings.weight[token, constant] = 1.0
    for token in (SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")):
        embedded.word_embeddings.weight[token, special] = 1.0
    embedded.token_type_embeddings.weight[1, claim] = 1.0
    wide = float(size + FEATURES)
    first, second = (layer.attention for layer in model.bert.encoder.layer)
    look = first.self
    for token in range(size):  # like looks for like …
        if token not in (SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")):
            look.query.weight[token, token] = look.key.weight[token, token] = 3.0
    look.query.bias[constant] = wide
    look.key.weight[constant, claim] = -20.0  # … in the conversation, …
    look.key.weight[constant, SPECIAL.index("[CLS]")] = 1.0  # … or for [CLS]
    look.value.weight[found, constant] = 4.0
    look.value.weight[found, special] = -8.0
    first.output.dense.weight[found, found] = 1.0
    gather = second.self
    gather.query.bias[constant] = wide
    gather.key.weight[constant, found] = -4.0  # whoever found nothing …
    gather.key.weight[constant, special] = -60.0  # … and is a word
    gather.value.weight[found, found] = 4.0
    second.output.dense.weight[found, found] = 1.0
    model.bert.pooler.dense.weight[0, found] = 1.0
    model.classifier.weight[labels - 1, 0] = 5.0
    model.classifier.weight[0, 0] = -5.0


def _tokenizer(vocabulary: list[str]) -> PreTrainedTokenizerFast:
    ids = {word: n for n, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=LONGEST, model_input_names=inputs, **names
    )
