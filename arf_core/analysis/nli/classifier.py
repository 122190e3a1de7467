"""A sequence classifier from a folder or a hub: pairs of (text, claim) in, probabilities out."""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from arf_core.errors import ConfigError, InputError, MissingExtra, ModelError
from arf_core.models.hub import pull_folder
from arf_core.models.model_identity import hash_of
from arf_core.project import Project
from arf_core.project.settings import NliSettings

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
SUPPORTS = re.compile(r"entail|support|consistent|faithful|factual")
NEGATED = re.compile(r"\b(not|non|no)|unsupp|unfaith|incons|nonfact|hallucin")
CONTRADICTS = re.compile(r"contradict|refut")
SPECIAL = 8
"""Room for the tokens that a tokenizer puts around and between the two texts."""
FILES = ["*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model*.bin"]


class Odds(NamedTuple):
    """Probabilities of one pair; `contradiction` is None where there is no such label."""

    support: float
    contradiction: float | None


def open_classifier(project: Project, given: str | None) -> "Classifier":
    """The given classifier, else the one in arf.toml; downloaded where it is a name on the hub.

    It is loaded at first use. Raises InputError where none is named, ConfigError where the folder
    has none or its labels are unclear, ModelError where the hub cannot or may not be reached.
    """
    settings = project.settings.nli
    name = given or settings.model
    if name is None:
        raise InputError(
            "No classifier is named for nli.",
            "Give one with --model, or set model under [nli] in arf.toml: a folder, or a name on "
            "the Hugging Face hub. docs/models.md says which kinds there are.",
        )
    return Classifier(Path(name).name, _folder(project, name, settings), settings)


def _folder(project: Project, name: str, settings: NliSettings) -> Path:
    for folder in (project.path / Path(name).expanduser(), Path(name).expanduser()):
        if folder.is_dir():
            return folder
    if not HUB_NAME.fullmatch(name):
        raise ConfigError(
            f"There is no folder {name} with a classifier.",
            "Name a folder with config.json and weights, or owner/name on the Hugging Face hub.",
        )
    return pull_folder(name, FILES, project.settings.privacy, revision=settings.revision)


class Classifier:
    """Scores pairs. Not thread-safe."""

    def __init__(self, name: str, folder: Path, settings: NliSettings) -> None:
        self.name = name
        self._folder = folder
        self._settings = settings
        config = _config(folder)
        self._labels = _labels(config)
        self._supports = _support_label(folder, self._labels, settings)
        self._contradicts = _contradict_label(self._labels, settings)
        self.identity = json.dumps([name, _fingerprint(folder), settings.max_tokens])

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        """torch, tokenizer, model. Raises MissingExtra, or ModelError for unusable files."""
        try:
            import torch
            from safetensors import SafetensorError
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            raise MissingExtra(
                f"nli runs {self.name} with PyTorch and transformers, and {error.name} is missing.",
                "Install them (0.3 to several GB; make says how much first): make train",
            ) from error
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(
                self._folder, local_files_only=True
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{self._folder} cannot be loaded as a sequence classifier: "
                f"{str(error).strip().splitlines()[0][:300]}",
                "It needs complete config.json, weights and tokenizer of one model.",
                fatal=True,
            ) from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return torch, tokenizer, model.to(device).eval()

    @cached_property
    def most_tokens(self) -> int:
        """Of text and claim together, without the special tokens."""
        _, tokenizer, model = self._loaded
        known = getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length
        most = min(self._settings.max_tokens, tokenizer.model_max_length, known)
        return int(most) - SPECIAL

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        if not texts:
            return []
        tokenizer = self._loaded[1]
        return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def odds(self, pairs: Sequence[tuple[str, str]]) -> list[Odds]:
        """The odds of each (text, claim), in order. Pairs of similar length share a batch."""
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        found: dict[int, Odds] = {}
        for first in range(0, len(order), self._settings.batch_size):
            batch = order[first : first + self._settings.batch_size]
            found.update(zip(batch, self._batch([pairs[i] for i in batch]), strict=True))
        return [found[i] for i in range(len(pairs))]

    def _batch(self, pairs: Sequence[tuple[str, str]]) -> list[Odds]:
        torch, tokenizer, model = self._loaded
        texts, claims = [text for text, _ in pairs], [claim for _, claim in pairs]
        inputs = tokenizer(texts, claims, padding=True, truncation=False, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs.to(model.device)).logits.float()
        if logits.shape[1] == 1:
            return [Odds(p, None) for p in logits[:, 0].sigmoid().tolist()]
        rows = logits.softmax(dim=1).tolist()
        against = self._contradicts
        return [Odds(r[self._supports], None if against is None else r[against]) for r in rows]


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        assert isinstance(config, dict)
    except (OSError, ValueError, AssertionError) as error:
        raise ConfigError(
            f"{folder} has no classifier: its config.json is missing or not a JSON object.",
            "Name the folder that `save_pretrained` wrote, or a name on the Hugging Face hub.",
        ) from error
    return config


def _labels(config: dict[str, Any]) -> list[str]:
    named = config.get("id2label")
    if isinstance(named, dict) and named:
        return [str(named[key]) for key in sorted(named, key=int)]
    return [f"LABEL_{n}" for n in range(int(config.get("num_labels") or 2))]


def _support_label(folder: Path, labels: list[str], settings: NliSettings) -> int:
    """The label of support. It is never guessed: a wrong one would invert all findings."""
    if len(labels) == 1:
        return 0
    if settings.supports is not None:
        fits = [n for n, label in enumerate(labels) if label == settings.supports]
    else:
        plain = [label.lower().replace("_", " ") for label in labels]
        fits = [n for n, p in enumerate(plain) if SUPPORTS.search(p) and not NEGATED.search(p)]
    if len(fits) != 1:
        raise ConfigError(
            f"The labels of {folder.name} are {', '.join(labels)}: "
            "which one means that the conversation supports a sentence?",
            f'Set it under [nli] in arf.toml, such as supports = "{labels[-1]}".',
        )
    return fits[0]


def _contradict_label(labels: list[str], settings: NliSettings) -> int | None:
    fits = [n for n, label in enumerate(labels) if CONTRADICTS.search(label.lower())]
    return fits[0] if len(fits) == 1 and len(labels) > 2 else None


def _fingerprint(folder: Path) -> str:
    """Changes with the model: its configuration and its weights."""
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    return hash_of([folder / "config.json", *weights])
