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

from arf_core.errors import ConfigError, MissingExtra, ModelError, in_one_line
from arf_core.models import Probe, ProviderOptions, Reply, Request, Traits
from arf_core.models.chat_completion import read_completion, request_body
from arf_core.models.chat_template import SpecialTokens
from arf_core.models.model_identity import hash_of, practice_notes

if TYPE_CHECKING:
    from llama_cpp import Llama


class LlamaCppOptions(ProviderOptions):
    path: Annotated[str, Field(min_length=1)]
    """The GGUF file, from the project's folder where the path is relative."""
    context_tokens: Annotated[int, Field(gt=0)] = 8192
    """Memory for it is reserved when the file is loaded."""
    max_tokens: Annotated[int, Field(gt=0)] = 1024
    temperature: float = 0.0
    seed: int = 0
    threads: Annotated[int, Field(gt=0)] | None = None
    """All cores by default."""
    gpu_layers: int = 0
    """Layers on the GPU, where the build supports one; -1 for all."""


OPTIONS = LlamaCppOptions


def open_model(name: str, options: LlamaCppOptions, project_path: Path) -> "LlamaCppModel":
    """Raises ConfigError where there is no such file. It is loaded at the first call."""
    file = project_path / Path(options.path).expanduser()
    if not file.is_file():
        raise ConfigError(
            f"models.{name}: there is no file {file}.",
            f"Correct `path` in arf.toml, or fetch one: arf models pull {project_path} …",
        )
    return LlamaCppModel(name, options, file)


class LlamaCppModel:
    def __init__(self, name: str, options: LlamaCppOptions, file: Path) -> None:
        self.name = name
        # without context_tokens: `complete` counts the prompt instead of estimating its length, and
        # the reply gets the room that a long prompt leaves
        self.traits = Traits(max_concurrency=1, retries=0, max_tokens=options.max_tokens)
        self._options = options
        self._file = file
        self._parameters = options.model_dump(include={"max_tokens", "temperature", "seed"})
        self.identity = json.dumps(["llama_cpp", hash_of([file]), self._parameters])
        self._llama: Llama | None = None
        self._special = SpecialTokens(())
        self._in_use = Lock()
        """Held while llama.cpp works, on one call at a time. A cancelled call goes on in its thread
        until it has ended; freeing the model under it would crash the process."""

    async def complete(self, request: Request) -> Reply:
        """Raises MissingExtra, or ModelError where the file cannot be loaded or the text is too
        long for the context."""
        return await asyncio.to_thread(self._complete, request)

    def _complete(self, request: Request) -> Reply:
        with self._in_use:
            llama = self._loaded()
            body = request_body(self._parameters, request, "json_object")
            body["messages"] = self._special.split_in(request.messages)
            return self._chat(llama, body)

    def _chat(self, llama: "Llama", body: dict[str, Any]) -> Reply:
        try:
            return read_completion(llama.create_chat_completion(**body))
        except (ValueError, TemplateError) as error:
            if "context window" in str(error):
                raise ModelError(
                    f"{self.name}: {error}.",
                    "Raise context_tokens for this model in arf.toml, if it was trained for more.",
                    reason="context",
                ) from error
            raise ModelError(
                f"{self.name} cannot be asked: {in_one_line(error)}",
                "If its chat template refuses (some accept no system message), use another file.",
                fatal=True,
            ) from error

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
            self._special = SpecialTokens(_special_tokens(self._llama))
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


def _special_tokens(llama: "Llama") -> Iterator[str]:
    """The texts of the control and user-defined tokens."""
    import llama_cpp

    vocabulary = llama_cpp.llama_model_get_vocab(llama.model)
    special = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
    for token in range(llama.n_vocab()):
        if llama_cpp.llama_vocab_get_attr(vocabulary, token) & special:
            yield llama_cpp.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")
