"""A folder in transformers format, or a PEFT adapter, in this process (extra `train`).

Nothing leaves the machine. Requests that wait at the same time are answered in one batch.
"""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from arf_core.errors import ConfigError, MissingExtra, ModelError
from arf_core.models import Probe, ProviderOptions, Reply, Request, Traits
from arf_core.models.chat_template import chat_text
from arf_core.models.model_identity import hash_of, practice_notes

FILES = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")
DECIDES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""The files that decide an answer: weights, configuration, tokenizer, chat template; no card."""
GATHER_S = 0.02
"""How long a batch waits for more requests."""


class TransformersOptions(ProviderOptions):
    path: Annotated[str, Field(min_length=1)]
    """The folder, from the project's folder where the path is relative."""
    max_tokens: Annotated[int, Field(gt=0)] = 512
    batch: Annotated[int, Field(gt=0)] = 8
    """Requests that are answered at once."""


OPTIONS = TransformersOptions


def open_model(name: str, options: TransformersOptions, project_path: Path) -> "TransformersModel":
    """Raises ConfigError where there is no such folder. It is loaded at the first call."""
    folder = project_path / Path(options.path).expanduser()
    if not any((folder / f).is_file() for f in FILES):
        raise ConfigError(
            f"models.{name}: {folder} holds no model and no adapter.",
            "Correct `path` in arf.toml: a folder with model.safetensors or "
            "adapter_model.safetensors.",
        )
    return TransformersModel(name, options, folder)


class TransformersModel:
    def __init__(self, name: str, options: TransformersOptions, folder: Path) -> None:
        self.name = name
        self.traits = Traits(
            max_concurrency=options.batch, retries=0, max_tokens=options.max_tokens
        )
        self._options = options
        self._folder = folder
        files = sorted(f for pattern in DECIDES for f in folder.glob(pattern) if f.is_file())
        self.identity = json.dumps(["transformers", hash_of(files), options.max_tokens])
        self._loaded: tuple[Any, Any] | None = None
        self._waiting: list[tuple[Request, asyncio.Future[Reply]]] = []
        self._one_at_a_time = asyncio.Lock()

    async def complete(self, request: Request) -> Reply:
        """Raises MissingExtra, or ModelError where the prompt is too long for the context."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        async with self._one_at_a_time:
            while not answer.done():  # else the batch of an earlier request answered it
                await self._answer_waiting()
        return answer.result()

    async def _answer_waiting(self) -> None:
        """Answer the requests that have waited longest, in one batch."""
        if len(self._waiting) < self._options.batch:
            await asyncio.sleep(GATHER_S)
        batch = self._waiting[: self._options.batch]
        del self._waiting[: self._options.batch]
        replies: list[Reply | Exception]
        try:
            replies = await asyncio.to_thread(self._answer, [request for request, _ in batch])
        except asyncio.CancelledError:
            self._waiting[:0] = batch  # for the next request's turn
            raise
        except Exception as error:  # noqa: BLE001 (raised for each request)
            replies = [error] * len(batch)
        for (_, answer), reply in zip(batch, replies, strict=True):
            if isinstance(reply, Reply):
                answer.set_result(reply)
            else:
                answer.set_exception(reply)

    def _answer(self, requests: list[Request]) -> list[Reply | Exception]:
        """A reply to each, in order; a ModelError for a prompt that is too long."""
        model, tokenizer = self._load()
        texts = [chat_text(tokenizer, r.messages, asks=True) for r in requests]
        prompts = tokenizer(texts, add_special_tokens=False)["input_ids"]
        context = int(model.config.max_position_embeddings)
        replies: list[Reply | Exception] = [self._too_long(len(ids), context) for ids in prompts]
        # only those with the same room share a batch: a long one would cut the others' answers
        rooms = [min(self._options.max_tokens, context - len(ids)) for ids in prompts]
        for room in {r for r in rooms if r > 0}:
            batch = [i for i, r in enumerate(rooms) if r == room]
            made = self._generate(model, tokenizer, [prompts[i] for i in batch], room)
            for i, ids in zip(batch, made, strict=True):
                replies[i] = _reply(tokenizer, len(prompts[i]), ids, model)
        return replies

    def _generate(
        self, model: Any, tokenizer: Any, prompts: list[list[int]], room: int
    ) -> list[list[int]]:
        """New ids for each prompt. Prompts are padded on the left, so that all end together."""
        import torch

        width = max(map(len, prompts))
        padding = [width - len(ids) for ids in prompts]
        ids = [[tokenizer.pad_token_id] * n + x for n, x in zip(padding, prompts, strict=True)]
        mask = [[0] * n + [1] * (width - n) for n in padding]
        with torch.no_grad():
            out = model.generate(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                max_new_tokens=room,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
        return [list(row) for row in out[:, width:].tolist()]

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is not None:
            return self._loaded
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise MissingExtra(
                f"{self.name} is a folder of transformers, which is not installed.",
                "Install it (it says the size first): make train",
            ) from error
        disable_progress_bar()
        gpu = torch.cuda.is_available()
        dtype = torch.bfloat16 if gpu else torch.float32
        if (self._folder / "adapter_config.json").is_file():
            from peft import AutoPeftModelForCausalLM

            model = AutoPeftModelForCausalLM.from_pretrained(
                self._folder, dtype=dtype, local_files_only=True
            )
            model = model.merge_and_unload()
        else:
            model = AutoModelForCausalLM.from_pretrained(
                self._folder, dtype=dtype, local_files_only=True
            )
        tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._loaded = model.to("cuda" if gpu else "cpu").eval(), tokenizer
        return self._loaded

    def _too_long(self, tokens: int, context: int) -> ModelError:
        return ModelError(
            f"{self.name}: the prompt has {tokens} tokens, and the model reads {context}.",
            "Use a model with a longer context.",
            reason="context",
        )

    async def probe(self, request: Request) -> Probe:
        reply = await self.complete(request)
        return Probe(reply=reply.text)

    def notes(self) -> list[str]:
        return practice_notes(self.name, self._folder)

    async def close(self) -> None:
        self._loaded = None


def _reply(tokenizer: Any, prompt_tokens: int, ids: list[int], model: Any) -> Reply:
    """The text up to the first end-of-text token; without one it was cut off."""
    ends = model.generation_config.eos_token_id
    end_ids = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    stop = next((i for i, token in enumerate(ids) if token in end_ids), None)
    kept = ids[:stop]
    return Reply(
        text=tokenizer.decode(kept, skip_special_tokens=True).strip(),
        finish_reason="length" if stop is None else "stop",
        prompt_tokens=prompt_tokens,
        completion_tokens=len(kept),
    )
