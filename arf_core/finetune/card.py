"""The texts that go with a student: a model card, and a Modelfile for Ollama."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from arf_core.finetune.artifacts import Artifacts
from arf_core.finetune.dataset import read_rows
from arf_core.finetune.practice import base_in_words
from arf_core.finetune.run_folder import Place, Trained, TrainingJob
from arf_core.finetune.settings import APACHE, LLAMA_31, LLAMA_32, QWEN_RESEARCH
from arf_core.models.chat_template import chat_text

HUB_LICENCES = {
    LLAMA_31: "llama3.1",
    LLAMA_32: "llama3.2",
    APACHE: "apache-2.0",
    QWEN_RESEARCH: "other",
}
"""What the Hugging Face hub calls the licences that are known here."""
USE = (
    "Ask it with the system and the user message that its project's `summarise` prompt makes, in "
    "the chat template that comes with its tokenizer, without sampling. This card says how it was "
    "trained, not how often it errs: read its summaries of the test split before you rely on it."
)
PRIVATE = (
    "It has learnt from conversations that may be private, and a model can give back parts of what "
    "it has learnt. Of this folder only the files above are for others: `train.jsonl` and "
    "`dev.jsonl` hold the conversations, `artifacts.json` an answer to one of them."
)


def modelfile(weights: str, tokenizer: Any, place: Place) -> str:
    """For `ollama create`. The template is the student's own, in Ollama's words."""
    # three quotes would end the text that they stand in
    system = read_rows(place.train_file)[0].messages[0]["content"].replace('"""', "'''")
    asked = [
        {"role": "system", "content": "{{ .System }}"},
        {"role": "user", "content": "{{ .Prompt }}"},
    ]
    template = chat_text(tokenizer, asked, asks=True)
    lines = [
        f"FROM ./{weights}",
        f'TEMPLATE """{template}"""',
        f'SYSTEM """{system}"""',
        "PARAMETER temperature 0",
        f"PARAMETER num_ctx {place.window()}",  # Ollama's own cuts long conversations in silence
        f'PARAMETER stop "{tokenizer.eos_token}"',
    ]
    return "\n".join(lines) + "\n"


def model_card(job: TrainingJob, trained: Trained, made: Artifacts) -> str:
    """The card as Markdown, with the head that the Hugging Face hub reads: what it learnt from,
    how, and what came out. It holds no text of a conversation."""
    settings = "\n".join(f"| {name} | {value} |" for name, value in _used(job, trained).items())
    what = (
        f"**A practice model.** {base_in_words(job.base)}"
        if job.practice
        else f"A summariser of customer-service conversations, trained from {_base(job)}."
    )
    parts = [
        _head(job),
        f"# {_plain(job.name)}",
        what,
        _as_list(_how(job, trained, made)),
        f"| setting | value |\n|---|---|\n{settings}",
        "## Use",
        USE,
        "## Files",
        _as_list(_files(made)),
        "## Before you publish it",
        PRIVATE,
    ]
    return "\n\n".join(parts) + "\n"


def _head(job: TrainingJob) -> str:
    """Only what is known: a folder's name is no model of the hub, and not every licence has a name
    there."""
    licence = HUB_LICENCES.get(job.licence, job.licence)
    lines = [f"license: {licence}"] if re.fullmatch(r"[a-z][a-z0-9.-]*", licence) else []
    lines += [] if Path(job.base).is_absolute() else [f"base_model: {job.base}"]
    lines += ["library_name: transformers", "pipeline_tag: text-generation"]
    return "\n".join(["---", *lines, "tags:", "- summarization", "---"])


def _how(job: TrainingJob, trained: Trained, made: Artifacts) -> list[str]:
    lengths = trained.lengths
    matched = ", ".join(map(_code, job.matched_with))
    loss = f"{trained.final_loss:.4f} at the last step"
    dev = "the dev split was not looked at"
    if trained.eval_loss is not None:
        loss += f", {trained.eval_loss:.4f} on the dev split"
        dev = f"evaluated on {job.dev_rows} rows of the dev split"
    return [
        f"learnt from: {job.rows} summaries of system {_code(job.system)} ({job.choice} rows of "
        f"the train split{f', matched in size with {matched}' if matched else ''}), fingerprint "
        f"`{job.fingerprint}`; {dev}; the test split was never seen",
        f"base: {_base(job)}, licence: {_plain(job.licence)}; the student is under the same "
        "licence",
        f"trainer: `{job.trainer}`, {trained.steps} steps in {trained.seconds:.1f} s on "
        f"{_code(trained.device)}"
        f"{' (stopped early: the dev loss got no better)' if trained.stopped_early else ''}",
        f"loss: {loss}; counted on the answers alone, {100 * lengths.learned_share:.0f} % of the "
        "tokens",
        f"length: rows of at most {lengths.max_length} tokens; shortened in the middle of the "
        f"conversation: {lengths.truncated}, left out because their answer did not fit: "
        f"{lengths.too_long}",
        f"tried: asked with a prompt of {made.smoke.prompt_tokens} tokens, the merged model "
        f"{'answered' if made.smoke.answer else 'said nothing'}",
    ]


def _used(job: TrainingJob, trained: Trained) -> dict[str, str]:
    """The settings as they were used, without those that had no say."""
    settings = trained.used or job.settings
    values = settings.model_dump() | {"max_length": trained.lengths.max_length}
    unused = {"evaluate", "epochs" if settings.steps else "steps"}
    unused |= {"rank", "alpha"} if settings.method == "full" else set()
    unused |= {"patience"} if trained.eval_loss is None else set()
    return {n: _value(v) for n, v in values.items() if n not in unused and v is not None}


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _files(made: Artifacts) -> list[str]:
    lines = [f"`{made.merged}/`: the whole model in 16 bit, for transformers, vLLM and the like"]
    if made.adapter:
        lines.append(f"`{made.adapter}/`: the adapter alone")
    for kind, file in made.gguf.items():
        check = made.checks[kind]
        lines.append(
            f"{_code(file)}: for llama.cpp and Ollama. Compared with the merged model on "
            f"{check.tokens} tokens: ids all equal, largest difference of a logit "
            f"{check.largest_difference:.2g} (spread {check.spread:.3g}), same next token at "
            f"{100 * check.same_choice:.1f} % of {check.positions} positions"
        )
    if made.gguf_missing:
        lines.append(f"no GGUF: {_plain(made.gguf_missing)}")
    if made.modelfile:
        lines.append(f"`{made.modelfile}`: `ollama create NAME -f Modelfile`")
    return lines


def _base(job: TrainingJob) -> str:
    """Where a folder lies on the machine that trained is nobody's business."""
    return _code(Path(job.base).name if Path(job.base).is_absolute() else job.base)


def _as_list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _code(text: str) -> str:
    """A text from outside as code, on one line."""
    return "`" + " ".join(text.split()).replace("`", "'") + "`"


def _plain(text: str) -> str:
    """A text from outside on one line, its marks of Markdown taken as they stand."""
    return re.sub(r"[\\`*_\[\]<>&]", r"\\\g<0>", " ".join(text.split()))
