"""A GGUF file in this process, through llama-cpp-python (extra `local`: `make local`).

Nothing leaves the machine. One call at a time: llama.cpp itself uses the processor's cores.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

from jinja2 import TemplateError
from pydantic import Field

from arf_core import models
from arf_core.errors import ConfigError, MissingExtra, ModelError, in_one_line
from arf_core.models import Probe, Reply, Request, Traits
from arf_core.models.chat_template import Marks
from arf_core.models.model_identity import hash_of, practice_notes

if TYPE_CHECKING:
    from llama_cpp import Llama


class Options(models.Options):
    path: Annotated[str, Field(min_length=1)]
    """The GGUF file; relative paths start at the project's folder."""
    context_tokens: Annotated[int, Field(gt=0)] = 8192
    """Memory is set aside for it when the file is opened."""
    max_tokens: Annotated[int, Field(gt=0)] = 1024
    temperature: float = 0.0
    seed: int = 0
    threads: Annotated[int, Field(gt=0)] | None = None
    """All cores where not given."""
    gpu_layers: int = 0
    """Layers on the GPU, where the build has one; -1 for all."""


def open_model(name: str, options: Options, project_path: Path) -> "LlamaCppModel":
    """Raises ConfigError where there is no such file. It is loaded at the first call."""
    file = project_path / Path(options.path).expanduser()
    if not file.is_file():
        raise ConfigError(
            f"models.{name}: there is no file {file}.",
            f"Correct `path` in arf.toml, or fetch one: arf models pull {project_path} …",
        )
    return LlamaCppModel(name, options, file)


class LlamaCppModel:
    def __init__(self, name: str, options: Options, file: Path) -> None:
        self.name = name
        # its context is not among them: here it is counted, where a server's is estimated, and an
        # answer has what a long prompt leaves
        self.traits = Traits(max_concurrency=1, retries=0, max_tokens=options.max_tokens)
        self._options = options
        self._file = file
        kept = options.model_dump(include={"max_tokens", "temperature", "seed"})
        self.identity = json.dumps(["llama_cpp", hash_of([file]), kept])
        self._llama: Llama | None = None
        self._marks = Marks(())
        self._one_at_a_time = asyncio.Lock()
        self._in_use = Lock()
        """Held while llama.cpp works. A cancelled call goes on in its thread until it has ended,
        and what is freed under it takes the whole process along."""

    async def complete(self, request: Request) -> Reply:
        """Raises MissingExtra, or ModelError where the file cannot be loaded or the text is too
        long for the context."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Reply:
        with self._in_use:
            return self._complete(request)

    def _complete(self, request: Request) -> Reply:
        llama = self._loaded()
        wanted: dict[str, Any] = {}
        if request.schema_ is not None:
            wanted["response_format"] = {"type": "json_object", "schema": request.schema_}
        try:
            answer: Any = llama.create_chat_completion(
                messages=self._marks.as_words(request.messages),  # type: ignore[arg-type]
                max_tokens=self._options.max_tokens,
                temperature=self._options.temperature,
                seed=self._options.seed,
                **wanted,
            )
        except (ValueError, TemplateError) as error:
            if "context window" in str(error):
                raise ModelError(
                    f"{self.name}: {error}.",
                    "Raise context_tokens for this model in arf.toml, if it was trained for more.",
                    reason="context",
                ) from error
            raise ModelError(
                f"{self.name} cannot be asked: {in_one_line(error)}",
                "Where its chat template refuses (some know no system message), take another file.",
                fatal=True,
            ) from error
        choice, usage = answer["choices"][0], answer["usage"]
        return Reply(
            text=choice["message"]["content"] or "",
            finish_reason=choice["finish_reason"] or "stop",
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
        )

    def _loaded(self) -> "Llama":
        if self._llama is None:
            try:
                from llama_cpp import Llama
            except ImportError as error:
                raise MissingExtra(
                    f"{self.name} is a GGUF file, and llama-cpp-python is not installed.",
                    "Install it (a build of some minutes): make local",
                ) from error
            try:
                self._llama = Llama(
                    str(self._file),
                    n_ctx=self._options.context_tokens,
                    n_threads=self._options.threads,
                    n_gpu_layers=self._options.gpu_layers,
                    verbose=False,
                )
            except ValueError as error:
                raise ModelError(
                    f"{self.name}: llama.cpp cannot load {self._file} ({error}).",
                    "Is it a whole GGUF file, and is there enough memory for context_tokens?",
                    fatal=True,
                ) from error
            self._marks = Marks(_marks(self._llama))
        return self._llama

    async def probe(self, request: Request) -> Probe:
        reply = await self.complete(request)
        trained = int(self._loaded().metadata.get("llama.context_length", 0))
        return Probe(reply=reply.text, learned={"context_tokens": trained} if trained else {})

    def notes(self) -> list[str]:
        return practice_notes(self.name, self._file)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._in_use:
            if self._llama is not None:
                self._llama.close()
                self._llama = None


def _marks(llama: "Llama") -> Iterator[str]:
    """The texts of the tokens that are no words."""
    import llama_cpp

    vocabulary = llama_cpp.llama_model_get_vocab(llama.model)
    no_words = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
    for token in range(llama.n_vocab()):
        if llama_cpp.llama_vocab_get_attr(vocabulary, token) & no_words:
            yield llama_cpp.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")
