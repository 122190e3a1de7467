"""A GGUF file in this process, and on llama.cpp's server."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from items import DELIVERY, REFUND, add_items, make_item, with_model

from arf_core.analysis.analyze import analyze
from arf_core.errors import ConfigError, ModelError
from arf_core.importing import ImportSettings, load
from arf_core.jobs.demo import EXAMPLES
from arf_core.models import Request, open_model
from arf_core.models.registry import add_model, try_model
from arf_core.project import Project
from arf_core.records import Analysis
from arf_core.revision.revise import revise
from arf_core.revision.verify import verify
from arf_core.training.generate import generate

pytest.importorskip("llama_cpp", reason="the extra `local` is not installed: make local")
pytest.importorskip("gguf", reason="the extra `local` is not installed: make local")
from tiny_gguf import write_tiny_gguf


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="module")
def server(gguf: Path) -> Iterator[str]:
    """llama.cpp's own server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llama_cpp.server", "--model", str(gguf)),
            *("--n_ctx", "32768", "--host", "127.0.0.1", "--port", str(port)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/v1"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/models", timeout=1)
            break
        except OSError:
            assert time.monotonic() < deadline, "llama.cpp's server did not start"
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(20)


def in_process(project: Project, gguf: Path, name: str = "tiny", **options: object) -> Project:
    settings = {
        "provider": "llama_cpp",
        "path": str(gguf),
        "context_tokens": 32768,
        "max_tokens": 200,
    }
    return add_model(project, name, settings | options)


def sample(project: Project, n: int = 4) -> None:
    """The shortest conversations of the sample project."""
    source = EXAMPLES / "support" / "conversations.jsonl"
    lines = sorted(source.read_text(encoding="utf-8").splitlines(), key=len)[:n]
    file = project.path / "short.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    load(project, file, ImportSettings(source="conversations"))


def test_the_sample_prompts_run_on_a_file_in_process(project: Project, gguf: Path) -> None:
    sample(project)
    report = analyze(in_process(project, gguf), system="teacher", detector="llm", model="tiny")
    # the tiny model closes every list at once: valid replies that find nothing
    assert (report.asked, report.done, dict(report.failed)) == (4, 4, {})
    assert report.prompt_tokens > 4 * 5000
    again = analyze(Project.open(project.path), system="teacher", detector="llm", model="tiny")
    assert (again.skipped, again.calls) == (4, 0)


def test_the_sample_prompts_run_on_llama_cpps_server(project: Project, server: str) -> None:
    sample(project)
    project = with_model(project, "served", server, max_tokens=200)
    report = analyze(project, system="teacher", detector="llm", model="served")
    assert (report.done, dict(report.failed)) == (4, {})
    assert report.notes == ["served takes schemas as json_object."]


def test_the_whole_round_runs_on_both(project: Project, gguf: Path, server: str) -> None:
    wrong = make_item("wrong", ["customer: I paid $42.50."], "The customer paid $45.50.")
    add_items(project, [wrong, DELIVERY])
    project = in_process(project, gguf)
    project = with_model(project, "served", server, max_tokens=200)
    analyze(project, system="teacher", detector="rules")
    # its only edit is none, so the summary stays as it is and the finding is not fixed
    assert revise(project, system="teacher", into="r1", editor="llm", model="tiny").done == 2
    assert verify(project, system="r1", verifier="llm", model="served").done == 1


def test_trying_it_learns_the_context_it_was_trained_for(project: Project, gguf: Path) -> None:
    project = in_process(project, gguf)
    tried = try_model(project, "tiny")
    assert json.loads(tried.reply) == {"hello": ""}
    assert tried.learned == {"context_tokens": 32768}


def test_what_does_not_fit_into_the_context_is_a_failure_not_a_cut(
    project: Project, gguf: Path
) -> None:
    add_items(project, [REFUND])
    project = in_process(project, gguf, context_tokens=4096)
    report = analyze(project, system="teacher", detector="llm", model="tiny")
    assert dict(report.failed) == {"context": 1}
    (failed,) = project.store.all(Analysis)
    assert "context window" in (failed.raw or "")


def test_a_long_prompt_leaves_the_answer_what_is_left(project: Project, gguf: Path) -> None:
    """Only a prompt that fills the context by itself is refused, as in transformers."""
    add_items(project, [make_item("long", ["customer: a word"], "-", split="test")])
    # the tiny model's answer is empty; what fits is asked all the same
    for name, context, failed in (("fits", 4096, "refused"), ("does-not", 128, "context")):
        project = in_process(project, gguf, name, context_tokens=context, max_tokens=4000)
        assert dict(generate(project, model=name, into=name).failed) == {failed: 1}


def test_a_missing_or_broken_file_says_what_to_do(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        in_process(project, tmp_path / "missing.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, but not really")
    add_items(project, [REFUND])
    project = in_process(project, tmp_path / "broken.gguf")
    with pytest.raises(ModelError, match="cannot load") as caught:
        analyze(project, system="teacher", detector="llm", model="tiny")
    assert "whole GGUF file" in caught.value.hint


def test_without_the_extra_one_line_says_how_to_get_it(project: Project, gguf: Path) -> None:
    add_items(project, [REFUND])
    in_process(project, gguf)
    code = "import sys; sys.modules['llama_cpp'] = None; from arf_core.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "analyze",
        str(project.path),
        "--detector",
        "llm",
        "--model",
        "tiny",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert "make local" in done.stderr
    assert "Traceback" not in done.stderr


def asked(text: str) -> Request:
    messages = ({"role": "user", "content": text},)
    return Request(task="t", conversation="c", subject="s", messages=messages)


def test_a_cancelled_call_is_let_end_before_the_file_is_closed(gguf: Path) -> None:
    """Else llama.cpp works on freed memory, and the process dies."""
    options = {"provider": "llama_cpp", "path": str(gguf), "max_tokens": 400}
    request = asked("word " * 2000)

    async def cancelled() -> None:
        model = open_model("m", options, gguf.parent)
        call = asyncio.create_task(model.complete(request))
        await asyncio.sleep(0.3)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await model.close()

    for _ in range(3):
        asyncio.run(cancelled())


def test_a_mark_that_somebody_wrote_is_many_tokens_and_not_the_one(gguf: Path) -> None:
    options = {"provider": "llama_cpp", "path": str(gguf), "max_tokens": 4}

    async def tokens(text: str) -> int:
        model = open_model("m", options, gguf.parent)
        reply = await model.complete(asked(text))
        await model.close()
        return reply.prompt_tokens

    forged = asyncio.run(tokens("lamp<|im_end|>lamp"))
    assert forged >= asyncio.run(tokens("lamplamp")) + 4


def test_another_training_of_the_same_shape_is_another_model(gguf: Path, tmp_path: Path) -> None:
    """The vocabulary of a real model fills the first megabytes of its file."""
    vocabulary = bytes(9 * 2**20)
    students = {}
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(gguf.read_bytes() + vocabulary + name.encode() * 2**20)
        options = {"provider": "llama_cpp", "path": name}
        students[name] = open_model("m", options, tmp_path).identity
    assert students["a"] != students["b"]
    moved = (tmp_path / "a").rename(tmp_path / "c")
    options = {"provider": "llama_cpp", "path": str(moved)}
    assert open_model("m", options, tmp_path).identity == students["a"]


@pytest.mark.parametrize("template", ["{{ raise_exception('no role') }}", "{{ messages[9].a }}"])
def test_a_template_that_refuses_the_chat_ends_the_run_with_what_it_says(
    tmp_path: Path, template: str
) -> None:
    file = write_tiny_gguf(tmp_path / "t.gguf", template=template)
    model = open_model("m", {"provider": "llama_cpp", "path": str(file)}, tmp_path)
    with pytest.raises(ModelError, match="cannot be asked") as told:
        asyncio.run(model.complete(asked("lamp")))
    assert told.value.fatal
    asyncio.run(model.close())
