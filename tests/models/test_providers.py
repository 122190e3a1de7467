"""The contract of model providers, for each one that there is."""

import asyncio
import importlib
from pathlib import Path

import pytest

from arf_core.errors import ConfigError
from arf_core.models import (
    PROVIDERS,
    ChatModel,
    ProviderOptions,
    Reply,
    Traits,
    open_model,
    provider_names,
)
from arf_core.models.chat_completion import read_completion

EXAMPLES: dict[str, dict[str, object]] = {
    "openai_api": {"base_url": "http://127.0.0.1:9/v1", "model": "m"},
    "batch": {"model": "m"},
    "replay": {"path": "file"},
    "llama_cpp": {"path": "file"},
    "transformers": {"path": "student"},
}
"""Options that suffice for each provider. A new one needs an entry here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "model.safetensors").write_bytes(b"")
    return tmp_path


def opened(provider: str, folder: Path, **more: object) -> ChatModel:
    assert provider in EXAMPLES, f"add the options of {provider} to EXAMPLES"
    return open_model("x", {"provider": provider} | EXAMPLES[provider] | more, folder)


def test_there_are_providers() -> None:
    assert len(provider_names()) >= 5
    assert set(EXAMPLES) == set(provider_names())


@pytest.mark.parametrize("provider", provider_names())
def test_every_provider_keeps_the_contract(provider: str, folder: Path) -> None:
    model = opened(provider, folder)
    assert model.name == "x"
    assert model.identity
    assert isinstance(model.traits, Traits)
    assert model.traits.max_concurrency >= 1
    assert model.traits.retries >= 0
    assert model.traits.leaves or model.traits.host is None
    assert model.notes() == []
    assert asyncio.iscoroutinefunction(model.complete)
    assert asyncio.iscoroutinefunction(model.probe)
    asyncio.run(model.close())
    asyncio.run(model.close())


@pytest.mark.parametrize("provider", provider_names())
def test_options_are_refused_where_unknown_or_missing(provider: str, folder: Path) -> None:
    options = importlib.import_module(f"{PROVIDERS}.{provider}").OPTIONS
    assert issubclass(options, ProviderOptions)
    assert options.__name__ != "Options"
    with pytest.raises(ConfigError, match="surplus"):
        opened(provider, folder, surplus=1)
    for field in EXAMPLES[provider]:
        least = {k: v for k, v in EXAMPLES[provider].items() if k != field}
        with pytest.raises(ConfigError, match=field):
            open_model("x", {"provider": provider} | least, folder)


@pytest.mark.parametrize("provider", provider_names())
def test_the_identity_is_that_of_what_decides_the_answer(provider: str, folder: Path) -> None:
    assert opened(provider, folder).identity == opened(provider, folder).identity
    options = importlib.import_module(f"{PROVIDERS}.{provider}").OPTIONS.model_fields
    if "max_tokens" in options:
        assert opened(provider, folder).identity != opened(provider, folder, max_tokens=7).identity
    for beside in {"max_concurrency", "retries", "timeout_s", "price"} & set(options):
        value = {"prompt": 1, "completion": 1} if beside == "price" else 7
        assert (
            opened(provider, folder).identity
            == opened(provider, folder, **{beside: value}).identity
        )


def test_identities_are_those_under_which_earlier_answers_are_stored(folder: Path) -> None:
    parameters = '{"model": "m", "temperature": 0.0, "max_tokens": 2048'
    url = '"http://127.0.0.1:9/v1/chat/completions"'
    assert opened("openai_api", folder).identity == f"[{url}, {parameters}}}]"
    assert opened("openai_api", folder, seed=3).identity == f'[{url}, {parameters}, "seed": 3}}]'
    assert opened("batch", folder).identity == f'["batch", "x", {parameters}}}]'
    assert opened("replay", folder).identity == "replay x"
    kept = '{"max_tokens": 1024, "temperature": 0.0, "seed": 0}'
    assert opened("llama_cpp", folder).identity.endswith(f", {kept}]")
    assert opened("transformers", folder).identity.endswith(", 512]")


def test_a_completion_is_read_from_what_servers_send() -> None:
    def read(message: dict[str, object], **more: object) -> Reply:
        return read_completion({"choices": [{"message": message}], **more})

    assert read({"content": "a"}) == Reply(text="a")
    assert read({"content": None, "refusal": "no"}).finish_reason == "refusal"
    used = read({"content": "a"}, usage={"prompt_tokens": 3, "completion_tokens": None})
    assert (used.prompt_tokens, used.completion_tokens) == (3, 0)
